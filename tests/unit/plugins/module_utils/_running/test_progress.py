# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run is, and the wish that it stops."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import CancelledError
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran, run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.progress import Board, Meter, show_seconds
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest, Runtime
from support.worlds import World


def meter(seconds: list[float]) -> Meter:
    return Meter(job="hr", monotonic=lambda: seconds[0])


def test_a_line_says_phase_and_numbers() -> None:
    seconds = [0.0]
    shown = meter(seconds)
    assert shown.line() == "hr: starting"
    shown.read("people")
    shown.done += 12_400
    assert shown.line() == "hr: reading people, 12,400 records so far"
    shown.read("groups")
    shown.done += 100
    assert shown.line() == "hr: reading groups, 12,500 records so far"
    shown.enter("planning")
    assert shown.line() == "hr: making the plan, 12,500 records were read"
    shown.write(50_000)
    assert shown.line() == "hr: applying 0 of 50,000 (0 %)"
    shown.done, shown.errors, seconds[0] = 12_500, 1, 20.0
    assert shown.line() == "hr: applying 12,500 of 50,000 (25 %), 1 error, about 1 min left"
    shown.done, shown.errors = 25_000, 3
    assert shown.line() == "hr: applying 25,000 of 50,000 (50 %), 3 errors, about 20 s left"
    shown.enter("finishing")
    assert shown.line() == "hr: writing the history"


def test_a_plan_is_read_for_anew_after_it_was_written() -> None:
    shown = meter([0.0])
    shown.write(10)
    shown.done = 10
    shown.read("people")
    assert shown.line() == "hr: reading people, 0 records so far"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "1 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (150, "2 min"),
        (3_590, "1 h"),
        (3_600, "1 h"),
        (7_800, "2 h 10 min"),
    ],
)
def test_lengths_of_time_are_rounded_as_people_say_them(seconds: float, shown: str) -> None:
    assert show_seconds(seconds) == shown


def test_the_board_shows_what_goes_on_and_nothing_that_has_ended() -> None:
    board = Board()
    with board.follow("one"), board.follow("two"):
        assert board.lines() == ["one: starting", "two: starting"]
        board.stop = "enough"
        assert board.lines()[0] == "one: starting; it stops after this batch"
    assert board.lines() == []


def test_who_waits_notices_the_wish_to_stop() -> None:
    board = Board(stop="enough")
    board.sleep(3_600)
    with pytest.raises(CancelledError, match=r"^it was stopped: enough$"):
        board.check()


def test_who_is_not_stopped_waits_to_the_end() -> None:
    now = iter([0.0, 0.0, 0.01, 0.02, 9.0])
    board = Board(monotonic=lambda: next(now))
    board.sleep(0.02)
    board.check()
    assert next(now) == 9.0


def stopped_when(happened: Callable[[], bool]) -> Board:
    """Give a board that is told to stop as soon as something has happened."""

    class Told(Board):
        def check(self) -> None:
            if happened():
                self.stop = "the test has seen enough"
            super().check()

    return Told()


def run_on(world: World, board: Board, name: str = "j", **options: object) -> Ran:
    runtime: Runtime = dataclasses.replace(world.runtime, board=board)
    return run_job(RunRequest(job=name, **options), world.store, runtime)  # type: ignore[arg-type]


@pytest.mark.parametrize("preview", [True, False])
def test_a_run_stops_while_it_reads_and_changes_nothing(world: World, preview: bool) -> None:
    world.job()
    before = world.people()
    ran = run_on(world, Board(stop="enough"), preview=preview)
    assert (ran.result.status, ran.failure_code) == ("failed", "cancelled")
    assert "Job 'j' failed: it was stopped: enough. Nothing was changed." in ran.result.message
    assert world.people() == before


def test_a_run_stops_between_two_batches_and_can_be_gone_on_with(world: World) -> None:
    world.write(*(f"{number},Name {number},IT" for number in range(10, 2_010)))
    world.job(missing_at_source="skip")
    ran = run_on(world, stopped_when(lambda: len(world.people()) > 100))
    made = ran.result.statistics.created
    assert ran.result.status == "failed"
    assert 100 < made < 2_000
    assert f"{made} changes had been made before. `resume: 1`" in ran.result.message
    assert world.run(job="", resume=1).result.status == "succeeded"
    assert len(world.people()) == 2_002


def test_a_run_that_was_stopped_is_not_tried_again(world: World) -> None:
    world.job(on_error={"retries": 3, "delay": 60})
    assert run_on(world, Board(stop="enough")).result.status == "failed"
    assert world.slept == []
