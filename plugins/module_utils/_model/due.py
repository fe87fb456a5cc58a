# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Occurrences of schedules: what one is, and whether one that is late is still run."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from .schedules import ScheduleSpec

TOLERANCE = dt.timedelta(minutes=2)
"""An occurrence this late is simply due, not missed: tickers look once a minute and take some seconds to start."""
TRIES = 2
"""How often an occurrence is run when its ticker dies."""
TargetKind: t.TypeAlias = t.Literal["job", "collection"]
OccurrenceStatus: t.TypeAlias = t.Literal[
    "due",
    "running",
    "succeeded",
    "completed_with_errors",
    "failed",
    "held",
    "awaiting_approval",
    "skipped",
    "missed",
    "queued",
    "interrupted",
]
"""`due` is what check mode says of one that would be run; the store never has it."""
OCCURRENCE_STATUSES: tuple[OccurrenceStatus, ...] = t.get_args(OccurrenceStatus)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a schedule runs."""

    kind: TargetKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One time at which a schedule was due, or one start of a host. Times are ISO 8601 in UTC.

    Attributes:
        slot: what is claimed once: the time, or `boot:HOST:BOOT_ID`.
        due: when it was due; of a start of a host, when that was first seen.
        remaining: the targets that are still to be run, None for all of the schedule.
        attempts: how often a ticker has taken it up.
        claimed: when a ticker took it up last, or passed it over.
    """

    id: int
    schedule_id: int
    schedule: str
    slot: str
    due: str
    status: OccurrenceStatus
    message: str = ""
    remaining: tuple[Target, ...] | None = None
    attempts: int = 0
    host: str = ""
    claimed: str = ""
    finished: str | None = None


def is_late(due: dt.datetime, now: dt.datetime) -> bool:
    """Tell whether an occurrence counts as missed."""
    return now - due > TOLERANCE


def is_runnable(spec: ScheduleSpec, due: dt.datetime, now: dt.datetime) -> bool:
    """Tell whether an occurrence may be run now: it is not late, or the schedule lets it be run within its grace."""
    return not is_late(due, now) or (spec.missed.policy == "run_once" and within_grace(spec, due, now))


def within_grace(spec: ScheduleSpec, due: dt.datetime, now: dt.datetime) -> bool:
    """Tell whether the grace of `spec` is not over yet for an occurrence."""
    return (now - due).total_seconds() <= max(spec.missed.grace_seconds, TOLERANCE.total_seconds())


def why_missed(spec: ScheduleSpec, due: dt.datetime, now: dt.datetime) -> str:
    """Give the sentence for an occurrence that is not run any more."""
    minutes = (now - due).total_seconds() / 60
    rule = "the schedule skips what it missed" if spec.missed.policy == "skip" else f"its grace is {spec.missed.grace}"
    return f"Nobody looked in time; it was {minutes:.0f} minutes late and {rule}."
