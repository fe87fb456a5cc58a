# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections and transactions: who writes, who reads, and what check mode leaves behind (nothing)."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from .._model.secrets import Secret
from . import meta
from .faults import translated

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection, CursorResult, Engine

_WRITE_OPTION = "lockstep_write"
_ROLES = dict.fromkeys(("mysql", "mariadb"), "SELECT CURRENT_USER()") | {"postgresql": "SELECT session_user"}


def for_writing(connection: Connection) -> Connection:
    """Mark `connection`, so that its transactions take SQLite's write lock at their beginning."""
    return connection.execution_options(**{_WRITE_OPTION: True})


def is_for_writing(connection: Connection) -> bool:
    """Tell whether `for_writing` marked the connection."""
    return bool(connection.get_execution_options().get(_WRITE_OPTION))


def inserted_id(result: CursorResult[t.Any]) -> int:
    """Give the number that the database chose for the row just inserted."""
    return t.cast("tuple[int]", result.inserted_primary_key)[0]


class Session:
    """One open store. Each thread has its own connection; nested writes share the transaction of the outermost.

    With `rehearsal` (check mode) every transaction is rolled back at its end: inside, all that was written is seen;
    afterwards it is gone.
    """

    def __init__(
        self,
        engine: Engine,
        location: str,
        *,
        rehearsal: bool,
        password: Secret | None = None,
        one_connection: bool = False,
    ) -> None:
        self.location = location
        self.rehearsal = rehearsal
        self._engine = engine
        self._password = password
        # A database in memory has one connection for all threads.
        self._turn: AbstractContextManager[t.Any] = threading.RLock() if one_connection else nullcontext()
        self._local = threading.local()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection to read from: that of this thread's transaction, of a reading around this one, or a new
        one. Raises StoreError.
        """
        current = self._current() or self._reading()
        with translated(self.location, self._password):
            if current is not None:
                yield current
                return
            with self._turn, self._engine.connect() as connection:
                self._local.reading = connection
                try:
                    yield connection
                finally:
                    self._local.reading = None

    @contextmanager
    def write(self, *, exclusive: bool = True) -> Iterator[Connection]:
        """Give a connection in a write transaction; nested calls join the outermost one. Raises StoreError.

        Args:
            exclusive: on a server, too, one such transaction at a time, so that what was read stays true until it is
                written. Without it only rows of its own may be written.
        """
        current = self._current()
        with translated(self.location, self._password):
            if current is not None:
                yield current
                return
            with self._turn, self._engine.connect() as plain:
                connection = for_writing(plain)
                with self._transaction(connection):
                    if exclusive:
                        meta.take_turn(connection)
                    yield connection

    def role(self) -> str:
        """Give the database role that this store is opened with, empty for a file. Raises StoreError.

        It is that of the session: a role taken on later does not change who somebody is.
        """
        query = _ROLES.get(self._engine.dialect.name)
        if query is None:
            return ""
        with self.read() as connection:
            return str(connection.exec_driver_sql(query).scalar_one())

    def close(self) -> None:
        """End all connections."""
        with translated(self.location, self._password):
            self._engine.dispose()

    @contextmanager
    def _transaction(self, connection: Connection) -> Iterator[None]:
        with connection.begin() as transaction:
            self._local.connection = connection
            try:
                yield
            finally:
                self._local.connection = None
            if self.rehearsal:
                transaction.rollback()

    def _reading(self) -> Connection | None:
        reading: Connection | None = getattr(self._local, "reading", None)
        return reading

    def _current(self) -> Connection | None:
        current: Connection | None = getattr(self._local, "connection", None)
        return current
