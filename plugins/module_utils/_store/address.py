# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the state store is: its URL taken apart and checked."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .._model.errors import ConfigError, unknown
from .._model.secrets import Secret
from .libraries import Dialect, need_sqlalchemy

if t.TYPE_CHECKING:
    from sqlalchemy.engine import URL

_DIALECTS: t.Final[dict[str, Dialect]] = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
    "mysql": "mysql",
    "mysql+pymysql": "mysql",
    "mariadb": "mysql",
    "mariadb+pymysql": "mysql",
}
_DRIVERS: t.Final[dict[Dialect, str]] = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
}
_PASSWORD_KEYS = frozenset({"password", "passwd", "sslpassword"})
_EXAMPLES = "sqlite:////var/lib/lockstep/state.db, postgresql://user@host/database, mariadb://user@host/database"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreAddress:
    """The three options that say where the store is: `store`, `store_password`, `store_key_file`."""

    url: str
    password: Secret | None = None
    key_file: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A checked URL: its dialect, the URL with our driver and without a password, the file for SQLite.

    `location` is how messages call the store: the path for SQLite, else the URL as given. It holds no password.
    """

    dialect: Dialect
    url: URL
    path: Path | None
    location: str


def parse_url(text: str) -> Target:
    """Take a store URL apart.

    Raises:
        ConfigError: the URL cannot be read, holds a password, or is of a database that cannot be a store.
        DependencyError: SQLAlchemy is missing.
    """
    need_sqlalchemy()
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text is not shown: it may hold a password.
        raise ConfigError(f"store: the URL cannot be read. Valid: {_EXAMPLES}.") from None
    if url.password is not None or _PASSWORD_KEYS & set(url.query):
        raise ConfigError(
            f"store: the URL of {url.host or url.drivername} holds a password. "
            "Take it out and give it with store_password (or LOCKSTEP_STORE_PASSWORD)."
        )
    if url.drivername not in _DIALECTS:
        raise ConfigError(unknown("kind of state store", url.drivername, _DIALECTS, where="store"))
    dialect = _DIALECTS[url.drivername]
    return _sqlite_target(url) if dialect == "sqlite" else _server_target(url, dialect)


def _sqlite_target(url: URL) -> Target:
    database = url.database or ""
    if url.host or url.query or database in ("", ":memory:") or database.startswith("file:"):
        raise ConfigError(
            f"store: {url.render_as_string()!r} does not name a SQLite file. "
            "Valid: sqlite:/// and the path, as sqlite:////var/lib/lockstep/state.db."
        )
    path = Path(os.path.abspath(os.path.expanduser(database)))  # noqa: PTH100, PTH111 - pathlib keeps `..` and raises on ~x
    return Target(dialect="sqlite", url=url, path=path, location=str(path))


def _server_target(url: URL, dialect: Dialect) -> Target:
    if not url.database:
        raise ConfigError(f"store: {url.render_as_string()!r} names no database. Valid: {_EXAMPLES}.")
    return Target(
        dialect=dialect, url=url.set(drivername=_DRIVERS[dialect]), path=None, location=url.render_as_string()
    )
