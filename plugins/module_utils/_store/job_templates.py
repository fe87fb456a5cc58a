# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job templates in the store."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._model.errors import ConfigError, unknown
from .._model.providers import check_name
from .mentions import jobs_that_mention, rename_in_jobs
from .session import Session
from .tables import tables
from .texts import clean, from_json_text, to_json_text
from .times import Clock, to_text

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row

_OPTION = "template"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredJobTemplate:
    """A job template as stored: its declaration as plain JSON data. Times are ISO 8601, UTC."""

    name: str
    definition: Mapping[str, t.Any]
    created: str
    modified: str


Names: t.TypeAlias = list[str]


class JobTemplates:
    """The job templates of one store; jobs that were made from one follow its renaming."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def get(self, name: str) -> StoredJobTemplate | None:
        """Give the job template called `name`, or None."""
        table = tables().job_templates
        with self._session.read() as connection:
            row = connection.execute(table.select().where(table.c.name == name)).one_or_none()
        return None if row is None else _to_template(row)

    def list(self) -> list[StoredJobTemplate]:
        """Give all job templates by name."""
        table = tables().job_templates
        with self._session.read() as connection:
            return [_to_template(row) for row in connection.execute(table.select().order_by(table.c.name))]

    def save(self, name: str, definition: Mapping[str, t.Any]) -> None:
        """Insert the job template, or replace the one of the same name.

        Args:
            name: the job template's name.
            definition: its declaration as plain JSON data: `description`, and the options of its jobs in `job`.

        Raises:
            ConfigError: the name cannot be stored.
        """
        check_name("job template", name)
        table = tables().job_templates
        now = to_text(self._clock())
        values = {
            "description": clean(str(definition.get("description", ""))),
            "definition": to_json_text(definition),
            "modified": now,
        }
        with self._session.write() as connection:
            number = _find(connection, name)
            if number is None:
                connection.execute(table.insert().values(name=name, created=now, **values))
            else:
                connection.execute(table.update().where(table.c.id == number).values(**values))

    def rename(self, old: str, new: str) -> None:
        """Rename a job template, and with it every job's mention of it. Raises ConfigError."""
        check_name("job template", new)
        table = tables().job_templates
        with self._session.write() as connection:
            number = _need(connection, old)
            if new != old and _find(connection, new) is not None:
                raise ConfigError(
                    f"job template {old!r}: it cannot be renamed, there is already a job template {new!r}."
                )
            values = {"name": new, "modified": to_text(self._clock())}
            connection.execute(table.update().where(table.c.id == number).values(**values))
            rename_in_jobs(connection, _OPTION, old, new)

    def delete(self, name: str) -> None:
        """Delete a job template; jobs keep what they took from it. Raises ConfigError when there is none."""
        table = tables().job_templates
        with self._session.write() as connection:
            connection.execute(table.delete().where(table.c.id == _need(connection, name)))

    def used_by(self, name: str) -> Names:
        """Give the sorted names of the jobs that were made from the job template."""
        with self._session.read() as connection:
            return jobs_that_mention(connection, _OPTION, name)


def _find(connection: Connection, name: str) -> int | None:
    table = tables().job_templates
    number: int | None = connection.scalar(table.select().with_only_columns(table.c.id).where(table.c.name == name))
    return number


def _need(connection: Connection, name: str) -> int:
    number = _find(connection, name)
    if number is None:
        table = tables().job_templates
        names = connection.scalars(table.select().with_only_columns(table.c.name))
        raise ConfigError(unknown("job template", name, names))
    return number


def _to_template(row: Row[t.Any]) -> StoredJobTemplate:
    definition = from_json_text(row.definition)
    return StoredJobTemplate(name=row.name, definition=definition, created=row.created, modified=row.modified)
