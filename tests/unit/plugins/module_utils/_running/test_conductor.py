# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs: preview, run, history, files, marks, and what is told when something fails."""

from __future__ import annotations

import sqlite3
import stat
import typing as t
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import _file_name
from hypothesis import given
from hypothesis import strategies as st
from support.lists import ListProvider, info_of
from support.worlds import DEPT, KEY, NAME, Failing, World, warnings

IN_STEP = [(1, "Ann", "E"), (2, "Bob", "F"), (3, "Cy", None)]
TOO_LONG = "3," + "C" * 21 + ",F"
BEFORE = [(2, "Bob", "old"), (9, "Gone", "G")]


def fail_on(world: World, statement: str) -> None:
    """Let a statement on one table of the store fail from now on: `INSERT ON lockstep_change`."""
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        trigger = f"CREATE TRIGGER broken BEFORE {statement} BEGIN SELECT raise(ABORT, 'no space left'); END"
        connection.execute(trigger)
        connection.commit()


def mend(world: World) -> None:
    """Let the store work again."""
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        connection.execute("DROP TRIGGER broken")
        connection.commit()


# -- preview -----------------------------------------------------------------------------------------------------


def test_a_preview_writes_nothing_and_is_what_the_run_then_does(world: World) -> None:
    world.job()
    files, rows = world.photograph(), world.count_rows()
    preview = world.preview().result
    assert (world.photograph(), world.count_rows()) == (files, rows)
    assert world.people() == BEFORE
    assert (preview.status, preview.agreement, preview.preview, preview.id) == ("succeeded", "different", True, None)
    assert preview.message == ("Job 'j' would make 4 changes (2 created, 1 updated, 1 deleted), 0 unchanged.")
    assert (preview.changes_file, preview.log_file) == (None, None)
    ran = world.run().result
    assert [item.change for item in ran.changes] == [item.change for item in preview.changes]
    assert (ran.plan_digest, ran.statistics, ran.objects) == (preview.plan_digest, preview.statistics, preview.objects)
    assert world.people() == IN_STEP


def test_a_second_run_finds_nothing_to_change(world: World) -> None:
    world.job()
    world.run()
    again = world.run().result
    assert (again.status, again.agreement, again.changes_total) == ("succeeded", "equal", 0)
    assert again.message == "Job 'j' found nothing to change, 3 unchanged."
    assert again.plan_digest
    assert sorted(path.name for path in (world.runs / "2").iterdir()) == ["changes.jsonl", "run.log"]
    assert world.preview().result.agreement == "equal"


def test_a_preview_that_does_not_fit_keeps_its_list_until_the_next_one(world: World) -> None:
    world.job("hr/to db")
    preview = world.preview("hr/to db", max_changes=1).result
    assert (len(preview.changes), preview.changes_total) == (1, 4)
    kept = world.runs / "previews" / "hr_2f_to_20_db.jsonl"
    assert preview.changes_file == str(kept)
    assert len(kept.read_text().splitlines()) == 4
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == stat.S_IMODE(world.runs.stat().st_mode) == 0o700
    world.write("1,Ann,E", "2,Bob,F")
    world.preview("hr/to db", max_changes=0)
    assert len(kept.read_text().splitlines()) == 3
    assert world.people() == BEFORE


def test_a_preview_that_fits_exactly_keeps_no_list(world: World) -> None:
    world.job()
    assert world.preview(max_changes=4).result.changes_file is None


def test_a_preview_whose_list_cannot_be_kept_says_where(world: World) -> None:
    world.job()
    world.runs.parent.write_text("a file")
    with pytest.raises(StoreError, match=r"the folder .*previews for previews cannot be made: Not a directory"):
        world.preview(max_changes=1)


@given(
    st.lists(
        st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=60), max_size=4, unique=True
    )
)
def test_every_job_has_a_preview_file_of_its_own(names: list[str]) -> None:
    files = [_file_name(name) for name in names]
    assert len(set(files)) == len(names)
    assert all("/" not in file and not file.startswith(".") and len(file.encode()) <= 200 for file in files)


def test_names_that_could_meet_in_one_preview_file_do_not() -> None:
    names = ["a", ".a", "x ac", "x\u20ac", "job", "..", "a_b", "a b", "\u65e5" * 199, "\u65e5" * 200]
    assert len({_file_name(name) for name in names}) == len(names)


