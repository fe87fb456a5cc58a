# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to read and write: tables, views and queries with their fields and keys."""

from __future__ import annotations

import typing as t
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..._model.access import Query
from ..._model.errors import ConfigError, unknown
from ..._model.schema import ContainerInfo
from .column_types import Column
from .engine import Database
from .queries import require_one_select
from .query_columns import describe_query
from .relations import describe_relations

if t.TYPE_CHECKING:
    import sqlalchemy as sa

_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog", "pg_toast", "sys", "guest"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from and go to: a table or view by its names in the database, or a query's text."""

    info: ContainerInfo
    columns: Mapping[str, Column]
    schema: str | None = None
    table: str = ""
    query: str | None = None

    def require(self, names: Iterable[str], where: str) -> list[Column]:
        """Give the columns called `names`. Raises ConfigError naming the valid ones."""
        found = []
        for name in names:
            if name not in self.columns:
                place = f"{where}: {self.info.kind} {self.info.name!r}"
                raise ConfigError(unknown("field", name, self.columns, where=place))
            found.append(self.columns[name])
        return found


class Reflection:
    """Looks containers up in one database and remembers what it found."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[Query, Source] = {}

    def all_sources(self) -> list[Source]:
        """Describe every table and view of the default schema, and of the others as `schema.table`."""
        found: list[Source] = []
        with self._inspecting() as inspector:
            for schema in self._schemas(inspector):
                found += self._describe(inspector, schema, None)
        return sorted(found, key=lambda source: source.info.name)

    def source(self, query: Query) -> Source:
        """Describe what `query` reads; `optional` changes nothing, since writing makes no table.

        Raises:
            ConfigError: there is no such container, or the query is refused.
        """
        plain = replace(query, newer_than=None, optional=False)
        if plain not in self._known:
            self._known[plain] = self._find(plain)
        return self._known[plain]

    def _find(self, query: Query) -> Source:
        where = self._database.where
        if query.text is not None and query.container is None:
            text = require_one_select(self._database.family, query.text, where)
            columns = describe_query(self._database, text)
            fields = tuple(column.info for column in columns.values())
            return Source(ContainerInfo(name="query", kind="query", fields=fields), columns, query=text)
        if query.container is None or query.text is not None:
            raise ConfigError(f"{where}: give either `table` or `query`.")
        with self._inspecting() as inspector:
            return self._find_relation(inspector, query.container)

    def _find_relation(self, inspector: sa.Inspector, name: str) -> Source:
        # A table whose own name holds a dot comes before `schema.table`.
        candidates: list[tuple[str | None, str]] = [(None, name)]
        schema, dot, table = name.partition(".")
        if dot and schema and table:
            candidates.append((schema, table))
        for schema_name, table_name in candidates:
            if table_name in _relation_names(inspector, schema_name):
                found = self._describe(inspector, schema_name, [table_name])
                if found:
                    return found[0]
        valid = [
            _full_name(known, relation)
            for known in self._schemas(inspector)
            for relation in _relation_names(inspector, known)
        ]
        raise ConfigError(unknown("table", name, valid, where=self._database.where))

    def _describe(self, inspector: sa.Inspector, schema: str | None, names: Sequence[str] | None) -> list[Source]:
        return [
            Source(
                replace(relation.info, name=_full_name(schema, relation.info.name)),
                relation.columns,
                schema=schema,
                table=relation.info.name,
            )
            for relation in describe_relations(self._database, inspector, schema, names)
        ]

    def _schemas(self, inspector: sa.Inspector) -> list[str | None]:
        """List PostgreSQL's and SQL Server's schemas; MariaDB's are other databases and Oracle's are users."""
        if self._database.family not in ("postgresql", "mssql"):
            return [None]
        default = inspector.default_schema_name
        return [None, *(name for name in inspector.get_schema_names() if name != default and not _is_system(name))]

    @contextmanager
    def _inspecting(self) -> Iterator[sa.Inspector]:
        import sqlalchemy as sa

        self._database.require_file()
        with (
            self._database.reporting("cannot read the list of tables"),
            warnings.catch_warnings(),
            self._database.engine.connect() as connection,
        ):
            # Types and indexes SQLAlchemy does not know are no fault of the user's: they are read as text, or left out.
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            yield sa.inspect(connection)


def _is_system(schema: str) -> bool:
    return schema.lower() in _SYSTEM_SCHEMAS or schema.startswith(("pg_temp", "pg_toast", "db_"))


def _full_name(schema: str | None, name: str) -> str:
    return f"{schema}.{name}" if schema else name


def _relation_names(inspector: sa.Inspector, schema: str | None) -> list[str]:
    import sqlalchemy as sa

    try:
        names = {*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)}
        if inspector.dialect.name in ("postgresql", "oracle"):
            names.update(inspector.get_materialized_view_names(schema=schema))
    except sa.exc.DBAPIError:
        if schema is None:
            raise
        return []  # SQLite and MariaDB refuse to list a schema that is not there
    return sorted(names)
