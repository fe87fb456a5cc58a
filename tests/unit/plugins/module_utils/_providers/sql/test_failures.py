# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the errors of drivers mean. Errors of PostgreSQL, MariaDB and SQLite come from real servers in other files."""

from __future__ import annotations

import sqlite3
import typing as t

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.failures import diagnose


class DatabaseError(Exception):
    """Stands for a driver's class of that name; SQL Server's and Oracle's drivers are not installed."""


class IntegrityError(DatabaseError):
    pass


class DataError(DatabaseError):
    pass


class ProgrammingError(DatabaseError):
    pass


class OracleDetail:
    def __init__(self, code: int) -> None:
        self.code = code


@pytest.mark.parametrize(
    ("exc", "kind", "code"),
    [
        (psycopg.errors.UniqueViolation("x"), "record", "constraint"),
        (psycopg.errors.StringDataRightTruncation("x"), "record", "too_long"),
        (psycopg.errors.InvalidTextRepresentation("x"), "record", "type"),
        (psycopg.errors.DeadlockDetected("x"), "conflict", ""),
        (psycopg.errors.SerializationFailure("x"), "conflict", ""),
        (psycopg.errors.LockNotAvailable("x"), "locked", ""),
        (psycopg.errors.TooManyConnections("x"), "lost", ""),
        (psycopg.errors.AdminShutdown("x"), "lost", ""),
        (psycopg.errors.QueryCanceled("x"), "refused", ""),
        (psycopg.errors.DiskFull("x"), "refused", ""),
        (psycopg.errors.ReadOnlySqlTransaction("x"), "refused", ""),
        (psycopg.errors.InsufficientPrivilege("permission denied for table t"), "refused", ""),
        (psycopg.errors.InsufficientPrivilege("new row violates row-level security policy"), "record", "constraint"),
        (psycopg.errors.RaiseException("said a trigger"), "record", "error"),
        (psycopg.OperationalError("connection failed: Connection refused"), "lost", ""),
        (psycopg.OperationalError('FATAL:  password authentication failed for user "x"'), "refused", ""),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), "record", "type"),
        (psycopg.ProgrammingError("cannot adapt type 'X'"), "record", "error"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), "record", "type"),
    ],
)
def test_errors_of_postgresql(exc: Exception, kind: str, code: str) -> None:
    found = diagnose("postgresql", exc)
    assert (found.kind, found.code) == (kind, code)


@pytest.mark.parametrize(
    ("exc", "kind", "code"),
    [
        (pymysql.IntegrityError(1062, "Duplicate entry"), "record", "constraint"),
        (pymysql.OperationalError(4025, "CONSTRAINT failed"), "record", "constraint"),
        (pymysql.DataError(1406, "Data too long"), "record", "too_long"),
        (pymysql.DataError(1264, "Out of range"), "record", "type"),
        (pymysql.OperationalError(1644, "said a trigger"), "record", "error"),
        (pymysql.OperationalError(1213, "Deadlock found"), "conflict", ""),
        (pymysql.OperationalError(1205, "Lock wait timeout exceeded"), "locked", ""),
        (pymysql.OperationalError(2013, "Lost connection"), "lost", ""),
        (pymysql.OperationalError(1040, "Too many connections"), "lost", ""),
        (pymysql.InterfaceError(0, ""), "lost", ""),
        (pymysql.OperationalError(1045, "Access denied"), "refused", ""),
        (pymysql.OperationalError(1290, "running with the --read-only option"), "refused", ""),
        (pymysql.ProgrammingError("nan can not be used with MySQL"), "record", "error"),
        (pymysql.OperationalError(2999, "something of the client"), "refused", ""),
    ],
)
def test_errors_of_mariadb(exc: Exception, kind: str, code: str) -> None:
    found = diagnose("mysql", exc)
    assert (found.kind, found.code) == (kind, code)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("SQLITE_CONSTRAINT_UNIQUE", "record", "constraint"),
        ("SQLITE_CONSTRAINT_DATATYPE", "record", "type"),
        ("SQLITE_TOOBIG", "record", "too_long"),
        ("SQLITE_BUSY_SNAPSHOT", "locked", ""),
        ("SQLITE_READONLY", "refused", ""),
        ("SQLITE_FULL", "refused", ""),
        ("SQLITE_ERROR", "record", "error"),
    ],
)
def test_errors_of_sqlite(name: str, kind: str, code: str) -> None:
    exc = sqlite3.OperationalError("x")
    exc.sqlite_errorname = name
    found = diagnose("sqlite", exc)
    assert (found.kind, found.code) == (kind, code)