def test_explain_writes_nothing_and_tells_the_decision(world: World) -> None:
    world.job()
    files, rows = world.photograph(), world.count_rows()
    ran = world.run(explain="2")
    assert (world.photograph(), world.count_rows()) == (files, rows)
    assert ran.explanation is not None
    (explained,) = ran.explanation
    assert (explained["object"], explained["key"], explained["decision"]) == ("people", "2", "update")
    assert explained["changes"] == [{"action": "update", "fields": {"dept": {"before": "'old'", "after": "'F'"}}}]
    assert (ran.result.preview, ran.result.changes_total) == (True, 1)


def test_explain_of_a_key_that_nobody_has(world: World) -> None:
    world.job()
    ran = world.run(explain="77")
    assert ran.explanation == []
    (problem,) = ran.result.problems
    assert (problem.level, problem.code, problem.key) == ("error", "not_found", ("77",))
    assert problem.message == "no source record in scope has the key '77'."
    assert ran.result.statistics.errors == 1


def test_a_preview_that_fails_tells_it_as_a_result(world: World) -> None:
    world.job()
    world.source.unlink()
    ran = world.preview()
    assert (ran.result.status, ran.result.agreement, ran.failure_code) == ("failed", "different", "provider")
    assert "hr.csv" in ran.result.message
    assert ran.result.message.endswith("Nothing was changed.")
    assert ran.result.plan_digest is None


# -- what is run -------------------------------------------------------------------------------------------------


def test_there_is_no_such_job(world: World) -> None:
    world.job("hr-to-db")
    with pytest.raises(ConfigError, match=r"there is no job 'hr-to-dv'\. Did you mean 'hr-to-db'\?"):
        world.run("hr-to-dv")


def test_a_disabled_job_is_skipped_but_can_be_previewed(world: World) -> None:
    world.job(enabled=False)
    files, rows = world.photograph(), world.count_rows()
    result = world.run().result
    assert (world.photograph(), world.count_rows()) == (files, rows)
    assert (result.status, result.agreement, result.id) == ("skipped", "different", None)
    assert result.message == "Job 'j' is disabled; enable it with `enabled: true` to run it."
    assert [line.message for line in result.log] == [result.message]
    assert world.preview().result.changes_total == 4


def test_only_the_keys_asked_for_are_run_and_nothing_is_deleted(world: World) -> None:
    world.job()
    result = world.run(keys=("3", "002")).result
    assert world.people() == [(2, "Bob", "F"), (3, "Cy", None), (9, "Gone", "G")]
    assert (result.statistics.read, result.statistics.in_scope, result.changes_total) == (3, 2, 2)
    assert result.status == "succeeded"


def test_a_key_that_was_not_found_is_an_error(world: World) -> None:
    world.job()
    result = world.run(keys=("3", "77")).result
    assert (result.status, result.statistics.errors) == ("completed_with_errors", 1)
    assert [(problem.object, problem.key) for problem in result.problems] == [("", ("77",))]
    assert result.message.endswith("1 error. See `run.errors` for each record and what to do.")
    assert world.people()[1] == (3, "Cy", None)


def declare_two_objects(world: World, *keys: str) -> None:
    """Let the job write every record into two tables; the second one's key are the fields `keys`."""
    world.sql("CREATE TABLE staff (id INTEGER, name TEXT, dept TEXT)")
    fields = [{**each, "key": each["name"] in keys} for each in (KEY, NAME, DEPT)]
    second = {"name": "staff", "destination": {"table": "staff"}, "when": "source.dept == 'F'", "fields": fields}
    world.job(objects=[{"name": "people", "when": "source.dept == 'E'", "fields": [KEY, NAME, DEPT]}, second])


def test_a_key_is_missing_only_when_no_object_has_it(world: World) -> None:
    declare_two_objects(world, "id")
    result = world.run(keys=("1", "2", "3")).result
    assert [(problem.object, problem.key) for problem in result.problems] == [("", ("3",))]
    assert [(name, counts.created) for name, counts in result.objects] == [("people", 1), ("staff", 1)]
    assert [item.change.number for item in result.changes] == [1, 2]


def test_parts_of_a_key_are_joined_by_plus(world: World) -> None:
    declare_two_objects(world, "id", "name")
    result = world.run(keys=("2 + Bob",)).result
    assert (result.status, result.changes_total) == ("succeeded", 1)
    assert world.sql("SELECT id, name FROM staff") == [(2, "Bob")]


