# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every type's values: read canonical, written back the same."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from servers.sql_box import SqlBox, change, read_all, target

UUID_TEXT = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
POSTGRES: tuple[tuple[str, str, Value], ...] = (
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("numeric", "12.5", "12.5"),
    ("numeric(9,3)", "12.500", "12.5"),
    ("numeric", "1234567890123456789012345678901234567890.5", "1234567890123456789012345678901234567890.5"),
    ("numeric(10,2)", "-0.00", "0"),
    ("numeric(8)", "100", "100"),
    ("numeric", "NaN", "nan"),
    ("oid", "4294967295", "4294967295"),
    ("real", "1.1", "1.1"),
    ("real", "16777216", "16777216"),
    ("float8", "1e20", "1e+20"),
    ("float8", "0.1", "0.1"),
    ("float8", "NaN", "nan"),
    ("bool", "t", "true"),
    ("bool", "f", "false"),
    ("text", "", ""),
    ("text", " ß \n", " ß \n"),
    ("varchar(40)", "x ", "x "),
    ("char(5)", "ab", "ab"),
    ("date", "2026-11-21", "2026-11-21"),
    ("time", "08:30:00.25", "08:30:00.250000"),
    ("time(0)", "08:30:00", "08:30:00"),
    ("timetz", "08:30:00.5+02", "08:30:00.500000+02:00"),
    ("timestamp", "2026-11-21 08:30:00", "2026-11-21T08:30:00"),
    ("timestamp", "2026-11-21 08:30:00.25", "2026-11-21T08:30:00.250000"),
    ("timestamptz", "2026-11-21 08:30:00+02", "2026-11-21T06:30:00+00:00"),
    ("timestamptz", "2026-11-21 08:30:00.5-05:30", "2026-11-21T14:00:00.500000+00:00"),
    ("interval", "1 mon 1 day 02:00:00", "1 mon 1 day 02:00:00"),
    ("daterange", "[2026-01-01,2026-02-01)", "[2026-01-01,2026-02-01)"),
    ("uuid", UUID_TEXT.upper(), UUID_TEXT),
    ("json", '{"b": 1, "a": "x"}', '{"a":"x","b":1}'),
    ("jsonb", '"s"', '"s"'),
    ("jsonb", "null", "null"),
    ("bytea", "\\x00ff", b"\x00\xff"),
    ("int[]", "{1,NULL,2}", "[1,null,2]"),
    ("text[]", '{"a\\"b\\\\",NULL,"NULL",{},""}'.replace("{},", ""), '["a\\"b\\\\",null,"NULL",""]'),
    ("numeric(5,2)[]", "{{1.50,2},{3,4}}", "[[1.5,2.0],[3.0,4.0]]"),
    ("bool[]", "{t,f}", "[true,false]"),
    ("inet", "10.0.0.1", "10.0.0.1"),
    ("bit(3)", "101", "101"),
    ("xml", "<a/>", "<a/>"),
)
MARIADB: tuple[tuple[str, str, Value], ...] = (
    ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
    ("int(6) zerofill", "42", "42"),
    ("decimal(10,2)", "12.50", "12.5"),
    ("decimal(40,0)", "1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890"),
    ("float", "1.1", "1.1"),
    ("float", "16777217", "16777216"),
    ("float", "1.1234567", "1.1234567"),
    ("double", "1e20", "1e+20"),
    ("boolean", "1", "true"),
    ("boolean", "0", "false"),
    ("bit(1)", "b1", "true"),
    ("bit(9)", "b100000001", "257"),
    ("varchar(40)", "", ""),
    ("text", " ß 🎉\n", " ß 🎉\n"),
    ("char(5)", "ab", "ab"),
    ("date", "2026-11-21", "2026-11-21"),
    ("time(6)", "08:30:00.25", "08:30:00.250000"),
    ("datetime", "2026-11-21 08:30:00", "2026-11-21T08:30:00"),
    ("datetime(3)", "2026-11-21 08:30:00.25", "2026-11-21T08:30:00.250000"),
    ("timestamp NULL", "2026-11-21 08:30:00", "2026-11-21T08:30:00+00:00"),
    ("year", "2024", "2024"),
    ("enum('a','b')", "a", "a"),
    ("set('x','y')", "x,y", "x,y"),
    ("varbinary(9)", "ab", b"ab"),
    ("longblob", "ab", b"ab"),
    ("json", '{"b": 1, "a": 2}', '{"b": 1, "a": 2}'),
    ("uuid", UUID_TEXT.upper(), UUID_TEXT),
    ("inet6", "::1", "::1"),
)
SQLITE: tuple[tuple[str, t.Any, Value], ...] = (
    ("INTEGER", 9223372036854775807, "9223372036854775807"),
    ("DECIMAL(10,2)", 12.5, "12.5"),
    ("DECIMAL(10,2)", 12, "12"),
    ("NUMERIC", 0.1, "0.1"),
    ("REAL", 1.0, "1"),
    ("BOOLEAN", 1, "true"),
    ("BOOLEAN", 0, "false"),
    ("TEXT", "", ""),
    ("VARCHAR(40)", "00042", "00042"),
    ("DATE", "2026-11-21", "2026-11-21"),
    ("DATETIME", "2026-11-21 08:30:00", "2026-11-21T08:30:00"),
    ("DATETIME", "2026-11-21 08:30:00.250000", "2026-11-21T08:30:00.250000"),
    ("TIME", "08:30:00", "08:30:00"),
    ("UUID", UUID_TEXT, UUID_TEXT),
    ("JSON", '{"a":2,"b":1}', '{"a":2,"b":1}'),
    ("BLOB", b"\x00\xff", b"\x00\xff"),
    ("STRING", "abc", "abc"),
)


