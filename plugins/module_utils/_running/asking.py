# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask for approval: what falls under a workflow is kept and asked for, and nothing of it is written before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from .._model.approvals import Request, ids_of
from .._model.errors import LockstepError, StoreError
from .._model.plans import Plan
from .._operations.approvals import end_requests, expire_overdue, waiting_message
from .._operations.workflows import all_workflows
from .._planning.coverage import SMART_GROUP_TYPE, covers_job, covers_type
from .._planning.sealed import definition_of
from .._planning.sealing import seal
from .._store.plans import PlanKind, StoredPlan
from .._store.requests import StoredRequest
from .account import Waiting
from .approving import actor_of, ask_for, covering_workflows
from .context import RunContext
from .definition import definition_digest
from .keeping import keep_plan


def wait_for_earlier(context: RunContext, *, kind: PlanKind = "run", origin_id: int | None = None) -> bool:
    """Tell whether an earlier run of this kind waits for approval; then its requests are those of this run, too.

    Requests that can never be executed any more expire here. Raises StoreError.
    """
    store, now = context.store, context.runtime.clock()
    expire_overdue(store, store.requests.overdue(context.job.name), actor_of(context), now)
    still_open = [
        each
        for status in ("pending", "approved")
        for each in store.requests.find(job=context.job.name, status=status, limit=None)
    ]
    for plan_id in sorted({each.request.terms.plan_id for each in still_open}, reverse=True):
        plan = store.plans.get(plan_id)
        if plan is None or plan.run_id is not None or (plan.kind, plan.origin_id) != (kind, origin_id):
            continue
        requests = store.requests.of_plan(plan_id)
        reason = _reason_to_end(plan, requests, context, now)
        if reason:
            end_requests(store, requests, actor_of(context), reason)
            context.log.note(f"requests {ids_of(each.request for each in requests)} of plan {plan_id} end: {reason}")
            continue
        waiting = [each.request for each in requests if each.request.status(now) in ("pending", "approved")]
        message = f"was not run: plan {plan_id} of an earlier run {_what_to_do(waiting, now)}"
        context.account.plan_id = plan_id
        context.account.waiting = Waiting(requests=tuple(waiting), message=message, whole=True)
        return True
    return False


def must_wait(
    plan: Plan, context: RunContext, *, kind: PlanKind = "run", origin_id: int | None = None, whole: bool = True
) -> bool:
    """Tell whether `plan` falls under a workflow; then it is kept and its requests are made.

    Args:
        plan: about to be applied, nothing of it is written yet.
        context: of the run.
        kind: `undo` for a plan that takes back the run `origin_id`.
        origin_id: that run.
        whole: false for the rest of a run that has written already.

    Raises:
        ConfigError: the store has no key to prove decisions with.
        StoreError: the store fails.
    """
    workflows = covering_workflows(plan, context)
    if not workflows:
        return False
    account = context.account
    earlier = account.plan_id
    sealed = seal(plan)
    try:
        with context.store.transaction():
            keep_plan(sealed, context, kind=kind, origin_id=origin_id)
            kept = account.plan_id or 0
            requests = ask_for(workflows, context, kept)
    except LockstepError:
        # What was rolled back has no number.
        account.plan_id = earlier
        raise
    if whole:
        account.plan = sealed
    account.plan_id = kept if earlier is None else earlier
    what = "was not applied" if whole else "did not refresh its smart groups"
    account.waiting = Waiting(
        requests=tuple(requests),
        message=f"{what}: plan {kept} of {plan.change_count} changes needs approval: {waiting_message(requests)}",
        whole=whole,
    )
    return True


def may_cover_smart_groups(context: RunContext) -> bool:
    """Tell whether smart groups of the run can fall under a workflow. Raises ConfigError, StoreError."""
    return bool(context.smart_groups) and any(
        covers_type(each, SMART_GROUP_TYPE)
        for each in all_workflows(context.store)
        if covers_job(each, context.job.name, scheduled=context.request.scheduled)
    )


def _reason_to_end(plan: StoredPlan, requests: Sequence[StoredRequest], context: RunContext, now: dt.datetime) -> str:
    """Say why the open requests of a plan can never be executed, empty when they can."""
    over = [each.request for each in requests if each.request.status(now) in ("denied", "expired")]
    if over:
        return f"request {over[0].id} of the same plan is {over[0].status(now)}."
    changed = [each for each in requests if context.store.requests.fault(each)]
    if changed:
        return f"request {changed[0].request.id} is not as it was written."
    try:
        made_for = definition_of(context.store.plans.lines(plan.id), f"plan {plan.id}")
    except StoreError as error:
        return error.message
    if made_for != definition_digest(context.job, context.store):
        return f"the definition of job {context.job.name!r} has changed since the plan was made."
    return ""


def _what_to_do(requests: Sequence[Request], now: dt.datetime) -> str:
    pending = [each for each in requests if each.status(now) == "pending"]
    if pending:
        return f"needs approval: {waiting_message(pending)}"
    return f"is approved and not executed yet; execute it with `lockstep.sync.run: request={requests[0].id}`."
