# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of runs: it follows the renaming of a job and survives its deletion."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .._model.errors import StoreError
from .._model.runs import (
    COUNTED,
    AppliedChange,
    LogLine,
    Problem,
    RunKind,
    RunResult,
    Statistics,
    Status,
)
from .bulk import insert_rows
from .changes import change_from_row, change_to_row, problem_from_row, problem_to_row
from .jobs import job_id
from .run_rows import StoredRun, log_to_text, result_to_row, run_from_row
from .session import Session, inserted_id
from .tables import tables
from .texts import clean, to_json_text
from .times import normalize

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import Connection, Row

PAGE = 100
_CHUNK = 1000

_Line = t.TypeVar("_Line")


@dataclass(frozen=True, kw_only=True, slots=True)
class OfCollection:
    """Which job collection a run is of; its number survives a renaming."""

    id: int
    name: str


class Runs:
    """The runs of one store."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def start(
        self,
        job_name: str,
        *,
        host: str,
        pid: int,
        boot_id: str,
        started: str,
        directory: str | None = None,
        kind: RunKind = "run",
        origin_id: int | None = None,
        requester: str = "",
        schedule: str = "",
        collection: OfCollection | None = None,
        parent_id: int | None = None,
    ) -> int:
        """Remember that a run of the job begins; give its number, which no other run ever gets.

        The run is remembered under `job_name` even when the store has no such job. That of a collection has none.
        """
        table = tables().runs
        with self._session.write() as connection:
            result = connection.execute(
                table.insert().values(
                    job_id=job_id(connection, job_name),
                    job_name=job_name,
                    status="running",
                    message="",
                    host=host,
                    pid=pid,
                    boot_id=boot_id,
                    started=normalize(started, "started"),
                    statistics=to_json_text(Statistics().as_dict()),
                    objects="[]",
                    held="[]",
                    log="[]",
                    changes_total=0,
                    directory=directory,
                    kind=kind,
                    origin_id=origin_id,
                    requester=requester,
                    schedule=schedule or None,
                    collection_id=None if collection is None else collection.id,
                    collection_name=None if collection is None else collection.name,
                    parent_id=parent_id,
                )
            )
            return inserted_id(result)

    def finish(self, run_id: int, result: RunResult) -> None:
        """Remember how the run ended; at most 1,000 log lines are kept. Changes and problems are added on their own.

        Raises StoreError when there is no such run.
        """
        values = result_to_row(result)
        table = tables().runs
        with self._session.write(exclusive=False) as connection:
            if connection.execute(table.update().where(table.c.id == run_id).values(**values)).rowcount == 0:
                raise StoreError(f"The state store {self._session.location} has no run {run_id}.")

    def replace_log(self, run_id: int, lines: Sequence[LogLine]) -> None:
        """Remember the log of a run that has ended, with what was added to it since; at most 1,000 lines are kept."""
        table = tables().runs
        values = {"log": log_to_text(lines)}
        with self._session.write(exclusive=False) as connection:
            connection.execute(table.update().where(table.c.id == run_id).values(**values))

    def mark_interrupted(self, run_id: int, message: str, finished: str) -> bool:
        """Make a run that is still `running` an `interrupted` one; give False when it has ended meanwhile.

        Its counts are those of the changes that were added to it.
        """
        table = tables().runs
        update = table.update().where(table.c.id == run_id, table.c.status == "running")
        with self._session.write(exclusive=False) as connection:
            total, done = _count_changes(connection, run_id)
            changed = connection.execute(
                update.values(
                    status="interrupted",
                    message=clean(message),
                    finished=normalize(finished, "finished"),
                    statistics=to_json_text(done.as_dict()),
                    changes_total=total,
                )
            ).rowcount
        return changed == 1

    def add_changes(self, run_id: int, changes: Iterable[AppliedChange]) -> None:
        """Append changes to the run, in transactions of 1,000; never more than these are held in memory."""
        self._append(tables().changes, run_id, changes, change_to_row)

    def add_problems(self, run_id: int, problems: Iterable[Problem]) -> None:
        """Append problems to the run, as `add_changes` does."""
        self._append(tables().problems, run_id, problems, problem_to_row)

    def changes(self, run_id: int, *, offset: int = 0, limit: int = PAGE) -> list[AppliedChange]:
        """Give a page of the run's changes in the order they were added."""
        return [change_from_row(row) for row in self._page(tables().changes, run_id, offset, limit)]

    def problems(self, run_id: int, *, offset: int = 0, limit: int = PAGE) -> list[Problem]:
        """Give a page of the run's problems in the order they were added."""
        return [problem_from_row(row) for row in self._page(tables().problems, run_id, offset, limit)]

    def get(self, run_id: int) -> StoredRun | None:
        """Give one run, or None."""
        found = self._find(tables().runs.c.id == run_id)
        return found[0] if found else None

    def find(
        self,
        *,
        job: str | None = None,
        collection: str | None = None,
        status: Status | None = None,
        since: str | None = None,
        limit: int = PAGE,
        offset: int = 0,
    ) -> list[StoredRun]:
        """Give runs, the newest first.

        Args:
            job: of jobs that have this name, or had it when they were deleted.
            collection: of job collections that had this name when they ran.
            status: with this status.
            since: begun at this time (ISO 8601) or later.
            limit: at most so many.
            offset: without the first so many.

        Raises ConfigError when `since` is not a time.
        """
        table = tables().runs
        conditions: list[sa.ColumnElement[bool]] = []
        if job is not None:
            conditions.append(table.c.job_name == job)
        if collection is not None:
            conditions.append(table.c.collection_name == collection)
        if status is not None:
            conditions.append(table.c.status == status)
        if since is not None:
            conditions.append(table.c.started >= normalize(since, "since"))
        return self._find(*conditions, limit=limit, offset=offset)

    def last(self, job_name: str) -> StoredRun | None:
        """Give the newest run of the job, whatever its status; of a deleted job when there is none of this name."""
        with self._session.read() as connection:
            found = self._find(_of_job(connection, job_name), limit=1)
        return found[0] if found else None

    def times_run(self, job_name: str) -> int:
        """Count the runs of the job; skipped ones did not run. A new job does not inherit those of a deleted one."""
        import sqlalchemy as sa

        table = tables().runs
        with self._session.read() as connection:
            query = sa.select(sa.func.count()).where(_of_job(connection, job_name), table.c.status != "skipped")
            return int(connection.scalar(query) or 0)

    def last_of_collection(self, collection_id: int) -> StoredRun | None:
        """Give the newest run of the job collection, whatever its status."""
        found = self._find(tables().runs.c.collection_id == collection_id, limit=1)
        return found[0] if found else None

    def times_run_of_collection(self, collection_id: int) -> int:
        """Count the runs of the job collection."""
        import sqlalchemy as sa

        with self._session.read() as connection:
            query = sa.select(sa.func.count()).where(tables().runs.c.collection_id == collection_id)
            return int(connection.scalar(query) or 0)

    def unfinished_of_collection(self, collection_id: int) -> list[StoredRun]:
        """Give the runs of the job collection that began and did not end, the newest first."""
        table = tables().runs
        return self._find(table.c.collection_id == collection_id, table.c.status == "running")

    def parts(self, run_id: int) -> list[StoredRun]:
        """Give the runs of jobs that the run of a job collection consists of, in the order they began."""
        return self._find(tables().runs.c.parent_id == run_id)[::-1]

    def last_read(self, job_name: str, object_name: str) -> int | None:
        """Give how many records the last succeeded run of the job read for the object; None when it did not."""
        with self._session.read() as connection:
            table = tables().runs
            read = (table.c.status == "succeeded", table.c.kind == "run")
            found = self._find(_of_job(connection, job_name), *read, limit=1)
        counts = dict(found[0].objects).get(object_name) if found else None
        return None if counts is None else counts.read

    def unfinished(self, job_name: str) -> list[StoredRun]:
        """Give the runs of the job that began and did not end, the newest first; not those of a deleted namesake."""
        with self._session.read() as connection:
            return self._find(_of_job(connection, job_name), tables().runs.c.status == "running")

    def following(self, run_id: int, kind: RunKind) -> StoredRun | None:
        """Give the last run of that kind that took back or went on with run `run_id`, None when there is none."""
        table = tables().runs
        found = self._find(table.c.origin_id == run_id, table.c.kind == kind, limit=1)
        return found[0] if found else None

    def _find(self, *conditions: sa.ColumnElement[bool], limit: int | None = None, offset: int = 0) -> list[StoredRun]:
        table = tables().runs
        query = table.select().where(*conditions).order_by(table.c.id.desc()).limit(limit).offset(offset)
        with self._session.read() as connection:
            return [run_from_row(row) for row in connection.execute(query)]

    def _append(
        self, table: sa.Table, run_id: int, lines: Iterable[_Line], to_row: Callable[[_Line], dict[str, t.Any]]
    ) -> None:
        import sqlalchemy as sa

        # Lines are taken before the transaction begins: whoever makes them may be slow, and others want to write.
        remaining = iter(lines)
        while rows := [to_row(line) for line in itertools.islice(remaining, _CHUNK)]:
            with self._session.write(exclusive=False) as connection:
                last = connection.scalar(sa.select(sa.func.max(table.c.position)).where(table.c.run_id == run_id)) or 0
                for position, row in enumerate(rows, start=last + 1):
                    row.update(run_id=run_id, position=position)
                insert_rows(connection, table, rows)

    def _page(self, table: sa.Table, run_id: int, offset: int, limit: int) -> list[Row[t.Any]]:
        # Positions have no gaps, so the offset is found in the primary key.
        wanted = table.select().where(table.c.run_id == run_id, table.c.position > offset)
        with self._session.read() as connection:
            return list(connection.execute(wanted.order_by(table.c.position).limit(limit)))


def _of_job(connection: Connection, job_name: str) -> sa.ColumnElement[bool]:
    """Give the condition for the runs of the job that has this name now, or else of those that had it."""
    table = tables().runs
    number = job_id(connection, job_name)
    return table.c.job_name == job_name if number is None else table.c.job_id == number


def _count_changes(connection: Connection, run_id: int) -> tuple[int, Statistics]:
    """Give how many changes the run has, and the counts of those that were made or failed."""
    import sqlalchemy as sa

    table = tables().changes
    query = sa.select(table.c.status, table.c.action, sa.func.count()).where(table.c.run_id == run_id)
    rows = connection.execute(query.group_by(table.c.status, table.c.action))
    counts = {(status, action): int(count) for status, action, count in rows}
    made = Statistics(
        **{name: counts.get(("done", action), 0) for action, name in COUNTED.items()},
        errors=sum(count for (status, _action), count in counts.items() if status == "failed"),
    )
    return sum(counts.values()), made
