# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide requests: who may, what becomes of them, and when a plan may be executed."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._model.approvals import Actor, Decision, Request, RequestStatus, ids_of, waits_for
from .._model.errors import ConfigError, StoreError
from .._store.requests import StoredRequest
from .._store.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionRequest:
    """One decision about a request. `actor` decides, at the time `now`."""

    id: int
    decision: Decision
    actor: Actor
    reason: str
    now: dt.datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What became of a decision.

    Attributes:
        changed: false when the same person had decided so before.
        before: the status before; `request` is the request afterwards.
        waiting: other requests of the same plan that still need approval.
        ended: other requests of the same plan that were denied or have expired; it is never executed then.
    """

    changed: bool
    before: RequestStatus
    status: RequestStatus
    request: Request
    waiting: tuple[Request, ...]
    ended: tuple[Request, ...]

    @property
    def executable(self) -> bool:
        """Whether the plan has every approval it needs and was not executed."""
        return self.status == "approved" and not self.waiting and not self.ended


def decide(store: Store, decision: DecisionRequest) -> Decided:
    """Approve or deny a request.

    Raises ConfigError when there is none, the person may not decide, or it is over; StoreError when the request is not
    as it was written.
    """
    expire_overdue(store, [need_request(store, decision.id)], decision.actor, decision.now)
    with store.transaction():
        stored = need_request(store, decision.id)
        refuse_changed(store, [stored])
        request = stored.request
        before = request.status(decision.now)
        changed = not _is_decided_so(request, decision, before)
        if changed:
            _refuse(request, decision, before)
            request = store.requests.add_event(request.id, decision.decision, decision.actor, reason=decision.reason)
        return _decided(store, request, before, changed=changed, now=decision.now)


def _is_decided_so(request: Request, decision: DecisionRequest, status: RequestStatus) -> bool:
    """Tell whether the person decided so before, and nothing else came of it."""
    if not request.has_event_of(decision.actor, decision.decision):
        return False
    return status == "denied" if decision.decision == "denied" else status in ("pending", "approved", "executed")


def _refuse(request: Request, decision: DecisionRequest, status: RequestStatus) -> None:
    what = f"request {request.id} of job {request.job!r}"
    if status in ("denied", "executed", "expired"):
        raise ConfigError(
            f"{what} cannot be {decision.decision}: it is {status}{_by_whom(request, status)}. Run the job again for a "
            "new one."
        )
    against = request.reason_against(decision.actor, decision.decision)
    if against:
        raise ConfigError(f"{what} cannot be {decision.decision}: {against}")


def _by_whom(request: Request, status: RequestStatus) -> str:
    if status == "executed":
        return f" by run {request.executed_by}"
    if status == "denied":
        event = next(event for event in request.events if event.kind == "denied")
        return f" by {event.actor.person!r}{f' ({event.reason})' if event.reason else ''}"
    return f" since {request.terms.expires}" if status == "expired" else ""


def _decided(store: Store, request: Request, before: RequestStatus, *, changed: bool, now: dt.datetime) -> Decided:
    others = [
        each.request
        for each in store.requests.of_plan(request.terms.plan_id)
        if each.request.id != request.id and each.request.terms.accepted <= request.terms.accepted
    ]
    return Decided(
        changed=changed,
        before=before,
        status=request.status(now),
        request=request,
        waiting=tuple(each for each in others if each.status(now) == "pending"),
        ended=tuple(each for each in others if each.status(now) in ("denied", "expired")),
    )


def need_request(store: Store, request_id: int) -> StoredRequest:
    """Give a request. Raises ConfigError when there is none."""
    stored = store.requests.get(request_id)
    if stored is None:
        raise ConfigError(
            f"request: there is no request {request_id} in {store.location}. `request_info` lists those there are."
        )
    return stored


def refuse_changed(store: Store, requests: Iterable[StoredRequest]) -> None:
    """Raise StoreError when a request or its events are not what was written: nothing is decided or executed then."""
    for stored in requests:
        if fault := store.requests.fault(stored):
            raise StoreError(
                f"request {stored.request.id} is not as it was written: {fault}. Nothing is decided or executed by it. "
                "Find out who changed the state store, and run the job again for a new request."
            )


def expire_overdue(store: Store, requests: Iterable[StoredRequest], actor: Actor, now: dt.datetime) -> None:
    """Note of requests whose time is over that it is. Raises StoreError."""
    for stored in requests:
        if stored.request.status(now) == "expired":
            end_requests(store, [stored], actor, f"nobody decided or executed it until {stored.request.terms.expires}.")


def end_requests(store: Store, requests: Iterable[StoredRequest], actor: Actor, reason: str) -> None:
    """Let requests that are not denied or executed expire for `reason`. Raises StoreError."""
    for stored in requests:
        kinds = {event.kind for event in stored.request.events}
        if kinds.isdisjoint(("denied", "executed", "expired")) and not store.requests.fault(stored):
            store.requests.add_event(stored.request.id, "expired", actor, reason=reason)


def refuse_unapproved(store: Store, requests: Sequence[StoredRequest], now: dt.datetime) -> None:
    """Raise ConfigError naming the requests that keep a plan from being executed, StoreError for changed ones."""
    refuse_changed(store, requests)
    found = [(each.request, each.request.status(now)) for each in requests]
    over = [
        f"request {request.id} is {status}{_by_whom(request, status)}" for request, status in found if _is_over(status)
    ]
    if over:
        raise ConfigError(f"it needs approval, and {'; '.join(over)}. It is never executed; make a new plan.")
    waiting = [request for request, status in found if status == "pending"]
    if waiting:
        raise ConfigError(f"it needs approval: {waiting_message(waiting)}")


def waiting_message(requests: Sequence[Request]) -> str:
    """Say which requests wait for whom, and how they are approved."""
    parts = [f"request {each.id} (workflow {each.terms.workflow!r}) waits for {waits_for(each)}" for each in requests]
    how = "; ".join(f"`lockstep.sync.request: id={each.id} state=approved`" for each in requests[:1])
    others = f", likewise {ids_of(requests[1:])}" if len(requests) > 1 else ""
    return f"{'; '.join(parts)}. Approve with {how}{others}."


def _is_over(status: RequestStatus) -> bool:
    return status in ("denied", "expired")


def state_message(decided: Decided) -> str:
    """Say what a decision that executed nothing leads to."""
    request = decided.request
    if decided.status == "denied":
        others = f", whatever becomes of request {ids_of(decided.waiting)} of the same plan" if decided.waiting else ""
        return f"Its plan is never executed{others}."
    if decided.status == "executed":
        return f"Its plan was executed by run {request.executed_by}."
    if decided.ended:
        return (
            f"Its plan is never executed: request {ids_of(decided.ended)} of the same plan was denied or has expired."
        )
    if decided.status == "pending":
        return f"It still waits for {waits_for(request)}."
    if decided.waiting:
        return f"The same plan still needs others: {waiting_message(decided.waiting)}"
    return f"Execute it with `lockstep.sync.run: request={request.id}`."


def describe_request(store: Store, stored: StoredRequest, now: dt.datetime) -> dict[str, t.Any]:
    """Give a request with its events in the form of results. Raises StoreError."""
    request, terms = stored.request, stored.request.terms
    fault = store.requests.fault(stored)
    plan = store.plans.get(terms.plan_id)
    status = request.status(now)
    return {
        "id": request.id,
        "job": request.job,
        "workflow": terms.workflow,
        "status": status,
        "requester": terms.requester.person,
        "requester_role": terms.requester.role or None,
        "created": terms.created,
        "expires": terms.expires,
        "quorum": terms.quorum,
        "approvers": list(terms.approvers),
        "approved_by": request.approvals(),
        "may_approve": request.may_still_approve() if status == "pending" else [],
        "accepted": sorted(terms.accepted),
        "plan": terms.plan_id,
        "plan_digest": stored.plan_digest,
        "counts": {} if plan is None else dict(plan.counts),
        "run": terms.run_id,
        "executed_by": request.executed_by,
        "verified": not fault,
        "problem": fault,
        "events": [
            {
                "time": event.time,
                "event": event.kind,
                "actor": event.actor.person,
                "role": event.actor.role or None,
                "reason": event.reason,
                "run": event.run_id,
            }
            for event in request.events
        ],
    }
