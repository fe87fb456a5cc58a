# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `run`: what comes back, what is held, what fails the task, and what is read again."""

from __future__ import annotations

import json
from pathlib import Path

from integration.directory_cases import secret_options
from integration.harness import Database, Workplace, counts, fields, job, planned, run, task
from servers.directories import OpenLdap
from servers.ldap_box import DirectoryBox


def test_limits_and_options_of_a_run(place: Workplace, postgres: Database) -> None:
    """20 people at the source; the table lacks one, has other names for three, and five who are gone."""
    source = place.write_csv("people.csv", ["id", "name"], [(number, f"N{number}") for number in range(1, 21)])
    before = [(number, "old" if number < 4 else f"N{number}") for number in range(1, 26) if number != 20]
    table = postgres.make("id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL", before)
    people = job("people", "hr", {"provider": "db", "table": table}, fields("id", "name"), limits={"deletes": "10%"})
    place.declare([{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **postgres.provider}], [people])

    done = place.play(
        preview=run("people", check=True, diff=True, max_changes=2, fail_on=["failed"]),
        drift=run("people", check=True, fail_on=["failed", "changes"], may_fail=True),
        explained=run("people", explain="1"),
        explained_gone=run("people", explain="25", may_fail=True),
        both=run("people", explain="1", keys=["1"], may_fail=True),
    )

    preview = done["preview"]
    assert preview["changed"] is True
    assert preview["run"]["status"] == "held"
    assert [change["key"] for change in preview["run"]["changes"]] == ["20", "1"]
    assert preview["run"]["changes"][1]["fields"] == {"name": {"before": "old", "after": "N1"}}
    assert preview["run"]["truncated"] == {"changes": 2}
    everything = [json.loads(line) for line in Path(preview["run"]["changes_file"]).read_text().splitlines()]
    assert [change["key"] for change in everything] == ["20", "1", "2", "3"]
    assert [block["before_header"] for block in preview["diff"]] == ["row 20 (create)", "row 1 (update)", "left out"]
    assert preview["diff"][0] == preview["diff"][0] | {"before": "", "after": 'id: "20"\nname: "N20"\n'}
    assert preview["diff"][1] == preview["diff"][1] | {"before": 'name: "old"\n', "after": 'name: "N1"\n'}
    assert "2 more changes" in preview["diff"][2]["after"]
    assert done["drift"]["failed"] is True
    assert "`fail_on: changes`" in done["drift"]["msg"]
    explanation = done["explained"]["explanation"][0]
    assert (explanation["decision"], explanation["problems"]) == ("update", [])
    assert explanation["records"][0]["source"] == {"id": "'1'", "name": "'N1'"}
    assert explanation["changes"][0]["fields"] == {"name": {"before": "'old'", "after": "'N1'"}}
    assert "'25'" in done["explained_gone"]["run"]["errors"][0]["message"]
    assert "`explain`" in done["both"]["msg"]
    assert "`keys`" in done["both"]["msg"]
    assert postgres.content(table) == before

    done = place.play(
        some=run("people", keys=["1", "20", "99"], may_fail=True),
        held=run("people", may_fail=True),
        let_pass=run("people", fail_on=["failed"]),
        limit=task("job", name="people", limits={"deletes": "5"}),
        last=run("people"),
        in_step=run("people", check=True, fail_on=["failed", "errors", "held", "changes"]),
    )

    some = done["some"]
    assert some["failed"] is True
    assert some["run"]["status"] == "completed_with_errors"
    assert (some["run"]["statistics"]["created"], some["run"]["statistics"]["updated"]) == (1, 1)
    assert some["run"]["held"] == []
    assert [(error["key"], error["code"]) for error in some["run"]["errors"]] == [("99", "not_found")]
    held = done["held"]
    assert held["failed"] is True
    assert held["run"]["status"] == "held"
    assert held["run"]["outcome"] == "different"
    assert [(item["class"], item["count"], item["limit"]) for item in held["run"]["held"]] == [("deletes", 5, "10%")]
    assert "`limits.deletes`" in held["msg"]
    assert (held["run"]["statistics"]["updated"], held["run"]["statistics"]["deleted"]) == (2, 0)
    assert done["let_pass"]["failed"] is False
    assert done["let_pass"]["run"]["status"] == "held"
    assert done["let_pass"]["changed"] is False
    assert (done["last"]["run"]["statistics"]["deleted"], done["last"]["run"]["status"]) == (5, "succeeded")
    assert done["in_step"]["changed"] is False
    assert postgres.content(table) == [(number, f"N{number}") for number in range(1, 21)]


