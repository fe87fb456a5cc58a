# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that were kept: applied exactly, once, and only to the job they were made for."""

from __future__ import annotations

import sqlite3
import typing as t
from collections.abc import Callable
from contextlib import closing

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from support.lists import ListProvider, info_of
from support.worlds import DEPT, KEY, NAME, World

LEAVING = {"deletes": "0"}


def keep(world: World, **options: t.Any) -> int:
    """Preview the job, keep the plan, and give its number."""
    result = world.preview(keep_plan=True, **options).result
    assert result.plan_id is not None
    return result.plan_id


def apply(world: World, plan: int, **options: t.Any) -> RunResult:
    return world.run("", plan=plan, **options).result


def done(result: RunResult) -> list[str]:
    return [
        f"{item.change.action} {item.change.key[0]}"
        for item in result.changes
        if item.outcome is not None and item.outcome.status == "done"
    ]


def test_a_kept_plan_is_applied_exactly_whatever_the_source_says_by_then(world: World) -> None:
    world.job()
    plan = keep(world)
    shown = world.preview().result
    world.write("1,Other,X", "4,New,Y")
    result = apply(world, plan)
    assert (result.status, result.kind, result.plan_id) == ("succeeded", "plan", plan)
    assert done(result) == ["create 1", "create 3", "update 2", "delete 9"]
    assert result.plan_digest == shown.plan_digest
    assert world.people() == [(1, "Ann", "E"), (2, "Bob", "F"), (3, "Cy", None)]
    assert result.message.startswith(f"Plan {plan} of job 'j' made 4 changes (2 created, 1 updated, 1 deleted)")


def test_applying_needs_no_source(world: World) -> None:
    world.job()
    plan = keep(world)
    world.source.unlink()
    assert apply(world, plan).status == "succeeded"


def test_a_preview_of_a_kept_plan_shows_it_and_writes_nothing(world: World) -> None:
    world.job()
    plan = keep(world)
    before = world.people()
    result = apply(world, plan, preview=True)
    assert [item.change.action for item in result.changes] == ["create", "create", "update", "delete"]
    assert (result.preview, world.people(), world.store.plans.get(plan).run_id) == (True, before, None)  # type: ignore[union-attr]


def test_a_plan_is_applied_once(world: World) -> None:
    world.job()
    plan = keep(world)
    first = apply(world, plan)
    ran = world.run("", plan=plan)
    assert (ran.result.status, ran.failure_code) == ("failed", "config")
    assert f"plan {plan} was applied by run {first.id}; a plan is applied once. Make a new one." in ran.result.message


def test_objects_that_moved_on_are_skipped_and_the_rest_is_applied(world: World) -> None:
    world.job()
    plan = keep(world)
    world.sql("UPDATE people SET dept = 'touched' WHERE id = 2")
    world.sql("INSERT INTO people VALUES (3, 'Someone else', NULL, NULL)")
    result = apply(world, plan)
    assert done(result) == ["create 1", "delete 9"]
    assert sorted(problem.code for problem in result.problems) == ["exists", "moved_on"]
    assert world.people() == [(1, "Ann", "E"), (2, "Bob", "touched"), (3, "Someone else", None)]


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.job(missing_at_source="skip"),
        lambda world: world.job(objects=[{"name": "people", "fields": [KEY, NAME]}]),
        lambda world: world.provider("db", "sql", url=f"sqlite:///{world.folder / 'other.db'}"),
        lambda world: world.provider("hr", "csv", path=str(world.source), delimiter=";"),
    ],
    ids=["rule", "fields", "destination", "source"],
)
def test_a_plan_of_an_earlier_definition_is_refused(world: World, change: Callable[[World], None]) -> None:
    world.job()
    plan = keep(world)
    change(world)
    ran = world.run("", plan=plan)
    assert (ran.failure_code, ran.result.status) == ("config", "failed")
    assert "has changed since the plan was made. Preview the job and make a new plan." in ran.result.message
    assert len(world.people()) == 2


def test_what_decides_nothing_of_what_is_written_may_change(world: World) -> None:
    world.job()
    plan = keep(world)
    world.job(description="other words", owners=["me"], limits={"deletes": "500"})
    assert apply(world, plan).status == "succeeded"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lockstep_plan_lines SET line = replace(line, 'Ann', 'Eve') WHERE position = 2",
        "DELETE FROM lockstep_plan_lines WHERE position = 3",
        "DELETE FROM lockstep_plan_lines WHERE position = 6",
        "UPDATE lockstep_plan_lines SET line = 'x' WHERE position = 1",
    ],
)
def test_nothing_of_a_plan_that_was_tampered_with_is_applied(world: World, statement: str) -> None:
    world.job()
    plan = keep(world)
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        assert connection.execute(statement).rowcount == 1
        connection.commit()
    ran = world.run("", plan=plan)
    assert (ran.failure_code, len(world.people())) == ("store", 2)
    assert "Nothing of it is used." in ran.result.message


def test_a_plan_sealed_anew_by_somebody_else_is_refused(world: World) -> None:
    world.job()
    plan, other = keep(world), keep(world, keys=("1",))
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        connection.execute(f"DELETE FROM lockstep_plan_lines WHERE plan_id = {plan}")
        connection.execute(f"UPDATE lockstep_plan_lines SET plan_id = {plan} WHERE plan_id = {other}")
        connection.commit()
    assert "is not the one that was sealed as" in apply(world, plan).message


