# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs whose process died: the next run of the job finds out what they did."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import Journal
from ansible_collections.lockstep.sync.plugins.module_utils._execution.recovery import read_plan_file
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Change, Outcome
from ansible_collections.lockstep.sync.plugins.module_utils._store.run_rows import StoredRun
from support.worlds import DEPT, KEY, NAME, World, warnings


class Died(BaseException):
    """The process was killed."""


def die(world: World, *, host: str = "sync01") -> list[Change]:
    """Let a run die between its plan and its first write; give the planned changes."""
    host_now, world.host = world.host, host

    def killed(_journal: Journal, _changes: object) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "begin", killed)
        with pytest.raises(Died):
            world.run()
    world.host = host_now
    return planned(world)


def planned(world: World) -> list[Change]:
    """Give the changes of the first run's plan: create 1, create 3, update 2, delete 9."""
    return [change for part in read_plan_file(world.runs / "1" / "plan-1.jsonl").objects for change in part.changes]


def journal(world: World, *, begun: list[Change], ended: list[Change], outcome: Outcome = DONE) -> None:
    """Write the journal of the first run: `begun` is in doubt, `ended` has its outcome."""
    kept = Journal(world.runs / "1" / "journal-1.jsonl")
    for changes in filter(None, (ended, begun)):
        kept.begin(changes)
    if ended:
        kept.end(ended, [outcome] * len(ended))
    kept.close()


def settled(world: World) -> StoredRun:
    """Give the first run as the history has it now."""
    run = world.store.runs.get(1)
    assert run is not None
    return run


def outcomes(world: World) -> dict[str, str]:
    """Give what became of each change of the first run, by key."""
    return {
        item.change.key[0]: f"{item.outcome.status} {item.outcome.code}".strip()
        for item in world.store.runs.changes(1)
        if item.outcome is not None
    }


def test_what_was_done_not_done_and_in_doubt_is_told_apart(world: World) -> None:
    world.job()
    changes = die(world)
    world.sql("INSERT INTO people VALUES (1, 'Ann', 'E', NULL), (3, 'Cy', NULL, NULL)")
    journal(world, ended=changes[:1], begun=changes[1:3])
    world.now = world.now.replace(hour=9)
    ran = world.run()
    message = "interrupted after 2 of 4 changes; the rest was not made."
    assert warnings(ran) == [f"run 1 was {message}"]
    assert outcomes(world) == {
        "1": "done",
        "3": "done recovered",
        "2": "skipped interrupted",
        "9": "skipped interrupted",
    }
    run = settled(world)
    assert (run.status, run.message, run.finished) == ("interrupted", message, "2026-11-21T09:00:00.000000+00:00")
    assert (run.statistics.created, run.statistics.updated, run.changes_total) == (2, 0, 4)
    assert [line["status"] for line in world.lines(1, "changes.jsonl")] == ["done", "done", "skipped", "skipped"]
    assert (ran.result.status, ran.result.changes_total, ran.result.id) == ("succeeded", 2, 2)
    assert world.store.runs.unfinished("j") == []


def test_an_outcome_in_the_journal_is_kept(world: World) -> None:
    world.job()
    changes = die(world)
    journal(world, ended=changes, begun=[], outcome=Outcome(status="failed", code="constraint", message="no"))
    world.run()
    assert outcomes(world)["2"] == "failed constraint"
    assert settled(world).statistics.errors == 4


def test_a_run_that_died_before_its_plan_did_nothing(world: World) -> None:
    world.job()
    world.store.runs.start("j", host="sync01", pid=9, boot_id="boot", started="2026-11-21T01:00:00Z")
    (world.runs / "1").mkdir(parents=True)
    (world.runs / "1" / "plan-x.jsonl").touch()
    world.run()
    assert settled(world).message == "interrupted after 0 of 0 changes; the rest was not made."


