# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tables, views and queries look like from outside."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import ContainerInfo, FieldInfo
from servers.sql_box import SqlBox, read_all


def describe(box: SqlBox, name: str) -> ContainerInfo:
    return box.open().describe_container(Query(container=name))


def field(info: ContainerInfo, name: str) -> FieldInfo:
    found = info.field(name)
    assert found is not None
    return found


def quoted(box: SqlBox, name: str) -> str:
    return box.engine.dialect.identifier_preparer.quote_identifier(name).replace("%%", "%")


def test_keys_are_the_primary_key_and_the_unique_sets_of_not_null_columns(box: SqlBox) -> None:
    box.execute(
        "CREATE TABLE keyed (a INTEGER NOT NULL, b INTEGER NOT NULL, c INTEGER NOT NULL UNIQUE, d INTEGER UNIQUE,"
        " e INTEGER NOT NULL, PRIMARY KEY (a, b), UNIQUE (d, e), UNIQUE (b, e))",
        "CREATE UNIQUE INDEX keyed_index ON keyed (e, c)",
    )
    info = describe(box, "keyed")
    assert info.unique_keys[0] == {"a", "b"}
    assert set(info.unique_keys) == {frozenset("ab"), frozenset("c"), frozenset("be"), frozenset("ec")}
    assert [known.name for known in info.fields if known.unique] == ["c"]


def test_a_table_without_keys_has_none(box: SqlBox) -> None:
    box.execute("CREATE TABLE loose (a INTEGER, b INTEGER)")
    assert describe(box, "loose").unique_keys == ()


def test_who_fills_a_column_in_is_told(box: SqlBox) -> None:
    kind = "VIRTUAL" if box.engine.dialect.name == "sqlite" else "STORED"
    box.execute(
        f"CREATE TABLE filled (a INTEGER NOT NULL, b INTEGER DEFAULT 5, c INTEGER GENERATED ALWAYS AS (a + 1) {kind})"
    )
    a, b, c = describe(box, "filled").fields
    assert (a.nullable, a.has_default, a.writable) == (False, False, True)
    assert (b.nullable, b.has_default, b.writable) == (True, True, True)
    assert not c.writable


def test_a_view_is_told_apart_and_has_no_keys(box: SqlBox) -> None:
    box.execute("CREATE TABLE keyed (id INTEGER NOT NULL PRIMARY KEY)", "CREATE VIEW seen AS SELECT id FROM keyed")
    info = describe(box, "seen")
    assert (info.kind, info.unique_keys, [known.name for known in info.fields]) == ("view", (), ["id"])
    assert {"keyed", "seen"} <= {known.name for known in box.open().describe()}


def test_a_view_whose_table_is_gone_does_not_hide_the_others(sqlite_box: SqlBox) -> None:
    sqlite_box.execute("CREATE VIEW broken AS SELECT * FROM gone", "CREATE VIEW whole AS SELECT id FROM people")
    assert [info.name for info in sqlite_box.open().describe()] == ["people", "whole"]
    with pytest.raises(ConfigError, match="'people'"):
        describe(sqlite_box, "missing")


def test_reserved_words_capitals_blanks_and_signs_in_names(box: SqlBox) -> None:
    table, name, sign = (quoted(box, text) for text in ("Odd Table.x", "Full Name", "50%:x (y)"))
    word = quoted(box, "select")
    box.execute(
        f"CREATE TABLE {table} ({word} INTEGER NOT NULL PRIMARY KEY, {name} VARCHAR(40), {sign} VARCHAR(9))",
        f"INSERT INTO {table} VALUES (1, 'Ann', 'x')",
    )
    fields = ("select", "Full Name", "50%:x (y)")
    query = Query(container="Odd Table.x")
    provider = box.open()
    assert tuple(known.name for known in provider.describe_container(query).fields) == fields
    assert read_all(provider, query, fields) == [("1", "Ann", "x")]
    with provider.read_keys(query, fields, ("select", "50%:x (y)"), [("1", "x")]) as reading:
        assert list(reading.batches()) == [[("1", "Ann", "x")]]
    provider.release()
    asked = Query(text=f"SELECT {name}, '100%' AS {sign}, '::a :b' AS c FROM {table}")
    assert read_all(provider, asked, ("50%:x (y)", "c", "Full Name")) == [("100%", "::a :b", "Ann")]


