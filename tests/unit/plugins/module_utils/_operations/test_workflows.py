# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declaring workflows, and what becomes of their requests."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.approvals import Actor
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.approvals import need_request
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._operations.workflows import (
    WorkflowRequest,
    all_workflows,
    declare_workflows,
    list_workflows,
)

from .test_approvals import NOW, ask

if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

ADMIN = Actor(person="admin")


def declare(
    store: Store,
    name: str = "w",
    *,
    force: bool = False,
    state: t.Any = "present",
    new_name: str | None = None,
    **definition: t.Any,
) -> Declared:
    request = WorkflowRequest(
        name=name, actor=ADMIN, state=state, new_name=new_name, definition=definition, force=force
    )
    return declare_workflows(store, [request])[0]


@pytest.fixture
def with_jobs(store: Store) -> Store:
    store.providers.save(ProviderSpec(name="hr", type="csv", options={}), {})
    for name in ("people", "rooms"):
        store.jobs.save(name, {"source": {"provider": "hr"}, "destination": {"provider": "hr"}})
    return store


def test_a_workflow_is_made_changed_and_deleted(with_jobs: Store) -> None:
    made = declare(with_jobs, jobs=["people"], quorum=2)
    assert (made.changed, made.before) == (True, None)
    assert made.effective is not None
    assert (made.effective["quorum"], made.effective["expires_after"], made.effective["actions"]) == (2, "7d", [])
    assert not declare(with_jobs, quorum=2).changed
    changed = declare(with_jobs, actions=["delete"])
    assert (changed.changed, changed.after) == (True, {**made.after, "actions": ["delete"]})  # type: ignore[dict-item]
    renamed = declare(with_jobs, new_name="x")
    assert (renamed.changed, [each.name for each in all_workflows(with_jobs)]) == (True, ["x"])
    assert not declare(with_jobs, new_name="x").changed
    assert declare(with_jobs, "x", state="absent").changed
    assert not declare(with_jobs, "x", state="absent").changed
    assert list_workflows(with_jobs, None) == []


def test_a_job_that_does_not_exist_is_named_with_the_workflow(with_jobs: Store) -> None:
    with pytest.raises(ConfigError, match=r"workflow 'w', jobs: there is no job 'peopel'. Did you mean 'people'\?"):
        declare(with_jobs, jobs=["people", "peopel"])
    assert with_jobs.workflows.list() == []


def test_a_job_that_was_deleted_stays_named_so_that_nobody_escapes(with_jobs: Store) -> None:
    declare(with_jobs, jobs=["people"])
    with_jobs.jobs.delete("people")
    assert declare(with_jobs, quorum=2).changed
    assert all_workflows(with_jobs)[0].jobs == ("people",)


def test_wrong_names_of_renamings(with_jobs: Store) -> None:
    with pytest.raises(ConfigError, match="there is neither a workflow of this name nor one called 'y'"):
        declare(with_jobs, "x", new_name="y")
    with pytest.raises(ConfigError, match="does not go with `state: absent`"):
        declare(with_jobs, "x", new_name="y", state="absent")


def test_a_workflow_with_open_requests_is_deleted_by_force_only(with_jobs: Store) -> None:
    declare(with_jobs)
    stored = with_jobs.workflows.get("w")
    assert stored is not None
    number = ask(with_jobs).terms
    pending = with_jobs.requests.add("people", number, stored.id)
    denied = with_jobs.requests.add("people", number, stored.id)
    with_jobs.requests.add_event(denied.id, "denied", ADMIN)
    assert list_workflows(with_jobs, "w")[0]["open_requests"] == [pending.id]
    with pytest.raises(ConfigError, match=f"these requests are not decided or not executed: {pending.id}. Decide them"):
        declare(with_jobs, state="absent")
    assert declare(with_jobs, state="absent", force=True).changed
    request = need_request(with_jobs, pending.id).request
    assert (request.status(NOW), request.events[-1].reason) == ("expired", "workflow 'w' was deleted.")
    assert request.events[-1].actor == ADMIN
    assert need_request(with_jobs, denied.id).request.status(NOW) == "denied"