def test_every_try_of_a_run_is_settled(world: World) -> None:
    world.job(on_error={"retries": 1, "delay": 0})
    changes = die(world)
    journal(world, ended=changes[:2], begun=[])
    world.sql("INSERT INTO people VALUES (1, 'Ann', 'E', NULL), (3, 'Cy', NULL, NULL)")
    folder = world.runs / "1"
    for name in ("plan", "journal"):
        (folder / f"{name}-10.jsonl").write_bytes((folder / f"{name}-1.jsonl").read_bytes())
    world.run()
    assert settled(world).changes_total == 8
    assert settled(world).message == "interrupted after 4 of 8 changes; the rest was not made."


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("journal-1.jsonl", "nonsense\n", "journal-1.jsonl, line 1, is damaged"),
        ("plan-1.jsonl", "", "plan-1.jsonl is not whole"),
    ],
)
def test_damaged_files_close_the_run_with_the_reason(world: World, file: str, content: str, why: str) -> None:
    world.job()
    die(world)
    (world.runs / "1" / file).write_text(content)
    ran = world.run()
    assert ran.result.status == "succeeded"
    assert settled(world).status == "interrupted"
    assert settled(world).message.startswith("interrupted; what it did could not be settled: ")
    assert why in settled(world).message
    assert settled(world).message.endswith(f" Its journal is in {world.runs / '1'}.")
    assert outcomes(world) == {}


def test_an_object_that_the_job_has_no_more_cannot_be_settled(world: World) -> None:
    world.job()
    journal(world, begun=die(world), ended=[])
    world.job(objects=[{"name": "others", "fields": [KEY, NAME, DEPT]}])
    world.run()
    assert "there is no object 'people'" in settled(world).message


def test_a_password_in_doubt_is_judged_by_the_other_fields(world: World) -> None:
    world.sql("ALTER TABLE people ADD COLUMN secret TEXT")
    password = {"name": "secret", "new_only": True, "transform": [{"password": {"length": 20}}]}
    world.job(objects=[{"name": "people", "fields": [KEY, NAME, password]}])
    journal(world, begun=die(world)[:1], ended=[])
    world.sql("INSERT INTO people VALUES (1, 'Ann', NULL, NULL, 'made')")
    world.run()
    assert outcomes(world)["1"] == "done recovered"


def test_a_destination_that_is_gone_closes_the_run_with_the_reason(world: World, tmp_path: Path) -> None:
    world.job()
    journal(world, begun=die(world), ended=[])
    world.database.rename(tmp_path / "elsewhere.db")
    assert world.run().result.status == "failed"
    assert settled(world).message.startswith("interrupted; what it did could not be settled: ")
    assert "data.db" in settled(world).message


def test_a_run_of_another_machine_without_its_files_is_not_said_to_have_done_nothing(world: World) -> None:
    world.job()
    die(world, host="sync02")
    (world.runs / "1").rename(world.folder / "on-the-other-machine")
    world.now = world.now.replace(hour=9)
    world.run()
    assert settled(world).message == (
        "interrupted; what it did could not be settled: it ran on sync02, where its files are. Its journal is in "
        f"{world.runs / '1'}."
    )


def test_a_run_of_another_machine_is_settled_by_files_that_both_share(world: World) -> None:
    world.job()
    journal(world, ended=die(world, host="sync02")[:1], begun=[])
    world.now = world.now.replace(hour=9)
    world.run()
    assert settled(world).message.startswith("interrupted after 1 of 4 changes")


def test_a_run_is_settled_as_a_whole_or_not_at_all(world: World) -> None:
    world.job()
    journal(world, ended=die(world)[:1], begun=[])
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        connection.execute(
            "CREATE TRIGGER broken BEFORE UPDATE ON lockstep_runs BEGIN SELECT raise(ABORT, 'no space left'); END"
        )
        connection.commit()
        with pytest.raises(StoreError):
            world.run()
        assert world.store.runs.changes(1) == []
        connection.execute("DROP TRIGGER broken")
        connection.commit()
    world.run()
    assert settled(world).changes_total == 4


def test_a_preview_settles_nothing(world: World) -> None:
    world.job()
    die(world)
    world.preview()
    assert settled(world).status == "running"