def test_a_value_python_cannot_bind_is_the_records_fault() -> None:
    assert diagnose("sqlite", OverflowError("Python int too large")).code == "type"
    assert diagnose("sqlite", sqlite3.ProgrammingError("type 'X' is not supported")).kind == "record"


@pytest.mark.parametrize(
    ("args", "kind", "code"),
    [
        ((2627, b"Violation of UNIQUE KEY constraint"), "record", "constraint"),
        ((8152, b"would be truncated"), "record", "too_long"),
        ((1205, b"deadlock victim"), "conflict", ""),
        ((1222, b"Lock request time out"), "locked", ""),
        ((18456, b"Login failed"), "refused", ""),
        (("40001", "[40001] deadlock"), "conflict", ""),
        (("22001", "[22001] truncation"), "record", "too_long"),
        (("08S01", "[08S01] link failure"), "lost", ""),
        (("HY000", "[HY000] general"), "refused", ""),
    ],
)
def test_errors_of_sql_server_by_number_or_state(args: tuple[t.Any, ...], kind: str, code: str) -> None:
    found = diagnose("mssql", DatabaseError(*args))
    assert (found.kind, found.code) == (kind, code)


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [(1, "record", "constraint"), (12899, "record", "too_long"), (60, "conflict", ""), (3113, "lost", "")],
)
def test_errors_of_oracle_by_number(number: int, kind: str, code: str) -> None:
    found = diagnose("oracle", DatabaseError(OracleDetail(number)))
    assert (found.kind, found.code) == (kind, code)


@pytest.mark.parametrize(
    ("exc", "kind", "code"),
    [
        (IntegrityError("x"), "record", "constraint"),
        (DataError("x"), "record", "type"),
        (ProgrammingError("x"), "record", "error"),
        (DatabaseError("x"), "refused", ""),
        (ConnectionResetError("x"), "lost", ""),
        (DatabaseError(), "refused", ""),
    ],
)
def test_an_unknown_error_is_judged_by_its_class(exc: Exception, kind: str, code: str) -> None:
    found = diagnose("oracle", exc)
    assert (found.kind, found.code) == (kind, code)


def test_the_message_is_the_first_line_of_the_server_without_statement_or_values() -> None:
    original = pymysql.DataError(1406, "Data too long for column 'name'\nsecond line")
    wrapped = sa.exc.DataError("INSERT INTO t VALUES (%s)", ("secret",), original)
    assert diagnose("mysql", wrapped).message == "Data too long for column 'name'"
    assert diagnose("mssql", DatabaseError(2627, b"caf\xc3\xa9")).message == "café"
    assert diagnose("oracle", DatabaseError()).message == "DatabaseError"
    assert diagnose("postgresql", psycopg.OperationalError("connection failed: no\nmore")).message == "no"


@pytest.mark.parametrize(
    ("exc", "retriable"),
    [
        (pymysql.OperationalError(2013, "lost"), True),
        (pymysql.OperationalError(1213, "deadlock"), True),
        (pymysql.OperationalError(1205, "waited"), True),
        (pymysql.OperationalError(1045, "denied"), False),
        (pymysql.DataError(1406, "too long"), False),
    ],
)
def test_what_trying_again_can_help(exc: Exception, retriable: bool) -> None:
    assert diagnose("mysql", exc).retriable is retriable


def test_a_lock_is_explained() -> None:
    assert "Another session" in diagnose("mysql", pymysql.OperationalError(1205, "waited")).advice
    assert diagnose("mysql", pymysql.OperationalError(2013, "lost")).advice == ""
