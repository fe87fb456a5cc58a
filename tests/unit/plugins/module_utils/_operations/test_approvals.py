# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deciding requests: who may, what counts, and what is over."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.approvals import (
    Actor,
    Decision,
    Request,
    Terms,
    waits_for,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._operations.approvals import (
    Decided,
    DecisionRequest,
    decide,
    describe_request,
    need_request,
    state_message,
)

if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
ANN = Actor(person="ann")
PERSON = Actor(person="Bob")


def ask(store: Store, *, plan: int | None = None, requester: Actor = ANN, **more: t.Any) -> Request:
    """Make a request of a plan of its own, or of `plan`."""
    number = plan or store.plans.add(
        "people",
        ["x\n"],
        kind="run",
        origin_id=None,
        digest="d1",
        created=NOW.isoformat(),
        host="h",
        requester="ann",
        changes_total=3,
        held_total=0,
        counts={"create": 2, "delete": 1},
    )
    given: dict[str, t.Any] = {"accepted": frozenset(), "after_run_id": None, "approvers": (), "quorum": 1, **more}
    terms = Terms(
        run_id=1,
        plan_id=number,
        workflow="w",
        requester=requester,
        created=NOW.isoformat(),
        expires=(NOW + timedelta(days=7)).isoformat(timespec="microseconds"),
        **given,
    )
    return store.requests.add("people", terms, None)


def settle(
    store: Store,
    request: Request,
    decision: Decision = "approved",
    *,
    by: Actor = PERSON,
    now: datetime = NOW,
    reason: str = "",
) -> Decided:
    return decide(store, DecisionRequest(id=request.id, decision=decision, actor=by, reason=reason, now=now))


def test_one_approval_is_enough_unless_more_are_asked_for(store: Store) -> None:
    decided = settle(store, ask(store), reason="Fine.")
    assert (decided.changed, decided.before, decided.status, decided.executable) == (True, "pending", "approved", True)
    assert state_message(decided) == "Execute it with `lockstep.sync.run: request=1`."
    (event,) = decided.request.events[1:]
    assert (event.kind, event.actor, event.reason) == ("approved", PERSON, "Fine.")


def test_one_person_counts_once(store: Store) -> None:
    request = ask(store, quorum=2, approvers=("bob", "cy", "dan"))
    first = settle(store, request)
    assert state_message(first) == "It still waits for 1 of 'cy', 'dan'."
    again = settle(store, request, by=Actor(person=" BOB "))
    assert (again.changed, again.status, again.before) == (False, "pending", "pending")
    assert settle(store, request, by=Actor(person="cy")).executable


def test_who_asked_may_not_approve(store: Store) -> None:
    with pytest.raises(ConfigError, match="request 1 of job 'people' cannot be approved: 'ANN' asked for it"):
        settle(store, ask(store), by=Actor(person="ANN"))


def test_who_came_with_the_role_that_asked_may_not_approve(store: Store) -> None:
    request = ask(store, requester=Actor(person="ann", role="sync"))
    with pytest.raises(ConfigError, match="'Bob' comes with the database role 'sync', with which 'ann' asked for it"):
        settle(store, request, by=Actor(person="Bob", role="sync"))
    assert settle(store, request, by=Actor(person="Bob", role="bob")).status == "approved"


def test_only_listed_approvers_decide(store: Store) -> None:
    request = ask(store, approvers=("cy", "ann"))
    for decision in ("approved", "denied"):
        with pytest.raises(ConfigError, match=f"cannot be {decision}: 'Bob' is not among the approvers: 'cy', 'ann'"):
            settle(store, request, decision)
    assert waits_for(request) == "1 of 'cy'"
    assert settle(store, request, by=Actor(person="cy")).status == "approved"


def test_when_the_only_approver_asked_nobody_is_left(store: Store) -> None:
    request = ask(store, approvers=("ann",))
    assert waits_for(request) == "nobody: no approver is left beside 'ann', who asked for it"
    assert waits_for(ask(store, quorum=2)) == "2 people other than 'ann'"


