# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules schedule and schedule_info, and run with due and schedule, called as Ansible calls them."""

from __future__ import annotations

import json
import sqlite3
import typing as t
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.machine import up_seconds
from ansible_collections.lockstep.sync.plugins.modules import job_collection, run_info, schedule, schedule_info
from ansible_collections.lockstep.sync.plugins.modules import run as run_module

from .test_running import Shop

Run = Callable[..., dict[str, t.Any]]
Json = dict[str, t.Any]
DAILY: Json = {"type": "daily", "at": "2026-01-05T03:00:00"}
STARTUP: Json = {"type": "startup"}


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Shop:
    return Shop(run, tmp_path)


def make_due(folder: Path) -> None:
    """Let every schedule have been considered last a day ago."""
    with closing(sqlite3.connect(folder / "store" / "state.db")) as connection:
        connection.execute(
            "UPDATE lockstep_schedules SET considered = '2026-01-06T00:00:00.000000+00:00', "
            "next_due = '2026-01-06T03:00:00.000000+00:00'"
        )
        connection.commit()


def test_a_schedule_is_declared_and_listed(shop: Shop, run: Run) -> None:
    options = {"name": "nightly", "jobs": ["j"], "triggers": [DAILY], "timezone": "Europe/London"}
    planned = run(schedule.main, check=True, diff=True, **options)
    made = run(schedule.main, diff=True, **options)
    assert (planned["changed"], made["changed"], planned["diff"]) == (True, True, made["diff"])
    assert made["msg"] == "The schedule 'nightly' was created."
    assert made["schedule"]["oncalendar"] == {"list": ["*-*-* 03:00:00 Europe/London"], "exact": True}
    assert not run(schedule.main, **options)["changed"]
    (listed,) = run(schedule_info.main, name="nightly")["schedules"]
    assert listed["next_runs"] == made["schedule"]["next_runs"]
    bulk = run(schedule.main, schedules=[{"name": "a", "triggers": [STARTUP]}, {"name": "b", "state": "absent"}])
    assert [each["changed"] for each in bulk["schedules"]] == [True, False]
    assert "nothing to run" in bulk["warnings"][0]
    refused = run(schedule.main, name="nightly", triggers=[{"type": "daily"}])
    assert refused["msg"].startswith("schedule 'nightly', trigger 1 (daily): `at` is missing")


def test_nothing_is_due(shop: Shop, run: Run) -> None:
    nothing = run(run_module.main, due=True)
    assert nothing["msg"] == "Nothing is due; no schedule is due later either."
    assert (nothing["changed"], nothing["runs"], nothing["next"]) == (False, [], None)
    run(schedule.main, name="nightly", jobs=["j"], triggers=[{**DAILY, "at": "2090-01-05T03:00:00"}])
    later = run(run_module.main, due=True)
    assert later["msg"] == "Nothing is due; next: 2090-01-05T03:00:00.000000+00:00 (schedule 'nightly')."
    assert later["next"] == {"schedule": "nightly", "due": "2090-01-05T03:00:00.000000+00:00"}


def test_what_is_due_is_previewed_and_then_run_once(shop: Shop, run: Run) -> None:
    shop.declare("k")
    run(schedule.main, name="starts", jobs=["j", "k"], triggers=[STARTUP])

    preview = run(run_module.main, due=True, check=True, diff=True)
    assert (preview["changed"], [each["status"] for each in preview["occurrences"]]) == (True, ["due"])
    assert [each["preview"] for each in preview["runs"]] == [True, True]
    assert preview["msg"] == "1 occurrence of 'starts' would start 2 runs with 6 changes."
    assert len(preview["diff"]) == 6

    done = run(run_module.main, due=True, diff=True)
    assert (done["changed"], [each["status"] for each in done["occurrences"]]) == (True, ["succeeded"])
    assert [(each["job"], each["status"], each["id"]) for each in done["runs"]] == [
        ("j", "succeeded", 1),
        ("k", "succeeded", 2),
    ]
    assert done["msg"] == "1 occurrence of 'starts' started 2 runs with 3 changes."
    assert done["ansible_facts"]["lockstep_runs"]["k"] == done["runs"][1]
    assert set(done["ansible_stats"]["data"]) == {"lockstep_j", "lockstep_k"}
    assert len(done["diff"]) == 3
    again = run(run_module.main, due=True)
    assert (again["changed"], again["occurrences"]) == (False, [])
    (listed,) = run(schedule_info.main)["schedules"]
    assert [each["message"] for each in listed["occurrences"]] == ["job 'j' succeeded; job 'k' succeeded."]