def test_a_key_of_several_parts_that_nobody_has_is_an_error(world: World) -> None:
    declare_two_objects(world, "id", "name")
    result = world.run(keys=("2 + Ann",)).result
    assert [problem.message for problem in result.problems] == ["no source record in scope has the key '2 + Ann'."]
    assert result.status == "completed_with_errors"


@pytest.mark.parametrize("options", [{"keys": ("2",)}, {"explain": "2"}, {"keys": ("2",), "preview": True}])
def test_a_key_with_the_wrong_number_of_parts(world: World, options: dict[str, t.Any]) -> None:
    declare_two_objects(world, "id", "name")
    ran = world.run(**options)
    assert (ran.result.status, ran.failure_code) == ("failed", "config")
    assert (
        "object 'staff': key '2' has 1 parts, the object's key has 2: id, name. Write the parts in this order with "
        "' + ' between them. Nothing was changed."
    ) in ran.result.message
    assert world.people() == BEFORE


# -- files and history -------------------------------------------------------------------------------------------


def test_the_history_has_what_the_result_says(world: World) -> None:
    world.job()
    result = world.run(max_changes=1).result
    stored = world.store.runs.get(1)
    assert stored is not None
    assert (stored.status, stored.agreement, stored.message) == (result.status, result.agreement, result.message)
    assert (stored.host, stored.pid, stored.boot_id) == ("sync01", 100, "boot")
    assert (stored.statistics, stored.changes_total, stored.plan_digest) == (result.statistics, 4, result.plan_digest)
    assert [item.change.key for item in world.store.runs.changes(1)] == [("1",), ("3",), ("2",), ("9",)]
    assert (stored.changes_file, stored.log_file) == (result.changes_file, result.log_file)


def test_files_are_for_their_owner_only(world: World) -> None:
    world.job()
    world.run()
    folder = world.runs / "1"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(
        ("plan-1.jsonl", "journal-1.jsonl", "changes.jsonl", "run.log"), 0o600
    )
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(world.runs.stat().st_mode) == 0o700


def test_the_changes_file_has_every_change_with_before_and_after(world: World) -> None:
    world.job()
    world.run(max_changes=0)
    lines = world.lines(1, "changes.jsonl")
    assert [(line["action"], line["key"], line["status"]) for line in lines] == [
        ("create", "1", "done"),
        ("create", "3", "done"),
        ("update", "2", "done"),
        ("delete", "9", "done"),
    ]
    assert lines[1]["fields"] == {"id": {"before": None, "after": "3"}, "name": {"before": None, "after": "Cy"}}
    assert lines[2]["fields"] == {"dept": {"before": "old", "after": "F"}}
    assert lines[3]["fields"]["name"] == {"before": "Gone", "after": None}


def test_the_log_file_has_one_line_an_event(world: World) -> None:
    world.write("1,Ann,E", '2,"' + "B" * 21 + '",F')
    world.job(missing_at_source="skip")
    result = world.run().result
    text = (world.runs / "1" / "run.log").read_text()
    lines = text.splitlines()
    assert lines[0] == "2026-11-21T03:00:00+00:00 INFO    run 1 of job 'j' started on sync01"
    assert lines[1].startswith("2026-11-21T03:00:00+00:00 INFO    sealed plan of 1 changes, digest ")
    assert lines[2].startswith("2026-11-21T03:00:00+00:00 ERROR   people 2: ")
    assert lines[3].endswith(f" INFO    {result.message}")
    assert len(lines) == 4


def test_a_generated_password_is_written_and_nowhere_told(world: World) -> None:
    world.sql("ALTER TABLE people ADD COLUMN secret TEXT")
    password = {"name": "secret", "new_only": True, "transform": [{"password": {"length": 20}}]}
    world.job(objects=[{"name": "people", "fields": [KEY, NAME, password]}])
    world.run()
    made = [row[0] for row in world.sql("SELECT secret FROM people WHERE id IN (1, 3)")]
    assert [len(each) for each in made] == [20, 20]
    assert len(set(made)) == 2
    told = b"".join(path.read_bytes() for path in world.runs.rglob("*") if path.is_file())
    told += b"".join(path.read_bytes() for path in world.folder.glob("state.db*"))
    assert not any(each.encode() in told for each in made)
    assert world.lines(1, "changes.jsonl")[0]["fields"]["secret"] == {"before": None, "after": "********"}


