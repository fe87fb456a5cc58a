# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Occurrences of schedules: claimed once, by any number of tickers on any number of hosts.

Whoever considers a schedule holds its row: on a server with FOR UPDATE SKIP LOCKED, so that tickers share the work and
none waits for another; on SQLite with the write lock of the file. That a schedule has each slot once is a rule of the
table besides.
"""

from __future__ import annotations

import datetime as dt
import functools
import typing as t
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from .._model.due import (
    TOLERANCE,
    TRIES,
    Occurrence,
    OccurrenceStatus,
    is_runnable,
    why_missed,
    within_grace,
)
from .._model.errors import LockstepError
from .._model.occurrences import next_occurrence, occurrences
from .._model.schedules import ScheduleSpec, parse_schedule
from .locks import Holder, is_gone
from .occurrences import LEASE, to_occurrence
from .session import Session
from .tables import tables
from .texts import clean, from_json_text
from .times import to_text

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import Connection, Row

WAITING = ("running", "queued")
KEPT = dt.timedelta(days=90)
"""How long occurrences are kept; their runs stay in the history."""
MOST_MISSED = 500
"""How many missed occurrences of one schedule are recorded one by one; the message of the oldest counts the others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Considered:
    """What became of one schedule that was looked at.

    Attributes:
        spec: the schedule, None when it cannot be read.
        occurrences: those that were decided, oldest first; at most one is `running`, and then it is the asker's.
        error: why the schedule could not be considered, empty when it could.
    """

    schedule_id: int
    schedule: str
    spec: ScheduleSpec | None = None
    occurrences: tuple[Occurrence, ...] = ()
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """One look at one schedule, whose row is held: in which transaction, by whom, and when."""

    connection: Connection
    row: Row[t.Any]
    spec: ScheduleSpec
    holder: Holder
    now: dt.datetime

    @property
    def claimed(self) -> dict[str, t.Any]:
        """The columns that say that the ticker runs an occurrence."""
        return {
            "status": "running",
            "host": self.holder.host,
            "pid": self.holder.pid,
            "boot_id": self.holder.boot_id,
            "expires": to_text(self.now + LEASE),
            "claimed": to_text(self.now),
        }


