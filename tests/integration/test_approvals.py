# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approvals from playbooks, as people use them: asked for, refused, denied, approved by two, executed, looked up."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from integration.harness import FAILED, ROOT, Database, Workplace, fields, job, planned, run, task
from integration.test_server_stores import drop_store

GUIDE = ROOT / "docs" / "guides" / "approvals.md"
SECOND = "lockstep_second"
PASSWORD = "only-of-this-test"
Options = dict[str, t.Any]


def declare(place: Workplace) -> Path:
    """Declare the job `people` from one CSV file to another; one is new, one has another name, one is gone."""
    source = place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    target = place.write_csv("table.csv", ["id", "name"], [(2, "Rob"), (9, "Gone")])
    providers = [{"name": "hr", "csv": {"path": str(source)}}, {"name": "table", "csv": {"path": str(target)}}]
    place.declare(providers, [job("people", "hr", "table", fields("id", "name"))])
    return target


@pytest.fixture(params=["sqlite", "postgres"])
def approver(request: pytest.FixtureRequest, place: Workplace) -> Iterator[Options]:
    """Put the store on each kind of database, and give the options with which approvers open it: on a server with an
    account of their own.
    """
    if request.param == "sqlite":
        yield {}
        return
    database: Database = request.getfixturevalue("postgres")
    drop_store(database)
    url = sa.make_url(database.url)
    place.store = url._replace(password=None, query={}).render_as_string()
    place.variables["LOCKSTEP_STORE_PASSWORD"] = str(url.password)
    place.variables["LOCKSTEP_STORE_KEY_FILE"] = str(place.folder / "store.key")
    database.execute(f"DROP ROLE IF EXISTS {SECOND}", f"CREATE ROLE {SECOND} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
    other = url._replace(username=SECOND, password=None, query={}).render_as_string()
    yield {"store": other, "store_password": PASSWORD}
    drop_store(database)
    database.execute(f"DROP ROLE {SECOND}")


# The same is done on SQLite by tests/unit/.../_running/test_approvals.py; here with two accounts of a server.
@pytest.mark.parametrize("approver", ["postgres"], indirect=True)
def test_a_run_waits_for_two_people_and_then_does_exactly_what_they_saw(place: Workplace, approver: Options) -> None:
    target = declare(place)
    before = target.read_bytes()
    deletes: Options = {"name": "deletes", "actions": ["delete"], "approvers": ["bob", "cy", "ann"], "quorum": 2}

    asked = place.play(
        wrong=task("workflow", name="deletes", jobs=["peopel"], may_fail=True),
        planned=task("workflow", **deletes, check=True, diff=True),
        workflow=task("workflow", **deletes, diff=True),
        workflow_again=task("workflow", **deletes),
        several=task(
            "workflow", workflows=[{"name": "moves", "actions": ["move"]}, {"name": "old", "state": "absent"}]
        ),
        listed=task("workflow_info"),
        preview=run("people", check=True, diff=True),
        waiting=run("people", requester="ann"),
        second=run("people", requester="ann"),
        around=task("run", plan=1, may_fail=True),
        history=task("run_info", job="people", status="awaiting_approval"),
        kept=task("workflow", name="deletes", state="absent", may_fail=True),
    )
    assert "workflow 'deletes', jobs: there is no job 'peopel'. Did you mean 'people'?" in asked["wrong"]["msg"]
    assert asked["planned"]["diff"] == asked["workflow"]["diff"]
    assert (asked["workflow"]["changed"], asked["workflow_again"]["changed"]) == (True, False)
    assert [each["name"] for each in asked["listed"]["workflows"]] == ["deletes", "moves"]
    assert asked["preview"]["msg"].endswith("A run would wait for approval by workflow 'deletes'.")
    waiting = asked["waiting"]
    assert (waiting["changed"], waiting["run"]["status"], waiting["run"]["outcome"]) == (
        False,
        "awaiting_approval",
        "different",
    )
    assert (waiting["run"]["requests"], waiting["run"]["request"], waiting["run"]["plan"]) == ([1], 1, 1)
    assert (asked["second"]["run"]["requests"], asked["second"]["run"]["plan"]) == ([1], 1)
    assert "it needs approval: request 1 (workflow 'deletes') waits for 2 of 'bob', 'cy'" in asked["around"]["msg"]
    assert [each["status"] for each in asked["history"]["runs"]] == ["awaiting_approval", "awaiting_approval"]
    assert "these requests are not decided or not executed: 1" in asked["kept"]["msg"]
    assert target.read_bytes() == before

    place.write_csv("people.csv", ["id", "name"], [(5, "Eve")])
    decided = place.play(
        requester=task("request", id=1, state="approved", approver="ann", may_fail=True, **approver),
        stranger=task("request", id=1, state="approved", approver="zoe", may_fail=True, **approver),
        first=task("request", id=1, state="approved", approver="bob", reason="Seen", **approver),
        first_again=task("request", id=1, state="approved", approver="BOB", **approver),
        shown=task("request_info", id=1, **approver),
        check=task("request", id=1, state="approved", approver="cy", check=True, diff=True, **approver),
        last=task("request", id=1, state="approved", approver="cy", diff=True, **approver),
        once=task("request", id=1, state="denied", approver="cy", reason="Late", may_fail=True, **approver),
        executed=task("request_info", status="executed"),
        plan=task("plan_info", id=1),
    )
    assert "'ann' asked for it" in decided["requester"]["msg"]
    assert "'zoe' is not among the approvers" in decided["stranger"]["msg"]
    assert (decided["first"]["changed"], decided["first_again"]["changed"]) == (True, False)
    assert "It still waits for 1 of 'cy'." in decided["first"]["msg"]
    (shown,) = decided["shown"]["requests"]
    assert (shown["verified"], shown["approved_by"], shown["may_approve"]) == (True, ["bob"], ["cy"])
    assert shown["changes"] == planned(asked["preview"]["run"])
    assert decided["check"]["run"]["preview"] is True
    last = decided["last"]
    assert (last["changed"], last["run"]["status"], last["run"]["kind"]) == (True, "succeeded", "plan")
    assert planned(last["run"]) == shown["changes"]
    assert last["run"]["plan_digest"] == shown["plan_digest"]
    assert target.read_text(encoding="utf-8").split() == ["id,name", "2,Bob", "1,Ann"]
    assert "it is executed by run" in decided["once"]["msg"]
    (executed,) = decided["executed"]["requests"]
    assert [event["event"] for event in executed["events"]] == ["created", "approved", "approved", "executed"]
    assert executed["executed_by"] == last["run"]["id"] == decided["plan"]["plans"][0]["applied_by"]
    roles = {event["role"] for event in executed["events"]}
    assert roles == ({None} if not approver else {sa.make_url(place.store).username, SECOND})


@pytest.mark.parametrize("approver", ["sqlite"], indirect=True)
def test_a_denied_run_is_never_executed_and_the_next_one_asks_anew(place: Workplace, approver: Options) -> None:
    target = declare(place)
    before = target.read_bytes()
    done = place.play(
        workflow=task("workflow", name="all"),
        waiting=run("people", requester="ann"),
        no_reason=task("request", id=1, state="denied", approver="bob", may_fail=True, **approver),
        denied=task("request", id=1, state="denied", approver="bob", reason="On leave", **approver),
        refused=task("run", request=1, may_fail=True),
        anew=run("people", requester="ann"),
        approved=task("request", id=2, state="approved", approver="bob", execute=False, **approver),
        still=run("people", requester="ann"),
        executed=task("run", request=2),
        undo=task("run", undo=5, requester="ann", check=True),
        pending=task("request_info", job="people", status="pending"),
        none=task("request_info", id=99, may_fail=True),
    )
    assert "reason" in done["no_reason"]["msg"]
    assert "Its plan is never executed." in done["denied"]["msg"]
    assert "request 1 is denied by 'bob' (On leave). It is never executed" in done["refused"]["msg"]
    assert done["anew"]["run"]["requests"] == [2]
    assert done["approved"]["msg"].endswith("Execute it with `lockstep.sync.run: request=2`.")
    assert "is approved and not executed yet" in done["still"]["msg"]
    assert (done["executed"]["run"]["status"], done["executed"]["changed"]) == ("succeeded", True)
    assert done["executed"]["run"]["id"] == 5
    assert done["undo"]["msg"].endswith("A run would wait for approval by workflow 'all'.")
    assert done["pending"]["requests"] == []
    assert "there is no request 99" in done["none"]["msg"]
    assert target.read_bytes() != before


def test_ad_hoc_the_exit_code_tells_the_truth(place: Workplace) -> None:
    declare(place)
    place.play(workflow=task("workflow", name="all"), waiting=run("people", requester="ann"))
    refused = place.adhoc("run", request=1)
    assert (refused.code, refused.only["error"]["code"]) == (FAILED, "config")
    approved = place.adhoc("request", id=1, state="approved", approver="bob")
    assert (approved.code, approved.only["run"]["status"]) == (0, "succeeded")


def test_one_database_account_cannot_approve_what_it_asked_for(place: Workplace, approver: Options) -> None:
    if not approver:
        return
    declare(place)
    done = place.play(
        workflow=task("workflow", name="all"),
        waiting=run("people"),
        same=task("request", id=1, state="approved", approver="bob", may_fail=True),
        other=task("request", id=1, state="approved", **approver),
    )
    # The account of the test server is called as its password, which no message shows.
    assert re.search(r"'bob' comes with the database role '\S+', with which '\S+' asked for it", done["same"]["msg"])
    assert f"was approved by {SECOND!r}" in done["other"]["msg"]


def test_the_example_of_the_guide_runs_as_it_stands(place: Workplace) -> None:
    text = re.findall(r"```yaml\n(- name: Ask before.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[0]
    play = yaml.safe_load(text)
    path = place.folder / "approvals.yml"
    path.write_text(text, encoding="utf-8")
    done = place.playbook(path, variables={"folder": str(place.folder / "example")})
    assert play[0]["vars"]["folder"] == "/tmp/lockstep-approvals"
    assert done["Run it; this waits"]["run"]["status"] == "awaiting_approval"
    assert done["The second approves; the plan is executed"]["run"]["status"] == "succeeded"
    with closing((place.folder / "example" / "people.csv").open(encoding="utf-8")) as file:
        assert file.read().split() == ["id,name", "1,Ann"]