def test_a_folder_left_by_an_earlier_store_is_moved_aside(world: World) -> None:
    old, older = world.runs / "1", world.runs / "1.1"
    for folder in (older, old):
        folder.mkdir(parents=True)
        (folder / "journal-1.jsonl").write_text(f"{folder.name} of another store\n")
    world.job()
    assert world.run().result.status == "succeeded"
    assert [line["event"] for line in world.lines(1, "journal-1.jsonl")][:2] == ["begin", "end"]
    assert (world.runs / "1.2" / "journal-1.jsonl").read_text() == "1 of another store\n"
    assert (older / "journal-1.jsonl").read_text() == "1.1 of another store\n"


def test_a_run_folder_that_cannot_be_made_ends_the_run_before_anything(world: World) -> None:
    world.job()
    world.runs.parent.write_text("a file")
    ran = world.run()
    assert (ran.result.status, ran.failure_code) == ("failed", "store")
    assert f"the folder {world.runs / '1'} for the run's plan, journal and log cannot be made" in ran.result.message
    assert (ran.result.changes_file, ran.result.log_file) == (None, None)
    assert world.people() == BEFORE
    stored = world.store.runs.get(1)
    assert stored is not None
    assert (stored.status, stored.message) == ("failed", ran.result.message)


# -- the store fails ---------------------------------------------------------------------------------------------


def test_changes_that_cannot_be_remembered_are_told_and_entered_by_the_next_run(world: World) -> None:
    world.job()
    fail_on(world, "INSERT ON lockstep_changes")
    ran = world.run()
    assert world.people() == IN_STEP
    assert (ran.result.status, ran.failure_code) == ("failed", "store")
    assert ran.result.message.startswith("Job 'j' made 4 changes, but the history could not be written: ")
    assert ran.result.message.endswith(
        f" The journal in {world.runs / '1'} says what was done; the next run enters it."
    )
    assert (ran.result.changes_total, ran.result.statistics.created) == (4, 2)
    mend(world)
    following = world.run()
    assert warnings(following) == ["run 1 was interrupted after 4 of 4 changes; the rest was not made."]
    settled = world.store.runs.get(1)
    assert settled is not None
    assert (settled.status, settled.statistics.created, settled.changes_total) == ("interrupted", 2, 4)
    assert {item.outcome.status for item in world.store.runs.changes(1) if item.outcome} == {"done"}


def test_a_store_that_is_gone_at_the_end_hides_nothing_of_what_was_done(world: World) -> None:
    world.job()
    fail_on(world, "UPDATE ON lockstep_runs")
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        connection.execute(
            "CREATE TRIGGER keeps BEFORE DELETE ON lockstep_locks BEGIN SELECT raise(ABORT, 'gone too'); END"
        )
        connection.commit()
    ran = world.run()
    assert ran.result.message.startswith("Job 'j' made 4 changes, but the history could not be written: ")
    assert "the lock could not be given back and ends by itself" in warnings(ran)[-1]
    assert world.people() == IN_STEP


def test_a_run_without_folder_and_history_is_told_too(world: World) -> None:
    world.job()
    world.runs.parent.write_text("a file")
    fail_on(world, "UPDATE ON lockstep_runs")
    result = world.run().result
    assert result.message.startswith("Job 'j' made 0 changes, but the history could not be written: ")
    assert "journal" not in result.message


def test_files_that_cannot_be_written_are_told(world: World, put_in_place: Callable[..., None]) -> None:
    world.job()
    world.sql("DELETE FROM people")

    def block() -> None:
        (world.runs / "1" / "changes.jsonl").mkdir()

    world.on_sleep = block
    source = Failing(info=info_of("id", "name", "dept"), records=[{"id": "1", "name": "Ann", "dept": None}])
    source.read_failures = [ProviderError("it was busy.", retriable=True)]
    put_in_place(hr=source)
    ran = world.run()
    assert ran.result.status == "failed"
    assert "Job 'j' made 1 change, but the history could not be written: " in ran.result.message
    assert "changes.jsonl cannot be written: Is a directory." in ran.result.message
    assert world.store.runs.unfinished("j")[0].id == 1


# -- status and outcome ------------------------------------------------------------------------------------------


def leave_nothing(world: World) -> None:
    world.job()


def hold_the_delete(world: World) -> None:
    world.job(limits={"deletes": "0"})


def spoil_a_record(world: World) -> None:
    world.write("1,Ann,E", "2,Bob,F", TOO_LONG)
    world.job()


def spoil_and_hold(world: World) -> None:
    world.write("1,Ann,E", "2,Bob,F", TOO_LONG)
    world.job(limits={"deletes": "0"})


