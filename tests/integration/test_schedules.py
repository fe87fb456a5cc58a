# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules from playbooks and ad hoc commands, as people and cron use them."""

from __future__ import annotations

import re

import yaml
from integration.harness import ROOT, Workplace, fields, job, task

GUIDE = ROOT / "docs" / "guides" / "schedules.md"


def test_schedules_are_declared_and_what_is_due_is_run(place: Workplace) -> None:
    source = place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    target = place.write_csv("table.csv", ["id", "name"], [(2, "Rob")])
    providers = [{"name": "hr", "csv": {"path": str(source)}}, {"name": "table", "csv": {"path": str(target)}}]
    place.declare(providers, [job("people", "hr", "table", fields("id", "name"))])
    nightly = {
        "name": "nightly",
        "timezone": "Europe/London",
        "triggers": [
            {"type": "daily", "at": "2026-01-05T03:00:00", "every": 2},
            {"type": "monthly", "at": "2026-01-05T23:00:00", "weekdays": ["friday"], "week_of_month": -1},
        ],
        "max_duration": "2h",
        "missed": {"policy": "skip"},
    }

    done = place.play(
        wrong=task("schedule", name="nightly", triggers=[{"type": "daily", "every": 1}], may_fail=True),
        choice=task("schedule", name="nightly", overlap="kill", may_fail=True),
        planned=task("schedule", **nightly, check=True, diff=True),
        made=task("schedule", **nightly, diff=True),
        again=task("schedule", **nightly),
        several=task(
            "schedule",
            schedules=[
                {"name": "starts", "triggers": [{"type": "startup"}], "jobs": ["people"]},
                {"name": "old", "state": "absent"},
            ],
        ),
        listed=task("schedule_info"),
        preview=task("run", due=True, check=True, diff=True),
        named=task("job", name="people", schedule="nightly"),
        kept=task("job", name="people", state="absent", may_fail=True),
        jobs=task("job_info", name="people"),
        bare=task("run", schedule="old", may_fail=True),
    )

    assert "schedule 'nightly', trigger 1 (daily): `at` is missing" in done["wrong"]["msg"]
    assert "value of overlap must be one of: skip, queue" in done["choice"]["msg"]
    assert done["planned"]["diff"] == done["made"]["diff"]
    assert (done["planned"]["changed"], done["made"]["changed"], done["again"]["changed"]) == (True, True, False)
    assert [each["changed"] for each in done["several"]["schedules"]] == [True, False]
    assert [each["name"] for each in done["listed"]["schedules"]] == ["nightly", "starts"]
    assert done["listed"]["schedules"][0]["next_runs"] == done["made"]["schedule"]["next_runs"]
    preview = done["preview"]
    assert (preview["changed"], preview["occurrences"][0]["status"], len(preview["runs"])) == (True, "due", 1)
    assert "these schedules run it: 'starts'" in done["kept"]["msg"]
    assert done["jobs"]["jobs"][0]["next_run"] is not None
    assert "there is no schedule 'old'" in done["bare"]["msg"]
    assert "Rob" in target.read_text(encoding="utf-8")

    ticks = [place.start_adhoc("run", due="true") for _each in range(2)]
    results = [tick.wait() for tick in ticks]

    assert [each.code for each in results] == [0, 0], results[0].output + results[1].output
    runs = [run for each in results for run in each.only["runs"]]
    assert [(run["job"], run["status"]) for run in runs] == [("people", "succeeded")]
    assert "Nothing is due; next: " in " ".join(each.only["msg"] for each in results)
    assert target.read_text(encoding="utf-8").split() == ["id,name", "2,Bob", "1,Ann"]


def test_the_example_of_the_guide_runs_as_it_stands(place: Workplace) -> None:
    text = re.findall(r"```yaml\n(- name: Run a job by.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[0]
    path = place.folder / "schedules.yml"
    path.write_text(text, encoding="utf-8")
    done = place.playbook(path, variables={"folder": str(place.folder / "example")})
    assert yaml.safe_load(text)[0]["vars"]["folder"] == "/tmp/lockstep-schedules"
    first = done["Tick; this host has started, and nobody has run what is due then"]
    assert [run["status"] for run in first["runs"]] == ["succeeded"]
    assert done["Tick again; nothing is due"]["occurrences"] == []
    assert [run["job"] for run in done["Run all of a schedule now, due or not"]["runs"]] == ["people"]
