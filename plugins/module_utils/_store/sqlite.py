# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in a SQLite file, and the one in memory that check mode works on while there is none."""

from __future__ import annotations

import os
import sqlite3
import typing as t
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from .._model.errors import StoreError
from .faults import BUSY_SECONDS, translated
from .migrations import Migration, migrate, read_version, refuse_newer
from .rights import create_private_file, make_directory
from .session import Session, is_for_writing

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine


def open_file(path: Path, *, create: bool, migrations: Sequence[Migration]) -> Session:
    """Open the store in the file `path`; see `store.open_store` for what `create` means. Raises StoreError."""
    location = str(path)
    if not create and _is_missing(path):
        return open_memory(location, migrations)
    if create:
        _prepare(path)
    writable = create or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK))
    engine = file_engine(path, writable=writable)
    try:
        with translated(location):
            if create:
                _refuse_foreign(engine, location)
                migrate(engine, migrations, location)
                use_write_ahead_log(engine)
                return Session(engine, location, rehearsal=False)
            return _open_for_rehearsal(engine, location, migrations)
    except BaseException:
        engine.dispose()
        raise


def open_memory(location: str, migrations: Sequence[Migration]) -> Session:
    """Open an empty store in memory that stands for the missing one at `location`."""
    engine = _memory_engine()
    with translated(location):
        migrate(engine, migrations, location)
    return Session(engine, location, rehearsal=True, one_connection=True)


def file_engine(path: Path, *, writable: bool, vfs: str | None = None) -> Engine:
    """Give the engine for an existing SQLite file; it never makes the file. `vfs` names one of SQLite's file layers."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import QueuePool

    mode = "rw" if writable else "ro"
    address = f"file:{quote(str(path))}?mode={mode}" + (f"&vfs={vfs}" if vfs else "")

    def connect() -> sqlite3.Connection:
        # isolation_level None: the driver begins no transaction on its own; `_begin` does.
        connection = sqlite3.connect(
            address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        _configure(connection)
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True)
    event.listen(engine, "begin", _begin if writable else _begin_reading)
    return engine


def use_write_ahead_log(engine: Engine) -> None:
    """Let readers and the writer work side by side, where the file system can; else the file keeps its journal.

    The mode is kept in the file. A busy file means that another process is at it: the next one to open it tries again.
    """
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
    finally:
        connection.close()


def _is_missing(path: Path) -> bool:
    """Tell whether there is no store at all: no file, or an empty one."""
    try:
        return path.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        raise StoreError(
            f"The state store {path} cannot be looked at: {error.strerror}. Let the user who runs this read it."
        ) from None


def _prepare(path: Path) -> None:
    """Make the file and its directory, or say why they cannot be used."""
    make_directory(path.parent)
    if create_private_file(path, b""):
        return
    if not path.is_file():
        raise StoreError(f"The state store {path} is not a file. Name another path with store.")
    for place, kind, mode in ((path, "file", os.W_OK | os.R_OK), (path.parent, "directory", os.W_OK | os.X_OK)):
        if not os.access(place, mode):
            raise StoreError(
                f"The state store {path} is read-only: user number {os.geteuid()} may not write to the {kind} {place}. "
                "Give this user the right, run as its owner, or name another store."
            )


def _refuse_foreign(engine: Engine, location: str) -> None:
    """Raise StoreError when the file is somebody else's database: ours sets modes that the other may not bear."""
    with engine.connect() as connection:
        if read_version(connection) == 0 and (names := _table_names(connection)):
            if any(name.startswith("lockstep_") for name in names):
                return
            raise StoreError(
                f"{location} is a SQLite database, but no state store: it holds {', '.join(names[:5])}. "
                "Name a file of its own with store."
            )


def _table_names(connection: Connection) -> list[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return [row[0] for row in connection.exec_driver_sql(query)]


def _open_for_rehearsal(engine: Engine, location: str, migrations: Sequence[Migration]) -> Session:
    _refuse_foreign(engine, location)
    with engine.connect() as connection:
        found = read_version(connection)
    refuse_newer(found, len(migrations), location)
    if found == len(migrations):
        return Session(engine, location, rehearsal=True)
    copy = _memory_engine()
    source, target = engine.raw_connection(), copy.raw_connection()
    try:
        t.cast("sqlite3.Connection", source.driver_connection).backup(
            t.cast("sqlite3.Connection", target.driver_connection)
        )
    finally:
        source.close()
        target.close()
    engine.dispose()
    migrate(copy, migrations, location)
    return Session(copy, location, rehearsal=True, one_connection=True)


def _memory_engine() -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import StaticPool

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _configure(connection)
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool, hide_parameters=True)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    # A writer takes the lock at once: one that read first and then wants to write could only fail.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_for_writing(connection) else "BEGIN")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