def test_only_what_changed_is_read_until_a_run_has_a_fault(place: Workplace, mariadb: Database) -> None:
    rows = [(number, number, f"2026-01-0{number} 00:00:00") for number in range(1, 6)]
    source = mariadb.make("id INTEGER PRIMARY KEY, grade INTEGER, modified TIMESTAMP NULL", rows, name="source")
    target = mariadb.make("id INTEGER PRIMARY KEY, grade INTEGER NOT NULL", name="target")
    ends = {"provider": "db", "table": source}, {"provider": "db", "table": target}
    people = job("people", *ends, fields("id", "grade"), changed_only={"field": "modified"}, missing_at_source="skip")
    place.declare([{"name": "db", **mariadb.provider}], [people])

    done = place.play(preview=run("people", check=True), first=run("people"), second=run("people"))

    assert counts(done["preview"]) == counts(done["first"])
    assert counts(done["first"]) == {"read": 5, "in_scope": 5, "created": 5}
    # A preview moves no mark; a run does. Equal to the mark counts as new.
    assert counts(done["second"])["in_scope"] == 1

    mariadb.execute(f"UPDATE {source} SET grade = 20, modified = '2026-02-01 00:00:00' WHERE id = 2")
    mariadb.insert(source, [(6, None, "2026-02-02 00:00:00")])
    done = place.play(
        at_fault=run("people", may_fail=True),
        at_fault_again=run("people", may_fail=True),
        some=run("people", keys=["2"]),
    )

    assert done["at_fault"]["run"]["status"] == "completed_with_errors"
    assert [(error["key"], error["code"]) for error in done["at_fault"]["run"]["errors"]] == [("6", "required")]
    at_fault = done["at_fault"]["run"]["statistics"]
    assert (at_fault["in_scope"], at_fault["updated"]) == (3, 1)
    # Read anew, because the mark did not move; less than everything, because there is one.
    assert at_fault["in_scope"] == done["at_fault_again"]["run"]["statistics"]["in_scope"]
    assert at_fault["read"] == done["at_fault_again"]["run"]["statistics"]["read"] < 6
    assert done["some"]["run"]["statistics"]["in_scope"] == 1

    mariadb.execute(f"UPDATE {source} SET grade = 6 WHERE id = 6", f"UPDATE {source} SET grade = 10 WHERE id = 1")
    done = place.play(mended=run("people"), next=run("people"), full=run("people", full=True))

    assert counts(done["mended"])["created"] == 1
    assert counts(done["next"])["in_scope"] == 1
    # What changed without a new time stamp is found by a complete reading only.
    assert (counts(done["full"])["read"], counts(done["full"])["updated"]) == (6, 1)
    assert mariadb.content(target) == mariadb.content(source, "id, grade")


