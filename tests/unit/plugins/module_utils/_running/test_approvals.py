# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that need approval: asked for once, never executed before, then exactly and once."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import typing as t
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.approvals import Actor, Decision
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, ObjectPlan, ValueChanges
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult, Statistics
from ansible_collections.lockstep.sync.plugins.module_utils._operations.approvals import (
    Decided,
    DecisionRequest,
    decide,
    need_request,
)
from ansible_collections.lockstep.sync.plugins.module_utils._planning.sealed import read_plan
from ansible_collections.lockstep.sync.plugins.module_utils._running import attempt, refreshing
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.context import RunContext
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest
from support.lists import ListProvider, info_of
from support.worlds import World

Events = list[tuple[str, str]]


def approve(
    world: World, request: int, person: str = "bob", decision: Decision = "approved", reason: str = ""
) -> Decided:
    return decide(
        world.store,
        DecisionRequest(id=request, decision=decision, actor=Actor(person=person), reason=reason, now=world.now),
    )


def workflow(world: World, name: str = "w", **options: t.Any) -> None:
    world.store.workflows.save(name, options)


def ask(world: World, **options: t.Any) -> RunResult:
    """Run the job as `ann`; it must wait for approval."""
    result = world.run(requester="ann", **options).result
    assert result.status == "awaiting_approval", result.message
    return result


def execute(world: World, request: int, **options: t.Any) -> RunResult:
    return world.run("", request=request, requester="cy", **options).result


def events(world: World, request: int) -> Events:
    return [(event.kind, event.actor.person) for event in need_request(world.store, request).request.events]


def status(world: World, request: int) -> str:
    return need_request(world.store, request).request.status(world.now)


@pytest.fixture
def asked(world: World) -> World:
    """A world whose job `j` falls under the workflow `w`."""
    world.job()
    workflow(world)
    return world


# -- asking


def test_a_covered_run_writes_nothing_and_keeps_its_plan(asked: World) -> None:
    before = asked.people()
    result = ask(asked)
    assert (asked.people(), result.agreement, result.statistics.changes) == (before, "different", 0)
    assert (list(result.request_ids), result.plan_id, result.changes_total) == ([1], 1, 0)
    assert result.message == (
        "Job 'j' was not applied: plan 1 of 4 changes needs approval: request 1 (workflow 'w') waits for 1 person "
        "other than 'ann'. Approve with `lockstep.sync.request: id=1 state=approved`."
    )
    plan = asked.store.plans.get(1)
    assert plan is not None
    assert (plan.run_id, plan.digest, plan.changes_total) == (None, result.plan_digest, 4)
    assert events(asked, 1) == [("created", "ann")]
    stored = asked.store.runs.get(result.id or 0)
    assert stored is not None
    assert (stored.status, stored.plan_id) == ("awaiting_approval", 1)


def test_a_second_run_gives_the_pending_request(asked: World) -> None:
    first = ask(asked)
    asked.write("1,Somebody,else")
    second = ask(asked)
    assert (list(second.request_ids), second.plan_id) == (list(first.request_ids), first.plan_id)
    assert "plan 1 of an earlier run needs approval: request 1 (workflow 'w') waits for" in second.message
    assert asked.store.requests.find() == [need_request(asked.store, 1)]


def test_a_changed_definition_ends_the_pending_request(asked: World) -> None:
    ask(asked)
    asked.job(missing_at_source="skip")
    second = ask(asked)
    assert list(second.request_ids) == [2]
    assert events(asked, 1) == [("created", "ann"), ("expired", "ann")]
    reason = need_request(asked.store, 1).request.events[-1].reason
    assert reason == "the definition of job 'j' has changed since the plan was made."


def test_each_workflow_asks_and_all_must_be_approved(asked: World) -> None:
    workflow(asked, "deletes", actions=["delete"], approvers=["dan", "eve"], quorum=2)
    workflow(asked, "moves", actions=["move"])
    result = ask(asked)
    assert list(result.request_ids) == [1, 2]
    assert "request 1 (workflow 'deletes') waits for 2 of 'dan', 'eve'" in result.message
    assert approve(asked, 2).waiting[0].id == 1
    assert not approve(asked, 1, "dan").executable
    refused = execute(asked, 2)
    assert (refused.status, len(asked.people())) == ("failed", 2)
    assert "request 1 (workflow 'deletes') waits for 1 of 'eve'" in refused.message
    assert approve(asked, 1, "eve").executable
    assert execute(asked, 2).status == "succeeded"
    assert (status(asked, 1), status(asked, 2)) == ("executed", "executed")