def check_round_trip(box: SqlBox, canonical: Value) -> None:
    """Read what was put in by hand, write it to a second record, and update a third one with it."""
    provider = box.open()
    query = Query(container="kinds")
    assert read_all(provider, query, ("value",)) == [(canonical,)]
    assert provider.describe_container(query).field("value") is not None
    made = change("create", ("2",), after={"id": "2", "value": canonical})
    emptied = change("create", ("3",), after={"id": "3", "value": None})
    with provider.writer(target("kinds", ("id", "value"))) as writer:
        assert writer.apply([made, emptied]) == [DONE, DONE]
        filled = change("update", ("3",), before={"id": "3", "value": None}, after={"value": canonical})
        assert writer.apply([filled]) == [DONE]
        assert writer.apply([made, filled]) == [DONE, DONE]
    assert set(read_all(provider, query, ("id", "value"))) == {("1", canonical), ("2", canonical), ("3", canonical)}


@pytest.mark.parametrize(("type_name", "given", "canonical"), POSTGRES)
def test_values_of_postgresql(postgres_box: SqlBox, type_name: str, given: str, canonical: Value) -> None:
    postgres_box.execute(
        f"CREATE TABLE kinds (id integer PRIMARY KEY, value {type_name})", f"INSERT INTO kinds VALUES (1, '{given}')"
    )
    check_round_trip(postgres_box, canonical)
    if type_name != "json":  # which keeps the text as it was
        assert len(postgres_box.select("SELECT DISTINCT CAST(value AS TEXT) FROM kinds")) == 1


@pytest.mark.parametrize(("type_name", "given", "canonical"), MARIADB)
def test_values_of_mariadb(mariadb_box: SqlBox, type_name: str, given: str, canonical: Value) -> None:
    literal = f"b'{given[1:]}'" if type_name.startswith("bit") else f"'{given}'"
    mariadb_box.execute(
        f"CREATE TABLE kinds (id integer PRIMARY KEY, value {type_name})",
        "SET time_zone = '+00:00'",
        f"INSERT INTO kinds VALUES (1, {literal})",
    )
    check_round_trip(mariadb_box, canonical)
    assert len(mariadb_box.select("SELECT DISTINCT HEX(value) FROM kinds")) == 1


@pytest.mark.parametrize(("type_name", "given", "canonical"), SQLITE)
def test_values_of_sqlite(sqlite_box: SqlBox, type_name: str, given: t.Any, canonical: Value) -> None:
    sqlite_box.execute(f"CREATE TABLE kinds (id integer PRIMARY KEY, value {type_name})")
    with sqlite_box.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO kinds VALUES (1, ?)", (given,))
    check_round_trip(sqlite_box, canonical)
    assert len(sqlite_box.select("SELECT DISTINCT value FROM kinds")) == 1


