# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that `protect` names are never touched: by no run, kept plan, undo or resumed run."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from support.worlds import World

VIP = "destination.note == 'vip'"


def protect(world: World, *keys: int) -> None:
    world.sql(f"UPDATE people SET note = 'vip' WHERE id IN ({', '.join(map(str, keys))})")


def told(result: RunResult) -> list[tuple[str, str, str]]:
    return sorted((each.level, each.code, each.key[0]) for each in result.problems)


def test_a_table_protects_by_an_expression_on_the_record_as_it_is(world: World) -> None:
    world.job(protect=VIP)
    protect(world, 2, 9)
    result = world.run().result
    assert (result.status, result.statistics.created, result.statistics.changes) == ("succeeded", 2, 2)
    assert world.people()[1] == (2, "Bob", "old")
    assert world.people()[3] == (9, "Gone", "G")
    assert told(result) == [("info", "skipped", "2"), ("info", "skipped", "9")]
    assert result.problems[0].message == f"protected: it matches `protect: {VIP}`."
    assert result.statistics.skipped == 2


def test_the_fields_it_looks_at_may_be_mapped_and_whole_records_too(world: World) -> None:
    world.job(protect="destination.values() | select('equalto', 'old') | list | length == 1")
    assert world.run().result.statistics.updated == 0
    world.job(protect="destination.name == 'Bob'")
    assert world.run().result.statistics.updated == 0
    world.job()
    assert world.run().result.statistics.updated == 1


def test_what_it_cannot_tell_is_an_error_and_left_alone(world: World) -> None:
    world.job(protect="destination.dept | int(default=none) > 3")
    result = world.run().result
    assert (result.status, result.statistics.created, result.statistics.changes) == ("completed_with_errors", 2, 2)
    assert [(level, key) for level, _code, key in told(result)] == [("error", "2"), ("error", "9")]


def test_an_unknown_field_stops_the_run(world: World) -> None:
    world.job(protect="destination.vip")
    before = world.people()
    result = world.run().result
    assert result.status == "failed"
    assert "object 'people', protect: there is no destination field 'vip'" in result.message
    assert world.people() == before


def test_a_kept_plan_leaves_out_who_is_protected_by_now(world: World) -> None:
    world.job(protect=VIP)
    plan = world.preview(keep_plan=True).result
    assert plan.statistics.changes == 4
    protect(world, 2, 9)
    result = world.run("", plan=plan.plan_id).result
    assert (result.statistics.created, result.statistics.changes, result.statistics.conflicts) == (2, 2, 2)
    assert told(result) == [("warning", "protected", "2"), ("warning", "protected", "9")]
    assert [row[0] for row in world.people()] == [1, 2, 3, 9]


def test_an_undo_leaves_out_who_is_protected_by_now(world: World) -> None:
    world.job(protect=VIP)
    world.run()
    protect(world, 1, 2)
    after = world.people()
    result = world.run("", undo=1, accept=frozenset({"deletes"})).result
    assert (result.statistics.created, result.statistics.deleted, result.statistics.updated) == (1, 1, 0)
    assert told(result) == [("warning", "protected", "1"), ("warning", "protected", "2")]
    assert [row for row in world.people() if row[0] < 3] == after[:2]