def lose_the_source(world: World) -> None:
    world.job()
    world.source.unlink()


@pytest.mark.parametrize(
    ("prepare", "status", "run", "preview"),
    [
        (leave_nothing, "succeeded", "equal", "different"),
        (hold_the_delete, "held", "different", "different"),
        (spoil_a_record, "completed_with_errors", "different", "different"),
        (spoil_and_hold, "held", "different", "different"),
        (lose_the_source, "failed", "different", "different"),
    ],
)
def test_status_and_outcome(
    world: World, prepare: Callable[[World], None], status: str, run: str, preview: str
) -> None:
    prepare(world)
    shown = world.preview().result
    assert (shown.status, shown.agreement) == (status, preview)
    done = world.run().result
    assert (done.status, done.agreement) == (status, run)
    assert done.held == shown.held
    assert {problem.code for problem in done.problems} == {problem.code for problem in shown.problems}


def test_held_changes_are_named_and_the_others_made(world: World) -> None:
    hold_the_delete(world)
    result = world.run().result
    assert result.message.startswith("Job 'j' made 3 changes (2 created, 1 updated, 0 deleted), 0 unchanged. Held: ")
    assert "raise `limits.deletes`" in result.message
    assert [(held.guard, held.count, held.limit) for held in result.held] == [("deletes", 1, "0")]
    assert world.people() == [*IN_STEP, (9, "Gone", "G")]


def test_warnings_make_it_equal_with_warnings(world: World) -> None:
    world.sql("CREATE TABLE loose (id TEXT, name TEXT, dept TEXT)")
    world.sql("INSERT INTO loose VALUES (NULL, 'nobody', NULL)")
    world.job(destination={"provider": "db", "table": "loose"})
    result = world.run().result
    assert (result.status, result.agreement, result.statistics.warnings) == ("succeeded", "equal_with_warnings", 1)


def test_failed_and_moved_on_changes_are_counted_by_object(world: World, put_in_place: Callable[..., None]) -> None:
    people: list[dict[str, t.Any]] = [
        {"id": "2", "name": "Bob", "dept": "old"},
        {"id": "9", "name": "Gone", "dept": "G"},
        {"id": "8", "name": "A", "dept": None},
        {"id": "8", "name": "B", "dept": None},
    ]
    destination = ListProvider(info=info_of("id", "name", "dept"), records=people)
    changed: list[bool] = []

    def change_once() -> None:
        if not changed and destination.reads[-1][0] == "read_keys":
            changed.append(True)
            people[0]["dept"] = "touched"
            people.append({"id": "1", "name": "Other", "dept": None})
            people.append({"id": "9", "name": "Twice", "dept": "G"})

    destination.between = change_once
    put_in_place(db=destination)
    world.job()
    result = world.run().result
    ((name, counts),) = result.objects
    assert name == "people"
    assert (counts.created, counts.updated, counts.deleted) == (1, 0, 0)
    assert (counts.conflicts, counts.skipped, counts.warnings, counts.errors) == (2, 2, 2, 1)
    assert result.statistics == counts
    assert (result.status, result.agreement) == ("completed_with_errors", "different")
    assert "1 error, 2 skipped because they had moved on" in result.message
    found = sorted((problem.level, problem.code, problem.key) for problem in result.problems)
    assert [each[0] for each in found] == ["error", "warning", "warning"]
    assert [line["status"] for line in world.lines(1, "changes.jsonl")].count("done") == 1


# -- marks and earlier runs --------------------------------------------------------------------------------------

STAMPED = ("1,Ann,E,2026-11-01", "2,Bob,F,2026-11-02", "3,Cy,,2026-11-03")


def stamp(world: World, *rows: str) -> None:
    world.write(*rows, header="id,name,dept,modified")


def mark_of(world: World) -> str | None:
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        row = connection.execute("SELECT value FROM lockstep_marks").fetchone()
    return None if row is None else str(row[0])


def test_a_succeeded_run_moves_the_mark_and_the_next_reads_what_is_newer(world: World) -> None:
    stamp(world, *STAMPED)
    world.job(changed_only={"field": "modified"}, missing_at_source="skip")
    world.preview()
    assert mark_of(world) is None
    world.run()
    assert mark_of(world) == "2026-11-03"
    stamp(world, "1,Changed,E,2026-11-01", "2,Bob,F,2026-11-02", "3,Cy,New,2026-11-04")
    assert [item.change.key for item in world.run().result.changes] == [("3",)]
    assert mark_of(world) == "2026-11-04"
    assert [item.change.key for item in world.preview(full=True).result.changes] == [("1",)]
    assert [item.change.key for item in world.preview(keys=("1",)).result.changes] == [("1",)]
    assert world.run(explain="1").result.changes_total == 1
    assert [item.change.key for item in world.run(full=True).result.changes] == [("1",)]


