# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL for systems that no test can reach: it compiles for SQL Server and Oracle, and quotes what needs it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import ContainerInfo, FieldInfo
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.column_types import Column, describe_type
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.decoding import batch_decoder
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.encoding import encoder, field_encoder
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.engine import Database
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.failures import Family
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.reflection import Source
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.statements import (
    delete_keys,
    insert_rows,
    query_probe,
    select_all,
    select_keys,
    update_rows,
)
from sqlalchemy.dialects import mssql, oracle

COLUMNS = {
    "id": Column(FieldInfo(name="id", kind="integer", nullable=False)),
    "Full Name": Column(FieldInfo(name="Full Name", max_length=40, case_sensitive=False), "sure"),
    "order": Column(FieldInfo(name="order", kind="datetime"), ""),
}
TABLE = Source(ContainerInfo(name="hr.Staff", kind="table", fields=()), COLUMNS, schema="hr", table="Staff")
QUERY = Source(ContainerInfo(name="query", kind="query", fields=()), COLUMNS, query="SELECT a:b FROM t -- x")
ALL = list(COLUMNS.values())


class Unconnected(t.NamedTuple):
    """An engine as far as compiling needs one; the drivers of these systems are not installed."""

    dialect: sa.Dialect


def database(family: Family) -> Database:
    dialect = mssql.dialect() if family == "mssql" else oracle.dialect()
    return Database("hr", family, "none", t.cast("sa.Engine", Unconnected(dialect)), None, None)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_sql_server_reads_locks_and_writes() -> None:
    server = database("mssql")
    newer = select_all(server, TABLE, ALL, ("order", "2026-11-21T08:30:00"))
    assert flat(newer.sql) == (
        "SELECT id, [Full Name], [order] FROM hr.[Staff] WHERE [order] IS NULL OR [order] >= :param_1"
    )
    locked = select_keys(server, TABLE, ALL[:1], ("id",), [(1,), (2,)], lock=True)
    assert flat(locked.sql).startswith(
        "SELECT id FROM hr.[Staff] WITH (UPDLOCK, ROWLOCK) WHERE id IN (:lockstep_keys_1,"
    )
    pairs = select_keys(server, TABLE, ALL[:1], ("id", "Full Name"), [(1, "a"), (2, "b")])
    assert flat(pairs.sql).endswith(
        "WHERE id = :param_1 AND [Full Name] = :param_2 OR id = :param_3 AND [Full Name] = :param_4"
    )
    assert list(t.cast("dict[str, object]", pairs.parameters).values()) == [1, "a", 2, "b"]
    assert (
        flat(delete_keys(server, TABLE, ("id",), [(1,)]).sql) == "DELETE FROM hr.[Staff] WHERE id IN (:lockstep_keys_1)"
    )


def test_oracle_reads_locks_and_writes() -> None:
    server = database("oracle")
    locked = select_keys(server, TABLE, ALL[:1], ("id", "Full Name"), [(1, "a")], lock=True)
    assert flat(locked.sql).startswith('SELECT id FROM hr."Staff" WHERE (id, "Full Name") IN ((:')
    assert flat(locked.sql).endswith("FOR UPDATE")
    insert = insert_rows(server, TABLE, ("id", "Full Name"))
    assert flat(insert.sql) == 'INSERT INTO hr."Staff" (id, "Full Name") VALUES (:lockstep_0, :lockstep_1)'
    update = update_rows(server, TABLE, ("Full Name",), ("id",))
    assert flat(update.sql) == 'UPDATE hr."Staff" SET "Full Name"=:lockstep_0 WHERE id = :lockstep_1'
    assert update.parameters([("x", 1)]) == [{"lockstep_0": "x", "lockstep_1": 1}]


@pytest.mark.parametrize("family", ["mssql", "oracle"])
def test_a_query_stands_in_parentheses_on_lines_of_its_own(family: Family) -> None:
    server = database(family)
    assert "FROM (\nSELECT a:b FROM t -- x\n) source" in query_probe(server, "SELECT a:b FROM t -- x").sql
    assert "(\nSELECT a:b FROM t -- x\n) source" in select_keys(server, QUERY, ALL, ("id",), [(1,)]).sql


