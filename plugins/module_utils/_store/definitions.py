# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Things of the store that are a name and a definition: smart groups and job templates."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .._model.errors import ConfigError, unknown
from .providers import need_provider
from .session import Session
from .tables import tables
from .texts import from_json_text, to_json_text
from .times import Clock, to_text

if t.TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, Row


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDefinition:
    """One of them as stored: its declaration as plain JSON data. Times are ISO 8601, UTC."""

    name: str
    definition: Mapping[str, t.Any]
    created: str
    modified: str


Columns: t.TypeAlias = Callable[["Connection", str, Mapping[str, t.Any]], dict[str, t.Any]]
"""(connection, name, definition) -> the columns of the table beside name and times. Raises ConfigError."""
Restore: t.TypeAlias = Callable[["Connection", "Row[t.Any]"], Mapping[str, t.Any]]
"""(connection, row) -> the definition."""


class Definitions:
    """All of one kind. `noun` is how messages name one."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        *,
        noun: str,
        table: Callable[[], Table],
        columns: Columns,
        restore: Restore,
    ) -> None:
        self._session = session
        self._clock = clock
        self._noun = noun
        self._table = table
        self._columns = columns
        self._restore = restore

    def get(self, name: str) -> StoredDefinition | None:
        """Give the one called `name`, or None."""
        return next((each for each in self.list() if each.name == name), None)

    def list(self) -> list[StoredDefinition]:
        """Give all by name."""
        with self._session.read() as connection:
            return [self._load(connection, row) for row in connection.execute(self._table().select().order_by("name"))]

    def save(self, name: str, definition: Mapping[str, t.Any]) -> None:
        """Insert it, or replace the one of the same name. Raises ConfigError."""
        table, now = self._table(), to_text(self._clock())
        with self._session.write() as connection:
            values = {**self._columns(connection, name, definition), "modified": now}
            changed = connection.execute(table.update().where(table.c.name == name).values(**values)).rowcount
            if not changed:
                connection.execute(table.insert().values(name=name, created=now, **values))

    def rename(self, old: str, new: str) -> None:
        """Rename one. Raises ConfigError when there is none, or another has the name."""
        table = self._table()
        with self._session.write() as connection:
            self._need(connection, old)
            if new != old and connection.scalar(
                table.select().with_only_columns(table.c.id).where(table.c.name == new)
            ):
                raise ConfigError(
                    f"{self._noun} {old!r}: it cannot be renamed, there is already a {self._noun} {new!r}."
                )
            values = {"name": new, "modified": to_text(self._clock())}
            connection.execute(table.update().where(table.c.name == old).values(**values))

    def delete(self, name: str) -> None:
        """Delete one. Raises ConfigError when there is none."""
        table = self._table()
        with self._session.write() as connection:
            self._need(connection, name)
            connection.execute(table.delete().where(table.c.name == name))

    def _need(self, connection: Connection, name: str) -> None:
        table = self._table()
        names = list(connection.scalars(table.select().with_only_columns(table.c.name)))
        if name not in names:
            raise ConfigError(unknown(self._noun, name, names))

    def _load(self, connection: Connection, row: Row[t.Any]) -> StoredDefinition:
        definition = self._restore(connection, row)
        return StoredDefinition(name=row.name, definition=definition, created=row.created, modified=row.modified)


def open_smart_groups(session: Session, clock: Clock) -> Definitions:
    """Give the smart groups of a store. They follow the renaming of their provider."""

    def columns(connection: Connection, name: str, definition: Mapping[str, t.Any]) -> dict[str, t.Any]:
        number = need_provider(connection, str(definition["provider"]), f"smart group {name!r}, option provider")
        return {"provider_id": number, "definition": to_json_text(dict(definition))}

    def restore(connection: Connection, row: Row[t.Any]) -> Mapping[str, t.Any]:
        providers = tables().providers
        query = providers.select().with_only_columns(providers.c.name).where(providers.c.id == row.provider_id)
        return {**from_json_text(row.definition), "provider": connection.scalar(query)}

    return Definitions(
        session, clock, noun="smart group", table=lambda: tables().smart_groups, columns=columns, restore=restore
    )


def open_job_templates(session: Session, clock: Clock) -> Definitions:
    """Give the job templates of a store; a definition holds `description` and `job`."""

    def columns(_connection: Connection, _name: str, definition: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {"description": str(definition.get("description", "")), "definition": to_json_text(dict(definition))}

    def restore(_connection: Connection, row: Row[t.Any]) -> Mapping[str, t.Any]:
        return t.cast("Mapping[str, t.Any]", from_json_text(row.definition))

    return Definitions(
        session, clock, noun="job template", table=lambda: tables().job_templates, columns=columns, restore=restore
    )