def test_names_are_matched_exactly_and_the_nearest_is_offered(box: SqlBox) -> None:
    box.execute("CREATE TABLE staff (id INTEGER)")
    with pytest.raises(ConfigError, match="Did you mean 'staff'"):
        describe(box, "Staff")


def test_an_unknown_field_of_a_target_is_refused(box: SqlBox) -> None:
    box.execute("CREATE TABLE staff (id INTEGER, name VARCHAR(9))")
    with pytest.raises(ConfigError, match=r"table 'staff': there is no field 'nmae'. Did you mean 'name'"):
        box.open().writer(WriteTarget(container="staff", key_fields=("id",), fields=("id", "nmae")))
    with pytest.raises(ConfigError, match="there is no field 'modified'"):
        box.open().read(Query(container="staff", newer_than=("modified", "2026-01-01")), ("id",))
    with pytest.raises(ConfigError, match="no field is asked for"):
        box.open().read(Query(container="staff"), ())


@pytest.mark.parametrize("query", [Query(), Query(container="staff", text="SELECT 1")])
def test_a_table_or_a_query_must_be_given(sqlite_box: SqlBox, query: Query) -> None:
    with pytest.raises(ConfigError, match="either `table` or `query`"):
        sqlite_box.open().describe_container(query)


def test_a_query_is_no_destination(sqlite_box: SqlBox) -> None:
    with pytest.raises(ConfigError, match="either `table` or `query`"):
        sqlite_box.open().writer(WriteTarget(container=None, key_fields=("id",), fields=("id",)))


def test_other_schemas_are_reached_by_their_name(postgres_box: SqlBox) -> None:
    postgres_box.execute(
        "CREATE SCHEMA hr", "CREATE TABLE hr.staff (id INTEGER PRIMARY KEY)", "INSERT INTO hr.staff VALUES (7)"
    )
    provider = postgres_box.open()
    assert [info.name for info in provider.describe()] == ["hr.staff"]
    assert read_all(provider, Query(container="hr.staff"), ("id",)) == [("7",)]
    with pytest.raises(ConfigError, match=r"'hr\.staff'"):
        describe(postgres_box, "hr.stuff")
    with pytest.raises(ConfigError, match=r"'hr\.staff'"):
        describe(postgres_box, "nowhere.staff")
    postgres_box.execute("DROP SCHEMA hr CASCADE")


