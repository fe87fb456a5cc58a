# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and workflows in the store: events are added and proven, and everything follows a renaming."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.approvals import Actor, Terms
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._store.migrations import MIGRATIONS
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

ANN, BOB = Actor(person="ann"), Actor(person="bob", role="bobby")
NOW = "2026-11-21T08:30:00.000000+00:00"
LATER = "2026-11-28T08:30:00.000000+00:00"


def terms(store: Store, **more: t.Any) -> Terms:
    plan = store.plans.add(
        "people",
        ["x\n"],
        kind="run",
        origin_id=None,
        digest="d1",
        created=NOW,
        host="h",
        requester="ann",
        changes_total=1,
        held_total=0,
        counts={"create": 1},
    )
    given = Terms(
        run_id=1,
        plan_id=plan,
        accepted=frozenset({"moves", "deletes"}),
        after_run_id=None,
        workflow="w",
        approvers=("bob", "Zoë"),
        quorum=1,
        requester=ANN,
        created=NOW,
        expires=LATER,
    )
    return replace(given, **more)


def test_a_request_comes_back_with_its_events(store_with_job: Store) -> None:
    store = store_with_job
    given = terms(store)
    made = store.requests.add("people", given, None)
    store.requests.add_event(made.id, "approved", BOB, reason="fine\x00")
    after = store.requests.add_event(made.id, "executed", ANN, run_id=7)
    stored = store.requests.get(made.id)
    assert stored is not None
    assert (stored.request, stored.request.terms, stored.plan_digest) == (after, given, "d1")
    assert [(event.kind, event.actor, event.reason, event.run_id) for event in stored.request.events] == [
        ("created", ANN, "", None),
        ("approved", BOB, "fine\\x00", None),
        ("executed", ANN, "", 7),
    ]
    assert store.requests.fault(stored) == ""
    assert store.requests.get(99) is None
    with pytest.raises(StoreError, match="has no request 99"):
        store.requests.add_event(99, "denied", ANN)


def test_requests_are_found_by_job_status_and_workflow(store_with_job: Store, clock: t.Any) -> None:
    store = store_with_job
    store.workflows.save("w", {})
    workflow = store.workflows.get("w")
    assert workflow is not None
    one, two, three = (store.requests.add("people", terms(store), workflow.id) for _each in range(3))
    store.requests.add_event(two.id, "denied", BOB)
    store.requests.add_event(three.id, "approved", BOB)

    def found(**filters: t.Any) -> list[int]:
        return [stored.request.id for stored in store.requests.find(**filters)]

    assert found() == [three.id, two.id, one.id]
    assert (found(status="pending"), found(status="denied"), found(status="approved")) == ([1], [2], [3])
    assert (found(job="people", limit=1, offset=1), found(job="other")) == ([2], [])
    assert (found(workflow_id=workflow.id, status="pending"), found(workflow_id=9)) == ([1], [])
    assert store.requests.overdue("people") == []
    clock.advance(7 * 86400)
    assert (found(status="pending"), found(status="expired"), found(status="denied")) == ([], [3, 1], [2])
    assert [stored.request.id for stored in store.requests.overdue("people")] == [3, 1]
    store.requests.add_event(1, "expired", ANN)
    assert found(status="expired") == [3, 1]
    assert [stored.request.id for stored in store.requests.overdue("people")] == [3]
    store.workflows.delete("w")
    assert found(job="people") == [3, 2, 1]


def test_a_rehearsal_leaves_no_event(store_with_job: Store, open_at: Callable[..., Store], path: Path) -> None:
    made = store_with_job.requests.add("people", terms(store_with_job), None)
    rehearsal = open_at(path, create=False)
    with rehearsal.transaction():
        assert len(rehearsal.requests.add_event(made.id, "approved", BOB).events) == 2
    stored = store_with_job.requests.get(made.id)
    assert stored is not None
    assert len(stored.request.events) == 1


def test_a_rehearsal_without_a_key_makes_none(store_with_job: Store, open_at: Callable[..., Store], path: Path) -> None:
    rehearsal = open_at(path, create=False)
    with rehearsal.transaction():
        made = rehearsal.requests.add("people", terms(rehearsal), None)
        stored = rehearsal.requests.get(made.id)
        assert stored is not None
        assert rehearsal.requests.fault(stored) == ""
    assert not path.with_name("state.key").exists()


def test_the_key_is_made_with_the_first_request_and_noted(store_with_job: Store, path: Path) -> None:
    key = path.with_name("state.key")
    assert not key.exists()
    made = store_with_job.requests.add("people", terms(store_with_job), None)
    assert key.stat().st_mode & 0o777 == 0o600
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(StoreError, match=r"approvals: the key file .* does not exist. Put back"):
        store_with_job.requests.add_event(made.id, "approved", BOB)
    key.write_bytes(b"A" * 43 + b"=\n")
    key.chmod(0o600)
    with pytest.raises(StoreError, match="is not the one that the state store"):
        store_with_job.requests.add_event(made.id, "approved", BOB)
    key.write_bytes(kept)
    assert store_with_job.requests.add_event(made.id, "approved", BOB).approvals() == ["bob"]


def test_a_job_takes_its_requests_along_and_workflows_name_it_anew(store_with_job: Store) -> None:
    store = store_with_job
    made = store.requests.add("people", terms(store), None)
    store.workflows.save("w", {"jobs": ["other", "people"]})
    store.jobs.rename("people", "staff")
    stored, workflow = store.requests.get(made.id), store.workflows.get("w")
    assert stored is not None
    assert workflow is not None
    assert (stored.request.job, store.requests.fault(stored)) == ("staff", "")
    assert workflow.definition == {"jobs": ["other", "staff"]}
    store.jobs.delete("staff")
    assert [each.request.job for each in store.requests.find(job="staff")] == ["staff"]


def test_workflows_are_saved_renamed_and_deleted(store: Store) -> None:
    store.workflows.save("b", {"quorum": 2})
    store.workflows.save("a", {})
    store.workflows.save("b", {"quorum": 3})
    assert [(each.name, each.definition) for each in store.workflows.list()] == [("a", {}), ("b", {"quorum": 3})]
    with pytest.raises(ConfigError, match="there is already a workflow 'a'"):
        store.workflows.rename("b", "a")
    with pytest.raises(ConfigError, match=r"there is no workflow 'x'\. Valid: 'a', 'b'"):
        store.workflows.rename("x", "y")
    store.workflows.rename("b", "c")
    store.workflows.delete("a")
    assert [each.name for each in store.workflows.list()] == ["c"]
    assert store.database_role() == ""


def test_a_store_of_version_4_keeps_its_plans_and_can_ask(open_at: Callable[..., Store], path: Path) -> None:
    with closing(open_at(path, migrations=MIGRATIONS[:4])) as old:
        number = old.plans.add(
            "people",
            ["x\n"],
            kind="run",
            origin_id=None,
            digest="d1",
            created=NOW,
            host="h",
            requester="ann",
            changes_total=1,
            held_total=0,
            counts={},
        )
    store = open_at(path)
    assert list(store.plans.lines(number)) == ["x\n"]
    made = store.requests.add("people", terms(store, plan_id=number), None)
    assert [each.request.id for each in store.requests.of_plan(number)] == [made.id]


def test_a_request_needs_its_plan(store_with_job: Store) -> None:
    with pytest.raises(StoreError):
        store_with_job.requests.add("people", terms(store_with_job, plan_id=99), None)
