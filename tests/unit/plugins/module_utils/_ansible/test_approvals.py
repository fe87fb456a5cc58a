# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules workflow, workflow_info, request and request_info, called as Ansible calls them."""

from __future__ import annotations

import sqlite3
import typing as t
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.modules import (
    job,
    provider,
    request,
    request_info,
    workflow,
    workflow_info,
)
from ansible_collections.lockstep.sync.plugins.modules import run as run_module

Run = Callable[..., dict[str, t.Any]]
Result = dict[str, t.Any]


@pytest.fixture
def asked(run: Run, tmp_path: Path) -> Run:
    """Give `run` where the job `j` has asked, as `ann`, for approval by two workflows: requests 1 and 2."""
    (tmp_path / "hr.csv").write_text("id,name\n1,Ann\n2,Bob\n", encoding="utf-8")
    (tmp_path / "out.csv").write_text("id,name\n2,Old\n9,Gone\n", encoding="utf-8")
    both = [{"name": name, "csv": {"path": str(tmp_path / f"{name}.csv")}} for name in ("hr", "out")]
    run(provider.main, providers=both)
    fields = [{"name": "id", "source": "id", "key": True}, {"name": "name", "source": "name"}]
    run(
        job.main,
        name="j",
        source={"provider": "hr"},
        destination={"provider": "out"},
        missing_at_destination="create",
        missing_at_source="delete",
        objects=[{"name": "people", "fields": fields}],
    )
    run(
        workflow.main,
        workflows=[{"name": "all"}, {"name": "deletes", "actions": ["delete"], "approvers": ["bob", "cy"]}],
    )
    assert run(run_module.main, job="j", requester="ann")["run"]["requests"] == [1, 2]
    return run


def out(folder: Path) -> str:
    return (folder / "out.csv").read_text(encoding="utf-8")


def test_a_workflow_is_declared_and_listed(asked: Run) -> None:
    options: dict[str, t.Any] = {"name": "w", "jobs": ["j"], "quorum": 2}
    planned = asked(workflow.main, check=True, diff=True, **options)
    assert (planned["changed"], planned["msg"]) == (True, "The workflow 'w' would be created.")
    made = asked(workflow.main, diff=True, **options)
    assert made["diff"] == planned["diff"]
    assert made["workflow"]["expires_after"] == "7d"
    assert not asked(workflow.main, **options)["changed"]
    (shown,) = asked(workflow_info.main, name="w")["workflows"]
    assert (shown["quorum"], shown["open_requests"], shown["jobs"]) == (2, [], ["j"])
    assert [each["open_requests"] for each in asked(workflow_info.main)["workflows"]] == [[1], [2], []]
    refused = asked(workflow.main, name="deletes", state="absent")
    assert "these requests are not decided or not executed: 2" in refused["msg"]
    assert asked(workflow.main, name="deletes", state="absent", force=True)["changed"]
    wrong = asked(workflow.main, name="w", approvers=["a"], quorum=2)
    assert "`quorum` is 2, but `approvers` names 1 person" in wrong["msg"]
    several = asked(workflow.main, workflows=[{"name": "w", "state": "absent"}, {"name": "x"}])
    assert [each["changed"] for each in several["workflows"]] == [True, True]


def test_a_request_is_shown_with_its_changes(asked: Run) -> None:
    (shown,) = asked(request_info.main, id=1, limit=1, offset=1)["requests"]
    assert (shown["status"], shown["requester"], shown["plan"], shown["verified"]) == ("pending", "ann", 1, True)
    assert (shown["counts"], shown["changes_total"]) == ({"create": 1, "delete": 1, "update": 1}, 3)
    assert [(change["action"], change["key"]) for change in shown["changes"]] == [("update", "2")]
    listed = asked(request_info.main, job="j", status="pending")["requests"]
    assert [(each["id"], each["may_approve"], "changes" in each) for each in listed] == [
        (2, ["bob", "cy"], False),
        (1, [], False),
    ]
    assert asked(request_info.main, status="approved")["msg"] == "0 requests found."
    assert "there is no request 9" in asked(request_info.main, id=9)["msg"]
    assert "offset: got -1" in asked(request_info.main, offset=-1)["msg"]