def test_a_run_that_falls_under_no_workflow_goes_on(asked: World) -> None:
    workflow(asked, "w", jobs=["other"])
    workflow(asked, "x", object_types=["user"])
    assert asked.run().result.status == "succeeded"


def test_a_run_without_changes_needs_nobody(asked: World) -> None:
    workflow(asked, schedules=False)
    assert asked.run(scheduled=True).result.status == "succeeded"
    workflow(asked)
    assert asked.run().result.status == "succeeded"


def test_scheduled_runs_are_covered_unless_the_workflow_says_not(asked: World) -> None:
    assert asked.run(scheduled=True).result.status == "awaiting_approval"


def test_a_preview_says_who_would_be_asked_and_asks_nobody(asked: World) -> None:
    rows = asked.count_rows()
    result = asked.preview().result
    assert (result.status, result.statistics.changes, list(result.request_ids)) == ("succeeded", 4, [])
    assert result.message.endswith("A run would wait for approval by workflow 'w'.")
    explained = asked.preview(explain="1").result
    assert "approval" not in explained.message
    assert asked.count_rows() == rows


def test_what_guards_hold_needs_no_approval_until_it_is_accepted(world: World) -> None:
    world.job(limits={"deletes": "0"})
    workflow(world, actions=["delete"])
    held = world.run().result
    assert (held.status, held.statistics.changes) == ("held", 3)
    waiting = world.run("", plan=held.plan_id, accept=frozenset({"deletes"}), requester="ann").result
    assert (waiting.status, list(waiting.request_ids)) == ("awaiting_approval", [1])
    again = world.run("", plan=held.plan_id, accept=frozenset({"deletes"})).result
    assert (again.status, "request 1 (workflow 'w') waits for" in again.message) == ("failed", True)
    assert world.run().result.status == "held"  # nothing of a run that was applied keeps the next one waiting
    approve(world, 1)
    result = execute(world, 1)
    assert (result.status, result.statistics.deleted) == ("succeeded", 1)
    assert status(world, 1) == "executed"


def test_freed_changes_need_an_approval_beside_that_of_the_rest(world: World) -> None:
    world.job(limits={"deletes": "0"})
    workflow(world)
    result = ask(world)
    assert "Held besides: object 'people': 1 deletes" in result.message
    approve(world, 1)
    freed = world.run("", plan=1, accept=frozenset({"deletes"}), requester="ann").result
    assert (freed.status, list(freed.request_ids)) == ("awaiting_approval", [2])
    approve(world, 2)
    assert execute(world, 2).statistics.changes == 4
    assert (status(world, 1), status(world, 2)) == ("executed", "executed")


def test_a_request_takes_no_other_guards(asked: World) -> None:
    ask(asked)
    approve(asked, 1)
    with pytest.raises(ConfigError, match="was made for the accepted guards: none"):
        execute(asked, 1, accept=frozenset({"deletes"}))


def test_a_kept_plan_is_asked_for_and_nobody_goes_around(asked: World) -> None:
    plan = asked.preview(keep_plan=True).result.plan_id
    waiting = asked.run("", plan=plan, requester="ann").result
    assert (waiting.status, list(waiting.request_ids)) == ("awaiting_approval", [1])
    refused = asked.run("", plan=plan, requester="ann").result
    assert refused.status == "failed"
    assert "it needs approval: request 1 (workflow 'w') waits for" in refused.message
    assert list(ask(asked).request_ids) == [1]
    shown = asked.run("", plan=plan, preview=True).result
    assert shown.message.endswith("It needs approval: request 1 is pending.")
    approve(asked, 1)
    assert asked.run("", plan=plan).result.status == "succeeded"
    assert status(asked, 1) == "executed"


def test_an_undo_is_asked_for(world: World) -> None:
    world.job()
    run = world.run().result
    workflow(world)
    waiting = world.run("", undo=run.id, requester="ann").result
    assert (waiting.status, waiting.kind, list(waiting.request_ids)) == ("awaiting_approval", "undo", [1])
    again = world.run("", undo=run.id, requester="ann").result
    assert list(again.request_ids) == [1]
    assert len(world.people()) == 3
    approve(world, 1)
    result = execute(world, 1)
    assert (result.status, result.kind, result.origin_id) == ("succeeded", "undo", run.id)
    assert world.people() == [(2, "Bob", "old"), (9, "Gone", "G")]