@pytest.mark.parametrize("reason", ["keys", "held", "errors", "failed"])
def test_the_mark_stays_when_a_run_did_not_do_all(world: World, reason: str) -> None:
    stamp(world, *STAMPED) if reason != "errors" else stamp(world, *STAMPED, "4," + "D" * 21 + ",X,2026-11-09")
    world.job(changed_only={"field": "modified"}, limits={"creates": "0"} if reason == "held" else {})
    if reason == "failed":
        world.sql("ALTER TABLE people RENAME TO elsewhere")
    status = world.run(keys=("1", "2", "3") if reason == "keys" else ()).result.status
    assert status == {"keys": "succeeded", "errors": "completed_with_errors"}.get(reason, reason)
    assert mark_of(world) is None


def test_time_stamps_that_nobody_can_read_make_no_mark(world: World) -> None:
    stamp(world, "1,Ann,E,yesterday", "2,Bob,F,")
    world.job(changed_only={"field": "modified"})
    assert world.run().result.status == "succeeded"
    assert mark_of(world) is None


def test_a_job_without_changed_only_has_no_mark(world: World) -> None:
    world.job()
    world.run()
    assert mark_of(world) is None


def test_incremental_runs_need_the_time_stamp_field(world: World) -> None:
    world.job(changed_only={"field": "modified"})
    ran = world.run()
    assert ran.failure_code == "config"
    assert "there is no field 'modified'" in ran.result.message


def test_a_source_that_dropped_since_the_last_succeeded_run_holds_deletes(world: World) -> None:
    world.job(limits={"source_drop": "40%", "deletes": "100%"})
    world.run()
    world.write("1,Ann,E")
    result = world.run().result
    assert [(held.guard, held.count) for held in result.held] == [("source_drop", 2)]
    assert world.people() == IN_STEP
    again = world.run().result
    assert [held.guard for held in again.held] == ["source_drop"], "a held run is not the one to compare with"


# -- bad surroundings --------------------------------------------------------------------------------------------


def test_a_source_field_that_does_not_exist(world: World) -> None:
    world.job(objects=[{"name": "people", "fields": [KEY, {"name": "name", "source": "nmae"}]}])
    ran = world.run()
    assert (ran.result.status, ran.failure_code) == ("failed", "config")
    assert "object 'people', field 'name': there is no source field 'nmae'. Did you mean 'name'?" in ran.result.message
    assert world.people() == BEFORE


def test_a_missing_source_fails_the_run(world: World) -> None:
    world.job()
    world.source.unlink()
    ran = world.run()
    assert (ran.result.status, ran.failure_code) == ("failed", "provider")
    assert str(world.source) in ran.result.message
    assert world.people() == BEFORE


def test_the_folder_of_a_failed_run_has_its_log(world: World) -> None:
    world.job()
    world.source.unlink()
    result = world.run().result
    assert result.log_file is not None
    assert result.message in Path(result.log_file).read_text()


def test_explain_of_a_record_out_of_scope_is_no_error(world: World) -> None:
    world.job(objects=[{"name": "people", "when": "source.dept != 'F'", "fields": [KEY, NAME, DEPT]}])
    ran = world.run(explain="2")
    assert ran.explanation is not None
    (explained,) = ran.explanation
    assert explained["decision"] == "out of scope"
    assert (ran.result.status, ran.result.statistics.errors) == ("succeeded", 0)


def test_a_preview_warns_of_a_column_that_new_records_would_lack(world: World) -> None:
    world.sql("ALTER TABLE people ADD COLUMN badge TEXT NOT NULL DEFAULT ''")
    world.job()
    assert "unmapped" not in [problem.code for problem in world.run(preview=True).result.problems]
    world.sql("DROP TABLE people")
    world.sql("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, dept TEXT, badge TEXT NOT NULL)")
    result = world.run(preview=True).result
    (warning,) = [problem.message for problem in result.problems if problem.code == "unmapped"]
    assert warning.startswith("table 'people' needs a value for 'badge' (TEXT) in new records")
    assert result.statistics.warnings == 1
