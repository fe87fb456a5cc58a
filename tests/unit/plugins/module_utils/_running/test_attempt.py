# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying again: readings that fail in a passing way, and whole runs with `on_error`."""

from __future__ import annotations

import gc
import typing as t
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from support.lists import ListProvider, info_of
from support.worlds import Failing, World, warnings

INFO = info_of("id", "name", "dept")
Put = Callable[..., None]


def busy() -> ProviderError:
    return ProviderError("it was busy.", retriable=True)


def broken() -> ProviderError:
    return ProviderError("the disk is on fire.")


def records_of(*keys: str, name: str = "A") -> list[dict[str, t.Any]]:
    return [{"id": key, "name": name, "dept": None} for key in keys]


@pytest.mark.parametrize("preview", [True, False])
def test_a_reading_that_fails_in_a_passing_way_is_tried_again(world: World, put_in_place: Put, preview: bool) -> None:
    world.job()
    source = Failing(info=INFO, records=records_of("1"), read_failures=[busy(), busy(), busy()])
    destination = ListProvider(info=INFO)
    put_in_place(hr=source, db=destination)
    ran = world.run(preview=preview)
    assert (ran.result.status, ran.result.changes_total) == ("succeeded", 1)
    assert world.slept == [1, 2, 4]
    assert warnings(ran) == [f"it was busy. Trying again in {delay} s." for delay in (1, 2, 4)]
    assert ran.result.statistics.read == 1
    assert source.released >= 4, "each try reads a state of its own"


def test_a_reading_that_fails_four_times_fails_the_run(world: World, put_in_place: Put) -> None:
    world.job()
    source = Failing(info=INFO, read_failures=[busy(), busy(), busy(), busy()])
    put_in_place(hr=source, db=ListProvider(info=INFO))
    ran = world.run()
    assert (ran.result.status, ran.failure_code, world.slept) == ("failed", "provider", [1, 2, 4])
    assert ran.result.message == "Job 'j' failed: it was busy. Nothing was changed."


def test_a_reading_that_fails_for_good_is_not_tried_again(world: World, put_in_place: Put) -> None:
    world.job()
    put_in_place(hr=Failing(info=INFO, read_failures=[broken()]), db=ListProvider(info=INFO))
    assert (world.run().failure_code, world.slept) == ("provider", [])


def test_a_failed_run_is_tried_again_after_the_delay(world: World, put_in_place: Put) -> None:
    world.job(on_error={"retries": 2, "delay": 30})
    put_in_place(
        hr=Failing(info=INFO, records=records_of("1"), read_failures=[broken(), broken()]), db=ListProvider(info=INFO)
    )
    ran = world.run()
    assert (ran.result.status, ran.failure_code, world.slept) == ("succeeded", "", [30, 30])
    assert warnings(ran) == [f"try {number} of 3 failed; the next starts in 30 s." for number in (1, 2)]
    assert (world.runs / "1" / "plan-3.jsonl").exists()
    assert ran.result.duration == 60


def test_a_wrong_declaration_is_not_tried_again(world: World) -> None:
    world.job(on_error={"retries": 2, "delay": 30}, changed_only={"field": "nothing"})
    assert (world.run().failure_code, world.slept) == ("config", [])


def test_a_run_that_fails_in_all_tries_says_what_was_made(world: World, put_in_place: Put) -> None:
    world.job(on_error={"retries": 1, "delay": 0})
    destination = ListProvider(info=INFO, write_batch=2)
    put_in_place(hr=Failing(info=INFO, records=records_of("1", "2", "3", "4")), db=destination)
    destination.write_failures = [broken(), broken()]
    ran = world.run()
    assert ran.result.message == (
        "Job 'j' failed: the disk is on fire. Whether 2 changes came through is not known; the next run compares anew."
    )
    assert world.slept == []
    assert ran.result.changes_total == 2, "what the first try left in doubt was looked at anew by the second"


