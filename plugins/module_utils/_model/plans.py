# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: every change of one run with before and after, what is held, and what a writer answered."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .secrets import GeneratedPassword
from .values import Key, Value

if t.TYPE_CHECKING:
    from .access import WriteTarget
    from .runs import Problem, Statistics

Action: t.TypeAlias = t.Literal["create", "update", "delete"]
ACTIONS: tuple[Action, ...] = ("create", "update", "delete")
PlannedValue: t.TypeAlias = Value | GeneratedPassword


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One planned change of one destination record.

    Attributes:
        number: its place in the plan, from 1; the journal refers to it.
        key: the canonical key texts in the order of the object's key fields.
        target: a readable place of the record at the destination, when it has one beside its key.
        before: all mapped fields as read (empty for create).
        after: all fields to write for create, the changed ones for update, empty for delete.
    """

    number: int
    object: str
    action: Action
    key: Key
    target: str | None = None
    before: Mapping[str, Value]
    after: Mapping[str, PlannedValue]


OutcomeStatus: t.TypeAlias = t.Literal["done", "skipped", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one change. `code` is stable (`moved_on`, `exists`, `constraint`, ...), `message` says why."""

    status: OutcomeStatus
    code: str = ""
    message: str = ""


DONE = Outcome(status="done")

GuardClass: t.TypeAlias = t.Literal["creates", "updates", "deletes", "min_source_records", "source_drop", "absence"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A tripped guard: which class of change is held, how many changes, the limit, and what to do."""

    object: str
    guard: GuardClass
    count: int
    limit: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectPlan:
    """The plan of one object: where it writes, its changes in the order to apply, what was found on the way.

    `changes` never contains held ones; those are in `held_changes`. `mark` is the newest source time stamp seen, for
    incremental runs; `missing_keys` are keys asked for that no source record in scope has.
    """

    name: str
    target: WriteTarget
    changes: Sequence[Change]
    held_changes: Sequence[Change]
    held: Sequence[Held]
    problems: Sequence[Problem]
    statistics: Statistics
    mark: str | None = None
    missing_keys: frozenset[Key] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A sealed plan: `digest` covers the job's mapping digest and every change, so what was shown is what is
    applied.
    """

    job: str
    mapping_digest: str
    objects: tuple[ObjectPlan, ...]
    digest: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def change_count(self) -> int:
        """How many changes will be applied (held ones not counted)."""
        return sum(len(part.changes) for part in self.objects)