def test_nothing_is_read_while_file_and_directory_prove_that_nothing_changed(
    place: Workplace, openldap: OpenLdap
) -> None:
    box = DirectoryBox(openldap)
    hr = place.folder / "hr.csv"
    hr.write_text("number,name\n1,Ann\n2,Bob\n", encoding="utf-8")
    mapped = [
        {"name": "employeeNumber", "source": "number", "key": True},
        {"name": "cn", "source": "name"},
        {"name": "sn", "source": "name"},
    ]
    people = {
        "name": "people",
        "source": {"provider": "hr"},
        "destination": {"provider": "dir", "container": box.base},
        "missing_at_destination": "create",
        "changed_only": {"proof": True},
        "objects": [{"name": "people", "type": "inetOrgPerson", "fields": mapped}],
    }
    providers = [{"name": "hr", "csv": {"path": str(hr)}}, {"name": "dir", "ldap": secret_options(box, place)}]
    place.declare(providers, [people])

    done = place.play(
        declared=task("job_info", name="people"),
        first=run("people"),
        base=run("people"),
        preview=run("people", check=True),
        still=run("people"),
        told=task("run_info", job="people", limit=1),
        full=run("people", full=True),
    )

    assert done["declared"]["jobs"][0]["changed_only"] == {"proof": True}
    base, still = done["base"]["run"], done["still"]["run"]
    assert [done[name]["run"]["unchanged_since"] for name in ("first", "base", "full")] == [None] * 3
    assert done["preview"]["run"]["unchanged_since"] == still["unchanged_since"] == base["id"]
    assert (still["statistics"], still["outcome"], done["still"]["changed"]) == (base["statistics"], "equal", False)
    assert f"Neither system has changed since run {base['id']}" in done["still"]["msg"]
    assert done["told"]["runs"][0]["unchanged_since"] == base["id"]

    box.modify(f"cn=Ann,{box.base}", sn="Spoiled")
    hr.write_text("number,name\n1,Ann\n2,Bob\n3,Cid\n", encoding="utf-8")
    done = place.play(mended=run("people"), again=run("people"), still=run("people"))

    assert counts(done["mended"]) == {
        "read": 3,
        "in_scope": 3,
        "matched": 2,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
    }
    assert done["still"]["run"]["unchanged_since"] == done["again"]["run"]["id"]
    assert box.texts(f"cn=Ann,{box.base}", "sn") == ["Ann"]


def test_a_proof_that_nobody_can_give_is_refused(place: Workplace, sqlite: Database) -> None:
    table = sqlite.make("id INTEGER PRIMARY KEY", name="people")
    place.declare([{"name": "hr", "csv": {"path": "/srv/hr.csv"}}, {"name": "db", **sqlite.provider}], [])
    given = job("people", {"provider": "hr"}, {"provider": "db", "table": table}, fields("id"))
    done = place.play(fails=True, bad=task("job", **given, changed_only={"proof": True}))
    assert "`proof` is nothing that provider 'db' can give, which is of type sql" in done["bad"]["msg"]


def test_a_preview_makes_neither_store_nor_files(place: Workplace, sqlite: Database) -> None:
    done = place.play(
        provider=task("provider", name="hr", csv={"path": "/srv/hr.csv"}, check=True),
        jobs=task("job_info"),
        runs=task("run_info"),
        run=run("people", check=True, may_fail=True),
    )

    assert done["provider"]["changed"] is True
    assert (done["jobs"]["jobs"], done["runs"]["runs"]) == ([], [])
    assert "there is no job 'people'" in done["run"]["msg"]
    assert not place.store_file.parent.exists()

    table = sqlite.make("id INTEGER PRIMARY KEY, name VARCHAR(20)", [(1, "Ann")])
    people = job("people", {"provider": "db", "table": table}, "out", fields("id", "name"))
    out = place.folder / "out.csv"
    place.declare([{"name": "db", **sqlite.provider}, {"name": "out", "csv": {"path": str(out)}}], [people])
    files = {path: path.read_bytes() for path in place.folder.glob("state/*")}
    done = place.play(preview=run("people", check=True))

    assert done["preview"]["run"]["statistics"]["created"] == 1
    assert planned(done["preview"]["run"]) == done["preview"]["run"]["changes"]
    assert not out.exists()
    assert not place.runs_folder.exists()
    assert {path: path.read_bytes() for path in files} == files


def test_a_disabled_job_is_skipped(place: Workplace) -> None:
    source = place.write_csv("people.csv", ["id"], [(1,)])
    people = job("people", "hr", "out", fields("id"), enabled=False)
    out = place.folder / "out.csv"
    place.declare([{"name": "hr", "csv": {"path": str(source)}}, {"name": "out", "csv": {"path": str(out)}}], [people])

    skipped = place.play(run=run("people"))["run"]

    assert (skipped["run"]["status"], skipped["changed"]) == ("skipped", False)
    assert "`enabled: true`" in skipped["msg"]
    assert not out.exists()