def test_the_last_approval_executes_the_plan(asked: Run, tmp_path: Path) -> None:
    before = out(tmp_path)
    assert "'ann' asked for it" in asked(request.main, id=1, state="approved", approver="ann")["msg"]
    first = asked(request.main, id=1, state="approved", approver="bob", reason="fine", diff=True)
    assert first["changed"]
    assert first["msg"].startswith(
        "Request 1 of job 'j' was approved by 'bob'. The same plan still needs others: request 2"
    )
    assert first["diff"][0]["before"] == {"status": "pending"}
    assert "run" not in first
    again = asked(request.main, id=1, state="approved", approver="bob")
    assert (again["changed"], out(tmp_path)) == (False, before)
    check = asked(request.main, id=2, state="approved", approver="cy", check=True, diff=True)
    assert (check["changed"], check["run"]["preview"], check["run"]["statistics"]["deleted"]) == (True, True, 1)
    assert "would be approved by 'cy'. Plan 1 of job 'j' would make 3 changes" in check["msg"]
    assert out(tmp_path) == before
    assert [each["status"] for each in asked(request_info.main)["requests"]] == ["pending", "approved"]
    done = asked(request.main, id=2, state="approved", approver="cy", diff=True)
    assert (done["run"]["status"], done["request"]["status"], done["request"]["executed_by"]) == (
        "succeeded",
        "executed",
        done["run"]["id"],
    )
    assert len(done["diff"]) == 4
    assert done["ansible_facts"]["lockstep_runs"]["j"]["id"] == done["run"]["id"]
    assert "Gone" not in out(tmp_path)
    repeated = asked(request.main, id=2, state="approved", approver="cy")
    assert (repeated["changed"], "failed" in repeated) == (False, False)
    late = asked(request.main, id=2, state="denied", approver="bob", reason="no")
    assert "it is executed by run" in late["msg"]


def test_execution_can_be_left_to_a_run(asked: Run) -> None:
    asked(request.main, id=1, state="approved", approver="bob", execute=False)
    done = asked(request.main, id=2, state="approved", approver="bob", execute=False)
    assert done["msg"].endswith("Execute it with `lockstep.sync.run: request=2`.")
    ran = asked(run_module.main, request=2)
    assert (ran["run"]["status"], ran["run"]["kind"], ran["run"]["requests"]) == ("succeeded", "plan", [])


def test_a_denial_needs_a_reason_and_ends_it(asked: Run) -> None:
    assert "reason" in asked(request.main, id=1, state="denied", approver="bob")["msg"]
    denied = asked(request.main, id=1, state="denied", approver="bob", reason="On leave.")
    assert "Its plan is never executed" in denied["msg"]
    refused = asked(run_module.main, request=2)
    assert (refused["failed"], refused["error"]["code"]) == (True, "config")
    assert "request 1 is denied by 'bob' (On leave.)" in refused["msg"]


def test_a_run_that_fails_fails_the_task_and_the_approval_stands(asked: Run, tmp_path: Path) -> None:
    asked(request.main, id=1, state="approved", approver="bob")
    (tmp_path / "out.csv").unlink()
    (tmp_path / "out.csv").mkdir()
    failed = asked(request.main, id=2, state="approved", approver="bob")
    assert (failed["failed"], failed["changed"], failed["run"]["status"]) == (True, True, "failed")


def test_an_execution_that_cannot_begin_hides_no_decision(
    asked: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._running import conductor  # noqa: PLC0415

    def fail(*_args: t.Any) -> None:
        raise StoreError("the role may not do that.")

    asked(request.main, id=1, state="approved", approver="bob")
    monkeypatch.setattr(conductor, "run_job", fail)
    failed = asked(request.main, id=2, state="approved", approver="bob")
    assert (failed["failed"], failed["changed"], failed["error"]) == (True, True, {"code": "store"})
    assert "was approved by 'bob'. It was not executed: the role may not do that. Execute it with" in failed["msg"]


def test_what_was_changed_is_shown_as_such_and_never_executed(asked: Run, tmp_path: Path) -> None:
    store = sqlite3.connect(tmp_path / "store" / "state.db")
    with closing(store), store:
        store.execute("UPDATE lockstep_requests SET quorum = 0 WHERE id = 1")
    found = asked(request_info.main, id=1)
    assert (found["requests"][0]["verified"], len(found["warnings"])) == (False, 1)
    assert "Request 1 cannot be trusted: the event 'created' of" in found["warnings"][0]
    refused = asked(request.main, id=1, state="approved", approver="bob")
    assert (refused["error"]["code"], "Nothing is decided or executed by it" in refused["msg"]) == ("store", True)


def test_a_damaged_plan_is_shown_as_such(asked: Run, tmp_path: Path) -> None:
    store = sqlite3.connect(tmp_path / "store" / "state.db")
    with closing(store), store:
        store.execute("UPDATE lockstep_plan_lines SET line = replace(line, 'Ann', 'Eve')")
    (shown,) = asked(request_info.main, id=1)["requests"]
    assert (shown["verified"], shown["changes"], "Nothing of it is used" in shown["problem"]) == (False, [], True)


def test_without_an_approver_it_is_the_user_of_the_system(asked: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.lockstep.sync.plugins.module_utils._ansible import identity  # noqa: PLC0415

    monkeypatch.setattr(identity, "this_user", lambda: "cy")
    assert "was approved by 'cy'" in asked(request.main, id=2, state="approved")["msg"]
    monkeypatch.setattr(identity, "this_user", lambda: "ann")
    assert "'ann' asked for it" in asked(request.main, id=1, state="approved")["msg"]
    assert "approver: 'a\\nb' is not a name" in asked(request.main, id=1, state="approved", approver="a\nb")["msg"]
