# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in a database of a PostgreSQL, MariaDB or MySQL server."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from .._model.errors import StoreError
from .._model.secrets import Secret
from .address import Target
from .faults import BUSY_SECONDS, translated
from .libraries import need_driver
from .migrations import Migration, migrate, read_version, refuse_newer
from .session import Session
from .sqlite import open_memory

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_CONNECT_SECONDS = 10
# Longer than any wait for a lock, so that only a dead connection ends this way.
_SILENT_SECONDS = 2 * BUSY_SECONDS


def open_server(target: Target, password: Secret | None, *, create: bool, migrations: Sequence[Migration]) -> Session:
    """Open the store on a server; see `store.open_store` for what `create` means.

    Raises:
        DependencyError: the driver is missing.
        StoreError: the server cannot be reached, or its store has a version that cannot be used.
    """
    need_driver(target.dialect)
    engine = _engine(target, password)
    location = target.location
    try:
        with translated(location, password):
            if create:
                migrate(engine, migrations, location)
                return Session(engine, location, rehearsal=False, password=password)
            with engine.connect() as connection:
                found = read_version(connection)
    except BaseException:
        engine.dispose()
        raise
    if found == len(migrations):
        return Session(engine, location, rehearsal=True, password=password)
    engine.dispose()
    refuse_newer(found, len(migrations), location)
    if found == 0:
        return open_memory(location, migrations)
    raise StoreError(
        f"The state store {location} has version {found}, this release needs {len(migrations)}, "
        "and check mode changes nothing. Run any task of lockstep.sync once without check mode; it migrates the store."
    )


def _engine(target: Target, password: Secret | None) -> Engine:
    from sqlalchemy import create_engine

    url = target.url if password is None else target.url.set(password=password.reveal())
    defaults = _postgresql_options() if target.dialect == "postgresql" else _mysql_options()
    return create_engine(
        url,
        connect_args={name: value for name, value in defaults.items() if name not in url.query},
        isolation_level="READ COMMITTED",
        # A run may be silent for hours between two writes; the server may have ended the connection.
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _postgresql_options() -> dict[str, str | int]:
    return {
        "connect_timeout": _CONNECT_SECONDS,
        "options": f"-c lock_timeout={BUSY_SECONDS}s",
        "tcp_user_timeout": _SILENT_SECONDS * 1000,
        "application_name": "lockstep.sync",
    }


def _mysql_options() -> dict[str, str | int]:
    return {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _SILENT_SECONDS,
        "write_timeout": _SILENT_SECONDS,
        "charset": "utf8mb4",
        # Strict: a text that does not fit is an error, not a shorter text.
        "init_command": (
            f"SET SESSION innodb_lock_wait_timeout = {BUSY_SECONDS}, "
            "sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')"
        ),
    }
