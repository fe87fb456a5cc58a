# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back what a run did, in tables and files."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from hypothesis import given, settings
from hypothesis import strategies as st
from support.worlds import KEY, NAME, World

WHOLE = "SELECT id, name, dept, note FROM people ORDER BY id"


def undo(world: World, run: int | None = None, **options: t.Any) -> RunResult:
    """Take back `run`, the last one when it is not named."""
    last = world.store.runs.last("j")
    assert last is not None
    return world.run("", undo=run or last.id, **options).result


def codes(result: RunResult) -> list[tuple[str, str]]:
    return sorted((problem.code, problem.key[0]) for problem in result.problems if problem.level == "warning")


def test_everything_is_as_before_unmapped_columns_too(world: World) -> None:
    world.job()
    world.sql("UPDATE people SET note = 'keep me' WHERE id = 9")
    before = world.sql(WHOLE)
    assert world.run().result.statistics.changes == 4
    result = undo(world, accept=frozenset({"deletes"}))
    assert (result.status, result.kind, result.agreement) == ("succeeded", "undo", "different")
    assert (result.statistics.created, result.statistics.updated, result.statistics.deleted) == (1, 1, 2)
    assert world.sql(WHOLE) == before
    assert result.message.startswith("The undo of run 1 of job 'j' made 4 changes")


def test_an_undo_can_be_undone(world: World) -> None:
    world.job()
    world.run()
    after = world.sql(WHOLE)
    undo(world)
    assert undo(world).status == "succeeded"
    assert world.sql(WHOLE) == after


def test_a_preview_of_an_undo_writes_nothing(world: World) -> None:
    world.job()
    world.run()
    after = world.sql(WHOLE)
    result = undo(world, preview=True)
    assert [item.change.action for item in result.changes] == ["create", "update", "delete", "delete"]
    assert (result.preview, result.id, world.sql(WHOLE)) == (True, None, after)


def test_fields_that_somebody_changed_since_stay_and_the_others_go_back(world: World) -> None:
    world.write("2,Rob,F", "9,Gone,G")
    world.job()
    world.run()
    world.sql("UPDATE people SET dept = 'by hand' WHERE id = 2")
    result = undo(world)
    assert world.sql("SELECT name, dept FROM people WHERE id = 2") == [("Bob", "by hand")]
    assert codes(result) == [("moved_on", "2")]
    assert (result.statistics.conflicts, result.statistics.updated) == (1, 1)


def test_a_new_record_that_somebody_changed_stays(world: World) -> None:
    world.job()
    world.run()
    world.sql("UPDATE people SET name = 'Anna' WHERE id = 1")
    result = undo(world)
    assert codes(result) == [("moved_on", "1")]
    assert world.people() == [(1, "Anna", "E"), (2, "Bob", "old"), (9, "Gone", "G")]


def test_a_new_record_with_a_note_somebody_added_goes_and_comes_back_with_it(world: World) -> None:
    world.job()
    world.run()
    world.sql("UPDATE people SET note = 'a note' WHERE id = 1")
    undo(world)
    undo(world)
    assert world.sql("SELECT note FROM people WHERE id = 1") == [("a note",)]


def test_a_record_that_is_there_again_is_left_alone(world: World) -> None:
    world.job()
    world.run()
    world.sql("INSERT INTO people VALUES (9, 'New', 'N', NULL)")
    assert codes(undo(world)) == [("exists", "9")]
    assert (9, "New", "N") in world.people()


def test_what_is_gone_is_told(world: World) -> None:
    world.job()
    world.run()
    world.sql("DELETE FROM people WHERE id IN (1, 2)")
    result = undo(world)
    assert codes(result) == [("gone", "2")], "a new record that is gone is what was wanted"
    assert world.people() == [(9, "Gone", "G")]


def test_guards_hold_an_undo_too(world: World) -> None:
    world.write(*(f"{number},N{number}," for number in (2, 9, *range(100, 130))))
    world.job()
    world.run()
    result = undo(world)
    assert (result.status, result.statistics.deleted) == ("held", 0)
    (held,) = result.held
    assert "30 deletes (93.8 % of 32) are more than the limit `deletes: 10% above 10`" in held.message
    let_through = world.run("", plan=result.plan_id, accept=frozenset({"deletes"})).result
    assert (let_through.status, let_through.kind, let_through.origin_id) == ("succeeded", "undo", 1)
    assert len(world.people()) == 2


