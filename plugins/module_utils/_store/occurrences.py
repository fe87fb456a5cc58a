# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Occurrences of schedules: what becomes of those that are run, and a look at the last ones. `claims` makes them."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Sequence

from .._model.due import Occurrence, OccurrenceStatus, Target
from .session import Session
from .tables import tables
from .texts import clean, from_json_text, to_json_text
from .times import Clock, to_text

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Row

LEASE = dt.timedelta(minutes=5)
"""How long a ticker is taken to live after it last said so."""


class Occurrences:
    """The occurrences of all schedules of one store."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def renew(self, occurrence: Occurrence) -> None:
        """Say that its ticker lives."""
        self._change(occurrence, expires=to_text(self._clock() + LEASE))

    def progress(self, occurrence: Occurrence, remaining: Sequence[Target]) -> None:
        """Remember which targets are still to be run, for whoever takes it up when this ticker dies."""
        self._change(occurrence, remaining=_targets_text(remaining))

    def queue(self, occurrence: Occurrence, remaining: Sequence[Target], message: str) -> None:
        """Let the next tick run the targets that remain."""
        # As if it had not been tried: only deaths of tickers count.
        self._change(
            occurrence,
            status="queued",
            remaining=_targets_text(remaining),
            message=clean(message),
            attempts=occurrence.attempts - 1,
        )

    def finish(self, occurrence: Occurrence, status: OccurrenceStatus, message: str) -> None:
        """Remember how it ended."""
        self._change(occurrence, status=status, message=clean(message), remaining="[]", finished=to_text(self._clock()))

    def _change(self, occurrence: Occurrence, **values: t.Any) -> None:
        """Change an occurrence, unless another ticker has taken it over."""
        table = tables().occurrences
        mine = (table.c.id == occurrence.id, table.c.attempts == occurrence.attempts, table.c.status == "running")
        with self._session.write(exclusive=False) as connection:
            connection.execute(table.update().where(*mine).values(**values))

    def last(self, schedule: str, limit: int) -> list[Occurrence]:
        """Give the last occurrences of the schedule that were decided, the newest first."""
        table, schedules = tables().occurrences, tables().schedules
        query = table.select().join_from(table, schedules, schedules.c.id == table.c.schedule_id)
        query = query.where(schedules.c.name == schedule).order_by(table.c.claimed.desc(), table.c.id.desc())
        with self._session.read() as connection:
            return [to_occurrence(row, schedule) for row in connection.execute(query.limit(limit))]


def _targets_text(targets: Sequence[Target]) -> str:
    return to_json_text([[target.kind, target.name] for target in targets])


def to_occurrence(row: Row[t.Any], schedule: str) -> Occurrence:
    """Give the occurrence that `row` holds, of the schedule of that name."""
    remaining = None if row.remaining is None else from_json_text(row.remaining)
    return Occurrence(
        id=row.id,
        schedule_id=row.schedule_id,
        schedule=schedule,
        slot=row.slot,
        due=row.due,
        status=row.status,
        message=row.message,
        remaining=None if remaining is None else tuple(Target(kind=kind, name=name) for kind, name in remaining),
        attempts=row.attempts,
        host=row.host,
        claimed=row.claimed,
        finished=row.finished,
    )