class BreaksOnce(ListProvider):
    """A destination that breaks for good in its second batch, once."""

    batches = 0

    def writer(self, target: t.Any) -> t.Any:
        writer = super().writer(target)
        apply = writer.apply

        def apply_or_break(changes: t.Any) -> t.Any:
            self.batches += 1
            if self.batches == 2:
                raise broken()
            return apply(changes)

        writer.apply = apply_or_break
        return writer


def test_the_second_try_counts_on_and_forgets_what_was_in_doubt(world: World, put_in_place: Put) -> None:
    world.job(on_error={"retries": 1, "delay": 5})
    destination = BreaksOnce(info=INFO, write_batch=2)
    put_in_place(hr=Failing(info=INFO, records=records_of("1", "2", "3", "4")), db=destination)
    ran = world.run()
    assert ran.result.status == "succeeded"
    assert [record["id"] for record in destination.records] == ["1", "2", "3", "4"]
    assert [(item.change.number, item.change.key) for item in ran.result.changes] == [
        (1, ("1",)),
        (2, ("2",)),
        (5, ("3",)),
        (6, ("4",)),
    ]
    assert ran.result.statistics.created == 4
    assert ran.result.problems == []
    assert [line["number"] for line in world.lines(1, "plan-2.jsonl") if "number" in line] == [5, 6]
    assert len(world.store.runs.changes(1)) == 4


def test_a_second_try_without_a_plan_keeps_what_the_first_left_in_doubt(world: World, put_in_place: Put) -> None:
    world.job(on_error={"retries": 1, "delay": 5})
    source = Failing(info=INFO, records=records_of("1", "2", "3", "4"))
    destination = BreaksOnce(info=INFO, write_batch=2)
    put_in_place(hr=source, db=destination)
    world.on_sleep = lambda: source.read_failures.append(broken())
    ran = world.run()
    assert [item.outcome.code for item in ran.result.changes if item.outcome] == ["", "", "in_doubt", "in_doubt"]
    assert ran.result.message == (
        "Job 'j' failed: the disk is on fire. 2 changes had been made before. "
        "Whether 2 changes came through is not known; the next run compares anew. "
        "`resume: 1` goes on from there; running the job again compares both sides anew."
    )
    assert ran.result.statistics.created == 2


def test_a_record_that_the_second_try_puts_right_is_no_error(world: World, put_in_place: Put) -> None:
    world.job(on_error={"retries": 1, "delay": 5})
    destination = BreaksOnce(info=INFO, write_batch=1)
    put_in_place(hr=Failing(info=INFO, records=records_of("1", "2")), db=destination)

    def appear_once() -> None:
        destination.between = lambda: None
        destination.records.extend(records_of("1", name="Other"))

    destination.between = appear_once
    ran = world.run()
    assert (ran.result.status, ran.result.agreement, ran.result.problems) == ("succeeded", "equal", [])
    assert {record["id"]: record["name"] for record in destination.records} == {"1": "A", "2": "A"}
    assert [item.change.action for item in ran.result.changes] == ["create", "update"]


def test_the_collector_of_garbage_is_left_as_it_was(world: World) -> None:
    world.job()
    gc.disable()
    try:
        world.preview()
        assert not gc.isenabled()
    finally:
        gc.enable()
    world.preview()
    assert gc.isenabled()


class Watching(ListProvider):
    """A destination that sees how many objects the collector of garbage leaves out while it is written to."""

    left_out = 0

    def writer(self, target: t.Any) -> t.Any:
        self.left_out = gc.get_freeze_count()
        return super().writer(target)


@pytest.mark.parametrize("failures", [[], [broken()]])
def test_the_collector_of_garbage_leaves_a_plan_out_until_the_run_ends(
    world: World, put_in_place: Put, failures: list[Exception]
) -> None:
    world.job()
    destination = Watching(info=INFO)
    destination.write_failures = failures
    put_in_place(hr=ListProvider(info=INFO, records=records_of("1")), db=destination)
    world.run()
    assert destination.left_out
    assert gc.get_freeze_count() == 0
