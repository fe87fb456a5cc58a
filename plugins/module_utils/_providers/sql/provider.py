# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases as sources and destinations: tables and views, and queries as sources."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..._model.access import Query, WriteTarget
from ..._model.errors import ConfigError
from ..._model.jobs import ProviderSpec
from ..._model.schema import Capabilities, ContainerInfo, ProviderStatus
from ..._model.secrets import Secret
from ..._model.values import Key
from ..capabilities import SQL
from .column_types import Column
from .decoding import batch_decoder
from .encoding import key_encoder
from .engine import LOCK_WAIT, Database, open_database
from .failures import Family
from .fingerprints import TableFingerprints, table_fingerprints
from .reading import Snapshot, SqlReading
from .reflection import Reflection, Source
from .session import Session, Statement
from .statements import Natives, select_all, select_keys
from .writer import SqlWriter

KEYS_PER_SELECT = 500
# Beyond this many keys one sweep over everything is cheaper than asking for each.
MOST_KEYS = 20_000

_ORACLE_VERSION = "SELECT MAX(version) FROM product_component_version"
_VERSION_QUERIES: Mapping[Family, tuple[str, str]] = {
    "postgresql": ("PostgreSQL", "SELECT current_setting('server_version'), current_database(), current_user"),
    "mysql": ("MySQL", "SELECT version(), database(), current_user()"),
    "sqlite": ("SQLite", "SELECT sqlite_version(), '', ''"),
    "mssql": ("SQL Server", "SELECT CAST(SERVERPROPERTY('ProductVersion') AS VARCHAR(60)), DB_NAME(), SUSER_NAME()"),
    "oracle": ("Oracle Database", f"SELECT ({_ORACLE_VERSION}), SYS_CONTEXT('USERENV', 'DB_NAME'), USER FROM dual"),  # noqa: S608
}


class SqlProvider:
    """One database. Connections are opened when they are needed."""

    def __init__(
        self,
        spec: ProviderSpec,
        secrets: Mapping[str, Secret],
        *,
        lock_wait: float = LOCK_WAIT,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take the declaration; nothing is connected to yet.

        Args:
            spec: options `url` and `username`.
            secrets: `password`.
            lock_wait: how long a statement waits for another session's lock, in seconds.
            clock: gives seconds; measures the latency that `check` tells.

        Raises:
            ConfigError: the URL cannot be used.
            DependencyError: SQLAlchemy or the driver is not installed.
        """
        self._database: Database = open_database(spec, secrets, lock_wait=lock_wait)
        self._reflection = Reflection(self._database)
        self._snapshot = Snapshot(self._database)
        self._clock = clock

    @property
    def capabilities(self) -> Capabilities:
        return SQL

    def check(self) -> ProviderStatus:
        """Connect and ask for the version. Raises ProviderError."""
        server, query = _VERSION_QUERIES[self._database.family]
        with Session(self._database) as session, self._database.reporting("cannot ask for the version"):
            start = self._clock()
            cursor = session.run(Statement(query, ()))
            version, database, user = (str(part or "") for part in cursor.fetchall()[0])
            latency = (self._clock() - start) * 1000
            cursor.close()
        if self._database.family == "mysql" and "mariadb" in version.lower():
            server = "MariaDB"
        details = f"database {database}, user {user}" if user else f"file {self._database.file}"
        return ProviderStatus(server=server, version=version, latency_ms=latency, details=details)

    def describe(self) -> tuple[ContainerInfo, ...]:
        """List the tables and views. Raises ProviderError."""
        return tuple(source.info for source in self._reflection.all_sources())

    def describe_container(self, query: Query) -> ContainerInfo:
        """Describe a table, a view or a query. Raises ConfigError, ProviderError."""
        return self._reflection.source(query).info

    def read(self, query: Query, fields: Sequence[str]) -> SqlReading:
        """Sweep over all records. Raises ConfigError for an unknown container or field."""
        source, columns = self._look_up(query, fields)
        if query.newer_than is not None:
            source.require([query.newer_than[0]], self._database.where)
        statements = iter([select_all(self._database, source, columns, query.newer_than)])
        return self._reading(source, columns, statements)

    def read_keys(
        self, query: Query, fields: Sequence[str], key_fields: Sequence[str], keys: Sequence[Key]
    ) -> SqlReading:
        """Sweep over the records with one of `keys`, or over all when that is cheaper or safer."""
        source, columns = self._look_up(query, fields)
        key_columns = source.require(key_fields, self._database.where)
        # Where a column's type is not known, neither is the form under which it holds a key.
        if len(keys) > MOST_KEYS or any(column.trait == "loose" for column in key_columns):
            return self._reading(source, columns, iter([select_all(self._database, source, columns, None)]))
        return self._reading(source, columns, self._key_statements(source, columns, key_columns, keys))

    def fingerprints(self, query: Query, fields: Sequence[str], key_fields: Sequence[str]) -> TableFingerprints | None:
        """Give what makes fingerprints of a large table of PostgreSQL; None elsewhere. Raises ConfigError for an
        unknown container or field, and ProviderError.
        """
        source, columns = self._look_up(query, fields)
        key_columns = source.require(key_fields, self._database.where)

        def open_reading(wanted: Sequence[Column], statements: Sequence[Statement]) -> SqlReading:
            return self._reading(source, wanted, iter(statements))

        return table_fingerprints(self._snapshot, source, columns, key_columns, open_reading)

    def change_token(self) -> None:
        """Give nothing: no database tells of all its changes, whoever makes them, at the same cost."""

    def release(self) -> None:
        """End the transaction that the readings share."""
        self._snapshot.release()

    def writer(self, target: WriteTarget) -> SqlWriter:
        """Give a writer for a table or view. Raises ConfigError for an unknown one or its fields.

        The readings' transaction ends: a database that locks readers against writers would wait for itself.
        """
        self.release()
        source = self._reflection.source(Query(container=target.container))
        source.require((*target.key_fields, *target.fields), self._database.where)
        return SqlWriter(self._database, source, target)

    def close(self) -> None:
        """End all connections."""
        self._snapshot.release()
        self._database.engine.dispose()

    def _look_up(self, query: Query, fields: Sequence[str]) -> tuple[Source, list[Column]]:
        source = self._reflection.source(query)
        if not fields:
            raise ConfigError(
                f"{self._database.where}: {source.info.kind} {source.info.name!r}: no field is asked for."
            )
        return source, source.require(fields, self._database.where)

    def _reading(self, source: Source, columns: Sequence[Column], statements: Iterator[Statement]) -> SqlReading:
        fields = [column.info.name for column in columns]
        what = f"{source.info.kind} {source.info.name!r}" if source.query is None else "the query"
        return SqlReading(self._snapshot, fields, batch_decoder(self._database, columns), statements, what)

    def _key_statements(
        self, source: Source, columns: Sequence[Column], key_columns: Sequence[Column], keys: Sequence[Key]
    ) -> Iterator[Statement]:
        names = [column.info.name for column in key_columns]
        list_forms = key_encoder(self._database, key_columns)
        for start in range(0, len(keys), KEYS_PER_SELECT):
            natives: list[Natives] = []
            for key in keys[start : start + KEYS_PER_SELECT]:
                try:
                    natives += list_forms(key)
                except ValueError:
                    continue  # no record can have a key that its columns cannot hold
            if natives:
                yield select_keys(self._database, source, columns, names, natives)
