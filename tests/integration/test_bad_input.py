# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: each case says what is wrong and what to do, ends with a failed task, and leaves the destination alone."""

from __future__ import annotations

import sqlite3
import typing as t
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from integration.harness import FAILED, Database, Done, Result, Workplace, fields, job, run
from openpyxl import Workbook
from servers.fixtures import free_port

BEFORE = [(1, "Ann"), (2, "Bo"), (8, "Here only"), (9, "Here too")]
PEOPLE: t.Final = "id INTEGER PRIMARY KEY, name VARCHAR(20)"
Options: t.TypeAlias = Mapping[str, t.Any]


@dataclass(frozen=True)
class Case:
    """One bad input: the source's options by provider type, what the message must say, and the status of the run."""

    source: Callable[[Path], Options]
    says: tuple[str, ...]
    end: Options | None = None
    source_fields: tuple[str, ...] = ("id", "name")
    status: str = "failed"
    table: str | None = None
    made: tuple[tuple[int, str], ...] = ()


def csv_file(content: bytes | str, **options: t.Any) -> Callable[[Path], Options]:
    def write(folder: Path) -> Options:
        path = folder / "source.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return {"csv": {"path": str(path), **options}}

    return write


def workbook(change: Callable[[bytes], bytes] = lambda whole: whole, *, name: str = "book.xlsx") -> t.Any:
    def write(folder: Path) -> Options:
        path = folder / name
        book = Workbook()
        sheet = book.create_sheet("Staff", 0)
        for row in [("id", "name"), *((number, f"Name {number}") for number in range(1, 200))]:
            sheet.append(row)
        book.create_sheet("Empty")
        book.save(folder / "whole.xlsx")
        path.write_bytes(change((folder / "whole.xlsx").read_bytes()))
        return {"excel": {"path": str(path)}}

    return write


def sqlite_file(folder: Path) -> Options:
    with closing(sqlite3.connect(folder / "source.db")) as database:
        database.execute("CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT)")
    return {"sql": {"url": f"sqlite:///{folder / 'source.db'}"}}


