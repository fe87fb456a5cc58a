# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules run and run_info, called as Ansible calls them."""

from __future__ import annotations

import json
import sqlite3
import typing as t
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.modules import job, provider, run_info
from ansible_collections.lockstep.sync.plugins.modules import run as run_module

Run = Callable[..., dict[str, t.Any]]
KEY = {"name": "id", "source": "id", "key": True}
NAME = {"name": "name", "source": "name"}


class Shop:
    """A CSV file `hr.csv`, a SQLite table `people`, and the job `j` from one to the other."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self.folder = folder
        self.source = folder / "hr.csv"
        self.write("1,Ann", "2,Bob")
        self.sql("CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20))")
        self.sql("INSERT INTO people VALUES (2, 'Old'), (9, 'Gone')")
        providers = [
            {"name": "hr", "csv": {"path": str(self.source)}},
            {"name": "db", "sql": {"url": f"sqlite:///{folder / 'data.db'}"}},
        ]
        run(provider.main, providers=providers)
        self.declare()

    def write(self, *rows: str) -> None:
        self.source.write_text("\n".join(("id,name", *rows, "")), encoding="utf-8")

    def sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.folder / "data.db")) as connection:
            connection.execute(statement)
            connection.commit()

    def declare(self, name: str = "j", **options: t.Any) -> None:
        definition: dict[str, t.Any] = {
            "source": {"provider": "hr"},
            "destination": {"provider": "db", "table": "people"},
            "missing_at_destination": "create",
            "missing_at_source": "delete",
            "objects": [{"name": "people", "fields": [KEY, NAME]}],
        }
        assert "failed" not in self._run(job.main, name=name, **(definition | options))

    def run(self, **options: t.Any) -> dict[str, t.Any]:
        return self._run(run_module.main, **({"job": "j"} | options))

    def info(self, **options: t.Any) -> dict[str, t.Any]:
        return self._run(run_info.main, **options)


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Shop:
    return Shop(run, tmp_path)


def test_check_mode_is_the_preview_of_what_the_run_does(shop: Shop) -> None:
    preview = shop.run(check=True, diff=True)
    done = shop.run(diff=True)
    assert (preview["changed"], preview["run"]["preview"], done["run"]["preview"]) == (True, True, False)
    assert preview["diff"] == done["diff"]
    assert preview["run"]["plan_digest"] == done["run"]["plan_digest"]
    assert [block["after_header"] for block in done["diff"]] == [
        "people 1 (create)",
        "people 2 (update)",
        "people 9 (delete)",
    ]
    assert done["msg"] == "Job 'j' made 3 changes (1 created, 1 updated, 1 deleted), 0 unchanged."
    assert "explanation" not in done
    assert "error" not in done
    again = shop.run(diff=True)
    assert (again["changed"], again["diff"], again["run"]["outcome"]) == (False, [], "equal")


def test_a_run_is_a_fact_and_an_artifact(shop: Shop) -> None:
    done = shop.run()
    assert done["ansible_facts"] == {"lockstep_runs": {"j": done["run"]}}
    assert done["ansible_stats"]["per_host"] is False
    assert done["ansible_stats"]["data"] == {
        "lockstep_j": {"id": 1, "status": "succeeded", "outcome": "equal", **done["run"]["statistics"]}
    }
    assert "diff" not in done


def test_explain_gives_one_entry_for_each_object_that_has_the_record(shop: Shop) -> None:
    explained = shop.run(explain="2")
    assert [(entry["key"], entry["decision"]) for entry in explained["explanation"]] == [("2", "update")]
    assert shop.info()["runs"] == []
    missing = shop.run(explain="77")
    assert (missing["failed"], missing["explanation"]) == (True, [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"explain": "1", "keys": ["1"]}, "`explain` looks at one record and `keys` picks the records of a run"),
        ({"max_changes": -1}, "max_changes: got -1, it takes 0 or more."),
        ({"job": "k"}, "there is no job 'k'."),
    ],
)
def test_options_that_do_not_fit(shop: Shop, options: dict[str, t.Any], message: str) -> None:
    refused = shop.run(**options)
    assert (refused["failed"], refused["error"]["code"]) == (True, "config")
    assert message in refused["msg"]
    assert "run" not in refused


def test_changes_are_capped_and_the_file_has_all(shop: Shop) -> None:
    done = shop.run(max_changes=1)
    assert (len(done["run"]["changes"]), done["run"]["truncated"]) == (1, {"changes": 2})
    assert len(Path(done["run"]["changes_file"]).read_text().splitlines()) == 3


def hold(shop: Shop) -> None:
    shop.declare(limits={"deletes": "0"})


def spoil(shop: Shop) -> None:
    shop.write("1,Ann", "2," + "B" * 21, "9,Gone")


def lose(shop: Shop) -> None:
    shop.source.unlink()


def settle(shop: Shop) -> None:
    shop.run()


@pytest.mark.parametrize(
    ("prepare", "fail_on", "fails"),
    [
        (hold, None, True),
        (hold, ["errors", "changes"], True),
        (hold, ["errors"], False),
        (spoil, None, True),
        (spoil, ["held"], False),
        (lose, None, True),
        (lose, [], True),
        (settle, ["changes"], False),
        (settle, None, False),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_fail_on_decides_what_fails_the_task(
    shop: Shop, prepare: Callable[[Shop], None], fail_on: list[str] | None, fails: bool, check: bool
) -> None:
    prepare(shop)
    done = shop.run(check=check, **({} if fail_on is None else {"fail_on": fail_on}))
    assert done.get("failed", False) is fails


def test_fail_on_changes_is_a_drift_test_and_says_so(shop: Shop) -> None:
    drifted = shop.run(check=True, fail_on=["changes"])
    assert (drifted["failed"], drifted["changed"], drifted["run"]["status"]) == (True, True, "succeeded")
    assert drifted["msg"].endswith("0 unchanged. The task fails because of `fail_on: changes`.")


def test_a_failed_run_has_its_result_and_a_code(shop: Shop) -> None:
    lose(shop)
    failed = shop.run()
    assert (failed["error"], failed["changed"]) == ({"code": "provider"}, False)
    assert (failed["run"]["status"], failed["run"]["id"]) == ("failed", 1)


def test_a_record_at_fault_is_in_the_errors(shop: Shop) -> None:
    spoil(shop)
    done = shop.run()
    assert [(error["object"], error["key"]) for error in done["run"]["errors"]] == [("people", "2")]
    assert "See `run.errors`" in done["msg"]


def test_a_disabled_job_fails_nothing(shop: Shop) -> None:
    shop.declare(enabled=False)
    skipped = shop.run()
    assert (skipped["changed"], skipped["run"]["status"], skipped["run"]["id"]) == (False, "skipped", None)
    assert "failed" not in skipped


@pytest.mark.no_cover
@pytest.mark.parametrize("letter", ["x", "\u00e9", "\u65e5"])
def test_the_whole_result_stays_below_64_kb(shop: Shop, letter: str) -> None:
    shop.sql("DROP TABLE people")
    shop.sql("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
    shop.write(f"0,{letter * 1_000_000}", *(f"{number},{letter * 150}" for number in range(1, 1500)))
    for options in ({"check": True}, {"explain": "0"}, {}):
        done = shop.run(diff=True, max_changes=5000, **options)
        assert len(json.dumps(done)) < 64_000, options
    assert done["run"]["truncated"]["changes"] > 1000
    assert done["run"]["statistics"]["created"] == 1500
    found = shop.info(id=1, changes=True, offset=1, limit=1200)
    assert len(json.dumps(found)) < 64_000
    (history,) = found["runs"]
    assert 10 < len(history["changes"]) < 1200
    assert found["truncated"] == {"runs.changes": 1200 - len(history["changes"])}


@pytest.mark.no_cover
def test_many_errors_of_many_objects_stay_below_64_kb(shop: Shop) -> None:
    shop.write(*(f"{number},{'N' * 21}" for number in range(100)))
    objects = [{"name": f"{'people' * 5} {number}", "fields": [KEY, NAME]} for number in range(120)]
    shop.declare(missing_at_source="skip", objects=objects)
    done = shop.run(diff=True, check=True)
    assert len(json.dumps(done)) < 64_000
    assert done["run"]["statistics"]["errors"] == 120 * 100
    assert done["run"]["truncated"]["errors"] == 120 * 100 - len(done["run"]["errors"])
    assert len(done["run"]["objects"]) + done["run"]["truncated"]["objects"] == 120


def test_full_looks_at_records_older_than_the_mark_again(shop: Shop) -> None:
    shop.declare(changed_only={"field": "id"}, missing_at_source="skip")
    shop.run()
    shop.sql("UPDATE people SET name = 'Touched' WHERE id = 1")
    assert shop.run()["changed"] is False
    assert shop.run(full=True)["run"]["statistics"]["updated"] == 1


def test_a_secret_that_the_run_resolved_is_masked_in_its_messages(
    shop: Shop, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SQLite takes no password, and the driver says so with the path of the file, which is this secret.
    monkeypatch.setenv("DB_PASSWORD", "data.db")
    options = {"url": f"sqlite:///{shop.folder / 'data.db'}", "password_from": {"env": "DB_PASSWORD"}}
    run(provider.main, name="db", sql=options)
    failed = shop.run()
    assert "********" in failed["msg"]
    assert "data.db" not in json.dumps([failed["msg"], failed["run"]["log"]])


# -- run_info ----------------------------------------------------------------------------------------------------


@pytest.fixture
def history(shop: Shop) -> Shop:
    """Run 1 made changes, run 2 failed, run 3 is of another job and has an error."""
    shop.run()
    shop.source.rename(shop.folder / "away.csv")
    shop.run()
    (shop.folder / "away.csv").rename(shop.source)
    shop.declare("other", objects=[{"name": "people", "fields": [KEY, NAME]}], allow_circular=True)
    spoil(shop)
    shop.run(job="other")
    return shop


def test_runs_are_listed_the_newest_first(history: Shop) -> None:
    found = history.info()
    assert found["msg"] == "3 runs found."
    assert [(run["id"], run["job"], run["status"]) for run in found["runs"]] == [
        (3, "other", "completed_with_errors"),
        (2, "j", "failed"),
        (1, "j", "succeeded"),
    ]
    first = found["runs"][-1]
    assert (first["outcome"], first["changes_total"], first["statistics"]["created"]) == ("equal", 3, 1)
    assert first["objects"] == [{"name": "people", "statistics": first["statistics"]}]
    assert first["message"].startswith("Job 'j' made 3 changes")
    assert "changes" not in first
    assert first["duration_seconds"] >= 0
    assert first["finished"] >= first["started"]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"job": "j"}, [2, 1]),
        ({"job": "nothing"}, []),
        ({"status": "failed"}, [2]),
        ({"job": "j", "status": "succeeded"}, [1]),
        ({"since": "2020-01-01"}, [3, 2, 1]),
        ({"since": "2999-01-01"}, []),
        ({"limit": 1}, [3]),
        ({"limit": 1, "offset": 1}, [2]),
        ({"limit": 0}, []),
        ({"offset": 3}, []),
        ({"id": 1}, [1]),
    ],
)
def test_filters_and_pages(history: Shop, filters: dict[str, t.Any], ids: list[int]) -> None:
    found = history.info(**filters)
    assert [run["id"] for run in found["runs"]] == ids
    assert found["msg"] == ("1 run found." if len(ids) == 1 else f"{len(ids)} runs found.")


def test_changes_and_errors_come_page_by_page(history: Shop) -> None:
    (whole,) = history.info(id=1, changes=True)["runs"]
    assert [(change["action"], change["key"], change["status"]) for change in whole["changes"]] == [
        ("create", "1", "done"),
        ("update", "2", "done"),
        ("delete", "9", "done"),
    ]
    assert whole["errors"] == []
    (page,) = history.info(id=1, changes=True, offset=1, limit=1)["runs"]
    assert page["changes"] == whole["changes"][1:2]
    (faulty,) = history.info(id=3, changes=True)["runs"]
    assert [error["key"] for error in faulty["errors"]] == ["2"]
    assert history.info(id=3, changes=True, offset=1)["runs"][0]["errors"] == []


def test_held_changes_are_in_the_history(shop: Shop) -> None:
    hold(shop)
    done = shop.run()
    assert shop.info()["runs"][0]["held"] == done["run"]["held"]
    assert done["run"]["held"][0]["class"] == "deletes"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"id": 99}, "id: there is no run 99 in "),
        ({"offset": -1}, "offset: got -1, it takes 0 or more."),
        ({"limit": -5}, "limit: got -5, it takes 0 or more."),
        ({"since": "yesterday"}, "since"),
        ({"changes": True}, "id"),
    ],
)
def test_questions_that_have_no_answer(shop: Shop, options: dict[str, t.Any], message: str) -> None:
    refused = shop.info(**options)
    assert refused["failed"]
    assert message in refused["msg"]


def test_the_history_outlives_the_job(history: Shop, run: Run) -> None:
    run(job.main, name="j", state="absent")
    assert [each["id"] for each in history.info(job="j")["runs"]] == [2, 1]
