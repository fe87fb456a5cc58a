# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection and its transactions, on the driver itself: SQLAlchemy's own rows cost more than the driver's."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count

from .engine import Database
from .failures import Family

if t.TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPICursor

Parameters: t.TypeAlias = Sequence[t.Any] | Mapping[str, t.Any]
Rows: t.TypeAlias = Sequence[Sequence[t.Any]] | Sequence[Mapping[str, t.Any]]

_BEGIN_READING: Mapping[Family, tuple[str, ...]] = {
    "postgresql": ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",),
    "mysql": (
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
    "sqlite": ("PRAGMA query_only = ON", "BEGIN"),
    "mssql": ("BEGIN TRANSACTION",),
    "oracle": ("SET TRANSACTION READ ONLY",),
}
_BEGIN_WRITING: Mapping[Family, str] = {
    "postgresql": "BEGIN",
    "mysql": "START TRANSACTION",
    "sqlite": "BEGIN IMMEDIATE",
    "mssql": "BEGIN TRANSACTION",
}
# Their text form is canonical or nearly so, and some values (infinity, years BC) fit no Python type.
_PSYCOPG_TEXT_TYPES = (
    *("int2", "int4", "int8", "oid", "numeric", "bool", "uuid", "json", "jsonb"),
    *("date", "time", "timetz", "timestamp", "timestamptz", "interval", "inet", "cidr"),
    *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
)


class Statement(t.NamedTuple):
    """SQL in the driver's parameter style, with its parameters."""

    sql: str
    parameters: Parameters


class Session:
    """One connection. The driver's own errors come through; a caller reports them with what it was doing."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._pooled = database.connect()
        self._connection: t.Any = self._pooled.driver_connection
        self._numbers = count(1)
        if database.driver == "pymysql":
            _leave_text(self._connection)

    def begin_reading(self) -> None:
        """Begin a transaction that only reads and sees one state of the database."""
        for statement in _BEGIN_READING[self.database.family]:
            self._execute(statement)

    def begin_writing(self) -> None:
        """Begin a transaction; SQLite's takes the write lock at once."""
        statement = _BEGIN_WRITING.get(self.database.family)
        if statement is not None:
            self._execute(statement)

    def commit(self) -> None:
        self._finish("COMMIT")

    def rollback(self) -> None:
        self._finish("ROLLBACK")

    def run(self, statement: Statement) -> DBAPICursor:
        """Execute one statement and give its cursor; the result may be held by the client."""
        cursor: DBAPICursor = self._cursor()
        cursor.execute(statement.sql, statement.parameters)
        return cursor

    def stream(self, statement: Statement) -> DBAPICursor:
        """Execute a SELECT whose rows stay with the server until they are fetched."""
        cursor: DBAPICursor = self._streaming_cursor()
        cursor.execute(statement.sql, statement.parameters)
        return cursor

    def run_many(self, sql: str, rows: Rows) -> int:
        """Execute one statement for many parameter rows; give the number of records touched, -1 when unknown."""
        cursor: DBAPICursor = self._cursor()
        try:
            cursor.executemany(sql, rows)
            return cursor.rowcount
        finally:
            cursor.close()

    def close(self) -> None:
        """Close the connection; what was not committed is lost."""
        self._pooled.detach()
        # A connection that the server has ended already cannot be closed again, and need not be.
        with suppress(*self.database.errors):
            self._connection.close()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _execute(self, sql: str) -> None:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql)
        finally:
            cursor.close()

    def _finish(self, verb: str) -> None:
        if self.database.family == "oracle":
            (self._connection.commit if verb == "COMMIT" else self._connection.rollback)()
        else:
            self._execute(verb)

    def _cursor(self) -> t.Any:
        cursor = self._connection.cursor()
        if self.database.driver == "psycopg":
            _load_text(cursor)
        return cursor

    def _streaming_cursor(self) -> t.Any:
        match self.database.driver:
            case "psycopg":
                cursor = self._connection.cursor(name=f"lockstep_{next(self._numbers)}")
                _load_text(cursor)
                return cursor
            case "pymysql":
                from pymysql.cursors import SSCursor

                return self._connection.cursor(SSCursor)
            case _:
                return self._connection.cursor()


def abandon(cursor: DBAPICursor) -> None:
    """Leave the rest of a stream unread. Its connection is of no more use: pymysql would read to the end on closing."""
    result = getattr(cursor, "_result", None)
    if result is not None:
        result.unbuffered_active = False


def _load_text(cursor: t.Any) -> None:
    from psycopg.types.string import TextLoader

    for name in _PSYCOPG_TEXT_TYPES:
        cursor.adapters.register_loader(name, TextLoader)


def _leave_text(connection: t.Any) -> None:
    """Without a decoder pymysql gives the server's text. Floats keep theirs: Python's text is the shortest."""
    from pymysql.constants import FIELD_TYPE

    kept: Iterable[int] = (FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE, FIELD_TYPE.BIT)
    connection.decoders = {code: decode for code, decode in connection.decoders.items() if code in kept}