def test_a_renamed_job_keeps_its_requests_and_workflows_follow(asked: World) -> None:
    workflow(asked, jobs=["j"])
    ask(asked)
    asked.store.jobs.rename("j", "people")
    stored = asked.store.workflows.get("w")
    assert stored is not None
    assert stored.definition["jobs"] == ["people"]
    result = asked.run("people").result
    assert list(result.request_ids) == [1]
    approve(asked, 1)


# -- executing


def test_what_was_approved_is_executed_exactly_and_once(asked: World) -> None:
    shown = ask(asked)
    approve(asked, 1)
    asked.write("1,Other,X", "4,New,Y")
    waiting = ask(asked)
    assert "is approved and not executed yet; execute it with `lockstep.sync.run: request=1`." in waiting.message
    result = execute(asked, 1)
    assert (result.status, result.kind, result.plan_digest) == ("succeeded", "plan", shown.plan_digest)
    assert asked.people() == [(1, "Ann", "E"), (2, "Bob", "F"), (3, "Cy", None)]
    assert events(asked, 1) == [("created", "ann"), ("approved", "bob"), ("executed", "cy")]
    assert need_request(asked.store, 1).request.executed_by == result.id
    again = execute(asked, 1)
    assert (again.status, "was applied by run" in again.message) == ("failed", True)


def test_objects_that_moved_on_are_skipped(asked: World) -> None:
    ask(asked)
    approve(asked, 1)
    asked.sql("UPDATE people SET dept = 'touched' WHERE id = 2")
    result = execute(asked, 1)
    assert [problem.code for problem in result.problems] == ["moved_on"]
    assert result.statistics.changes == 3


def test_a_changed_definition_is_not_executed(asked: World) -> None:
    ask(asked)
    approve(asked, 1)
    asked.job(missing_at_source="skip")
    result = execute(asked, 1)
    assert (result.status, "has changed since the plan was made" in result.message) == ("failed", True)
    assert status(asked, 1) == "approved"


def test_nothing_is_executed_that_is_pending_denied_or_expired(asked: World) -> None:
    ask(asked)
    assert execute(asked, 1).status == "failed"
    approve(asked, 1, decision="denied", reason="No.")
    denied = execute(asked, 1)
    assert "request 1 is denied by 'bob' (No.). It is never executed; make a new plan." in denied.message
    assert list(ask(asked).request_ids) == [2]
    approve(asked, 2)
    asked.now += dt.timedelta(days=7)
    assert "request 2 is expired since" in execute(asked, 2).message
    assert list(ask(asked).request_ids) == [3]
    assert events(asked, 2)[-1] == ("expired", "ann")
    assert len(asked.people()) == 2


def test_a_denial_ends_the_other_requests_of_the_plan_at_the_next_run(asked: World) -> None:
    workflow(asked, "x")
    ask(asked)
    denied = approve(asked, 1, decision="denied", reason="No.")
    assert [each.id for each in denied.waiting] == [2]
    assert not approve(asked, 2).executable
    assert execute(asked, 2).status == "failed"
    assert list(ask(asked).request_ids) == [3, 4]
    assert status(asked, 2) == "expired"


def test_a_request_that_does_not_exist(asked: World) -> None:
    with pytest.raises(ConfigError, match="request: there is no request 7 in"):
        execute(asked, 7)


def test_a_run_that_was_not_executed_cannot_be_gone_on_with(asked: World) -> None:
    result = ask(asked)
    with pytest.raises(ConfigError, match="has ended as awaiting_approval; there is nothing to go on with"):
        asked.run("", resume=result.id)
    assert not list((asked.runs / str(result.id)).glob("plan*"))


def test_a_store_that_cannot_keep_the_request_stops_before_the_first_write(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: t.Any, **_options: t.Any) -> None:
        raise StoreError("the store is full.")

    monkeypatch.setattr(type(asked.store.requests), "add", full)
    result = asked.run().result
    assert (result.status, len(asked.people()), asked.store.plans.find()) == ("failed", 2, [])
    assert result.plan_id is None
    assert "it ended before it had a plan" in asked.run("", resume=result.id).result.message