class Claims:
    """What tickers take from one store."""

    def __init__(self, session: Session, *, pid_alive: Callable[[int], bool]) -> None:
        self._session = session
        self._pid_alive = pid_alive

    def claim(self, holder: Holder, *, now: dt.datetime, passed: Collection[int] = ()) -> Considered | None:
        """Decide what is due of one schedule, and claim at most one occurrence of it for `holder`.

        Of several, the latest is run; the others are recorded as missed.

        Args:
            holder: the ticker.
            now: the present.
            passed: numbers of schedules to leave out.

        Returns:
            None when no schedule is due, or only such as others are considering right now.
        """
        table = tables().schedules
        due = table.select().where(table.c.next_due <= to_text(now), table.c.id.not_in(passed))
        due = due.order_by(table.c.next_due, table.c.id).limit(1)
        with self._session.read() as connection:
            if connection.execute(due).one_or_none() is None:
                return None  # most of the time; no writer is waited for
        with self._session.write(exclusive=False) as connection:
            row = connection.execute(due.with_for_update(skip_locked=True)).one_or_none()
            return None if row is None else self._look(connection, row, holder, now, self._consider)

    def claim_startup(
        self, holder: Holder, *, now: dt.datetime, up_seconds: float, passed: Collection[int] = ()
    ) -> Considered | None:
        """Claim, for this boot of `holder`'s host, one schedule that is due at its start and was not run then.

        Args:
            holder: the ticker; a system without boot ids has no such occurrences.
            now: the present.
            up_seconds: how long the host has been up.
            passed: numbers of schedules to leave out.
        """
        if not holder.boot_id:
            return None
        slot = f"boot:{holder.host}:{holder.boot_id}"

        def start(look: _Look) -> list[Occurrence]:
            trigger = look.spec.startup
            if trigger is None or up_seconds < trigger.delay_seconds or _find(look, slot) is not None:
                return []
            return self._start(look, now, slot)

        for number in self._startups(slot, passed):
            with self._session.write(exclusive=False) as connection:
                row = _lock_schedule(connection, number)
                found = None if row is None else self._look(connection, row, holder, now, start)
            if found is not None and (found.occurrences or found.error):
                return found
        return None

    def claim_waiting(self, holder: Holder, *, now: dt.datetime, passed: Collection[int] = ()) -> Considered | None:
        """Take up one occurrence that was queued, or whose ticker has died.

        Those of a schedule that cannot be read wait; `claim` tells of it.

        Args:
            holder: the ticker.
            now: the present.
            passed: numbers of occurrences to leave out.
        """
        for number, schedule_id in self._waiting(passed):
            with self._session.write(exclusive=False) as connection:
                row = _lock_schedule(connection, schedule_id)
                again = functools.partial(self._again, number=number)
                found = None if row is None else self._look(connection, row, holder, now, again)
            if found is not None and found.occurrences:
                return found
        return None

    def rewind(self, holder: Holder, *, now: dt.datetime) -> None:
        """Look again at schedules that were considered in what is now the future, because a clock went back.

        What was run then is not run again, its slot is taken; what was only recorded as missed is due when its time
        comes. A schedule that cannot be read is told of by `claim` when it is due.
        """

        def wind(look: _Look) -> list[Occurrence]:
            _write_considered(look)
            return []

        table = tables().schedules
        ahead = table.select().with_only_columns(table.c.id).where(table.c.considered > to_text(now + TOLERANCE))
        with self._session.read() as connection:
            numbers = list(connection.scalars(ahead))
        for number in numbers:
            with self._session.write(exclusive=False) as connection:
                row = _lock_schedule(connection, number)
                if row is not None:
                    self._look(connection, row, holder, now, wind)

    # -- one schedule -------------------------------------------------------------------------------------------

    @staticmethod
    def _look(
        connection: Connection,
        row: Row[t.Any],
        holder: Holder,
        now: dt.datetime,
        decide: Callable[[_Look], list[Occurrence]],
    ) -> Considered:
        """Let `decide` look at a schedule; one that cannot be read must not keep others from being run."""
        try:
            spec = parse_schedule(row.name, from_json_text(row.definition))
        except LockstepError as error:
            return Considered(schedule_id=row.id, schedule=row.name, error=error.message)
        decided = decide(_Look(connection=connection, row=row, spec=spec, holder=holder, now=now))
        return Considered(schedule_id=row.id, schedule=row.name, spec=spec, occurrences=tuple(decided))

    def _consider(self, look: _Look) -> list[Occurrence]:
        found: deque[dt.datetime] = deque(maxlen=MOST_MISSED)
        count = 0
        for each in occurrences(look.spec, dt.datetime.fromisoformat(look.row.considered), look.now):
            found.append(each)
            count += 1
        _write_considered(look)
        _forget_old(look)
        left_out = count - len(found)
        while found and _is_done(look, to_text(found[-1])):
            found.pop()  # run before a clock went back
        if not found:
            return []
        latest = found.pop()
        decided = []
        for number, due in enumerate(found):
            more = f" {left_out} before it are not recorded one by one." if left_out and not number else ""
            message = f"A later one was due as well when somebody looked.{more}"
            decided.extend(_record(look, due, to_text(due), "missed", message))
        if is_runnable(look.spec, latest, look.now):
            return decided + self._start(look, latest, to_text(latest))
        message = why_missed(look.spec, latest, look.now)
        return decided + _record(look, latest, to_text(latest), "missed", message)

    def _start(self, look: _Look, due: dt.datetime, slot: str) -> list[Occurrence]:
        """Claim a slot, or do what the schedule's `overlap` says while an earlier occurrence is running."""
        other = self._running(look)
        if other is None:
            return _record(look, due, slot, "running", "")
        status: OccurrenceStatus = "queued" if look.spec.overlap == "queue" else "skipped"
        rule = "it waits for that" if status == "queued" else "the schedule skips what overlaps"
        message = f"The occurrence {other.slot} is still running on {other.host} (process {other.pid}); {rule}."
        replaced = _replace_queued(look) if status == "queued" else []
        return replaced + _record(look, due, slot, status, message)

    def _again(self, look: _Look, *, number: int) -> list[Occurrence]:
        """Decide what becomes of one occurrence that was queued or is being run."""
        table = tables().occurrences
        row = look.connection.execute(table.select().where(table.c.id == number)).one_or_none()
        if row is None or row.status not in WAITING:
            return []
        due = dt.datetime.fromisoformat(row.due)
        return self._take_up(look, row, due) if row.status == "queued" else self._revive(look, row, due)

    def _take_up(self, look: _Look, row: Row[t.Any], due: dt.datetime) -> list[Occurrence]:
        """Run what was queued, when nothing keeps it any more."""
        if self._running(look) is not None:
            return []
        if look.spec.enabled and within_grace(look.spec, due, look.now):
            return [_update(look, row, **look.claimed, attempts=row.attempts + 1)]
        why = why_missed(look.spec, due, look.now) if look.spec.enabled else "The schedule was disabled meanwhile."
        return [_update(look, row, status="missed", message=why, finished=to_text(look.now))]

    def _revive(self, look: _Look, row: Row[t.Any], due: dt.datetime) -> list[Occurrence]:
        """Run once more what a ticker began that is dead."""
        if not is_gone(row, look.holder, to_text(look.now), self._pid_alive):
            return []
        died = f"Its ticker on {row.host} (process {row.pid}) died."
        if look.spec.enabled and row.attempts < TRIES and is_runnable(look.spec, due, look.now):
            values = {**look.claimed, "message": f"{died} It is run once more."}
            return [_update(look, row, **values, attempts=row.attempts + 1)]
        message = f"{died} It is not run again."
        return [_update(look, row, status="interrupted", message=message, finished=to_text(look.now))]

    # -- rows ---------------------------------------------------------------------------------------------------

    def _startups(self, slot: str, passed: Collection[int]) -> list[int]:
        """Give the schedules that may be due at this start; the text is a first sieve only."""
        schedules, table = tables().schedules, tables().occurrences
        done = table.select().with_only_columns(table.c.schedule_id).where(table.c.slot == slot)
        query = schedules.select().with_only_columns(schedules.c.id).where(schedules.c.definition.contains("startup"))
        query = query.where(schedules.c.id.not_in(passed), schedules.c.id.not_in(done))
        with self._session.read() as connection:
            return list(connection.scalars(query.order_by(schedules.c.id)))

    def _waiting(self, passed: Collection[int]) -> list[tuple[int, int]]:
        """Give the numbers of occurrences that may wait, and of their schedules."""
        table = tables().occurrences
        query = table.select().with_only_columns(table.c.id, table.c.schedule_id)
        query = query.where(table.c.status.in_(WAITING), table.c.id.not_in(passed)).order_by(table.c.id)
        with self._session.read() as connection:
            return [(row.id, row.schedule_id) for row in connection.execute(query)]

    def _running(self, look: _Look) -> Row[t.Any] | None:
        """Give a running occurrence of the schedule whose ticker lives."""
        table = tables().occurrences
        query = table.select().where(table.c.schedule_id == look.row.id, table.c.status == "running")
        rows = look.connection.execute(query.order_by(table.c.id)).all()
        now = to_text(look.now)
        return next((row for row in rows if not is_gone(row, look.holder, now, self._pid_alive)), None)