CASES: t.Final[Mapping[str, Case]] = {
    "empty file": Case(csv_file(b""), ("source.csv", "is empty (0 bytes)")),
    "header only": Case(
        csv_file("id,name\n"),
        ("gave 0 records", "`min_source_records: 1`", "`limits.min_source_records`"),
        status="held",
    ),
    "cut in a record": Case(csv_file("id,name\n1,Ann\n2"), ("source.csv, line 3", "has 1 field, the header has 2")),
    "cut in a quote": Case(csv_file('id,name\n1,Ann\n2,"Bo'), ("line 3", "a quote is still open", "was cut")),
    "no line break at the end": Case(
        csv_file("id,name\n1,Ann\n2,Bo"),
        ("2 records seem to be missing", "does not end with a line break"),
        status="held",
    ),
    "no such column": Case(
        csv_file("id,nmae\n1,Ann\n"), ("object 'row'", "there is no source field 'name'", "Did you mean 'nmae'?")
    ),
    "wrong encoding": Case(
        csv_file("id,name\n1,Ann\n2,Bø\n".encode("latin-1")), ("line 3", "0xf8", "is not utf-8", "windows-1252")
    ),
    "byte order mark of another encoding": Case(csv_file("id,name\n1,Ann\n".encode("utf-16")), ("utf-16", "encoding")),
    "header with a name twice": Case(
        csv_file("id,name,name\n1,Ann,A\n"), ("line 1", "'name' more than once", "Rename")
    ),
    "row too long": Case(csv_file("id,name\n1,Ann\n2,Bo,x\n"), ("line 3", "has 3 fields, the header has 2", "Quote")),
    "NUL byte": Case(csv_file(b"id,name\n1,Ann\n2,B\0\n"), ("line 3", "NUL byte")),
    "text after a quote": Case(csv_file('id,name\n1,"Ann" Lee\n'), ("line 2", "Double a quote")),
    "key missing": Case(
        csv_file("id,name\n1,Ann\n,Bo\n"),
        ("empty_key", "3 records seem to be missing", "Mend such records"),
        status="held",
    ),
    "key twice": Case(
        csv_file("id,name\n1,Ann\n2,Bo\n2,Bob\n8,Here only\n9,Here too\n"),
        ("ambiguous", "2: ", "2 source records have this key", "use more key fields"),
        status="completed_with_errors",
    ),
    "key that is no number": Case(
        csv_file("id,name\n1,Ann\ntwo,Bo\n"), ("'two'", "INTEGER", "Mend such records"), status="held"
    ),
    "no such file": Case(
        lambda folder: {"csv": {"path": str(folder / "gone.csv")}}, ("gone.csv does not exist", "option path")
    ),
    "folder": Case(lambda folder: {"csv": {"path": str(folder)}}, ("is a directory", "Give the path of a file")),
    "cut workbook": Case(
        workbook(lambda whole: whole[: len(whole) // 2]),
        ("book.xlsx is damaged, cut", "Copy the file again"),
        {"sheet": "Staff"},
    ),
    "empty workbook": Case(workbook(lambda _whole: b""), ("book.xlsx is empty (0 bytes)",), {"sheet": "Staff"}),
    "old workbook": Case(workbook(name="book.xls"), ("'book.xls'", "Save the workbook as .xlsx"), {"sheet": "Staff"}),
    "no such sheet": Case(workbook(), ("there is no sheet 'Stuff'", "Did you mean 'Staff'?"), {"sheet": "Stuff"}),
    "empty sheet": Case(workbook(), ("sheet 'Empty'", "there is nothing to read"), {"sheet": "Empty"}),
    "no such table": Case(sqlite_file, ("there is no table", "'stuff'", "'staff'"), {"table": "stuff"}),
    "no such table at the destination": Case(
        csv_file("id,name\n1,Ann\n"), ("there is no table", "'nowhere'"), table="nowhere"
    ),
    "bad query": Case(sqlite_file, ("provider 'bad query'", "nam"), {"query": "SELECT id, nam FROM staff"}),
    "no such database": Case(
        lambda folder: {"sql": {"url": f"sqlite:///{folder}/gone.db"}},
        ("there is no database file", "`url`"),
        {"table": "x"},
    ),
    "not a database": Case(
        lambda folder: {"sql": {"url": f"sqlite:///{csv_file('id,name')(folder)['csv']['path']}"}},
        ("not a database",),
        {"table": "staff"},
    ),
}


@dataclass(frozen=True)
class Ward:
    """Where all cases were run in one play, each with a table of its own."""

    done: Done
    database: Database
    tables: Mapping[str, str]


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    folder = tmp_path_factory.mktemp("bad")
    place = Workplace(folder=folder)
    (folder / "data.db").touch()
    with closing(Database(f"sqlite:///{folder / 'data.db'}")) as database:
        tables = {name: database.make(PEOPLE, BEFORE) for name in CASES}
        providers, jobs = [{"name": "directory", **database.provider}], []
        for number, (name, case) in enumerate(CASES.items()):
            own = folder / str(number)
            own.mkdir()
            providers.append({"name": name, **case.source(own)})
            source = {"provider": name, **(case.end or {})}
            destination = {"provider": "directory", "table": case.table or tables[name]}
            jobs.append(job(name, source, destination, fields(*case.source_fields)))
        place.declare(providers, jobs)
        yield Ward(place.play(**{name: run(name, may_fail=True) for name in CASES}), database, tables)


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_told_and_the_table_stays(ward: Ward, name: str) -> None:
    case = CASES[name]

    result = ward.done[name]

    assert result["failed"] is True
    text = everything_said(result)
    assert [words for words in case.says if words not in text] == [], text
    assert result["run"]["status"] == case.status
    assert ward.database.content(ward.tables[name]) == BEFORE


def everything_said(result: Result) -> str:
    """Give the message and the errors of a run as a person reads them."""
    errors = [f"{error['key']}: {error['code']}: {error['message']}" for error in result["run"]["errors"]]
    return "\n".join([result["msg"], *errors])


CONSTRAINED = (
    "id INTEGER PRIMARY KEY, name VARCHAR(10) NOT NULL, mail VARCHAR(30) UNIQUE, age INTEGER, "
    "born DATE, boss INTEGER, CHECK (age > 0), FOREIGN KEY (boss) REFERENCES {bosses} (id)"
)
RECORDS: t.Final = [
    (1, "Ann", "ann@example.com", 30, "2000-01-01", 100),
    (2, "Bob", "taken@example.com", 30, "2000-01-01", 100),
    (3, "Cid", "cid@example.com", -1, "2000-01-01", 100),
    (4, "Dan", "dan@example.com", 30, "2000-01-01", 999),
    (5, "Eve", "eve@example.com", "many", "2000-01-01", 100),
    (6, "Fay", "fay@example.com", 30, "2000-02-30", 100),
    (7, "A name that is long", "gil@example.com", 30, "2000-01-01", 100),
    (8, "Hal", "hal@example.com", 30, "2000-01-01", 100),
]
CODES = {2: "constraint", 3: "constraint", 4: "constraint", 5: "value", 6: "value", 7: "value"}


def test_records_that_break_a_rule_of_the_table_are_told_one_by_one(place: Workplace, mariadb: Database) -> None:
    bosses = mariadb.make("id INTEGER PRIMARY KEY", [(100,)], name="bosses")
    old = (50, "Old", "taken@example.com", 40, None, None)
    table = mariadb.make(CONSTRAINED.format(bosses=bosses), [old])
    header = ["id", "name", "mail", "age", "born", "boss"]
    source = place.write_csv("people.csv", header, RECORDS)
    people = job("people", "hr", {"provider": "db", "table": table}, fields(*header), missing_at_source="skip")
    place.declare([{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **mariadb.provider}], [people])

    done = place.adhoc("run", job="people")

    assert done.code == FAILED
    result = done.only["run"]
    assert result["status"] == "completed_with_errors"
    codes = {int(error["key"]): error["code"] for error in result["errors"]}
    assert codes == CODES
    said = {int(error["key"]): error["message"] for error in result["errors"]}
    assert "'many'" in said[5]
    assert "'age'" in said[5]
    assert "'2000-02-30'" in said[6]
    assert "'name'" in said[7]
    assert result["statistics"]["created"] == 2
    assert [row[0] for row in mariadb.content(table)] == [1, 8, 50]
    assert mariadb.content(table)[2][1:4] == old[1:4]


def test_a_wrong_password_and_a_closed_port(place: Workplace, postgres: Database) -> None:
    table = postgres.make(PEOPLE, BEFORE)
    source = place.write_csv("people.csv", ["id", "name"], [(3, "New")])
    options = postgres.provider["sql"]
    closed = sa.make_url(options["url"]).set(port=free_port()).render_as_string()
    ends = "hr", {"provider": "db", "table": table}
    place.declare(
        [
            {"name": "hr", "csv": {"path": str(source)}},
            {"name": "db", "sql": options | {"password": "not-the-password"}},
            {"name": "closed", "sql": options | {"url": closed}},
        ],
        [
            job("wrong", *ends, fields("id", "name")),
            job("closed", ends[0], ends[1] | {"provider": "closed"}, fields("id", "name")),
        ],
    )

    done = place.play("-vvv", wrong=run("wrong", may_fail=True), closed=run("closed", may_fail=True))

    assert done["wrong"]["failed"] is True
    assert "provider 'db'" in done["wrong"]["msg"]
    assert "not-the-password" not in done.output
    assert done["closed"]["failed"] is True
    assert "provider 'closed': cannot" in done["closed"]["msg"]
    assert "refused" in done["closed"]["msg"]
    assert postgres.content(table) == BEFORE
