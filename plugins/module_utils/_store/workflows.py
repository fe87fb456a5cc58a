# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflows in the store."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._model.errors import ConfigError, unknown
from .._model.providers import check_name
from .session import Session
from .tables import tables
from .texts import from_json_text, to_json_text
from .times import Clock, to_text

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredWorkflow:
    """A workflow as stored: its declaration as plain JSON data, with the present names of its jobs.

    Times are ISO 8601, UTC. `id` never changes and is never given to another one.
    """

    id: int
    name: str
    definition: Mapping[str, t.Any]
    created: str
    modified: str


class Workflows:
    """The workflows of one store. They follow the renaming of jobs; a job that was deleted stays named."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def get(self, name: str) -> StoredWorkflow | None:
        """Give the workflow called `name`, or None."""
        table = tables().workflows
        with self._session.read() as connection:
            row = connection.execute(table.select().where(table.c.name == name)).one_or_none()
        return None if row is None else _to_workflow(row)

    def list(self) -> list[StoredWorkflow]:
        """Give all workflows by name."""
        table = tables().workflows
        with self._session.read() as connection:
            return [_to_workflow(row) for row in connection.execute(table.select().order_by(table.c.name))]

    def save(self, name: str, definition: Mapping[str, t.Any]) -> None:
        """Insert the workflow, or replace the one of the same name. Raises ConfigError for a bad name."""
        check_name("workflow", name)
        table = tables().workflows
        now = to_text(self._clock())
        with self._session.write() as connection:
            values = {"definition": to_json_text(definition), "modified": now}
            number = _find(connection, name)
            if number is None:
                connection.execute(table.insert().values(name=name, created=now, **values))
            else:
                connection.execute(table.update().where(table.c.id == number).values(**values))

    def rename(self, old: str, new: str) -> None:
        """Rename a workflow. Requests keep the name they were made with. Raises ConfigError."""
        check_name("workflow", new)
        table = tables().workflows
        with self._session.write() as connection:
            number = _need(connection, old)
            if new != old and _find(connection, new) is not None:
                raise ConfigError(f"workflow {old!r}: it cannot be renamed, there is already a workflow {new!r}.")
            values = {"name": new, "modified": to_text(self._clock())}
            connection.execute(table.update().where(table.c.id == number).values(**values))

    def delete(self, name: str) -> None:
        """Delete a workflow; its requests stay. Raises ConfigError when there is none."""
        table = tables().workflows
        with self._session.write() as connection:
            connection.execute(table.delete().where(table.c.id == _need(connection, name)))


def _find(connection: Connection, name: str) -> int | None:
    table = tables().workflows
    number: int | None = connection.scalar(table.select().with_only_columns(table.c.id).where(table.c.name == name))
    return number


def _need(connection: Connection, name: str) -> int:
    number = _find(connection, name)
    if number is None:
        table = tables().workflows
        names = connection.scalars(table.select().with_only_columns(table.c.name))
        raise ConfigError(unknown("workflow", name, names))
    return number


def _to_workflow(row: Row[t.Any]) -> StoredWorkflow:
    return StoredWorkflow(
        id=row.id,
        name=row.name,
        definition=from_json_text(row.definition),
        created=row.created,
        modified=row.modified,
    )