def test_an_undo_is_approved_as_a_plan_like_any_other(world: World) -> None:
    world.job()
    before = world.sql(WHOLE)
    world.run()
    plan = undo(world, preview=True, keep_plan=True).plan_id
    assert world.run("", plan=plan).result.kind == "undo"
    assert world.sql(WHOLE) == before


def test_an_undo_of_a_run_that_did_nothing(world: World) -> None:
    world.job()
    world.run()
    world.run()
    result = undo(world)
    assert (result.status, result.statistics.changes) == ("succeeded", 0)
    assert "found nothing to change" in result.message


def test_undoing_twice_does_nothing_the_second_time(world: World) -> None:
    world.job()
    world.run()
    undo(world, 1)
    before = world.sql(WHOLE)
    result = undo(world, 1)
    assert (result.statistics.changes, world.sql(WHOLE)) == (0, before)


def test_runs_that_cannot_be_undone(world: World) -> None:
    with pytest.raises(ConfigError, match="undo: there is no run 7 in"):
        world.run("", undo=7)
    world.job()
    world.run()
    world.store.jobs.delete("j")
    with pytest.raises(ConfigError, match="undo: job 'j' of run 1 was deleted, so nobody knows where it wrote"):
        world.run("", undo=1)


def test_an_object_that_the_job_has_no_more(world: World) -> None:
    world.job()
    world.run()
    world.job(objects=[{"name": "others", "fields": [KEY, NAME]}])
    assert "there is no object 'people'. Valid: 'others'" in undo(world).message


def test_a_file_is_put_back_as_it_was(world: World) -> None:
    path = world.folder / "out.csv"
    path.write_text("id,name,note\n2,Bob,two\n9,Gone,nine\n", encoding="utf-8")
    world.provider("file", "csv", path=str(path))
    world.job(destination={"provider": "file"}, objects=[{"name": "people", "fields": [KEY, NAME]}])
    world.run()
    assert "9,Gone" not in path.read_text(encoding="utf-8")
    undo(world)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sorted(lines) == ["2,Bob,two", "9,Gone,nine", "id,name,note"]


def test_a_password_stays_and_is_told(world: World) -> None:
    world.sql("ALTER TABLE people ADD COLUMN pw TEXT")
    fields = [KEY, NAME, {"name": "pw", "transform": [{"password": {}}]}]
    world.job(objects=[{"name": "people", "fields": fields}])
    world.run()
    assert world.sql("SELECT length(pw) FROM people WHERE id = 1") == [(16,)]
    undo(world)
    assert world.people() == [(2, "Bob", "old"), (9, "Gone", "G")]


ROWS = st.dictionaries(
    st.integers(1, 8),
    st.tuples(
        st.text("abé ", min_size=1, max_size=3).filter(str.strip), st.none() | st.text("xy", min_size=1, max_size=2)
    ),
    max_size=8,
)


@settings(max_examples=int(os.environ.get("LOCKSTEP_ROUND_TRIPS", "50")))
@given(ROWS, ROWS)
def test_any_run_is_taken_back_and_made_again(before: dict[int, t.Any], source: dict[int, t.Any]) -> None:
    world = fresh_world()
    world.job(limits={"deletes": "100%", "min_source_records": "0"})
    world.sql("DELETE FROM people")
    for key, (name, dept) in before.items():
        world.sql(f"INSERT INTO people VALUES ({key}, '{name}', {sql_text(dept)}, 'note {key}')")
    world.write(*(f"{key},{name},{dept or ''}" for key, (name, dept) in source.items()))
    start = world.sql(WHOLE)
    ran = world.run().result
    assert ran.statistics.errors == 0
    end = world.sql(WHOLE)
    undone = undo(world, ran.id)
    assert (undone.statistics.errors, undone.statistics.conflicts) == (0, 0)
    assert world.sql(WHOLE) == start
    again = undo(world, undone.id)
    assert (again.statistics.conflicts, world.sql(WHOLE)) == (0, end)


def sql_text(value: str | None) -> str:
    return "NULL" if value is None else f"'{value}'"


_worlds: list[World] = []


def fresh_world() -> World:
    assert _worlds
    return _worlds[0]


@pytest.fixture(autouse=True)
def shared_world(world: World) -> t.Iterator[None]:
    """Hypothesis runs its examples in one world: each begins with an empty table."""
    _worlds[:] = [world]
    yield
    _worlds.clear()