@pytest.mark.parametrize(
    ("type_name", "given", "shown"),
    [
        ("INTEGER", "abc", "abc"),
        ("INTEGER", 5.5, "5.5"),
        ("BOOLEAN", 7, "7"),
        ("DATETIME", "soon", "soon"),
        ("DATETIME", "2026-11-21T08:30:00+02:00", "2026-11-21T06:30:00"),
        ("UUID", UUID_TEXT.replace("-", "").upper(), UUID_TEXT),
        ("TEXT", b"\x01", b"\x01"),
        ("BLOB", "text", b"text"),
        ("", 5, "5"),
        ("", "x", "x"),
        ("STRING", "007", "7"),
    ],
)
def test_sqlite_shows_what_it_holds_whatever_was_declared(
    sqlite_box: SqlBox, type_name: str, given: t.Any, shown: Value
) -> None:
    sqlite_box.execute(f"CREATE TABLE kinds (value {type_name})")
    with sqlite_box.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO kinds VALUES (?)", (given,))
    assert read_all(sqlite_box.open(), Query(container="kinds"), ("value",)) == [(shown,)]


@pytest.mark.parametrize(
    ("type_name", "literal", "shown"),
    [
        ("date", "infinity", "infinity"),
        ("timestamp", "infinity", "infinity"),
        ("timestamptz", "-infinity", "-infinity"),
        ("timestamp", "0044-03-15 01:02:03 BC", "0044-03-15T01:02:03 BC"),
        ("timestamptz", "0044-03-15 01:02:03+00 BC", "0044-03-15 01:02:03+00 BC"),
        ("date", "0044-03-15 BC", "0044-03-15 BC"),
    ],
)
def test_moments_of_postgresql_that_python_does_not_know_are_read(
    postgres_box: SqlBox, type_name: str, literal: str, shown: str
) -> None:
    postgres_box.execute(f"CREATE TABLE kinds (value {type_name})", f"INSERT INTO kinds VALUES ('{literal}')")
    assert read_all(postgres_box.open(), Query(container="kinds"), ("value",)) == [(shown,)]


def test_odd_moments_of_mariadb_are_read(mariadb_box: SqlBox) -> None:
    mariadb_box.execute(
        "SET sql_mode = ''",
        "CREATE TABLE kinds (a date, b datetime, c time, d tinyint(1))",
        "INSERT INTO kinds VALUES ('0000-00-00', '0000-00-00 00:00:00', '-100:00:01', 2)",
    )
    rows = read_all(mariadb_box.open(), Query(container="kinds"), ("a", "b", "c", "d"))
    assert rows == [("0000-00-00", "0000-00-00T00:00:00", "-100:00:01", "2")]


def test_values_of_a_query_are_canonical_too(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    text = "SELECT 12.50 AS a, CAST('2026-11-21 08:30:00' AS {}) AS b, CAST('x' AS CHAR(3)) AS c, 1 = 1 AS d"
    for box, moment, yes in ((postgres_box, "TIMESTAMP", "true"), (mariadb_box, "DATETIME", "true")):
        rows = read_all(box.open(), Query(text=text.format(moment)), ("a", "b", "c", "d"))
        assert rows == [("12.5", "2026-11-21T08:30:00", "x", yes)] or rows == [
            ("12.5", "2026-11-21T08:30:00", "x", "1")
        ]


def test_flags_of_a_query_of_mariadb_are_booleans(mariadb_box: SqlBox) -> None:
    mariadb_box.execute(
        "CREATE TABLE flags (a bit(1), b tinyint(1), c bit(9))", "INSERT INTO flags VALUES (b'1', 0, b'1')"
    )
    asked = Query(text="SELECT a, b, c FROM flags")
    provider = mariadb_box.open()
    assert [info.kind for info in provider.describe_container(asked).fields] == ["boolean", "boolean", "integer"]
    assert read_all(provider, asked, ("a", "b", "c")) == [("true", "false", "1")]


def test_a_view_of_sqlite_and_a_query_give_texts(sqlite_box: SqlBox) -> None:
    sqlite_box.execute("CREATE VIEW seen AS SELECT 1 + 1 AS a, 'x' AS b, 0.5 AS c, NULL AS d")
    expected = [("2", "x", "0.5", None)]
    provider = sqlite_box.open()
    assert read_all(provider, Query(container="seen"), ("a", "b", "c", "d")) == expected
    assert read_all(provider, Query(text="SELECT * FROM seen"), ("a", "b", "c", "d")) == expected
    with provider.read_keys(Query(container="seen"), ("b",), ("a",), [("2",)]) as reading:
        assert list(reading.batches()) == [[("x",)]]