def test_a_job_collection_is_run_by_its_schedule(shop: Shop, run: Run) -> None:
    shop.declare("k")
    run(schedule.main, name="starts", triggers=[STARTUP])
    made = run(job_collection.main, name="both", schedule="starts", jobs=[{"job": "j"}, {"job": "k"}])
    assert made["changed"], made
    done = run(run_module.main, due=True)
    (ran,) = done["runs"]
    assert (ran["collection"], ran["status"], [each["job"] for each in ran["jobs"]]) == (
        "both",
        "succeeded",
        ["j", "k"],
    )
    assert done["occurrences"][0]["message"] == "collection 'both' succeeded."
    assert set(done["ansible_facts"]["lockstep_runs"]) == {"both"}
    (row,) = run(run_info.main, collection="both")["runs"]
    assert row["schedule"] == "starts"
    kept = run(schedule.main, name="starts", state="absent")
    assert "it is named by job collection 'both'" in kept["msg"]


def test_a_run_that_fails_fails_the_tick_after_the_others(shop: Shop, run: Run, tmp_path: Path) -> None:
    shop.declare("broken", source={"provider": "hr"}, destination={"provider": "db", "table": "nowhere"})
    run(schedule.main, name="starts", jobs=["broken", "j"], triggers=[STARTUP])
    done = run(run_module.main, due=True)
    assert (done["failed"], done["changed"]) == (True, True)
    assert [each["status"] for each in done["runs"]] == ["failed", "succeeded"]
    assert done["occurrences"][0]["status"] == "failed"
    assert "Job 'broken' failed: " in done["msg"]
    assert done["error"]["code"] == "config"


def test_what_cannot_be_started_fails_the_tick(shop: Shop, run: Run, tmp_path: Path) -> None:
    # Once, or what was due earlier today would still be caught up with between three and nine.
    run(schedule.main, name="empty", triggers=[{"type": "once", "at": "2026-01-06T03:00:00"}])
    make_due(tmp_path)
    done = run(run_module.main, due=True)
    assert not done.get("failed"), "long ago, so it was missed"
    assert {each["status"] for each in done["occurrences"]} == {"missed"}
    run(schedule.main, name="empty", triggers=[STARTUP])
    done = run(run_module.main, due=True)
    assert (done["failed"], done["error"]) == (True, {"code": "config"})
    assert "Schedule 'empty' has nothing to run. Give `jobs`" in done["msg"]
    assert run(run_module.main, schedule="empty")["msg"].startswith("schedule 'empty' has nothing to run")


def test_a_schedule_is_run_by_hand(shop: Shop, run: Run) -> None:
    run(schedule.main, name="nightly", jobs=["j"], triggers=[{**DAILY, "at": "2090-01-05T03:00:00"}])
    preview = run(run_module.main, schedule="nightly", check=True)
    assert preview["msg"] == "Schedule 'nightly' would start 1 run with 3 changes."
    done = run(run_module.main, schedule="nightly", timeout="5m")
    assert (done["changed"], done["occurrences"], done["next"]) == (True, [], None)
    assert done["msg"] == "Schedule 'nightly' started 1 run with 3 changes."
    drift = run(run_module.main, schedule="nightly", fail_on=["changes"])
    assert not drift.get("failed")


def test_options_of_one_run_do_not_fit_several(run: Run) -> None:
    for what in ({"due": True}, {"schedule": "s"}):
        for option in ({"keys": ["1"]}, {"explain": "1"}, {"full": True}, {"accept": ["deletes"]}, {"keep_plan": True}):
            refused = run(run_module.main, **what, **option)
            assert refused["msg"].startswith(f"`{next(iter(option))}` does not fit `{next(iter(what))}`")
    assert run(run_module.main, due=False)["msg"].startswith("due: got false, which asks for nothing.")
    assert run(run_module.main, due=True, max_changes=-1)["msg"] == "max_changes: got -1, it takes 0 or more."
    assert "mutually exclusive" in run(run_module.main, job="j", due=True)["msg"]


def test_the_result_of_many_runs_stays_small(shop: Shop, run: Run) -> None:
    shop.write(*(f"{number},{'x' * 15}" for number in range(300)))
    names = [f"job-{number:02}" for number in range(30)]
    for name in names:
        shop.declare(name)
    run(schedule.main, name="starts", jobs=names, triggers=[STARTUP])
    preview = run(run_module.main, due=True, check=True, diff=True)
    assert len(json.dumps(preview)) < 64_000
    assert preview["diff"][-1]["after"].startswith("and ")
    assert len(preview["ansible_facts"]["lockstep_runs"]) == 20


def test_a_machine_has_been_up_for_a_while() -> None:
    assert up_seconds() > 0
