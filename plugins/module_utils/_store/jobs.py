# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in the store."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._model.errors import ConfigError, unknown
from .._model.providers import check_name
from .mentions import rename_in_collections, rename_in_schedules, rename_in_workflows
from .providers import need_provider
from .session import Session
from .tables import tables
from .texts import clean, from_json_text, to_json_text
from .times import Clock, to_text

if t.TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.engine import Connection, Row

_SIDES = ("source", "destination")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredJob:
    """A job as stored: its declaration as plain JSON data, with the present names of its providers.

    Times are ISO 8601, UTC. `id` never changes and is never given to another job: a lock named after it survives a
    renaming. `quarantine` is why the job is paused, None when it is not.
    """

    id: int
    name: str
    definition: Mapping[str, t.Any]
    created: str
    modified: str
    quarantine: str | None = None


def job_lock(job: StoredJob) -> str:
    """Give the name of the lock that keeps `job` from running twice; it outlives a renaming."""
    return f"job {job.id}"


class Jobs:
    """The jobs of one store."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def get(self, name: str) -> StoredJob | None:
        """Give the job called `name`, or None."""
        with self._session.read() as connection:
            row = connection.execute(_select_jobs().where(tables().jobs.c.name == name)).one_or_none()
        return None if row is None else _to_job(row)

    def list(self) -> list[StoredJob]:
        """Give all jobs by name."""
        with self._session.read() as connection:
            return [_to_job(row) for row in connection.execute(_select_jobs().order_by(tables().jobs.c.name))]

    def save(self, name: str, definition: Mapping[str, t.Any]) -> None:
        """Insert the job, or replace the one of the same name.

        Args:
            name: the job's name.
            definition: its declaration as plain JSON data, with the providers' names in `source.provider` and
                `destination.provider`.

        Raises:
            ConfigError: the name cannot be stored, or a provider is not named or does not exist.
        """
        check_name("job", name)
        table = tables().jobs
        now = to_text(self._clock())
        with self._session.write() as connection:
            values = {
                **{f"{side}_provider_id": _need_endpoint(connection, name, definition, side) for side in _SIDES},
                "definition": to_json_text(definition),
                "modified": now,
            }
            number = job_id(connection, name)
            if number is None:
                connection.execute(table.insert().values(name=name, created=now, **values))
            else:
                connection.execute(table.update().where(table.c.id == number).values(**values))

    def rename(self, old: str, new: str) -> None:
        """Rename a job; its runs, marks, requests and history go with it, workflows, schedules and job collections
        follow.

        Raises ConfigError.
        """
        check_name("job", new)
        table, history = tables().jobs, (tables().runs, tables().plans, tables().requests)
        with self._session.write() as connection:
            number = need_job(connection, old)
            if new != old and job_id(connection, new) is not None:
                raise ConfigError(f"job {old!r}: it cannot be renamed, there is already a job {new!r}.")
            connection.execute(
                table.update().where(table.c.id == number).values(name=new, modified=to_text(self._clock()))
            )
            for remembered in history:
                connection.execute(remembered.update().where(remembered.c.job_id == number).values(job_name=new))
            rename_in_workflows(connection, "jobs", old, new)
            rename_in_schedules(connection, "jobs", old, new)
            rename_in_collections(connection, "jobs", old, new)

    def quarantine(self, name: str, reason: str | None) -> None:
        """Pause the job for `reason`, or release it with None. Raises ConfigError when there is no such job."""
        table = tables().jobs
        with self._session.write() as connection:
            update = table.update().where(table.c.id == need_job(connection, name))
            connection.execute(update.values(quarantine=None if reason is None else clean(reason)))

    def delete(self, name: str) -> None:
        """Delete a job and its marks; its runs stay, under the name it had. Raises ConfigError when there is none."""
        table = tables().jobs
        with self._session.write() as connection:
            connection.execute(table.delete().where(table.c.id == need_job(connection, name)))


def job_id(connection: Connection, name: str) -> int | None:
    """Give the number of the job called `name`, or None."""
    table = tables().jobs
    number: int | None = connection.scalar(table.select().with_only_columns(table.c.id).where(table.c.name == name))
    return number


def need_job(connection: Connection, name: str) -> int:
    """Give the number of the job called `name`. Raises ConfigError naming the valid ones."""
    number = job_id(connection, name)
    if number is None:
        table = tables().jobs
        raise ConfigError(unknown("job", name, connection.scalars(table.select().with_only_columns(table.c.name))))
    return number


def _need_endpoint(connection: Connection, job: str, definition: Mapping[str, t.Any], side: str) -> int:
    where = f"job {job!r}, option {side}.provider"
    endpoint = definition.get(side)
    provider = endpoint.get("provider") if isinstance(endpoint, Mapping) else None
    if not isinstance(provider, str):
        raise ConfigError(f"{where}: it is missing. Give the name of a provider.")
    return need_provider(connection, provider, where)


def _select_jobs() -> Select[t.Any]:
    jobs, providers = tables().jobs, tables().providers
    source, destination = providers.alias("source"), providers.alias("destination")
    return (
        jobs.select()
        .add_columns(source.c.name.label("source_name"), destination.c.name.label("destination_name"))
        .join_from(jobs, source, source.c.id == jobs.c.source_provider_id)
        .join(destination, destination.c.id == jobs.c.destination_provider_id)
    )


def _to_job(row: Row[t.Any]) -> StoredJob:
    definition = from_json_text(row.definition)
    definition["source"]["provider"] = row.source_name
    definition["destination"]["provider"] = row.destination_name
    return StoredJob(
        id=row.id,
        name=row.name,
        definition=definition,
        created=row.created,
        modified=row.modified,
        quarantine=row.quarantine,
    )