def test_a_denial_ends_it_at_once_also_after_approvals(store: Store) -> None:
    request = ask(store)
    settle(store, request)
    decided = settle(store, request, "denied", by=Actor(person="cy"), reason="No.")
    assert (decided.before, decided.status, state_message(decided)) == (
        "approved",
        "denied",
        "Its plan is never executed.",
    )
    with pytest.raises(ConfigError, match=r"cannot be approved: it is denied by 'cy' \(No\.\). Run the job again"):
        settle(store, request, by=Actor(person="dan"))
    assert not settle(store, request, "denied", by=Actor(person="cy")).changed


def test_who_asked_may_take_it_back(store: Store) -> None:
    assert settle(store, ask(store), "denied", by=ANN, reason="A mistake.").status == "denied"


def test_what_is_executed_can_not_be_decided_again(store: Store) -> None:
    request = ask(store)
    settle(store, request)
    store.requests.add_event(request.id, "executed", ANN, run_id=7)
    for decision in ("approved", "denied"):
        with pytest.raises(ConfigError, match=f"cannot be {decision}: it is executed by run 7"):
            settle(store, request, decision, by=Actor(person="cy"))
    again = settle(store, request)
    assert (again.changed, again.executable, state_message(again)) == (False, False, "Its plan was executed by run 7.")


@pytest.mark.parametrize("approved", [False, True])
def test_time_ends_what_was_not_executed(store: Store, approved: bool) -> None:
    request = ask(store)
    if approved:
        settle(store, request)
    late = NOW + timedelta(days=7)
    for _each in range(2):
        with pytest.raises(ConfigError, match=r"it is expired since 2026-11-28T08:30:00"):
            settle(store, request, by=Actor(person="cy"), now=late)
    kinds = [event.kind for event in need_request(store, request.id).request.events]
    assert kinds == (["created", "approved", "expired"] if approved else ["created", "expired"])


def test_all_requests_of_a_plan_must_be_approved(store: Store) -> None:
    first = ask(store)
    second = ask(store, plan=first.terms.plan_id)
    freed = ask(store, plan=first.terms.plan_id, accepted=frozenset({"deletes"}))
    one = settle(store, first)
    assert ([each.id for each in one.waiting], one.executable) == ([second.id], False)
    assert state_message(one).startswith("The same plan still needs others: request 2 (workflow 'w') waits for")
    assert settle(store, second).executable
    assert settle(store, freed).executable


def test_a_plan_with_a_denied_request_is_never_executable(store: Store) -> None:
    first = ask(store)
    second = ask(store, plan=first.terms.plan_id)
    denied = settle(store, first, "denied")
    assert state_message(denied) == "Its plan is never executed, whatever becomes of request 2 of the same plan."
    decided = settle(store, second)
    assert (decided.status, decided.executable) == ("approved", False)
    assert state_message(decided).startswith("Its plan is never executed: request 1 of the same plan was denied")


def test_a_request_that_does_not_exist(store: Store) -> None:
    with pytest.raises(ConfigError, match="request: there is no request 5 in"):
        decide(store, DecisionRequest(id=5, decision="approved", actor=ANN, reason="", now=NOW))


def test_an_approval_that_was_not_allowed_counts_never(store: Store) -> None:
    request = ask(store, approvers=("cy",))
    for person in ("ann", "Bob"):
        store.requests.add_event(request.id, "approved", Actor(person=person))
    assert need_request(store, request.id).request.status(NOW) == "pending"


def test_a_request_is_described_with_all_that_happened(store: Store) -> None:
    request = ask(store, approvers=("bob", "cy"), quorum=2)
    settle(store, request)
    shown = describe_request(store, need_request(store, request.id), NOW)
    assert (shown["status"], shown["approved_by"], shown["may_approve"]) == ("pending", ["Bob"], ["cy"])
    assert (shown["verified"], shown["problem"], shown["counts"]) == (True, "", {"create": 2, "delete": 1})
    assert [event["event"] for event in shown["events"]] == ["created", "approved"]


def test_two_approvers_at_once_are_both_counted(store: Store, open_again: Callable[..., Store]) -> None:
    request = ask(store, quorum=8)
    others = [open_again() for _each in range(4)]
    failed: list[BaseException] = []

    def approve(opened: Store, number: int) -> None:
        try:
            for half in range(2):
                settle(opened, request, by=Actor(person=f"p{number}-{half}"))
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=approve, args=(opened, number)) for number, opened in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    stored = need_request(store, request.id)
    assert (stored.request.status(NOW), len(stored.request.approvals())) == ("approved", 8)
    assert store.requests.fault(stored) == ""
