# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a sealed plan: journal every batch, and enter what became of each change into the account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .._execution.applier import Applying, apply_plan
from .._execution.journal import Journal
from .._model.access import PasswordPolicy, Writer
from .._model.plans import ObjectPlan, Plan
from .._model.runs import COUNTED, AppliedChange
from .context import RunContext


def write_plan(
    plan: Plan,
    context: RunContext,
    journal_file: Path,
    open_writer: Callable[[ObjectPlan], Writer],
    policy: PasswordPolicy,
) -> None:
    """Apply `plan`. Raises LockstepError; what was done until then is in the account."""
    journal = Journal(journal_file)
    meter = context.meter
    meter.write(plan.change_count)
    applying = Applying(
        open_writer=open_writer,
        journal=journal,
        checkpoint=context.checkpoint,
        sleep=context.runtime.sleep,
        note=lambda message: context.log.add("warning", message),
        randomness=context.runtime.randomness,
        policy=policy,
    )
    try:
        for change, outcome in apply_plan(plan, applying):
            context.account.applied.append(AppliedChange(change=change, outcome=outcome))
            meter.done += 1
            meter.errors += outcome.status == "failed"
    finally:
        journal.close()


def recount(part: ObjectPlan) -> ObjectPlan:
    """Give `part` with the counts of the changes that it has now."""
    counts = Counter(COUNTED[change.action] for change in part.changes if change.action in COUNTED)
    made = {name: counts[name] for name in COUNTED.values()}
    return replace(part, statistics=replace(part.statistics, **made))


def without_done(plan: Plan, context: RunContext) -> Plan:
    """Give `plan` without the changes that an earlier try of this run has made."""
    done = {
        item.change.number
        for item in context.account.applied
        if item.outcome is not None and item.outcome.status == "done"
    }
    if not done:
        return plan
    parts = (
        replace(part, changes=[change for change in part.changes if change.number not in done]) for part in plan.objects
    )
    return replace(plan, objects=tuple(parts))
