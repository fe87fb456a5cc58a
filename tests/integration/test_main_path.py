# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From files to tables and back, on each kind of database, and on to a database of another kind.

SQLite does it with both kinds of files, each server with one: what differs between them the conformance suite proves.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Sequence
from pathlib import Path

import pytest
from integration.harness import HERE, Database, Workplace
from openpyxl import Workbook, load_workbook

HEADER = ["id", "name", "born", "salary", "active"]
COLUMNS = "id INTEGER PRIMARY KEY, name VARCHAR(60) NOT NULL, born DATE, salary DECIMAL(10, 2), active BOOLEAN NOT NULL"
NAMES = [
    "Ann Lee",
    "Bjørn Åse",
    "Żółć, Łucja",
    'Dan "Doc" Doe',
    "Eve\nTwo-Lines",
    "=1+1",
    "O'Neil; DROP TABLE people",
    "名前",
    "100%",
    "back\\slash",
    "trailing's",
    "007",
]
Person: t.TypeAlias = tuple[int, str, str, str, str]


CSV_JOBS = ["csv-to-table", "table-to-csv"]
EXCEL_JOBS = ["excel-to-table", "table-to-excel"]


def people() -> list[Person]:
    return [
        (number, name, f"19{60 + number}-02-{number:02}", "" if number == 3 else f"{1000 + number}.5", "false")
        for number, name in enumerate(NAMES, 1)
    ]


def people_next() -> list[Person]:
    """One more, one with other values, one gone."""
    rows = people()
    rows[1] = (2, "Bjørn Ås", "", "2000", "true")
    del rows[4]
    return [*rows, (13, "New One", "2000-12-31", "1.25", "true")]


def write_workbook(path: Path, rows: Sequence[Person]) -> None:
    book = Workbook()
    book.create_sheet("Staff", 0).append(HEADER)
    for number, name, born, salary, active in rows:
        date = dt.date.fromisoformat(born) if born else None
        book["Staff"].append([number, name, date, float(salary) if salary else None, active == "true"])
        # openpyxl would make a formula of a text such as `=1+1`.
        book["Staff"].cell(row=book["Staff"].max_row, column=2).data_type = "s"
    book.save(path)


def as_texts(rows: Sequence[t.Any]) -> list[Person]:
    """Give rows of a database or workbook as the CSV file has them."""
    return [(row[0], row[1], _date(row[2]), _number(row[3]), str(bool(row[4])).lower()) for row in rows]


def _date(value: object) -> str:
    return "" if value is None else str(value)[:10]


def _number(value: t.Any) -> str:
    return "" if value is None else f"{float(value):g}"


@pytest.mark.parametrize(
    ("database", "jobs"),
    [("sqlite", CSV_JOBS + EXCEL_JOBS), ("postgres", CSV_JOBS), ("mariadb", EXCEL_JOBS)],
    indirect=["database"],
    ids=["sqlite", "postgres", "mariadb"],
)
def test_files_and_tables_are_kept_in_step(
    place: Workplace, database: Database, other_database: Database, jobs: list[str]
) -> None:
    place.write_csv("hr.csv", HEADER, people())
    place.write_csv("next_hr.csv", HEADER, people_next())
    write_workbook(place.folder / "book.xlsx", people())
    write_workbook(place.folder / "next_book.xlsx", people_next())
    tables = {name: database.make(COLUMNS, name=name) for name in ("people", "copies")}
    filled = [tables[name] for job, name in (("csv-to-table", "people"), ("excel-to-table", "copies")) if job in jobs]
    elsewhere = other_database.make(COLUMNS)

    place.playbook(
        HERE / "playbooks" / "main_path.yml",
        variables={
            "folder": str(place.folder),
            "database": database.provider["sql"],
            "other": other_database.provider["sql"],
            "database_url": database.url,
            "other_url": other_database.url,
            **tables,
            "elsewhere": elsewhere,
            "jobs": [*jobs, "table-to-other"],
            "filled": filled[0],
        },
    )

    wanted = people_next()
    assert [as_texts(database.content(table)) for table in filled] == [wanted] * len(filled)
    assert as_texts(other_database.content(elsewhere)) == wanted
    if "table-to-csv" in jobs:
        given = (place.folder / "hr.csv").read_bytes()
        assert (place.folder / "out.csv").read_bytes() == given.replace(b"\r\n", b"\n")
    if "table-to-excel" in jobs:
        sheet = load_workbook(place.folder / "out.xlsx")["People"]
        header, *rows = sheet.iter_rows(values_only=True)
        assert list(header) == HEADER
        # Ids with leading zeros must survive, so a new sheet holds texts.
        assert rows == [tuple(text or None for text in map(str, person)) for person in wanted]
