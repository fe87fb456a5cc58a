# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of a run: its log, its counts, its status and the one sentence that says it all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from .._model.approvals import Request
from .._model.plans import Held, ObjectPlan, Plan
from .._model.runs import COUNTED, Agreement, AppliedChange, Level, LogLine, Problem, Statistics, Status
from .._model.standstill import Standstill
from .._model.values import show_key

ALWAYS_TOLD = ("created", "updated", "deleted")


class RunLog:
    """Collects the log lines of a run."""

    def __init__(self, now_text: Callable[[], str]) -> None:
        self._now_text = now_text
        self.lines: list[LogLine] = []

    def add(self, level: Level, message: str, *, object_name: str = "", key: str = "") -> None:
        """Add one line, stamped with the present."""
        self.lines.append(LogLine(time=self._now_text(), level=level, object=object_name, key=key, message=message))

    def note(self, message: str) -> None:
        """Add a line about the run as a whole."""
        self.add("info", message)

    def problem(self, problem: Problem) -> None:
        """Add the line of one record's problem."""
        self.add(problem.level, problem.message, object_name=problem.object, key=show_key(problem.key))


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Requests that a run waits for, and the words that say so. `whole`: nothing of the plan was written."""

    requests: tuple[Request, ...]
    message: str
    whole: bool


@dataclass(kw_only=True, slots=True)
class Account:
    """What has happened so far, over all tries of a run.

    `planned` is the highest number of a change in all their plans; `settled` are changes of the same plan that an
    earlier run made; `plan_id` is the kept plan. `waiting` says whose approval is missing, `remark` whose a run would
    need after this preview. `stands_on` is the run since which nothing has changed, `standstill` what lets a later run
    stand on this one.
    """

    plan: Plan | None = None
    plan_id: int | None = None
    settled: list[AppliedChange] = field(default_factory=list)
    applied: list[AppliedChange] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    planned: int = 0
    failure: str = ""
    failure_code: str = ""
    waiting: Waiting | None = None
    remark: str = ""
    stands_on: int | None = None
    standstill: Standstill | None = None

    @property
    def held(self) -> Sequence[Held]:
        """The tripped guards of all objects."""
        return [] if self.plan is None else [item for part in self.plan.objects for item in part.held]

    def show(self, plan: Plan) -> None:
        """Enter a plan that is only shown."""
        self.plan = plan
        self.applied = [AppliedChange(change=change, outcome=None) for part in plan.objects for change in part.changes]

    def try_again(self) -> None:
        """Forget the last failure."""
        self.failure = self.failure_code = ""

    def plan_anew(self) -> None:
        """Forget what the last try did not make or left in doubt: a new plan has looked at those records anew."""
        self.applied = [item for item in self.applied if item.outcome is None or item.outcome.status == "done"]

    @property
    def written(self) -> int:
        """How many changes were really made."""
        return sum(1 for item in self.applied if item.outcome is not None and item.outcome.status == "done")

    @property
    def doubtful(self) -> int:
        """How many changes may have been made or not."""
        return sum(1 for item in self.applied if item.outcome is not None and item.outcome.code == "in_doubt")


def outcome_problems(applied: Iterable[AppliedChange]) -> list[Problem]:
    """Give the problems that the outcomes of changes amount to: failed ones are errors, skipped ones warnings."""
    return [
        Problem(
            level="error" if item.outcome.status == "failed" else "warning",
            object=item.change.object,
            key=item.change.key,
            code=item.outcome.code,
            message=f"{item.change.action}: {item.outcome.message}",
        )
        for item in applied
        if item.outcome is not None and item.outcome.status != "done"
    ]


def object_statistics(account: Account, *, preview: bool) -> list[tuple[str, Statistics]]:
    """Give the statistics of each object; outside a preview changes count only when they were made."""
    if account.plan is None:
        return []
    return [
        (part.name, part.statistics if preview else _as_applied(part, account.applied)) for part in account.plan.objects
    ]


def _as_applied(part: ObjectPlan, applied: Iterable[AppliedChange]) -> Statistics:
    counts = dict.fromkeys(COUNTED.values(), 0)
    errors = conflicts = 0
    for item in applied:
        if item.change.object != part.name or item.outcome is None:
            continue
        if item.outcome.status == "done":
            name = COUNTED.get(item.change.action)
            if name is not None:
                counts[name] += 1
        elif item.outcome.status == "failed":
            errors += 1
        else:
            conflicts += 1
    planned = part.statistics
    return replace(
        planned,
        **counts,
        errors=planned.errors + errors,
        conflicts=planned.conflicts + conflicts,
        skipped=planned.skipped + conflicts,
        warnings=planned.warnings + conflicts,
    )


def total_statistics(parts: Iterable[tuple[str, Statistics]]) -> Statistics:
    """Give the sum over all objects."""
    return sum((part[1] for part in parts), Statistics())


def decide_status(account: Account, total: Statistics) -> Status:
    """Give the status: failed before awaiting approval before held before completed with errors."""
    if account.failure:
        return "failed"
    if account.waiting is not None:
        return "awaiting_approval"
    if account.held:
        return "held"
    return "completed_with_errors" if total.errors else "succeeded"


def decide_agreement(status: Status, total: Statistics, *, preview: bool) -> Agreement:
    """Say whether both sides are in step after this run, as far as the run can know."""
    pending = preview and total.changes
    if status in ("failed", "held", "awaiting_approval") or total.errors or total.conflicts or pending:
        return "different"
    return "equal_with_warnings" if total.warnings else "equal"


def sum_up(subject: str, status: Status, account: Account, total: Statistics, *, preview: bool) -> str:
    """Give one sentence that says what happened and what to do. `subject` is its first words, as `Job 'hr'`."""
    if status == "failed":
        return f"{subject} failed: {account.failure.rstrip('.')}. {_what_was_made(account)}"
    waiting = account.waiting
    if waiting is not None and waiting.whole and not account.written:
        held = f" Held besides: {' '.join(item.message for item in account.held)}" if account.held else ""
        return f"{subject} {waiting.message}{held}"
    verb = "would make" if preview else "made"
    count = total.changes
    told = [name for name in COUNTED.values() if name in ALWAYS_TOLD or getattr(total, name)]
    parts = ", ".join(f"{getattr(total, name)} {name}" for name in told)
    changes = f"{verb} {count_changes(count)} ({parts})"
    summary = f"{subject} {changes if count else 'found nothing to change'}, {total.unchanged} unchanged"
    if total.errors:
        summary += f", {total.errors} error{'s' if total.errors > 1 else ''}"
    if total.conflicts:
        summary += f", {total.conflicts} skipped because they had moved on"
    if status == "held":
        kept = f" The held changes are kept as plan {account.plan_id}." if account.plan_id is not None else ""
        return f"{summary}. Held: {' '.join(item.message for item in account.held)}{kept}"
    if waiting is not None:
        return f"{summary}. It {waiting.message}"
    if total.errors:
        return f"{summary}. See `run.errors` for each record and what to do."
    return f"{summary}."


def _what_was_made(account: Account) -> str:
    made = f"{count_changes(account.written)} had been made before." if account.written else ""
    doubt = f"Whether {count_changes(account.doubtful)} came through is not known; the next run compares anew."
    return f"{made} {doubt}".strip() if account.doubtful else made or "Nothing was changed."


def count_changes(changes: int) -> str:
    """Give a number of changes in words."""
    return "1 change" if changes == 1 else f"{changes} changes"
