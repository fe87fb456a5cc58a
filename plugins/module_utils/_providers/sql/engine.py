# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a declared URL to connections: credentials, drivers, and the settings every session starts with."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..._model.errors import ConfigError, DependencyError, ProviderError, unknown
from ..._model.jobs import ProviderSpec
from ..._model.secrets import MASK, Secret
from .failures import Diagnosis, Family, diagnose

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

LOCK_WAIT = 30.0
CONNECT_TIMEOUT = 15
# A password shorter than this is not looked for in messages: masking it would garble words that happen to hold it.
SHORTEST_MASKED = 8

_FAMILIES: Mapping[str, tuple[Family, str]] = {
    "postgresql": ("postgresql", "psycopg"),
    "mysql": ("mysql", "pymysql"),
    "mariadb": ("mysql", "pymysql"),
    "sqlite": ("sqlite", "pysqlite"),
    "mssql": ("mssql", "pymssql"),
    "oracle": ("oracle", "oracledb"),
}
_PACKAGES: Mapping[str, str] = {"psycopg": "psycopg[binary]", "mysqldb": "mysqlclient"}
_SECRET_OPTIONS = ("password", "passwd", "pwd")
_SQL_MODE = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


@dataclass(frozen=True, slots=True)
class Database:
    """One declared database: how to connect to it and how to name it in messages."""

    provider: str
    family: Family
    driver: str
    engine: sa.Engine
    password: Secret | None
    file: str | None

    @property
    def text_protocol(self) -> bool:
        """The driver can be told to leave numbers and dates in the server's text form."""
        return self.driver in ("psycopg", "pymysql")

    @property
    def where(self) -> str:
        """Name the provider for a message."""
        return f"provider {self.provider!r}"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What a driver raises: its own errors, SQLAlchemy's around them, and Python's for values it cannot send."""
        import sqlalchemy as sa

        dbapi_error = t.cast("type[Exception]", self.engine.dialect.loaded_dbapi.Error)
        return (dbapi_error, sa.exc.DBAPIError, OverflowError, UnicodeError, OSError)

    def connect(self) -> PoolProxiedConnection:
        """Open a connection of its own, in autocommit mode. Raises ProviderError."""
        self.require_file()
        with self.reporting("cannot connect"):
            return self.engine.raw_connection()

    def require_file(self) -> None:
        """SQLite would make a missing file and then say that the tables are missing. Raises ProviderError."""
        if self.file is not None and not Path(self.file).is_file():
            raise ProviderError(f"{self.where}: there is no database file {self.file!r}. Check the path in `url`.")

    def diagnose(self, exc: BaseException) -> Diagnosis:
        """Tell what kind of failure `exc` is; the password is masked in its message."""
        found = diagnose(self.family, exc)
        secret = self.password.reveal() if self.password is not None else ""
        if len(secret) < SHORTEST_MASKED or secret not in found.message:
            return found
        return Diagnosis(found.kind, found.code, found.message.replace(secret, MASK))

    def error(self, exc: BaseException, doing: str) -> ProviderError:
        """Give the ProviderError for a driver's `exc` that happened while `doing`."""
        found = self.diagnose(exc)
        return ProviderError(f"{self.where}: {doing}: {found.message}{found.advice}", retriable=found.retriable)

    @contextmanager
    def reporting(self, doing: str) -> Iterator[None]:
        """Turn what the driver raises inside the block into ProviderError."""
        try:
            yield
        except self.errors as exc:
            raise self.error(exc, doing) from exc


def open_database(spec: ProviderSpec, secrets: Mapping[str, Secret], *, lock_wait: float = LOCK_WAIT) -> Database:
    """Give the database that `spec` declares, not yet connected.

    Args:
        spec: options `url`, and `username` when the server wants one.
        secrets: `password`, when the server wants one.
        lock_wait: how long a statement waits for another session's lock, in seconds.

    Raises:
        ConfigError: the URL cannot be used or holds a password.
        DependencyError: SQLAlchemy or the driver is not installed.
    """
    sa = _import_sqlalchemy(spec.name)
    url = _parse_url(spec)
    family, driver = _pick_driver(spec.name, url)
    password = secrets.get("password")
    full = url.set(drivername=f"{url.get_backend_name()}+{driver}")
    if username := spec.options.get("username"):
        full = full.set(username=str(username))
    if password is not None:
        full = full.set(password=password.reveal())
    engine = _create_engine(sa, spec.name, full, driver, lock_wait)
    _set_session_up(sa, engine, family, _session_settings(family, lock_wait))
    file = url.database if family == "sqlite" and _names_a_file(url) else None
    return Database(spec.name, family, driver, engine, password, file)


def _import_sqlalchemy(provider: str) -> t.Any:
    try:
        import sqlalchemy
    except ImportError:
        raise DependencyError(
            f"provider {provider!r}: databases need the Python library SQLAlchemy. Run: pip install 'SQLAlchemy>=2.1'"
        ) from None
    return sqlalchemy


