# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Smart groups in the store."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._model.errors import ConfigError, unknown
from .._model.providers import check_name
from .mentions import collections_that_mention, jobs_that_mention, rename_in_collections, rename_in_jobs
from .providers import need_provider
from .session import Session
from .tables import tables
from .texts import from_json_text, to_json_text
from .times import Clock, to_text

if t.TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.engine import Connection, Row

_OPTION = "smart_groups"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredSmartGroup:
    """A smart group as stored: its declaration as plain JSON data, with the present name of its provider.

    Times are ISO 8601, UTC.
    """

    name: str
    definition: Mapping[str, t.Any]
    created: str
    modified: str


Names: t.TypeAlias = list[str]


class SmartGroups:
    """The smart groups of one store. They follow the renaming of their provider, and jobs follow theirs."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def get(self, name: str) -> StoredSmartGroup | None:
        """Give the smart group called `name`, or None."""
        with self._session.read() as connection:
            row = connection.execute(_select().where(tables().smart_groups.c.name == name)).one_or_none()
        return None if row is None else _to_smart_group(row)

    def list(self) -> list[StoredSmartGroup]:
        """Give all smart groups by name."""
        with self._session.read() as connection:
            return [
                _to_smart_group(row) for row in connection.execute(_select().order_by(tables().smart_groups.c.name))
            ]

    def save(self, name: str, definition: Mapping[str, t.Any]) -> None:
        """Insert the smart group, or replace the one of the same name.

        Args:
            name: the smart group's name.
            definition: its declaration as plain JSON data, with the provider's name in `provider`.

        Raises:
            ConfigError: the name cannot be stored, or the provider is not named or does not exist.
        """
        check_name("smart group", name)
        table = tables().smart_groups
        now = to_text(self._clock())
        with self._session.write() as connection:
            values = {
                "provider_id": _need_provider_of(connection, name, definition),
                "definition": to_json_text(definition),
                "modified": now,
            }
            number = _find(connection, name)
            if number is None:
                connection.execute(table.insert().values(name=name, created=now, **values))
            else:
                connection.execute(table.update().where(table.c.id == number).values(**values))

    def rename(self, old: str, new: str) -> None:
        """Rename a smart group, and with it every mention by jobs and job collections. Raises ConfigError."""
        check_name("smart group", new)
        table = tables().smart_groups
        with self._session.write() as connection:
            number = _need(connection, old)
            if new != old and _find(connection, new) is not None:
                raise ConfigError(f"smart group {old!r}: it cannot be renamed, there is already a smart group {new!r}.")
            values = {"name": new, "modified": to_text(self._clock())}
            connection.execute(table.update().where(table.c.id == number).values(**values))
            rename_in_jobs(connection, _OPTION, old, new)
            rename_in_collections(connection, _OPTION, old, new)

    def delete(self, name: str) -> None:
        """Delete a smart group. Raises ConfigError when there is none, or naming who refreshes it."""
        table = tables().smart_groups
        with self._session.write() as connection:
            number = _need(connection, name)
            if users := _users(connection, name):
                raise ConfigError(
                    f"smart group {name!r}: it cannot be deleted, it is refreshed by {', '.join(users)}. Take it out "
                    "of them first."
                )
            connection.execute(table.delete().where(table.c.id == number))

    def used_by(self, name: str) -> Names:
        """Give the sorted names of the jobs that refresh the smart group."""
        with self._session.read() as connection:
            return jobs_that_mention(connection, _OPTION, name)

    def used_by_collections(self, name: str) -> Names:
        """Give the sorted names of the job collections that refresh the smart group."""
        with self._session.read() as connection:
            return collections_that_mention(connection, _OPTION, name)

    def users(self, name: str) -> Names:
        """Give whoever refreshes the smart group: jobs, then job collections, as `job 'people'`."""
        with self._session.read() as connection:
            return _users(connection, name)


def _users(connection: Connection, name: str) -> Names:
    jobs, collections = (
        jobs_that_mention(connection, _OPTION, name),
        collections_that_mention(connection, _OPTION, name),
    )
    return [*(f"job {each!r}" for each in jobs), *(f"job collection {each!r}" for each in collections)]


def _find(connection: Connection, name: str) -> int | None:
    table = tables().smart_groups
    number: int | None = connection.scalar(table.select().with_only_columns(table.c.id).where(table.c.name == name))
    return number


def _need(connection: Connection, name: str) -> int:
    number = _find(connection, name)
    if number is None:
        table = tables().smart_groups
        names = connection.scalars(table.select().with_only_columns(table.c.name))
        raise ConfigError(unknown("smart group", name, names))
    return number


def _need_provider_of(connection: Connection, name: str, definition: Mapping[str, t.Any]) -> int:
    where = f"smart group {name!r}, option provider"
    provider = definition.get("provider")
    if not isinstance(provider, str):
        raise ConfigError(f"{where}: it is missing. Give the name of a provider.")
    return need_provider(connection, provider, where)


def _select() -> Select[t.Any]:
    groups, providers = tables().smart_groups, tables().providers
    return groups.select().add_columns(providers.c.name.label("provider_name")).join_from(groups, providers)


def _to_smart_group(row: Row[t.Any]) -> StoredSmartGroup:
    definition = {**from_json_text(row.definition), "provider": row.provider_name}
    return StoredSmartGroup(name=row.name, definition=definition, created=row.created, modified=row.modified)
