# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings: one state for all of them, the records of given keys, and newer records only."""

from __future__ import annotations

import typing as t

import pytest
import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Key, Row
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql import provider as provider_module
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.provider import SqlProvider
from servers.sql_box import SqlBox, read_all

PEOPLE = Query(container="people")


def many(count: int) -> list[Row]:
    return [(str(number), f"name {number}") for number in range(count)]


def by_keys(provider: SqlProvider, query: Query, keys: list[Key], fields: tuple[str, ...] = ("id",)) -> list[Row]:
    with provider.read_keys(query, ("id", "name"), fields, keys) as reading:
        rows = [row for batch in reading.batches() for row in batch]
        assert reading.completeness.proven
    return rows


def test_readings_share_one_state_until_it_is_released(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        box.make(("id", "name"), [("1", "Ann"), ("2", "Bob")])
        provider = box.open()
        with provider.read(PEOPLE, ("name",)) as reading:
            assert [row for batch in reading.batches() for row in batch] == [("Ann",), ("Bob",)]
        box.execute("UPDATE people SET name = 'Zoe' WHERE id = '2'", "INSERT INTO people VALUES ('3', 'Cid')")
        assert by_keys(provider, PEOPLE, [("2",), ("3",)]) == [("2", "Bob")]
        provider.release()
        assert by_keys(provider, PEOPLE, [("2",), ("3",)]) == [("2", "Zoe"), ("3", "Cid")]


def test_sqlite_keeps_writers_out_while_it_is_read(sqlite_box: SqlBox) -> None:
    sqlite_box.make(("id", "name"), [("1", "Ann")])
    provider = sqlite_box.open()
    with provider.read(PEOPLE, ("name",)) as reading:
        list(reading.batches())
    with sqlite_box.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        connection.exec_driver_sql("DELETE FROM people")
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            connection.commit()
    provider.release()
    sqlite_box.execute("DELETE FROM people")


def test_a_reading_cannot_write(box: SqlBox) -> None:
    box.make(("id", "name"), [("1", "Ann")])
    provider = box.open()
    with provider.read(PEOPLE, ("name",)) as reading:
        list(reading.batches())
    session = provider._snapshot._session
    assert session is not None
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        session._execute("DELETE FROM people")


def test_two_readings_at_once_do_not_disturb_each_other(box: SqlBox) -> None:
    box.make(("id", "name"), many(9000))
    provider = box.open()
    with provider.read(PEOPLE, ("id",)) as one, provider.read(PEOPLE, ("name",)) as two:
        first, second = one.batches(), two.batches()
        ids, names = list(next(first)), list(next(second))
        ids += [row for batch in first for row in batch]
        names += [row for batch in second for row in batch]
        assert one.completeness.proven
        assert two.completeness.proven
    provider.release()
    assert {row[0] for row in ids} == {str(number) for number in range(9000)}
    assert {row[0] for row in names} == {f"name {number}" for number in range(9000)}


def test_a_reading_that_was_left_early_makes_room_for_the_next(box: SqlBox) -> None:
    box.make(("id", "name"), many(9000))
    provider = box.open()
    with provider.read(PEOPLE, ("id",)) as reading:
        assert len(next(reading.batches())) < 9000
    assert not reading.completeness.proven
    assert len(by_keys(provider, PEOPLE, [("5",)])) == 1
    provider.release()
    with provider.read(PEOPLE, ("id",)) as reading:
        next(reading.batches())
    provider.close()


@pytest.mark.parametrize("count", [1, 499, 500, 501, 1300])
def test_as_many_keys_as_wanted_are_looked_for(box: SqlBox, count: int) -> None:
    box.make(("id", "name"), many(1400))
    keys: list[Key] = [(str(number),) for number in range(count)]
    assert sorted(by_keys(box.open(), PEOPLE, keys)) == sorted(many(count))
    box._providers[-1].release()


def test_no_keys_give_no_records(box: SqlBox) -> None:
    box.make(("id", "name"), many(3))
    assert by_keys(box.open(), PEOPLE, []) == []


def test_very_many_keys_read_everything(box: SqlBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "MOST_KEYS", 1)
    box.make(("id", "name"), many(3))
    assert len(by_keys(box.open(), PEOPLE, [("1",), ("2",)])) == 3
    box._providers[-1].release()


def test_keys_of_a_query_and_of_several_fields(box: SqlBox) -> None:
    box.make(("id", "name"), many(20))
    asked = Query(text="SELECT id, name FROM people WHERE name <> 'x:y' ORDER BY id -- all")
    provider = box.open()
    found = by_keys(provider, asked, [("3", "name 3"), ("4", "name 5")], ("id", "name"))
    assert ("3", "name 3") in found
    assert ("4", "name 4") not in found or len(found) == 20
    provider.release()


def test_a_key_the_column_cannot_hold_names_no_record(box: SqlBox) -> None:
    box.execute("CREATE TABLE counted (id INTEGER PRIMARY KEY, name VARCHAR(9))", "INSERT INTO counted VALUES (7, 'x')")
    query = Query(container="counted")
    provider = box.open()
    assert by_keys(provider, query, [("x",), ("7",)]) == [("7", "x")]
    assert by_keys(provider, query, [("x",)]) == []
    provider.release()


def test_keys_are_compared_as_the_column_compares_them(mariadb_box: SqlBox, postgres_box: SqlBox) -> None:
    mariadb_box.make(("id", "name"), [("Ann", "a")])
    assert by_keys(mariadb_box.open(), PEOPLE, [("ANN",)]) == [("Ann", "a")]
    postgres_box.make(("id", "name"), [("Ann", "a")])
    assert by_keys(postgres_box.open(), PEOPLE, [("ANN",)]) == []


@pytest.mark.parametrize(
    ("type_name", "stored", "key"),
    [
        ("DATETIME", "2026-11-21 08:30:00", "2026-11-21T08:30:00"),
        ("DATETIME", "2026-11-21 08:30:00.000000", "2026-11-21T08:30:00"),
        ("DATETIME", "2026-11-21T08:30:00", "2026-11-21T08:30:00"),
        ("DATETIME", "2026-11-21T08:30:00.250000", "2026-11-21T08:30:00.250000"),
        ("TIME", "08:30:00.000000", "08:30:00"),
        ("UUID", "A0EEBC999C0B4EF8BB6D6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("UUID", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("DECIMAL(10,2)", 12.5, "12.5"),
        ("BOOLEAN", 1, "true"),
        ("INTEGER", 9007199254740993, "9007199254740993"),
    ],
)
def test_sqlite_finds_a_key_in_whichever_form_it_is_stored(
    sqlite_box: SqlBox, type_name: str, stored: t.Any, key: str
) -> None:
    sqlite_box.execute(f"CREATE TABLE odd (id {type_name}, name TEXT)")
    with sqlite_box.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO odd VALUES (?, 'x')", (stored,))
    provider = sqlite_box.open()
    assert by_keys(provider, Query(container="odd"), [(key,)]) == [(key, "x")]
    assert by_keys(provider, Query(container="odd"), [(key, "x")], ("id", "name")) == [(key, "x")]


def newer(box: SqlBox, container: str, mark: tuple[str, str]) -> list[str]:
    rows = read_all(box.open(), Query(container=container, newer_than=mark), ("id",))
    return sorted(str(row[0]) for row in rows)


def test_records_older_than_the_mark_are_left_out(box: SqlBox) -> None:
    moment = "TIMESTAMP" if box.engine.dialect.name == "postgresql" else "DATETIME"
    box.execute(
        f"CREATE TABLE changed (id INTEGER, seen {moment} NULL, born DATE NULL, version INTEGER, pay DECIMAL(10,2))",
        "INSERT INTO changed VALUES (1, '2026-11-01 08:30:00', '2026-11-01', 1, 1.5)",
        "INSERT INTO changed VALUES (2, '2026-11-21 08:30:00', '2026-11-21', 2, 2.5)",
        "INSERT INTO changed VALUES (3, '2026-11-22 00:00:00', '2026-11-22', 3, 3.5)",
        "INSERT INTO changed VALUES (4, NULL, NULL, NULL, NULL)",
    )
    assert newer(box, "changed", ("seen", "2026-11-21T08:30:00")) == ["2", "3", "4"]
    assert newer(box, "changed", ("born", "2026-11-21")) == ["2", "3", "4"]
    assert newer(box, "changed", ("version", "2")) == ["2", "3", "4"]
    assert newer(box, "changed", ("pay", "2.5")) == ["2", "3", "4"]
    assert newer(box, "changed", ("version", "no number")) == ["1", "2", "3", "4"]
    asked = Query(text="SELECT * FROM changed", newer_than=("version", "3"))
    assert {("3",), ("4",)} <= set(read_all(box.open(), asked, ("id",)))


def test_a_mark_that_sorts_otherwise_in_the_database_leaves_nothing_out(box: SqlBox) -> None:
    box.execute(
        "CREATE TABLE texts (id INTEGER, name VARCHAR(9), ratio FLOAT)",
        "INSERT INTO texts VALUES (1, 'a', 0.1)",
        "INSERT INTO texts VALUES (2, 'B', 1.3)",
    )
    assert newer(box, "texts", ("name", "Z")) == ["1", "2"]
    assert "2" in newer(box, "texts", ("ratio", "1.3"))


@pytest.mark.parametrize("stored", ["2026-11-21T08:30:00", "2026-11-21 10:30:00+02:00", "21.11.2026", "soon", None])
def test_sqlite_leaves_no_moment_out_that_may_be_newer(sqlite_box: SqlBox, stored: str | None) -> None:
    sqlite_box.execute("CREATE TABLE changed (id INTEGER, seen DATETIME)")
    with sqlite_box.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO changed VALUES (1, ?)", (stored,))
    assert newer(sqlite_box, "changed", ("seen", "2026-11-21T08:30:00")) == ["1"]
    assert newer(sqlite_box, "changed", ("seen", "0001-01-01T00:00:00")) == ["1"]


def test_text_that_is_not_utf_8_breaks_the_reading_off(sqlite_box: SqlBox) -> None:
    sqlite_box.execute("CREATE TABLE odd (name TEXT)", "INSERT INTO odd VALUES (CAST(x'ff' AS TEXT))")
    provider = sqlite_box.open()
    with provider.read(Query(container="odd"), ("name",)) as reading:
        with pytest.raises(ProviderError, match="table 'odd' broke off after 0 rows"):
            list(reading.batches())
        assert not reading.completeness.proven
        assert "broke off" in reading.completeness.reason


def test_a_table_that_went_away_is_no_empty_table(box: SqlBox) -> None:
    box.execute("CREATE TABLE going (id INTEGER)")
    provider = box.open()
    query = Query(container="going")
    reading = provider.read(query, ("id",))
    box.execute("DROP TABLE going")
    with pytest.raises(ProviderError, match="'going'"):
        list(reading.batches())
    with pytest.raises(ProviderError, match="state that was being read"):
        list(provider.read_keys(query, ("id",), ("id",), [("1",)]).batches())
    provider.release()