def test_an_approved_run_that_failed_half_way_is_gone_on_with(asked: World, put_in_place: Callable[..., None]) -> None:
    ask(asked)
    approve(asked, 1)
    records: list[dict[str, t.Any]] = [
        {"id": "2", "name": "Bob", "dept": "old"},
        {"id": "9", "name": "Gone", "dept": "G"},
    ]
    failing = ListProvider(
        info=info_of("id", "name", "dept"),
        records=records,
        write_batch=1,
        write_failures=[ProviderError("the disk is on fire.")],
    )
    put_in_place(db=failing)
    failed = execute(asked, 1)
    assert (failed.status, status(asked, 1)) == ("failed", "executed")
    assert asked.run("", resume=failed.id).result.status in ("succeeded", "completed_with_errors")


# -- smart groups: their changes are planned with the job's, and anew when these are made


GROUP = Change(
    number=9,
    object="smart group g",
    action="update",
    key=("g",),
    target="cn=g",
    before={},
    after={"member": ValueChanges(added=("cn=new",))},
)


@pytest.fixture
def groups(world: World, monkeypatch: pytest.MonkeyPatch) -> list[list[Change]]:
    """The changes that each next look at the smart group of the job finds; what is left of the list was not looked at.

    Nobody can write to the group: a test that would fails.
    """
    found: list[list[Change]] = []

    def plan(context: RunContext, *, first_number: int) -> list[ObjectPlan]:
        changes = [replace(change, number=first_number) for change in found.pop(0)]
        part = ObjectPlan(
            name="smart group g",
            target=WriteTarget(container="cn=g", key_fields=("dn",), fields=("member",)),
            changes=changes,
            held_changes=(),
            held=(),
            problems=(),
            statistics=Statistics(updated=len(changes)),
        )
        context.account.problems = [*context.account.problems, *part.problems]
        return [part]

    monkeypatch.setattr(attempt, "plan_smart_groups", plan)
    monkeypatch.setattr(refreshing, "plan_smart_groups", plan)
    world.job(smart_groups=["g"])
    return found


def test_a_covered_smart_group_keeps_the_whole_run_waiting(world: World, groups: list[list[Change]]) -> None:
    workflow(world, object_types=["group"])
    groups.append([GROUP])
    result = ask(world)
    assert "plan 1 of 5 changes needs approval" in result.message
    plan = read_plan(world.store.plans.lines(1), "plan")
    assert [part.name for part in plan.objects] == ["people", "smart group g"]
    assert len(world.people()) == 2


def test_a_smart_group_that_the_run_changes_asks_after_it(world: World, groups: list[list[Change]]) -> None:
    workflow(world, object_types=["group"])
    groups += [[], [GROUP]]
    result = ask(world)
    assert (result.statistics.changes, len(world.people()), result.plan_id) == (4, 3, 1)
    assert "made 4 changes" in result.message
    assert "It did not refresh its smart groups: plan 1 of 1 changes needs approval: request 1" in result.message
    plan = read_plan(world.store.plans.lines(1), "plan")
    assert [part.name for part in plan.objects] == ["smart group g"]
    assert list(ask(world).request_ids) == [1]


def test_smart_groups_are_not_looked_at_twice_for_workflows_of_other_types(
    world: World, groups: list[list[Change]]
) -> None:
    workflow(world, object_types=["user"])
    groups.append([])
    assert world.run().result.status == "succeeded"
    assert groups == []


def test_an_undo_and_a_resumed_run_refresh_no_smart_group_without_approval(
    world: World, groups: list[list[Change]]
) -> None:
    groups.append([])
    first = world.run().result
    workflow(world, object_types=["row"], actions=["delete"])
    waiting = world.run("", undo=first.id, requester="ann").result
    assert (waiting.status, groups) == ("awaiting_approval", [])


# -- two at once


def test_two_executions_at_once_execute_once(asked: World) -> None:
    ask(asked)
    approve(asked, 1)
    results: list[RunResult] = []

    def run(pid: int) -> None:
        other = asked.open_store()
        try:
            runtime = replace(asked.runtime, pid=pid)
            results.append(run_job(RunRequest(request=1, requester="cy"), other, runtime).result)
        finally:
            other.close()

    asked.alive |= {101, 102}
    threads = [threading.Thread(target=run, args=(pid,)) for pid in (101, 102)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.status for result in results) in (["failed", "succeeded"], ["skipped", "succeeded"])
    assert [event for event, _person in events(asked, 1)] == ["created", "approved", "executed"]
    assert len(asked.people()) == 3