def _parse_url(spec: ProviderSpec) -> sa.URL:
    import sqlalchemy as sa

    where = f"provider {spec.name!r}: option `url`"
    text = spec.options.get("url")
    if not text:
        raise ConfigError(f"{where} is missing. Give a SQLAlchemy URL such as postgresql://host/database.")
    try:
        url = sa.make_url(str(text))
    except (sa.exc.ArgumentError, ValueError):
        # The text is not shown: a password may be the very thing that cannot be parsed.
        raise ConfigError(f"{where} is not a URL. Give one such as postgresql://host:5432/database.") from None
    hidden = [name for name in url.query if name.lower() in _SECRET_OPTIONS]
    if url.password is not None or hidden or _holds_odbc_password(url):
        raise ConfigError(f"{where} holds a password. Take it out and give it as `password`, so that it stays secret.")
    return url


def _holds_odbc_password(url: sa.URL) -> bool:
    return "pwd=" in str(url.query.get("odbc_connect", "")).lower()


def _pick_driver(provider: str, url: sa.URL) -> tuple[Family, str]:
    backend = url.get_backend_name()
    if backend not in _FAMILIES:
        raise ConfigError(unknown("database", backend, _FAMILIES, where=f"provider {provider!r}: option `url`"))
    family, preferred = _FAMILIES[backend]
    return family, url.drivername.partition("+")[2] or preferred


def _names_a_file(url: sa.URL) -> bool:
    return url.database not in (None, "", ":memory:") and not str(url.database).startswith("file:")


def _create_engine(sqlalchemy: t.Any, provider: str, url: sa.URL, driver: str, lock_wait: float) -> sa.Engine:
    options: dict[str, t.Any] = {
        "poolclass": sqlalchemy.pool.NullPool,
        "hide_parameters": True,
        "connect_args": _connect_arguments(url, driver, lock_wait),
    }
    if url.get_backend_name() != "oracle":
        options["isolation_level"] = "AUTOCOMMIT"
    try:
        engine = sqlalchemy.create_engine(url, **options)
    except ImportError:
        package = _PACKAGES.get(driver, driver)
        raise DependencyError(
            f"provider {provider!r}: {url.get_backend_name()} needs the Python library {driver}. "
            f"Run: pip install '{package}'"
        ) from None
    except sqlalchemy.exc.NoSuchModuleError:
        valid = _FAMILIES[url.get_backend_name()][1]
        raise ConfigError(unknown("driver", driver, [valid], where=f"provider {provider!r}: option `url`")) from None
    except sqlalchemy.exc.ArgumentError as exc:
        raise ConfigError(f"provider {provider!r}: option `url`: {exc}") from None
    if engine.dialect.is_async:
        valid = _FAMILIES[url.get_backend_name()][1]
        raise ConfigError(unknown("driver", driver, [valid], where=f"provider {provider!r}: option `url`"))
    return t.cast("sa.Engine", engine)


def _connect_arguments(url: sa.URL, driver: str, lock_wait: float) -> dict[str, t.Any]:
    match driver:
        case "psycopg":
            # A database in SQL_ASCII would otherwise give bytes for its text.
            arguments: dict[str, t.Any] = {"connect_timeout": CONNECT_TIMEOUT, "client_encoding": "utf8"}
        case "pymysql":
            arguments = {"connect_timeout": CONNECT_TIMEOUT, "charset": "utf8mb4"}
        case "pysqlite":
            arguments = {"timeout": lock_wait}
        case _:
            arguments = {}
    return {name: value for name, value in arguments.items() if name not in url.query}


def _session_settings(family: Family, lock_wait: float) -> tuple[str, ...]:
    """Statements that make values look the same whatever the server's own settings are."""
    seconds = max(round(lock_wait), 1)
    match family:
        case "postgresql":
            return (
                "SET TIME ZONE 'UTC'",
                "SET DateStyle TO 'ISO, YMD'",
                "SET IntervalStyle TO 'postgres'",
                "SET extra_float_digits TO 1",
                f"SET lock_timeout TO {round(lock_wait * 1000)}",
                "SET idle_in_transaction_session_timeout TO 0",
            )
        case "mysql":
            # sql_select_limit would cut readings short in silence; net_write_timeout would cut a slow reader off.
            return (
                f"SET SESSION sql_mode = '{_SQL_MODE}', time_zone = '+00:00', net_write_timeout = 3600",
                f"SET SESSION innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}",
                "SET SESSION sql_select_limit = 18446744073709551615",
            )
        case "sqlite":
            return (f"PRAGMA busy_timeout = {round(lock_wait * 1000)}", "PRAGMA foreign_keys = ON")
        case "mssql":
            return ("SET DATEFORMAT ymd", f"SET LOCK_TIMEOUT {round(lock_wait * 1000)}")
        case "oracle":
            return ("ALTER SESSION SET TIME_ZONE = '+00:00'",)


def _set_session_up(sqlalchemy: t.Any, engine: sa.Engine, family: Family, statements: tuple[str, ...]) -> None:
    def run_settings(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        try:
            for statement in statements:
                cursor.execute(statement)
        finally:
            cursor.close()

    # MariaDB's before SQLAlchemy's own first look at the server, which takes note of the SQL mode; the others' after it
    # has set autocommit, which PostgreSQL's driver refuses once a statement has begun a transaction.
    sqlalchemy.event.listen(engine, "connect", run_settings, insert=family == "mysql")
