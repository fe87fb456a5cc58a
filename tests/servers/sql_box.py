# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database under test, looked at with SQLAlchemy and not with the code that is tested."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Key, Row, Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.provider import SqlProvider
from servers.fixtures import free_port

KEY_LENGTH = 100


def sql_provider(url: str, *, lock_wait: float = 30, password: str | None = None) -> SqlProvider:
    """Give the provider for a URL that holds its credentials, as a job would declare it. `password` takes its place."""
    full = sa.make_url(url)
    spec = ProviderSpec(
        name="box",
        type="sql",
        options={
            "url": full._replace(username=None, password=None).render_as_string(hide_password=False),
            "username": full.username,
        },
    )
    given = password if password is not None else full.password
    secrets = {} if given is None else {"password": Secret(str(given))}
    return SqlProvider(spec, secrets, lock_wait=lock_wait)


class SqlBox:
    """One database with a table of people; see `Box` of the conformance suite. Give it a fresh table name."""

    type: t.Literal["sql"] = "sql"

    def __init__(self, url: str, bad_value: Value, container: str = "Lockstep People") -> None:
        self.url = url
        self.bad_value = bad_value
        self.container: str | None = container
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self._providers: list[SqlProvider] = []

    def open(self) -> SqlProvider:
        """Give a provider; it is closed with the box."""
        provider = sql_provider(self.url)
        self._providers.append(provider)
        return provider

    def open_unreachable(self) -> SqlProvider:
        """Give a provider for a closed port, or for a file that is not there."""
        url = sa.make_url(self.url)
        nowhere = url.set(database=f"{url.database}.gone") if url.host is None else url.set(port=free_port())
        return sql_provider(nowhere.render_as_string(hide_password=False))

    def execute(self, *statements: str) -> None:
        """Run statements in one transaction, as they are."""
        with self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            connection.connection.commit()

    def select(self, statement: str) -> list[tuple[t.Any, ...]]:
        """Give the rows of a query."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def make(self, fields: Sequence[str], rows: Iterable[Row], key_fields: Sequence[str] = ("id",)) -> None:
        """Make the table anew."""
        metadata = sa.MetaData()
        columns = [
            sa.Column(name, sa.String(KEY_LENGTH), primary_key=True) if name in key_fields else sa.Column(name, sa.Text)
            for name in fields
        ]
        table = sa.Table(str(self.container), metadata, *columns)
        for provider in self._providers:
            provider.release()
        with self.engine.begin() as connection:
            metadata.drop_all(connection)
            metadata.create_all(connection)
            values = [dict(zip(fields, row, strict=True)) for row in rows]
            if values:
                connection.execute(sa.insert(table), values)

    def rows(self) -> list[dict[str, str | None]]:
        """Give all records of the table."""
        with self.engine.connect() as connection:
            table = sa.Table(str(self.container), sa.MetaData(), autoload_with=connection)
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def state(self) -> object:
        """Give the whole content."""
        return sorted(str(row) for row in self.rows())

    def query_text(self, fields: Sequence[str]) -> str | None:
        """Give a query on the table."""
        quote = self.engine.dialect.identifier_preparer.quote
        return f"SELECT {', '.join(map(quote, fields))} FROM {quote(str(self.container))}"

    def close(self) -> None:
        """Close the providers and drop the table."""
        for provider in self._providers:
            provider.close()
        name = self.engine.dialect.identifier_preparer.quote(str(self.container))
        cascade = "" if self.engine.dialect.name == "sqlite" else " CASCADE"
        self.execute(f"DROP TABLE IF EXISTS {name}{cascade}")
        self.engine.dispose()


def read_all(provider: SqlProvider, query: Query, fields: Sequence[str]) -> list[Row]:
    """Read everything and end the snapshot; the reading must prove its completeness."""
    with provider.read(query, fields) as reading:
        rows = [row for batch in reading.batches() for row in batch]
        assert reading.completeness.proven
    provider.release()
    return rows


def target(container: str, fields: Sequence[str], key_fields: Sequence[str] = ("id",)) -> WriteTarget:
    """Give a target with the key in front."""
    return WriteTarget(container=container, key_fields=tuple(key_fields), fields=tuple(fields))


def change(
    action: Action, key: Key, before: Mapping[str, Value] | None = None, after: Mapping[str, Value] | None = None
) -> Change:
    """Give a change as the planner makes it."""
    return Change(number=1, object="row", action=action, key=key, before=before or {}, after=after or {})
