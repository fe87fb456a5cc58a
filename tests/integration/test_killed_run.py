# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed, and two runs at once: the history tells what is true, and the next run puts all right."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from integration.harness import FAILED, Database, Running, Workplace, fields, job, run, task, wait_until

SIZE = 40_000
OLD = 500
"""Rows that the table has before: some to update, some to delete."""


def names(number: int) -> tuple[int, str]:
    return number, f"Name of number {number}"


def declare_large_job(place: Workplace, database: Database) -> str:
    """Declare `people` from a large file to a table with old rows, whose name is given."""
    source = place.write_csv("people.csv", ["id", "name"], map(names, range(1, SIZE + 1)))
    old = [(number, "old") for number in range(1, OLD + 1)] + [(-number, "gone") for number in range(1, OLD + 1)]
    table = database.make("id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL", old)
    place.declare(
        [{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **database.provider}],
        [job("people", "hr", {"provider": "db", "table": table}, fields("id", "name"))],
    )
    return table


def holder_of_the_lock(place: Workplace) -> int | None:
    """Give the process that runs the job."""
    with closing(sqlite3.connect(place.store_file)) as store:
        row = store.execute("SELECT pid FROM lockstep_locks").fetchone()
    return None if row is None else row[0]


class Files:
    """Plan and journal of the first run, read here without the code that is tested."""

    def __init__(self, place: Workplace) -> None:
        self._folder = place.runs_folder / "1"

    def journal(self) -> list[dict[str, object]]:
        path = self._folder / "journal-1.jsonl"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def numbers(self, event: str) -> set[int]:
        return {number for line in self.journal() if line["event"] == event for number in line["numbers"]}  # type: ignore[attr-defined]

    def plan(self) -> dict[int, dict[str, object]]:
        lines = (self._folder / "plan-1.jsonl").read_text().splitlines()
        return {change["number"]: change for change in map(json.loads, lines[1:-1])}


def is_in(rows: dict[int, str], change: dict[str, object]) -> bool:
    """Tell from the table whether a change was made."""
    number = int(change["key"][0])  # type: ignore[index]
    return number not in rows if change["action"] == "delete" else rows.get(number) == names(number)[1]


def rows_after_the_kill(postgres: Database, table: str) -> dict[int, str]:
    """Give the rows once the server has noticed that its client is gone."""
    others = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        f"AND backend_type = 'client backend' AND position('{table}' in query) > 0"
    )
    wait_until(lambda: not postgres.rows(others), "the server has ended the session of the killed run")
    return dict(postgres.content(table))


def test_a_killed_run_is_settled_by_the_next(place: Workplace, postgres: Database) -> None:
    table = declare_large_job(place, postgres)
    files = Files(place)
    place.variables["LOCKSTEP_RECORD_RESULTS"] = ""  # what Ansible says of a killed module is not ours
    killed = place.start_adhoc("run", job="people")
    wait_until(lambda: len(files.numbers("end")) >= 2_000, "2,000 changes are done")
    process = holder_of_the_lock(place)
    assert process is not None
    os.kill(process, signal.SIGKILL)

    assert killed.wait().code == FAILED
    rows = rows_after_the_kill(postgres, table)
    plan, begun, ended = files.plan(), files.numbers("begin"), files.numbers("end")
    assert sorted(plan) == list(range(1, SIZE + OLD + 1))
    assert 2_000 <= len(ended) < len(plan)
    assert [number for number in ended if not is_in(rows, plan[number])] == []
    assert [number for number in set(plan) - begun if is_in(rows, plan[number])] == []
    assert holder_of_the_lock(place) == process

    made = {number for number, change in plan.items() if is_in(rows, change)}
    done = place.play(
        next=run("people", max_changes=1),
        history=task("run_info", job="people"),
        page=task("run_info", id=1, changes=True, limit=3, offset=len(made) - 1),
    )

    assert done["next"]["run"]["status"] == "succeeded"
    assert done["next"]["run"]["id"] == 2
    assert any(f"run 1 was interrupted after {len(made)} of" in line["message"] for line in done["next"]["run"]["log"])
    assert dict(postgres.content(table)) == dict(map(names, range(1, SIZE + 1)))
    second, first = done["history"]["runs"]
    assert (first["id"], first["status"], first["changes_total"]) == (1, "interrupted", len(plan))
    assert f"interrupted after {len(made)} of {len(plan)} changes" in first["message"]
    assert changes_of(first) == len(made)
    assert changes_of(second) == len(plan) - len(made)
    told = [json.loads(line) for line in (place.runs_folder / "1" / "changes.jsonl").read_text().splitlines()]
    assert {number for number, change in enumerate(told, 1) if change["status"] == "done"} == made
    assert [change["status"] for change in done["page"]["runs"][0]["changes"]] == ["done", "skipped", "skipped"]
    assert holder_of_the_lock(place) is None


def changes_of(listed: dict[str, dict[str, int]]) -> int:
    return sum(listed["statistics"][name] for name in ("created", "updated", "deleted"))


@contextmanager
def locked(database: Database, table: str) -> Iterator[None]:
    """Keep everybody else away from the table."""
    with database.connect() as connection, connection.begin():
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def test_of_two_runs_at_once_one_is_skipped_and_names_the_other(place: Workplace, postgres: Database) -> None:
    source = place.write_csv("people.csv", ["id", "name"], map(names, range(1, 4)))
    table = postgres.make("id INTEGER PRIMARY KEY, name VARCHAR(40)")
    ends = "hr", {"provider": "db", "table": table}
    place.declare(
        [{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **postgres.provider}],
        [job("people", *ends, fields("id", "name"))],
    )

    with locked(postgres, table):
        first: Running = place.start_adhoc("run", job="people")
        wait_until(lambda: holder_of_the_lock(place), "the first run has the lock")
        process = holder_of_the_lock(place)
        done = place.play(
            second=run("people"),
            rename=task("job", name="people", new_name="staff", may_fail=True),
            delete=task("job", name="people", state="absent", may_fail=True),
        )
    second = done["second"]
    first_done = first.wait()

    assert second["run"]["status"] == "skipped"
    assert second["changed"] is False
    assert f"process {process}" in second["msg"]
    for declared in (done["rename"], done["delete"]):
        assert declared["error"]["code"] == "locked"
        assert f"process {process}" in declared["error"]["holder"]
        assert "`force: true`" in declared["msg"]
    assert first_done.code == 0, first_done.output
    assert first_done.only["run"]["statistics"]["created"] == 3
    assert postgres.content(table) == [names(number) for number in range(1, 4)]
    assert len(place.adhoc("run_info", job="people").only["runs"]) == 1


def test_plan_journal_and_store_are_for_their_owner_only(place: Workplace, sqlite: Database) -> None:
    source = place.write_csv("people.csv", ["id", "name"], map(names, range(1, 4)))
    table = sqlite.make("id INTEGER PRIMARY KEY, name VARCHAR(40)")
    place.declare(
        [{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **sqlite.provider}],
        [job("people", "hr", {"provider": "db", "table": table}, fields("id", "name"))],
    )
    place.play(run=run("people"))

    kept = [path for path in place.runs_folder.rglob("*") if path.is_file()]
    assert {path.name for path in kept} == {"plan-1.jsonl", "journal-1.jsonl", "changes.jsonl", "run.log"}
    assert {mode_of(path) for path in [*kept, place.store_file]} == {0o600}
    assert {mode_of(path) for path in [place.runs_folder, place.runs_folder / "1"]} == {0o700}


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777