def test_parameters_follow_the_order_of_the_statement() -> None:
    prepared = insert_rows(database("oracle"), TABLE, ("id", "Full Name"))
    assert replace(prepared, order=(1, 0)).parameters([("a", "b")]) == [("b", "a")]
    assert replace(prepared, order=(0, 1)).parameters([("a", "b")]) == [("a", "b")]


@pytest.mark.parametrize(
    ("family", "type_", "expected"),
    [
        ("mssql", mssql.BIT(), FieldInfo(name="x", kind="boolean")),
        ("mssql", mssql.TINYINT(), FieldInfo(name="x", kind="integer", bits=8, unsigned=True)),
        ("mssql", mssql.MONEY(), FieldInfo(name="x", kind="decimal", precision=19, scale=4)),
        ("mssql", mssql.REAL(), FieldInfo(name="x", kind="float", bits=32)),
        ("mssql", mssql.FLOAT(53), FieldInfo(name="x", kind="float", bits=64)),
        ("mssql", mssql.DATETIME(), FieldInfo(name="x", kind="datetime", precision=2)),
        ("mssql", mssql.SMALLDATETIME(), FieldInfo(name="x", kind="datetime", precision=0)),
        ("mssql", mssql.DATETIME2(7), FieldInfo(name="x", kind="datetime", precision=6)),
        ("mssql", mssql.DATETIMEOFFSET(), FieldInfo(name="x", kind="datetime", timezone=True)),
        ("mssql", mssql.UNIQUEIDENTIFIER(), FieldInfo(name="x", kind="uuid")),
        ("mssql", mssql.ROWVERSION(), FieldInfo(name="x", kind="binary", writable=False)),
        ("mssql", mssql.NVARCHAR(None), FieldInfo(name="x")),
        ("mssql", mssql.NVARCHAR(40), FieldInfo(name="x", max_length=40)),
        (
            "mssql",
            mssql.VARCHAR(40, collation="Latin1_General_CI_AS"),
            FieldInfo(name="x", max_length=40, case_sensitive=False),
        ),
        ("oracle", oracle.NUMBER(10, 2), FieldInfo(name="x", kind="decimal", precision=10, scale=2)),
        ("oracle", oracle.BINARY_FLOAT(), FieldInfo(name="x", kind="float", bits=32)),
        ("oracle", oracle.DATE(), FieldInfo(name="x", kind="datetime", precision=0)),
        ("oracle", oracle.VARCHAR2(40), FieldInfo(name="x", max_length=40, empty_is_null=True)),
        ("oracle", oracle.CLOB(), FieldInfo(name="x", empty_is_null=True)),
        ("oracle", sa.INTEGER(), FieldInfo(name="x", kind="integer")),
        ("oracle", oracle.RAW(16), FieldInfo(name="x", kind="binary", max_length=16)),
        ("oracle", oracle.INTERVAL(), FieldInfo(name="x")),
    ],
)
def test_types_of_sql_server_and_oracle(family: Family, type_: sa.types.TypeEngine[t.Any], expected: FieldInfo) -> None:
    assert describe_type(family, "x", type_).info == expected


def test_values_of_other_drivers_become_canonical() -> None:
    server = database("oracle")
    columns = [
        Column(FieldInfo(name="a", kind="integer")),
        Column(FieldInfo(name="b", max_length=5), "padded"),
        Column(FieldInfo(name="c", kind="boolean")),
        Column(FieldInfo(name="d"), "sure"),
        Column(FieldInfo(name="e"), "loose"),
    ]
    rows = [(5, "ab   ", 1, "x", 1.0), (None, None, None, "", complex(1, 2))]
    decoded = batch_decoder(server, columns)(rows)
    assert decoded == [("5", "ab", "true", "x", "1"), (None, None, None, "", "(1+2j)")]
    assert batch_decoder(server, [columns[1]])([(7,)]) == [("7",)]


def test_values_for_other_drivers() -> None:
    server = database("mssql")
    uuid_text = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert encoder(server, Column(FieldInfo(name="x", kind="uuid")))(uuid_text) == uuid_text
    assert encoder(server, Column(FieldInfo(name="x", kind="binary")))("ß") == "ß".encode()
    assert field_encoder(server, Column(FieldInfo(name="x")))(("one",), True) == "one"
    with pytest.raises(ValueError, match="not a JSON list"):
        encoder(server, Column(FieldInfo(name="x", kind="json"), "array"))("{}")
