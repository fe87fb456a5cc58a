# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen is what is done, and it can be taken back: kept plans, accepted guards, undo, resume, paused jobs."""

from __future__ import annotations

import csv
import json
import os
import signal
import stat
from pathlib import Path

from integration.harness import FAILED, Database, Workplace, fields, job, run, task, wait_until
from integration.test_killed_run import OLD, SIZE, Files, declare_large_job, holder_of_the_lock, names

COLUMNS = "id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, note VARCHAR(20)"


def declare(place: Workplace, database: Database, *, limits: dict[str, str]) -> tuple[str, Path]:
    """Declare `people`: one is new, one has another name, two are gone, one of them with a note that nobody maps."""
    source = place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob"), (3, "Cy|d")])
    table = database.make(COLUMNS, [(1, "Ann", None), (2, "Rob", "kept"), (8, "Gone", "a note"), (9, "Gone", None)])
    people = job("people", "hr", {"provider": "db", "table": table}, fields("id", "name"), limits=limits)
    place.declare([{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **database.provider}], [people])
    return table, source


def test_what_was_shown_is_what_is_applied_and_can_be_taken_back(place: Workplace, mariadb: Database) -> None:
    database = mariadb
    table, source = declare(place, database, limits={"deletes": "1"})
    before = database.content(table)
    listed = {name: str(place.folder / name) for name in ("plan.md", "plan.csv", "plan.json")}

    done = place.play(
        preview=run("people", check=True, keep_plan=True, requester="ann", fail_on=["failed"]),
        all=task("plan_info", job="people"),
        none=task("plan_info", id=99, may_fail=True),
        markdown=task("plan_info", id=1, path=listed["plan.md"]),
        again=task("plan_info", id=1, path=listed["plan.md"]),
        table=task("plan_info", id=1, path=listed["plan.csv"], check=True),
        written=task("plan_info", id=1, path=listed["plan.csv"], limit=1, offset=1),
        json=task("plan_info", id=1, path=str(place.folder / "plan"), format="json"),
        nameless=task("plan_info", id=1, path=str(place.folder / "plan.txt"), may_fail=True),
    )

    kept = done["preview"]["run"]
    assert (kept["plan"], kept["kind"], kept["status"]) == (1, "run", "held")
    assert database.content(table) == before
    (plan,) = done["all"]["plans"]
    assert (plan["requester"], plan["changes_total"], plan["held_total"]) == ("ann", 2, 2)
    assert plan["counts"] == {"create": 1, "delete": 2, "update": 1}
    assert (plan["digest"], plan["applied_by"]) == (kept["plan_digest"], None)
    assert "there is no plan 99" in done["none"]["msg"]
    assert (done["markdown"]["changed"], done["again"]["changed"], done["table"]["changed"]) == (True, False, True)
    text = Path(listed["plan.md"]).read_text(encoding="utf-8")
    assert "| 1 | row | create | 3 | id |  | 3 |  |\n|  |  |  |  | name |  | Cy\\|d |  |" in text
    assert "| 3 | row | delete | 8 | id | 8 |  | deletes |" in text
    assert stat.S_IMODE(Path(listed["plan.md"]).stat().st_mode) == 0o600
    with Path(listed["plan.csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["action"], row["field"], row["after"]) for row in rows[:3]] == [
        ("create", "id", "3"),
        ("create", "name", "Cy|d"),
        ("update", "name", "Bob"),
    ]
    assert [change["key"] for change in done["written"]["plans"][0]["changes"]] == ["2"]
    whole = json.loads((place.folder / "plan").read_text(encoding="utf-8"))
    assert [change["held"] for change in whole["changes"]] == [[], [], ["deletes"], ["deletes"]]
    assert "Give `format`" in done["nameless"]["msg"]

    source.write_text("id,name\n1,Nobody has seen this\n", encoding="utf-8")
    database.execute(f"UPDATE {table} SET name = 'Own' WHERE id = 2")
    done = place.play(
        applied=task("run", plan=1, fail_on=["failed"]),
        twice=task("run", plan=1, may_fail=True),
        accepted=task("run", plan=1, accept=["deletes"]),
        undone=task("run", undo=3, check=True, diff=True),
        undo=task("run", undo=3),
        undo_first=task("run", undo=1, fail_on=["failed"]),
        history=task("run_info", job="people"),
        unknown=task("run", undo=99, may_fail=True),
        several=task("run", undo=1, resume=2, may_fail=True),
        unfit=task("run", undo=1, keys=["1"], may_fail=True),
    )

    assert [change["status"] for change in done["applied"]["run"]["changes"]] == ["done", "skipped"]
    assert done["applied"]["run"]["statistics"]["conflicts"] == 1
    assert "let through with `accept: [deletes]`" in done["twice"]["msg"]
    assert done["accepted"]["run"]["statistics"]["deleted"] == 2
    assert done["undone"]["changed"] is True
    assert done["undone"]["diff"][0]["before_header"].startswith("row 9 (create)")
    assert done["undo"]["run"]["kind"] == "undo"
    assert (done["undo"]["run"]["origin"], done["undo"]["run"]["statistics"]["created"]) == (3, 2)
    assert done["undo_first"]["run"]["statistics"]["deleted"] == 1
    assert database.content(table) == [
        (1, "Ann", None),
        (2, "Own", "kept"),
        (8, "Gone", "a note"),
        (9, "Gone", None),
    ]
    kinds = [(each["kind"], each["origin"], each["plan"]) for each in done["history"]["runs"]]
    assert kinds == [("undo", 1, None), ("undo", 3, None), ("plan", None, 1), ("plan", None, 1), ("plan", None, 1)]
    assert "there is no run 99" in done["unknown"]["msg"]
    assert "mutually exclusive" in done["several"]["msg"]
    assert "`keys` does not fit `undo`" in done["unfit"]["msg"]


def test_a_killed_run_is_gone_on_with(place: Workplace, postgres: Database) -> None:
    table = declare_large_job(place, postgres)
    files = Files(place)
    recorded = place.variables.get("LOCKSTEP_RECORD_RESULTS")
    place.variables["LOCKSTEP_RECORD_RESULTS"] = ""  # what Ansible says of a killed module is not ours
    killed = place.start_adhoc("run", job="people")
    wait_until(lambda: len(files.numbers("end")) >= 2_000, "2,000 changes are done")
    process = holder_of_the_lock(place)
    assert process is not None
    os.kill(process, signal.SIGKILL)
    assert killed.wait().code == FAILED
    place.variables.pop("LOCKSTEP_RECORD_RESULTS")
    if recorded is not None:
        place.variables["LOCKSTEP_RECORD_RESULTS"] = recorded

    done = place.play(
        shown=task("run", resume=1, check=True, max_changes=1),
        resumed=task("run", resume=1, max_changes=1),
        again=task("run", resume=1, may_fail=True),
        history=task("run_info", status="interrupted"),
        later=run("people", max_changes=1),
    )

    left = done["shown"]["run"]["statistics"]
    assert 0 < left["created"] + left["updated"] + left["deleted"] <= SIZE + OLD - 2_000
    resumed = done["resumed"]["run"]
    assert (resumed["status"], resumed["kind"], resumed["origin"]) == ("succeeded", "resume", 1)
    assert dict(postgres.content(table)) == dict(map(names, range(1, SIZE + 1)))
    assert "run 1 of job 'people' was gone on with by run 2, which has ended as succeeded" in done["again"]["msg"]
    assert [each["id"] for each in done["history"]["runs"]] == [1]
    assert done["later"]["changed"] is False


def test_a_run_stops_when_its_time_is_over_and_a_failing_job_is_paused(place: Workplace, sqlite: Database) -> None:
    rows = [(number, "x" * 30) for number in range(1, 31)]
    source = place.write_csv("people.csv", ["id", "name"], rows)
    table = sqlite.make(COLUMNS, [])
    people = job("people", "hr", {"provider": "db", "table": table}, fields("id", "name"))
    place.declare([{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **sqlite.provider}], [people])

    done = place.play(
        late=run("people", timeout="0.000001s", may_fail=True),
        nonsense=run("people", timeout="soon", may_fail=True),
        failing=run("people", fail_on=["failed"]),
        paused=run("people", may_fail=True),
        shown=task("job_info", name="people"),
        wrong=task("job", name="people", quarantined=True, may_fail=True),
        described=task("job", name="people", description="paused"),
        preview=run("people", check=True, fail_on=["failed"]),
        tried=task("job", name="people", quarantined=False, check=True, diff=True),
        released=task("job", name="people", quarantined=False),
        same=task("job", name="people", quarantined=False),
        runs=run("people", fail_on=["failed"]),
    )

    assert (done["late"]["run"]["status"], done["late"]["error"]["code"]) == ("failed", "timeout")
    assert "timeout: 'soon' is not a length of time. Valid: 30s, 15m" in done["nonsense"]["msg"]
    assert done["failing"]["run"]["statistics"]["errors"] == 30
    assert done["paused"]["error"]["code"] == "quarantined"
    assert "Job 'people' is paused: run 2 failed on 30 of 30 records (100 %)." in done["paused"]["msg"]
    assert done["shown"]["jobs"][0]["quarantine"] == "run 2 failed on 30 of 30 records (100 %)."
    assert "`quarantined: true` cannot be declared" in done["wrong"]["msg"]
    assert done["described"]["job"]["quarantine"].startswith("run 2 failed")
    assert done["preview"]["run"]["status"] == "completed_with_errors"
    assert [done[name]["changed"] for name in ("tried", "released", "same")] == [True, True, False]
    assert "quarantine" in json.dumps(done["tried"]["diff"])
    assert "quarantine" not in done["released"]["job"]
    assert done["runs"]["run"]["statistics"]["errors"] == 30
