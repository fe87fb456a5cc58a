# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs: statistics, problems, log lines and the result as a whole."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from .plans import Action, Change, Held, Outcome
from .values import Key

Status: t.TypeAlias = t.Literal[
    "running",
    "succeeded",
    "completed_with_errors",
    "failed",
    "held",
    "awaiting_approval",
    "skipped",
    "interrupted",
]
"""`interrupted` is in the history only: a run whose process died."""
STATUSES: tuple[Status, ...] = t.get_args(Status)
RunKind: t.TypeAlias = t.Literal["run", "plan", "undo", "resume", "collection"]
Agreement: t.TypeAlias = t.Literal["equal", "equal_with_warnings", "different"]
Level: t.TypeAlias = t.Literal["info", "warning", "error"]


COUNTED: t.Final[Mapping[Action, str]] = {
    "create": "created",
    "update": "updated",
    "rename": "renamed",
    "move": "moved",
    "disable": "disabled",
    "delete": "deleted",
}
"""Where a change is counted; the others belong to a change of their record that is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """Counts of one object or of a whole run. In a preview created, updated and so on count what would be done.

    `moved`, `renamed` and `disabled` belong to directories; rows of tables and files have none.
    """

    read: int = 0
    in_scope: int = 0
    matched: int = 0
    created: int = 0
    updated: int = 0
    moved: int = 0
    renamed: int = 0
    disabled: int = 0
    deleted: int = 0
    unchanged: int = 0
    skipped: int = 0
    conflicts: int = 0
    warnings: int = 0
    errors: int = 0

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Statistics)})

    @property
    def changes(self) -> int:
        """How many changes are counted in all."""
        return sum(getattr(self, name) for name in COUNTED.values())

    def as_dict(self) -> dict[str, int]:
        """Give the counts by name, in the order documented."""
        return {f.name: getattr(self, f.name) for f in fields(Statistics)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One record's error, warning or skip. `key` is empty when the record has none that can be read."""

    level: Level
    object: str
    key: Key
    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One line of a run's log; `time` is ISO 8601 in UTC."""

    time: str
    level: Level
    object: str
    key: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedChange:
    """A change and what became of it; `outcome` is None for a preview."""

    change: Change
    outcome: Outcome | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """All that is told about one run. Times are ISO 8601 in UTC, `duration` is in seconds. `request_ids` are those that
    must be approved first. `stands_on` is the run since which nothing has changed, when this one read nothing. The run
    of a job collection has no `job`, and the sums of its jobs' runs; these have its number as `parent_id`.
    """

    id: int | None
    job: str
    status: Status
    agreement: Agreement
    preview: bool
    message: str
    started: str
    finished: str
    duration: float
    statistics: Statistics
    objects: Sequence[tuple[str, Statistics]]
    changes: Sequence[AppliedChange]
    changes_total: int
    problems: Sequence[Problem]
    held: Sequence[Held]
    log: Sequence[LogLine]
    changes_file: str | None = None
    log_file: str | None = None
    plan_digest: str | None = None
    plan_id: int | None = None
    stands_on: int | None = None
    kind: RunKind = "run"
    origin_id: int | None = None
    request_ids: Sequence[int] = ()
    collection: str = ""
    parent_id: int | None = None
