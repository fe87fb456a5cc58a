# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kept plans: sealed, line by line as they were sealed, and each applied at most once."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .._model.errors import ConfigError, StoreError
from .bulk import insert_rows
from .jobs import job_id
from .session import Session, inserted_id
from .tables import tables
from .texts import from_json_text, to_json_text
from .times import normalize

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Row

PAGE = 100
_CHUNK = 1000
PlanKind: t.TypeAlias = t.Literal["run", "undo"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPlan:
    """A kept plan, without its lines.

    Attributes:
        job: the name the job has now, or had when it was deleted.
        kind: `undo` for one that takes back the run `origin_id`.
        counts: planned changes by action, held ones too.
        requester: who asked for it.
        run_id: the run that applied it, None while nobody did.
        accepted: guards whose held changes were applied afterwards.
    """

    id: int
    job: str
    kind: PlanKind
    origin_id: int | None
    digest: str
    created: str
    host: str
    requester: str
    changes_total: int
    held_total: int
    counts: Mapping[str, int]
    run_id: int | None
    accepted: tuple[str, ...]


class Plans:
    """The kept plans of one store."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        job_name: str,
        lines: Iterable[str],
        *,
        kind: PlanKind,
        origin_id: int | None,
        digest: str,
        created: str,
        host: str,
        requester: str,
        changes_total: int,
        held_total: int,
        counts: Mapping[str, int],
    ) -> int:
        """Keep a plan; give its number, which no other plan ever gets. All of it is kept, or nothing."""
        table = tables().plans
        with self._session.write() as connection:
            result = connection.execute(
                table.insert().values(
                    job_id=job_id(connection, job_name),
                    job_name=job_name,
                    kind=kind,
                    origin_id=origin_id,
                    digest=digest,
                    created=normalize(created, "created"),
                    host=host,
                    requester=requester,
                    changes_total=changes_total,
                    held_total=held_total,
                    counts=to_json_text(dict(counts)),
                    accepted="[]",
                )
            )
            number = inserted_id(result)
            remaining = enumerate(lines, start=1)
            while rows := [
                {"plan_id": number, "position": position, "line": line}
                for position, line in itertools.islice(remaining, _CHUNK)
            ]:
                insert_rows(connection, tables().plan_lines, rows)
        return number

    def get(self, plan_id: int) -> StoredPlan | None:
        """Give one plan, or None."""
        table = tables().plans
        with self._session.read() as connection:
            row = connection.execute(table.select().where(table.c.id == plan_id)).one_or_none()
        return None if row is None else _to_plan(row)

    def find(self, *, job: str | None = None, limit: int = PAGE, offset: int = 0) -> list[StoredPlan]:
        """Give plans, the newest first; with `job` those of jobs that have this name, or had it when deleted."""
        table = tables().plans
        query = table.select() if job is None else table.select().where(table.c.job_name == job)
        with self._session.read() as connection:
            return [
                _to_plan(row)
                for row in connection.execute(query.order_by(table.c.id.desc()).limit(limit).offset(offset))
            ]

    def lines(self, plan_id: int) -> Iterator[str]:
        """Give the lines of a plan in order, read in chunks. Raises StoreError when there is no such plan."""
        table = tables().plan_lines
        position = 0
        while True:
            query = table.select().where(table.c.plan_id == plan_id, table.c.position > position)
            with self._session.read() as connection:
                rows = list(connection.execute(query.order_by(table.c.position).limit(_CHUNK)))
            if not rows:
                break
            yield from (row.line for row in rows)
            position = rows[-1].position
        if not position:
            raise StoreError(f"The state store {self._session.location} has no plan {plan_id}.")

    def claim(self, plan_id: int, run_id: int) -> None:
        """Note that `run_id` applies the plan. Raises ConfigError when another run did so before."""
        table = tables().plans
        with self._session.write() as connection:
            update = table.update().where(table.c.id == plan_id, table.c.run_id.is_(None))
            if connection.execute(update.values(run_id=run_id)).rowcount == 0:
                other = connection.scalar(table.select().with_only_columns(table.c.run_id).where(table.c.id == plan_id))
                raise ConfigError(f"plan {plan_id} was applied by run {other}; a plan is applied once. Make a new one.")

    def accept(self, plan_id: int, guards: Collection[str]) -> None:
        """Note that the changes held by `guards` are applied."""
        table = tables().plans
        with self._session.write() as connection:
            text = connection.scalar(table.select().with_only_columns(table.c.accepted).where(table.c.id == plan_id))
            accepted = sorted({*from_json_text(text or "[]"), *guards})
            connection.execute(table.update().where(table.c.id == plan_id).values(accepted=to_json_text(accepted)))


def _to_plan(row: Row[t.Any]) -> StoredPlan:
    return StoredPlan(
        id=row.id,
        job=row.job_name,
        kind=row.kind,
        origin_id=row.origin_id,
        digest=row.digest,
        created=row.created,
        host=row.host,
        requester=row.requester,
        changes_total=row.changes_total,
        held_total=row.held_total,
        counts=from_json_text(row.counts),
        run_id=row.run_id,
        accepted=tuple(from_json_text(row.accepted)),
    )
