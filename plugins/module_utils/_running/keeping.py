# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep sealed plans in the store, and apply kept ones: exactly what was shown, and only once."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import replace

from .._model.errors import ConfigError
from .._model.plans import HeldChange, Plan
from .._planning.guards import let_through
from .._planning.sealed import read_plan
from .._planning.sealing import sealed_lines
from .._store.plans import PlanKind, StoredPlan
from .approving import mark_executed, must_wait_for, remark_on_approval
from .context import RunContext
from .definition import refuse_changed_definition
from .destinations import Destinations
from .files import RunFiles, save_plan
from .protecting import leave_out_protected
from .remembering import remember_leavers
from .writing import recount, without_done, write_plan


def keep_plan(plan: Plan, context: RunContext, *, kind: PlanKind = "run", origin_id: int | None = None) -> None:
    """Keep the sealed `plan`, and enter its number into the account. Raises StoreError."""
    runtime = context.runtime
    counts = Counter(change.action for part in plan.objects for change in part.all_changes())
    number = context.store.plans.add(
        context.job.name,
        sealed_lines(plan),
        kind=kind,
        origin_id=origin_id,
        digest=plan.digest,
        created=runtime.now_text(),
        host=runtime.host,
        requester=context.request.requester,
        changes_total=plan.change_count,
        held_total=plan.held_count,
        counts=dict(sorted(counts.items())),
    )
    context.account.plan_id = number
    held = f", and {plan.held_count} that guards hold" if plan.held_count else ""
    context.log.note(f"plan {number} kept: {plan.change_count} changes{held}, digest {plan.digest[:16]}")


def load_plan(stored: StoredPlan, context: RunContext) -> Plan:
    """Give a kept plan. Raises StoreError when it is damaged, ConfigError when its job has changed since."""
    plan = read_plan(context.store.plans.lines(stored.id), f"plan {stored.id}")
    if plan.digest != stored.digest:
        raise ConfigError(f"plan {stored.id} is not the one that was sealed as {stored.digest[:16]}. Make a new plan.")
    refuse_changed_definition(plan, context.job, context.store, f"plan {stored.id}")
    return plan


class KeptAttempt:
    """Applies a kept plan, or what guards held of one that was applied before."""

    def __init__(self, stored: StoredPlan, context: RunContext) -> None:
        self._stored = stored
        self._context = context

    def preview(self) -> list[dict[str, t.Any]] | None:
        """Show what would be applied; nothing is read of the systems."""
        account = self._context.account
        account.plan = plan = self._what_is_due(self._sealed())
        account.plan_id = self._stored.id
        remark_on_approval(plan, self._context, self._stored)
        account.show(plan)
        return None

    def apply(self, number: int, files: RunFiles) -> None:
        """Apply the plan; a later try goes on with what an earlier one has not made."""
        context = self._context
        context.account.plan_id = self._stored.id
        whole = self._sealed()
        plan = self._what_is_due(whole)
        may_write = number > 1 or self._claim(whole, plan)
        # Not before: of a plan that was refused nothing is remembered.
        context.account.plan = plan
        if not may_write:
            return
        rest = without_done(plan, context)
        context.account.plan_anew()
        with Destinations(context.job, context.store, context.runtime) as destinations:
            rest = leave_out_protected(rest, context, destinations)
            if not rest.change_count:
                return
            sealed = save_plan(rest, files.plan(number))
            context.log.note(f"plan {self._stored.id}, digest {plan.digest[:16]}: {rest.change_count} changes to apply")
            for part in rest.objects:
                remember_leavers(part, context.job, context.store)
            policy = destinations.policy(sealed)
            write_plan(sealed, context, files.journal(number), destinations.open_writer, policy)

    def _sealed(self) -> Plan:
        return load_plan(self._stored, self._context)

    def _what_is_due(self, plan: Plan) -> Plan:
        """Give the plan with what may be applied now: all but what is held, or only held changes that are accepted
        when the rest was applied before. Raises ConfigError when there is nothing of the kind.
        """
        stored = self._stored
        applied = {change.number for part in plan.objects for change in part.changes} if stored.run_id else set()
        applied |= {held.change.number for held in self._held(plan) if held.guards.issubset(stored.accepted)}
        parts = [let_through(part, self._context.request.accept) for part in plan.objects]
        parts = [
            replace(part, changes=[change for change in part.changes if change.number not in applied]) for part in parts
        ]
        if stored.run_id is not None and not any(part.changes for part in parts):
            raise ConfigError(self._applied_before(plan))
        return replace(plan, objects=tuple(map(recount, parts)))

    @staticmethod
    def _held(plan: Plan) -> list[HeldChange]:
        return [held for part in plan.objects for held in part.held_changes]

    def _applied_before(self, plan: Plan) -> str:
        stored = self._stored
        guards = {guard for held in self._held(plan) for guard in held.guards}
        left = ", ".join(sorted(guards.difference(stored.accepted)))
        hint = f"What guards hold of it is let through with `accept: [{left}]`." if left else "Make a new one."
        return f"plan {stored.id} was applied by run {stored.run_id}; a plan is applied once. {hint}"

    def _claim(self, sealed: Plan, due: Plan) -> bool:
        """Note what this run applies, so that no other does it again. Gives False when it needs approval first."""
        context, stored = self._context, self._stored
        held = self._held(sealed)
        accepted = frozenset(guard for each in held for guard in each.guards).intersection(context.request.accept)
        numbers = {change.number for part in due.objects for change in part.changes}
        freed = {guard for each in held if each.change.number in numbers for guard in each.guards}
        with context.store.transaction():
            if must_wait_for(stored, due, accepted, context):
                return False
            if stored.run_id is None:
                context.store.plans.claim(stored.id, context.run_id or 0)
            if freed:
                context.store.plans.accept(stored.id, freed)
            mark_executed(stored, accepted, context)
        return True
