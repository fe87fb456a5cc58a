# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approvals of kept plans within a run: what has requests is applied when all of them are approved, never before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from .._model.approvals import Actor, Request, Terms, ids_of
from .._model.errors import StoreError
from .._model.plans import GuardClass, Plan
from .._model.workflows import WorkflowSpec
from .._operations.approvals import refuse_changed, refuse_unapproved, waiting_message
from .._operations.workflows import all_workflows
from .._planning.coverage import covering
from .._store.plans import StoredPlan
from .._store.requests import StoredRequest
from .._store.times import to_text
from .account import Waiting
from .context import RunContext


def must_wait_for(stored: StoredPlan, due: Plan, accepted: frozenset[GuardClass], context: RunContext) -> bool:
    """Tell whether what is due of a kept plan has to be asked for, which is done then.

    Args:
        stored: the kept plan.
        due: what would be applied of it now.
        accepted: the guards of it that are accepted.
        context: of the run.

    Raises:
        ConfigError: it was asked for, and not all requests are approved; the message names them.
        StoreError: a request is not as it was written.
    """
    refuse_changed(context.store, context.store.requests.of_plan(stored.id))
    requests = _requests_of(stored, accepted, context)
    refuse_unapproved(context.store, requests, context.runtime.clock())
    if any(each.request.terms.accepted == accepted for each in requests):
        return False
    workflows = covering_workflows(due, context)
    if not workflows:
        return False
    made = ask_for(workflows, context, stored.id, accepted=accepted, after_run_id=stored.run_id)
    message = f"was not applied: {due.change_count} changes need approval: {waiting_message(made)}"
    context.account.waiting = Waiting(requests=tuple(made), message=message, whole=True)
    return True


def mark_executed(stored: StoredPlan, accepted: frozenset[GuardClass], context: RunContext) -> None:
    """Note which requests this run executes. Raises StoreError."""
    now = context.runtime.clock()
    for each in _requests_of(stored, accepted, context):
        if each.request.status(now) == "approved":
            context.store.requests.add_event(each.request.id, "executed", actor_of(context), run_id=context.run_id)
            context.log.note(
                f"request {each.request.id} is executed; approved by {', '.join(map(repr, each.request.approvals()))}"
            )


def remark_on_approval(plan: Plan, context: RunContext, stored: StoredPlan | None = None) -> None:
    """Enter into the account of a preview whose approval a run would need. Raises ConfigError, StoreError."""
    account, now = context.account, context.runtime.clock()
    requests = [] if stored is None else _requests_of(stored, context.request.accept, context)
    open_requests = [each.request for each in requests if each.request.status(now) not in ("approved", "executed")]
    workflows = [] if requests else covering_workflows(plan, context)
    if open_requests:
        states = ", ".join(f"request {each.id} is {each.status(now)}" for each in open_requests)
        account.remark = f" It needs approval: {states}."
    elif workflows:
        names = ", ".join(repr(each.name) for each in workflows)
        plural = "s" if len(workflows) > 1 else ""
        account.remark = f" A run would wait for approval by workflow{plural} {names}."


def actor_of(context: RunContext) -> Actor:
    """Give who asks for this run. Raises StoreError."""
    return Actor(person=context.request.requester, role=context.store.database_role())


def covering_workflows(plan: Plan, context: RunContext) -> list[WorkflowSpec]:
    """Give the workflows that `plan` falls under. Raises ConfigError, StoreError."""
    types = {item.name: item.type for item in context.job.objects}
    return covering(all_workflows(context.store), plan, types, scheduled=context.request.scheduled)


def ask_for(
    workflows: Sequence[WorkflowSpec],
    context: RunContext,
    plan_id: int,
    *,
    accepted: frozenset[GuardClass] = frozenset(),
    after_run_id: int | None = None,
) -> list[Request]:
    """Make a request for each workflow. Raises ConfigError, StoreError."""
    store, created = context.store, context.runtime.clock()
    if context.run_id is None:
        raise StoreError("a preview asks for no approval.")
    made = []
    for workflow in workflows:
        found = store.workflows.get(workflow.name)
        terms = Terms(
            run_id=context.run_id,
            plan_id=plan_id,
            accepted=accepted,
            after_run_id=after_run_id,
            workflow=workflow.name,
            approvers=workflow.approvers,
            quorum=workflow.quorum,
            requester=actor_of(context),
            created=to_text(created),
            expires=to_text(created + dt.timedelta(seconds=workflow.expires_seconds)),
        )
        made.append(store.requests.add(context.job.name, terms, None if found is None else found.id))
    context.log.note(f"approval of plan {plan_id} asked for: request {ids_of(made)}")
    return made


def _requests_of(stored: StoredPlan, accepted: Collection[str], context: RunContext) -> list[StoredRequest]:
    """Give the requests that have a say in what is due of a plan: those for the same accepted guards or fewer."""
    return [each for each in context.store.requests.of_plan(stored.id) if each.request.terms.accepted <= set(accepted)]