def _lock_schedule(connection: Connection, number: int) -> Row[t.Any] | None:
    """Give the schedule, which nobody else considers until the transaction ends; None when somebody does."""
    table = tables().schedules
    query: sa.Select[t.Any] = table.select().where(table.c.id == number).with_for_update(skip_locked=True)
    return connection.execute(query).one_or_none()


def _write_considered(look: _Look) -> None:
    table = tables().schedules
    due = next_occurrence(look.spec, look.now)
    values = {"considered": to_text(look.now), "next_due": None if due is None else to_text(due)}
    look.connection.execute(table.update().where(table.c.id == look.row.id).values(**values))


def _forget_old(look: _Look) -> None:
    """Delete occurrences that are long over. Slots of starts of hosts are no times, and sort behind all of them."""
    table = tables().occurrences
    old = (table.c.schedule_id == look.row.id, table.c.slot < to_text(look.now - KEPT), table.c.status.not_in(WAITING))
    look.connection.execute(table.delete().where(*old))


def _find(look: _Look, slot: str) -> Row[t.Any] | None:
    table = tables().occurrences
    query: sa.Select[t.Any] = table.select().where(table.c.schedule_id == look.row.id, table.c.slot == slot)
    return look.connection.execute(query).one_or_none()


def _is_done(look: _Look, slot: str) -> bool:
    """Tell whether a slot is taken for good; one that was only missed may still be run."""
    there = _find(look, slot)
    return there is not None and there.status != "missed"


def _record(look: _Look, due: dt.datetime, slot: str, status: OccurrenceStatus, message: str) -> list[Occurrence]:
    """Write an occurrence; nothing when its slot is taken (see `rewind`)."""
    final = status in ("missed", "skipped")
    values = {
        **look.claimed,
        "status": status,
        "message": clean(message),
        "attempts": 1 if status == "running" else 0,
        "finished": to_text(look.now) if final else None,
    }
    there = _find(look, slot)
    if there is not None:
        return [] if final or _is_done(look, slot) else [_update(look, there, **values)]
    insert = tables().occurrences.insert().values(schedule_id=look.row.id, slot=slot, due=to_text(due), **values)
    look.connection.execute(insert)
    found = _find(look, slot)
    return [] if found is None else [to_occurrence(found, look.row.name)]


def _replace_queued(look: _Look) -> list[Occurrence]:
    """Let nothing of the schedule wait any more, because a later one will."""
    table = tables().occurrences
    queued = table.select().where(table.c.schedule_id == look.row.id, table.c.status == "queued").order_by(table.c.id)
    values = {"status": "missed", "message": "A later one waits in its place.", "finished": to_text(look.now)}
    return [_update(look, row, **values) for row in look.connection.execute(queued).all()]


def _update(look: _Look, row: Row[t.Any], **values: t.Any) -> Occurrence:
    table = tables().occurrences
    look.connection.execute(table.update().where(table.c.id == row.id).values(**values))
    changed = look.connection.execute(table.select().where(table.c.id == row.id)).one()
    return to_occurrence(changed, look.row.name)
