# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings: streamed rows out of one state of the database, counted, and never short in silence."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Sequence

from ..._model.access import Completeness
from ..._model.errors import ProviderError
from ..._model.values import Row
from .decoding import BatchDecoder
from .engine import Database
from .session import Session, Statement, abandon

if t.TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPICursor

FETCH_SIZE = 250
_NOT_READ = Completeness(proven=False, reason="the reading has not reached its end")
# Their connections can hold several open results at once.
_INTERLEAVING = frozenset({"psycopg", "pysqlite", "oracledb"})


class Snapshot:
    """The state of the database that all readings share until `release`; a connection in a reading transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._session: Session | None = None
        self._active: Stream | None = None
        self._lost = False

    def stream(self, statement: Statement) -> Stream:
        """Start reading. Raises ProviderError, and the driver's errors for the statement itself."""
        session = self._need_session()
        if self._active is not None and self.database.driver not in _INTERLEAVING:
            self._active.set_aside()
        self._active = Stream(session.stream(statement))
        return self._active

    def fetch(self, statement: Statement, doing: str) -> list[Sequence[t.Any]]:
        """Give all rows of one SELECT, out of the same state. Raises ProviderError saying what was being done."""
        session = self._need_session()
        try:
            cursor = session.run(statement)
            rows = list(cursor.fetchall())
            cursor.close()
        except self.database.errors as exc:
            self.lose()
            raise self.database.error(exc, doing) from exc
        return rows

    def lose(self) -> None:
        """Note that the state is gone: no reading may go on as if nothing had happened."""
        self.release()
        self._lost = True

    def release(self) -> None:
        """End the transaction; the next reading sees the present."""
        self._lost = False
        if self._active is not None:
            self._active.abandon()
            self._active = None
        if self._session is not None:
            self._session.close()
            self._session = None

    def _need_session(self) -> Session:
        if self._lost:
            message = "the connection was lost, and with it the state that was being read. Run again."
            raise ProviderError(f"{self.database.where}: {message}", retriable=True)
        if self._session is None:
            self._session = self._open()
        return self._session

    def _open(self) -> Session:
        session = Session(self.database)
        try:
            session.begin_reading()
        except self.database.errors as exc:
            session.close()
            raise self.database.error(exc, "cannot begin to read") from exc
        return session


class Stream:
    """The rows of one SELECT. `set_aside` frees the connection for another one."""

    def __init__(self, cursor: DBAPICursor) -> None:
        self._cursor: DBAPICursor | None = cursor
        self._waiting: list[Sequence[t.Any]] = []
        self._wanted = True

    def fetch(self) -> Sequence[t.Any]:
        """Give the next rows, none at the end."""
        if self._waiting:
            return self._waiting.pop(0)
        return self._fetch()

    def finish(self) -> None:
        """Say that no more rows are wanted; what is unread is dropped when the connection is needed."""
        self._wanted = False
        self._waiting.clear()

    def set_aside(self) -> None:
        """Read what is left into memory, or over it when nobody wants it."""
        while rows := self._fetch():
            if self._wanted:
                self._waiting.append(rows)

    def abandon(self) -> None:
        """Leave the rest unread; the connection is about to be closed."""
        if self._cursor is not None:
            abandon(self._cursor)
            self._cursor = None

    def _fetch(self) -> Sequence[t.Any]:
        if self._cursor is None:
            return ()
        rows = self._cursor.fetchmany(FETCH_SIZE)
        if not rows:
            self._cursor.close()
            self._cursor = None
        return rows


class SqlReading:
    """One sweep: the rows of one or more SELECTs of the same columns."""

    def __init__(
        self,
        snapshot: Snapshot,
        fields: Sequence[str],
        decode: BatchDecoder,
        statements: Iterator[Statement],
        what: str,
    ) -> None:
        self._snapshot = snapshot
        self._fields = tuple(fields)
        self._decode = decode
        self._statements = statements
        self._what = what
        self._stream: Stream | None = None
        self._completeness = _NOT_READ
        self._count = 0

    @property
    def fields(self) -> tuple[str, ...]:
        return self._fields

    @property
    def completeness(self) -> Completeness:
        return self._completeness

    def batches(self) -> Iterator[list[Row]]:
        """Yield lists of rows. Raises ProviderError when the reading breaks off, saying how far it came."""
        for statement in self._statements:
            self._stream = self._start(statement)
            while rows := self._fetch(self._stream):
                self._count += len(rows)
                yield self._decode(rows)
        self._completeness = Completeness(proven=True)

    def _start(self, statement: Statement) -> Stream:
        try:
            return self._snapshot.stream(statement)
        except self._snapshot.database.errors as exc:
            raise self._broken_off(exc) from exc

    def _fetch(self, stream: Stream) -> Sequence[t.Any]:
        try:
            return stream.fetch()
        except self._snapshot.database.errors as exc:
            raise self._broken_off(exc) from exc

    def _broken_off(self, exc: Exception) -> ProviderError:
        self._snapshot.lose()
        error = self._snapshot.database.error(exc, f"reading {self._what} broke off after {self._count} rows")
        self._completeness = Completeness(proven=False, reason=error.message)
        return error

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._stream is not None:
            self._stream.finish()
