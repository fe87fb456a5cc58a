# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests: one pending approval each, bound to one sealed plan, with everything that happened to it."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .plans import GuardClass
from .workflows import fold_person

RequestStatus: t.TypeAlias = t.Literal["pending", "approved", "denied", "executed", "expired"]
REQUEST_STATUSES: tuple[RequestStatus, ...] = t.get_args(RequestStatus)
EventKind: t.TypeAlias = t.Literal["created", "approved", "denied", "expired", "executed"]
Decision: t.TypeAlias = t.Literal["approved", "denied"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who does something: the person, and the role by which a store on a server knows them, empty for a file."""

    person: str
    role: str = ""

    def is_same(self, other: Actor) -> bool:
        """Tell whether both are one person, or came with one database role."""
        return fold_person(self.person) == fold_person(other.person) or bool(self.role and self.role == other.role)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that happened to a request; it is never changed.

    Attributes:
        time: ISO 8601 in UTC.
        actor: who did it, with the database role the store's server knew them by.
        run_id: of `executed`, the run that applied the plan.
        mac: proves that a holder of the store's key wrote it, after the event before it.
    """

    time: str
    kind: EventKind
    actor: Actor
    reason: str
    run_id: int | None
    mac: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a request asks, and of whom. They are fixed when it is made; later changes of its workflow are for others.

    Attributes:
        run_id: the run that asked.
        plan_id: the kept plan; `accepted` are the guards that were accepted with it.
        after_run_id: the run that had applied the rest of the plan before; then only what guards held is asked for.
        expires: from this time on it can neither be approved nor executed, ISO 8601 in UTC.
    """

    run_id: int
    plan_id: int
    accepted: frozenset[GuardClass]
    after_run_id: int | None
    workflow: str
    approvers: tuple[str, ...]
    quorum: int
    requester: Actor
    created: str
    expires: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request. `job` is the name the job has now, or had when it was deleted; `events` are in order."""

    id: int
    job: str
    terms: Terms
    events: tuple[Event, ...]

    def status(self, now: dt.datetime) -> RequestStatus:
        """Give the status at the time `now`: it follows from the events alone."""
        kinds = {event.kind for event in self.events}
        for kind in ("executed", "denied", "expired"):
            if kind in kinds:
                return kind
        if self.is_overdue(now):
            return "expired"
        return "approved" if len(self.approvals()) >= self.terms.quorum else "pending"

    def is_overdue(self, now: dt.datetime) -> bool:
        """Tell whether its time is over."""
        return now >= dt.datetime.fromisoformat(self.terms.expires)

    def approvals(self) -> list[str]:
        """Give the people whose approval counts, each once, in order. Who may not approve counts never."""
        people: dict[str, str] = {}
        for event in self.events:
            if event.kind == "approved" and not self.reason_against(event.actor, "approved"):
                people.setdefault(fold_person(event.actor.person), event.actor.person)
        return list(people.values())

    def reason_against(self, actor: Actor, decision: Decision) -> str:
        """Say why `actor` may not decide so, empty when they may."""
        terms = self.terms
        if terms.approvers and not _is_among(actor.person, terms.approvers):
            return f"{actor.person!r} is not among the approvers: {', '.join(map(repr, terms.approvers))}."
        if decision == "denied" or not actor.is_same(terms.requester):
            return ""
        if fold_person(actor.person) == fold_person(terms.requester.person):
            return f"{actor.person!r} asked for it; somebody else must approve."
        return (
            f"{actor.person!r} comes with the database role {actor.role!r}, with which {terms.requester.person!r} "
            "asked for it; somebody with another role must approve."
        )

    def may_still_approve(self) -> list[str]:
        """Give the listed approvers who have not approved yet and may, empty when none are listed."""
        done = self.approvals()
        return [
            name
            for name in self.terms.approvers
            if not _is_among(name, done) and not _is_among(name, [self.terms.requester.person])
        ]

    def has_event_of(self, actor: Actor, kind: EventKind) -> bool:
        """Tell whether this person did that before."""
        return any(
            event.kind == kind and fold_person(event.actor.person) == fold_person(actor.person) for event in self.events
        )

    @property
    def executed_by(self) -> int | None:
        """The run that applied the plan, None while nobody did."""
        return next((event.run_id for event in self.events if event.kind == "executed"), None)


def waits_for(request: Request) -> str:
    """Say whose approval is missing, as `1 of 'ann', 'bob'`."""
    missing = max(request.terms.quorum - len(request.approvals()), 0)
    names = request.may_still_approve()
    if names:
        return f"{missing} of {', '.join(map(repr, names))}"
    if missing and request.terms.approvers:
        return f"nobody: no approver is left beside {request.terms.requester.person!r}, who asked for it"
    return f"{missing} {'person' if missing == 1 else 'people'} other than {request.terms.requester.person!r}"


def ids_of(requests: Iterable[Request]) -> str:
    """Give the numbers of requests for a message, as `3, 4`."""
    return ", ".join(str(request.id) for request in requests)


def _is_among(name: str, names: Sequence[str]) -> bool:
    return fold_person(name) in map(fold_person, names)