# -- tampering


def tamper(world: World, *statements: str) -> None:
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount, statement
        connection.commit()


FORGED = (
    "INSERT INTO lockstep_request_events (request_id, time, event, actor, role, reason, mac) SELECT request_id, time, "
    "'approved', 'bob', '', '', mac FROM lockstep_request_events WHERE id = 1"
)


@pytest.mark.parametrize(
    "statements",
    [
        (FORGED,),
        (FORGED, "UPDATE lockstep_requests SET status = 'approved'"),
        ("UPDATE lockstep_request_events SET event = 'approved'",),
        ("UPDATE lockstep_request_events SET actor = 'zoe' WHERE event = 'created'",),
        ("DELETE FROM lockstep_request_events",),
        ("UPDATE lockstep_requests SET quorum = 0",),
        ("UPDATE lockstep_requests SET requester = 'zoe'",),
        ("UPDATE lockstep_requests SET approvers = '[\"bob\"]'",),
        ("UPDATE lockstep_requests SET expires = '2099-01-01T00:00:00.000000+00:00'",),
    ],
)
def test_nothing_is_executed_by_a_pending_request_that_was_changed(asked: World, statements: tuple[str, ...]) -> None:
    ask(asked)
    tamper(asked, *statements)
    result = execute(asked, 1)
    assert (result.status, len(asked.people())) == ("failed", 2)
    assert "request 1 is not as it was written" in result.message
    with pytest.raises(StoreError, match="request 1 is not as it was written"):
        approve(asked, 1)
    assert list(ask(asked).request_ids) == [2]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lockstep_request_events SET actor = 'eve' WHERE event = 'approved'",
        "UPDATE lockstep_request_events SET reason = 'x' WHERE event = 'approved'",
        "UPDATE lockstep_request_events SET time = created FROM lockstep_requests WHERE event = 'approved' AND 1",
        "DELETE FROM lockstep_request_events WHERE event = 'created'",
        "DELETE FROM lockstep_request_events WHERE event = 'approved'",
        "UPDATE lockstep_plans SET digest = 'other'",
        "UPDATE lockstep_requests SET accepted = '[\"deletes\"]'",
    ],
)
def test_nothing_is_executed_by_an_approved_request_that_was_changed(asked: World, statement: str) -> None:
    ask(asked)
    asked.now += dt.timedelta(seconds=1)
    approve(asked, 1, reason="fine")
    tamper(asked, statement)
    result = execute(asked, 1)
    assert (result.status, len(asked.people())) == ("failed", 2)


def test_a_denial_that_is_taken_away_does_not_help(asked: World) -> None:
    ask(asked)
    approve(asked, 1)
    approve(asked, 1, "eve", "denied", "No.")
    tamper(asked, "DELETE FROM lockstep_request_events WHERE event = 'denied'")
    assert "an event was added or taken away" in execute(asked, 1).message
    assert len(asked.people()) == 2


def test_nothing_of_a_plan_that_was_tampered_with_is_executed(asked: World) -> None:
    ask(asked)
    approve(asked, 1)
    tamper(asked, "UPDATE lockstep_plan_lines SET line = replace(line, 'Ann', 'Eve') WHERE position = 2")
    result = execute(asked, 1)
    assert (result.status, len(asked.people())) == ("failed", 2)
    assert "Nothing of it is used." in result.message


def test_another_plan_in_the_place_of_the_approved_one_is_not_executed(asked: World) -> None:
    ask(asked)
    approve(asked, 1)
    asked.preview(keep_plan=True, keys=("1",))
    tamper(asked, "UPDATE lockstep_requests SET plan_id = 2")
    assert "is not as it was written" in execute(asked, 1).message


def test_an_approval_with_another_key_is_none(asked: World) -> None:
    ask(asked)
    approve(asked, 1)
    key = asked.folder / "state.key"
    key.write_bytes(b"A" * 43 + b"=\n")
    result = execute(asked, 1)
    assert (result.status, len(asked.people())) == ("failed", 2)
    key.unlink()
    assert "nobody can tell whether it is as it was written" in execute(asked, 1).message