def test_a_plan_that_does_not_exist(world: World) -> None:
    with pytest.raises(ConfigError, match="plan: there is no plan 7 in"):
        world.run("", plan=7)


def test_a_real_run_keeps_its_plan_as_applied(world: World) -> None:
    world.job()
    result = world.run(keep_plan=True).result
    stored = world.store.plans.get(result.plan_id or 0)
    assert stored is not None
    assert (stored.run_id, stored.digest, stored.changes_total) == (result.id, result.plan_digest, 4)
    assert stored.counts == {"create": 2, "delete": 1, "update": 1}


# -- what guards hold -----------------------------------------------------------------------------------------------


def test_what_a_guard_held_is_let_through_later_exactly_and_once(world: World) -> None:
    world.job(limits=LEAVING)
    result = world.run().result
    assert (result.status, done(result)) == ("held", ["create 1", "create 3", "update 2"])
    plan = result.plan_id or 0
    assert result.message.endswith(f"The held changes are kept as plan {plan}.")
    world.write("1,Ann,E")  # 2 and 3 would go now, but nobody has seen that
    assert "let through with `accept: [deletes]`" in apply(world, plan).message
    later = apply(world, plan, accept=frozenset({"deletes"}))
    assert (later.status, done(later)) == ("succeeded", ["delete 9"])
    assert world.people() == [(1, "Ann", "E"), (2, "Bob", "F"), (3, "Cy", None)]
    again = apply(world, plan, accept=frozenset({"deletes"}))
    assert (again.status, again.message.endswith("a plan is applied once. Make a new one. Nothing was changed.")) == (
        "failed",
        True,
    )


def test_a_kept_preview_with_accepted_guards_is_applied_in_the_planned_order(world: World) -> None:
    world.job(limits={"creates": "0", "deletes": "0"})
    plan = keep(world)
    first = apply(world, plan, accept=frozenset({"creates"}))
    assert (first.status, done(first)) == ("held", ["create 1", "create 3", "update 2"])
    second = apply(world, plan, accept=frozenset({"creates", "deletes"}))
    assert (second.status, done(second)) == ("succeeded", ["delete 9"])


def test_a_run_that_accepts_a_guard_is_not_held(world: World) -> None:
    world.job(limits=LEAVING)
    result = world.run(accept=frozenset({"deletes"})).result
    assert (result.status, result.statistics.deleted, result.plan_id) == ("succeeded", 1, None)
    assert any("1 deletes are beyond the limit `0` and were accepted" in line.message for line in result.log)


def test_an_accepted_guard_lets_no_other_through(world: World) -> None:
    world.job(limits=LEAVING | {"min_source_records": "10"})
    result = world.run(accept=frozenset({"deletes"})).result
    assert [held.guard for held in result.held] == ["min_source_records"]
    assert result.statistics.deleted == 0
    plan = result.plan_id or 0
    assert apply(world, plan, accept=frozenset({"deletes"})).status == "failed"
    assert done(apply(world, plan, accept=frozenset({"deletes", "min_source_records"}))) == ["delete 9"]


# -- faults ---------------------------------------------------------------------------------------------------------


def test_a_destination_that_fails_half_way_is_gone_on_with(world: World, put_in_place: Callable[..., None]) -> None:
    world.job()
    plan = keep(world)
    world.job()
    records: list[dict[str, t.Any]] = [
        {"id": "2", "name": "Bob", "dept": "old"},
        {"id": "9", "name": "Gone", "dept": "G"},
    ]
    failing = ListProvider(
        info=info_of("id", "name", "dept"),
        records=records,
        write_batch=1,
        write_failures=[],
    )
    put_in_place(db=failing)
    original = failing.writer

    def writer(target: t.Any) -> t.Any:
        made = original(target)
        applied = made.apply

        def apply_once(changes: t.Any) -> t.Any:
            if len(made.calls) == 2:
                made.calls.append([])
                raise ProviderError("the disk is on fire.")
            return applied(changes)

        made.apply = apply_once
        return made

    failing.writer = writer  # type: ignore[method-assign]
    result = apply(world, plan)
    assert (result.status, done(result)) == ("failed", ["create 1", "create 3"])
    failing.writer = original  # type: ignore[method-assign]
    resumed = world.run("", resume=result.id).result
    assert (resumed.status, done(resumed)) == ("succeeded", ["update 2", "delete 9"])
    assert [record["id"] for record in records] == ["2", "1", "3"]


def test_a_store_that_cannot_keep_the_plan_stops_before_the_first_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.job()

    def full(*_args: t.Any, **_options: t.Any) -> int:
        raise StoreError("the store is full.")

    monkeypatch.setattr(type(world.store.plans), "add", full)
    ran = world.run(keep_plan=True)
    assert (ran.failure_code, len(world.people())) == ("store", 2)


def test_a_plan_with_two_objects_keeps_both(world: World) -> None:
    fields = [KEY, NAME, DEPT]
    world.job(
        missing_at_source="skip",
        objects=[
            {"name": "one", "when": "source.id == '1'", "fields": fields},
            {"name": "rest", "when": "source.id != '1'", "fields": fields},
        ],
    )
    result = apply(world, keep(world))
    assert {name: counts.created for name, counts in result.objects} == {"one": 1, "rest": 1}