def test_a_schema_that_is_not_there_is_an_unknown_table(sqlite_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (sqlite_box, mariadb_box):
        with pytest.raises(ConfigError, match=r"there is no table 'nowhere\.people'"):
            describe(box, "nowhere.people")


def test_columns_of_postgresql(postgres_box: SqlBox) -> None:
    postgres_box.execute(
        "CREATE EXTENSION IF NOT EXISTS citext",
        "CREATE TYPE mood AS ENUM ('sad', 'happy')",
        "CREATE DOMAIN grade AS smallint",
        "CREATE MATERIALIZED VIEW counted AS SELECT 1 AS a",
        "CREATE TABLE kinds (always bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " mostly int GENERATED BY DEFAULT AS IDENTITY, counted serial, small smallint, pay numeric(10,2),"
        " anything numeric, short real, long float8, yes bool, name varchar(40), code char(5), mail citext,"
        " born date, at time(3), seen timestamptz, noted timestamp(0), id uuid, extra jsonb, photo bytea, mood mood,"
        " tags text[], grade grade, address inet, soft varchar(9))",
        "CREATE UNIQUE INDEX part ON kinds (name) WHERE name <> ''",
        "CREATE UNIQUE INDEX lowered ON kinds (lower(name))",
    )
    info = describe(postgres_box, "kinds")
    assert info.unique_keys == (frozenset({"always"}),)
    assert not field(info, "always").writable
    assert field(info, "mostly").writable
    assert field(info, "mostly").has_default
    assert field(info, "counted").has_default
    assert field(info, "small").bits == 16
    assert (field(info, "pay").precision, field(info, "pay").scale) == (10, 2)
    assert (field(info, "anything").precision, field(info, "anything").scale) == (None, None)
    assert (field(info, "short").bits, field(info, "long").bits) == (32, 64)
    assert (field(info, "name").max_length, field(info, "name").type_name) == (40, "VARCHAR(40)")
    assert field(info, "code").max_length == 5
    assert not field(info, "mail").case_sensitive
    assert field(info, "name").case_sensitive
    assert field(info, "at").precision == 3
    assert field(info, "seen").timezone
    assert not field(info, "noted").timezone
    assert field(info, "noted").precision == 0
    assert {known.name: known.kind for known in info.fields} == {
        **dict.fromkeys(("always", "mostly", "counted", "small", "grade"), "integer"),
        **dict.fromkeys(("pay", "anything"), "decimal"),
        **dict.fromkeys(("short", "long"), "float"),
        **dict.fromkeys(("name", "code", "mail", "mood", "address", "soft"), "text"),
        **dict.fromkeys(("seen", "noted"), "datetime"),
        **dict.fromkeys(("extra", "tags"), "json"),
        "yes": "boolean",
        "born": "date",
        "at": "time",
        "id": "uuid",
        "photo": "binary",
    }
    assert describe(postgres_box, "counted").kind == "view"


def test_columns_of_mariadb(mariadb_box: SqlBox) -> None:
    mariadb_box.execute(
        "CREATE TABLE kinds (id int AUTO_INCREMENT PRIMARY KEY, yes tinyint(1), flag bit(1), flags bit(9),"
        " tiny tinyint, medium mediumint, big bigint unsigned, filled int(6) zerofill, pay decimal(10,2), short float,"
        " `long` double,"
        " name varchar(40), exact varchar(40) COLLATE utf8mb4_bin, story text, mood enum('a','b'),"
        " born date,"
        " noted datetime(3), seen timestamp NULL, at time, founded year,"
        " photo blob, hash binary(4), extra json, guid uuid,"
        " UNIQUE prefix (story(10)))",
    )
    info = describe(mariadb_box, "kinds")
    assert field(info, "id").has_default
    assert {name: field(info, name).kind for name in ("yes", "flag", "flags", "tiny")} == {
        "yes": "boolean",
        "flag": "boolean",
        "flags": "integer",
        "tiny": "integer",
    }
    assert (field(info, "medium").bits, field(info, "tiny").bits, field(info, "flags").bits) == (24, 8, 9)
    assert field(info, "big").unsigned
    assert (field(info, "short").bits, field(info, "long").bits) == (32, 64)
    assert not field(info, "name").case_sensitive
    assert field(info, "exact").case_sensitive
    assert (field(info, "name").max_length, field(info, "story").max_length) == (40, None)
    assert field(info, "mood").max_length is None
    assert (field(info, "noted").precision, field(info, "seen").precision, field(info, "at").precision) == (3, 0, 0)
    assert field(info, "seen").timezone
    assert not field(info, "noted").timezone
    assert field(info, "founded").kind == "integer"
    assert (field(info, "photo").kind, field(info, "hash").max_length) == ("binary", 4)
    assert field(info, "guid").kind == "uuid"
    assert info.unique_keys == (frozenset({"id"}),)


def test_columns_of_sqlite_are_what_they_were_declared_as(sqlite_box: SqlBox) -> None:
    sqlite_box.execute(
        "CREATE TABLE kinds (id INTEGER PRIMARY KEY, small smallint, pay DECIMAL(10,2), price numeric, amount MONEY,"
        " name VARCHAR(40), mail TEXT COLLATE NOCASE UNIQUE, yes BOOLEAN, born DATE, noted TIMESTAMP, at TIME,"
        " guid UUID, extra JSON, photo BLOB, hash VARBINARY(4), ratio DOUBLE PRECISION, odd STRING, anything)"
    )
    info = describe(sqlite_box, "kinds")
    assert (field(info, "id").has_default, field(info, "id").nullable, field(info, "id").bits) == (True, False, 64)
    assert field(info, "small").bits == 16
    assert (field(info, "pay").precision, field(info, "pay").scale) == (10, 2)
    assert (field(info, "price").kind, field(info, "price").scale) == ("decimal", None)
    assert field(info, "amount").kind == "decimal"
    assert (field(info, "name").max_length, field(info, "name").type_name) == (40, "VARCHAR(40)")
    assert not field(info, "mail").case_sensitive
    assert field(info, "name").case_sensitive
    assert {name: field(info, name).kind for name in ("yes", "born", "noted", "at", "guid", "extra", "photo")} == {
        "yes": "boolean",
        "born": "date",
        "noted": "datetime",
        "at": "time",
        "guid": "uuid",
        "extra": "json",
        "photo": "binary",
    }
    assert (field(info, "hash").kind, field(info, "hash").max_length) == ("binary", 4)
    assert (field(info, "ratio").kind, field(info, "odd").kind, field(info, "anything").kind) == (
        "float",
        "text",
        "text",
    )


def test_a_query_is_described_by_its_result(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    text = (
        "SELECT 1 AS a, CAST(1.5 AS DECIMAL(5,2)) AS b, 'x' AS c, CAST('2026-11-21' AS DATE) AS d,"
        " CAST('2026-11-21 08:30:00' AS {moment}) AS e, CAST('08:30:00' AS TIME) AS f, CAST(NULL AS CHAR(3)) AS g"
    )
    for box, moment in ((postgres_box, "TIMESTAMP"), (mariadb_box, "DATETIME")):
        info = box.open().describe_container(Query(text=text.format(moment=moment)))
        assert info.kind == "query"
        assert [known.kind for known in info.fields] == [
            "integer",
            "decimal",
            "text",
            "date",
            "datetime",
            "time",
            "text",
        ]


def test_a_query_the_database_refuses_is_a_config_error(box: SqlBox) -> None:
    with pytest.raises(ConfigError, match="the query cannot be run"):
        box.open().describe_container(Query(text="SELECT nothing FROM nowhere"))


def test_a_query_with_two_columns_of_one_name_is_refused(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        with pytest.raises(ConfigError, match=r"(two columns|Duplicate column name) 'a'"):
            box.open().describe_container(Query(text="SELECT 1 AS a, 2 AS a"))


def test_a_query_cannot_write(box: SqlBox) -> None:
    box.make(("id", "name"), [("1", "Ann")])
    with pytest.raises(ConfigError, match="begins with 'DELETE'"):
        box.open().describe_container(Query(text="DELETE FROM people"))
    with pytest.raises(ConfigError):
        box.open().describe_container(Query(text="WITH a AS (SELECT 1) DELETE FROM people"))
    assert len(box.rows()) == 1


def test_a_function_called_by_a_query_cannot_write(postgres_box: SqlBox) -> None:
    postgres_box.make(("id", "name"), [("1", "Ann")])
    postgres_box.execute(
        "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM people; SELECT 1'",
    )
    provider = postgres_box.open()
    with (
        provider.read(Query(text="SELECT wipe() AS a"), ("a",)) as reading,
        pytest.raises(Exception, match="read-only"),
    ):
        list(reading.batches())
    assert len(postgres_box.rows()) == 1
