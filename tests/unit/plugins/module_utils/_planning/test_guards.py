# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Limits
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    ACTIONS,
    Action,
    Change,
    GuardClass,
    Held,
)
from ansible_collections.lockstep.sync.plugins.module_utils._planning.guards import Counts, judge_limits, split_held


def counts(**given: t.Any) -> Counts:
    standard = {
        "source_read": 100,
        "source_in_scope": 100,
        "destination_total": 100,
        "creates": 0,
        "updates": 0,
        "deletes": 0,
    }
    return Counts(**(standard | given))


def tripped(limits: Limits, **given: t.Any) -> list[GuardClass]:
    return [held.guard for held in judge_limits("person", limits, counts(**given))]


@pytest.mark.parametrize(
    ("deletes", "total", "trips"),
    [(10, 50, False), (11, 50, True), (11, 110, False), (12, 110, True), (100, 1000, False), (101, 1000, True)],
)
def test_deletes_are_held_by_default_beyond_ten_percent_and_ten(deletes: int, total: int, trips: bool) -> None:
    assert tripped(Limits(), deletes=deletes, destination_total=total) == (["deletes"] if trips else [])


def test_a_limit_of_zero_holds_every_delete() -> None:
    assert tripped(Limits(deletes="0"), deletes=1) == ["deletes"]
    assert tripped(Limits(deletes="0"), deletes=0) == []


def test_creates_and_updates_have_no_limit_by_default() -> None:
    assert tripped(Limits(), creates=100_000, updates=100_000) == []


def test_shares_count_against_the_source_for_creates_and_the_destination_for_the_rest() -> None:
    limits = Limits(creates="10%", updates="10%", deletes="10%")
    assert tripped(limits, source_in_scope=1000, creates=100, updates=10, deletes=10) == []
    assert tripped(limits, source_in_scope=1000, creates=101) == ["creates"]
    assert tripped(limits, destination_total=10, updates=2, deletes=2) == ["updates", "deletes"]


def test_a_share_of_nothing_trips_and_says_no_percentage() -> None:
    (held,) = judge_limits("person", Limits(creates="10%"), counts(source_in_scope=0, creates=1))
    assert held.guard == "creates"
    assert "% of" not in held.message


def test_a_tripped_guard_says_how_many_which_limit_and_what_to_do() -> None:
    (held,) = judge_limits("person", Limits(), counts(deletes=30))
    assert (held.object, held.guard, held.count, held.limit) == ("person", "deletes", 30, "10% above 10")
    assert held.message == (
        "object 'person': 30 deletes (30.0 % of 100) are more than the limit `deletes: 10% above 10`. None of them was "
        "made. Check the preview; if they are right, run with `accept: [deletes]`, or raise `limits.deletes` of the "
        "job."
    )


def test_a_source_with_fewer_records_than_expected_is_doubted() -> None:
    (held,) = judge_limits("person", Limits(min_source_records="50"), counts(source_read=49))
    assert (held.guard, held.count, held.limit) == ("min_source_records", 49, "50")
    assert "the source gave 49 records, fewer than `min_source_records: 50`. Nothing is believed gone." in held.message
    assert tripped(Limits(min_source_records="50"), source_read=50) == []


def test_an_empty_source_is_doubted_by_default() -> None:
    assert tripped(Limits(), source_read=0) == ["min_source_records"]
    assert tripped(Limits(min_source_records="0"), source_read=0) == []


def test_a_source_that_shrank_is_doubted() -> None:
    limits = Limits(source_drop="20%")
    assert tripped(limits, source_read=79, previous_read=100) == ["source_drop"]
    assert tripped(limits, source_read=80, previous_read=100) == []
    assert tripped(limits, source_read=200, previous_read=100) == []
    assert tripped(limits, source_read=1, previous_read=None) == []
    assert tripped(Limits(), source_read=1, previous_read=100) == []


def test_a_run_over_a_few_keys_is_not_judged_by_the_size_of_its_source() -> None:
    limits = Limits(source_drop="1%", min_source_records="50", updates="0")
    assert tripped(limits, source_read=1, previous_read=100, partial=True, updates=1) == ["updates"]


def change(action: Action) -> Change:
    return Change(number=0, object="person", action=action, key=("1",), before={}, after={})


ALL = [change(action) for action in ACTIONS]


@pytest.mark.parametrize(
    ("guard", "action"),
    [
        ("creates", "create"),
        ("updates", "update"),
        ("moves", "move"),
        ("deletes", "delete"),
    ],
)
def test_a_guard_holds_its_class_and_nothing_else(guard: GuardClass, action: Action) -> None:
    held = Held(object="person", guard=guard, count=1, limit="0", message="")
    free, kept = split_held(ALL, [held])
    assert [each.change.action for each in kept] == [action]
    assert [each.action for each in free] == [each for each in ACTIONS if each != action]


@pytest.mark.parametrize("guard", ["min_source_records", "source_drop", "absence"])
def test_doubt_about_the_source_holds_all_that_rests_on_absence(guard: GuardClass) -> None:
    held = Held(object="person", guard=guard, count=1, limit="0", message="")
    _free, kept = split_held(ALL, [held])
    assert [each.change.action for each in kept] == ["disable", "membership", "move", "delete"]


def test_what_goes_with_a_disable_is_held_with_it_and_with_nobody_else() -> None:
    held = Held(object="person", guard="disables", count=1, limit="0", message="")
    others = [replace(each, key=("2",)) for each in ALL if each.action in ("membership", "move")]
    free, kept = split_held([*ALL, *others], [held])
    assert [each.change.action for each in kept] == ["disable", "membership", "move"]
    assert all(each.change.key == ("1",) for each in kept)
    assert all(each.guards == {"disables"} for each in kept)
    assert [each for each in free if each.key == ("2",)] == others


def test_without_a_tripped_guard_everything_proceeds() -> None:
    assert split_held(ALL, []) == (ALL, [])
