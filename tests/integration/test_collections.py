# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job collections from playbooks and ad hoc: declared, previewed, run, aborted, looked up."""

from __future__ import annotations

import csv

from integration.harness import FAILED, Database, Workplace, fields, job, task


def test_hr_goes_through_a_table_into_a_phone_list(place: Workplace, sqlite: Database) -> None:
    source = place.write_csv("hr.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    phones = place.write_csv("phones.csv", ["id", "name"], [])
    table = sqlite.make("id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL", [(9, "Gone")])
    place.declare(
        [
            {"name": "hr", "csv": {"path": str(source)}},
            {"name": "db", **sqlite.provider},
            {"name": "phones", "csv": {"path": str(phones)}},
        ],
        [
            job("hr", "hr", {"provider": "db", "table": table}, fields("id", "name")),
            job("phones", {"provider": "db", "table": table}, "phones", fields("id", "name")),
        ],
    )
    nightly = {"name": "nightly", "owners": ["ann"], "jobs": [{"job": "hr"}, {"job": "phones"}]}
    both = task("run", collection="nightly")

    done = place.play(
        unknown=task("job_collection", name="nightly", jobs=[{"job": "hrr"}], may_fail=True),
        planned=task("job_collection", **nightly, check=True, diff=True),
        declared=task("job_collection", **nightly, diff=True),
        again=task("job_collection", **nightly),
        template=task("collection_template", name="staff", from_collection="nightly", description="d"),
        several=task(
            "job_collection",
            job_collections=[
                {"name": "copy", "template": "staff", "enabled": False},
                {"name": "old", "state": "absent"},
            ],
        ),
        empty=task("collection_template", name="none", may_fail=True),
        templates=task("collection_template_info"),
        templates_at_once=task("collection_template", collection_templates=[{"name": "staff"}]),
        preview=task("run", collection="nightly", check=True, diff=True),
        first=both,
        second=both,
        off=task("run", collection="copy"),
        mixed=task("run", collection="nightly", keys=["1"], may_fail=True),
        history=task("run_info", collection="nightly"),
        listed=task("job_collection_info", name="nightly"),
        undo=task("run", undo=1, may_fail=True),
        in_use=task("job", name="hr", state="absent", may_fail=True),
    )

    assert "jobs: there is no job 'hrr'" in done["unknown"]["msg"]
    assert done["planned"]["diff"] == done["declared"]["diff"]
    assert (done["declared"]["changed"], done["again"]["changed"]) == (True, False)
    assert done["declared"]["job_collection"]["jobs"][0] == {"job": "hr", "on_failure": "abort"}
    assert [each["changed"] for each in done["several"]["job_collections"]] == [True, False]
    assert "give `from_collection` or `definition`" in done["empty"]["msg"]
    assert done["templates"]["collection_templates"][0]["collection"]["parallel"] == 1
    preview = done["preview"]["run"]
    assert (preview["preview"], preview["id"], [each["status"] for each in preview["jobs"]]) == (
        True,
        None,
        ["succeeded"] * 2,
    )
    assert [block["before_header"].split(":")[0] for block in done["preview"]["diff"]] == ["hr"] * 3 + ["phones"]
    first = done["first"]["run"]
    assert (first["status"], first["statistics"]["created"], first["statistics"]["deleted"]) == ("succeeded", 4, 1)
    assert [(each["job"], each["parent"]) for each in first["jobs"]] == [("hr", first["id"]), ("phones", first["id"])]
    assert done["first"]["ansible_facts"]["lockstep_runs"]["nightly"]["jobs"][1]["job"] == "phones"
    assert done["first"]["ansible_stats"]["data"]["lockstep_nightly"]["created"] == 4
    assert (done["second"]["changed"], done["second"]["run"]["outcome"]) == (False, "equal")
    with phones.open(encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["id", "name"], ["1", "Ann"], ["2", "Bob"]]
    assert "is disabled" in done["off"]["msg"]
    assert "`keys` does not fit `collection`" in done["mixed"]["msg"]
    assert [len(each["runs"]) for each in done["history"]["runs"]] == [2, 2]
    (listed,) = done["listed"]["job_collections"]
    assert (listed["times_run"], listed["last_run"]["status"]) == (2, "succeeded")
    assert "is that of a job collection. Give the run of one of its jobs: 2, 3." in done["undo"]["msg"]
    assert "these job collections run it: 'copy', 'nightly'" in done["in_use"]["msg"]


def test_ad_hoc_the_first_failure_ends_it_and_the_exit_code_says_so(place: Workplace) -> None:
    people = place.write_csv("people.csv", ["id", "name"], [(1, "Ann")])
    copies = place.write_csv("copies.csv", ["id", "name"], [])
    place.declare(
        [
            {"name": "gone", "csv": {"path": str(place.folder / "gone.csv")}},
            {"name": "people", "csv": {"path": str(people)}},
            {"name": "copies", "csv": {"path": str(copies)}},
        ],
        [
            job("bad", "gone", "copies", fields("id", "name")),
            job("good", "people", "copies", fields("id", "name")),
        ],
    )
    declared = place.adhoc("job_collection", name="c", jobs=[{"job": "bad"}, {"job": "good"}])
    assert declared.code == 0, declared.output
    done = place.adhoc("run", collection="c")
    assert (done.code, done.only["run"]["status"]) == (FAILED, "failed")
    assert "Not run: 'good', because job 'bad' failed before." in done.only["msg"]
    assert copies.read_text(encoding="utf-8").splitlines() == ["id,name"]
