# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    Change,
    Held,
    HeldChange,
    Link,
    ObjectPlan,
    Plan,
    PlannedValue,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import Statistics
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._planning.guards import ACCEPTABLE
from ansible_collections.lockstep.sync.plugins.module_utils._planning.sealed import change_from_json, read_plan
from ansible_collections.lockstep.sync.plugins.module_utils._planning.sealing import change_to_json, seal, sealed_lines
from hypothesis import given
from hypothesis import strategies as st
from support.changes import LEAVERS, any_change

PASSWORD = GeneratedPassword(rule=PasswordRule(per="job", length=20))
CHANGES = (
    Change(number=1, object="person", action="create", key=("1",), before={}, after={"id": "1", "pw": PASSWORD}),
    Change(number=2, object="person", action="update", key=("2",), before={"name": None}, after={"name": "Bob\né"}),
    Change(number=3, object="person", action="delete", key=("3",), before={"raw": b"\xff", "many": ("a",)}, after={}),
)
TARGET = WriteTarget(container="people", key_fields=("id",), fields=("id", "name"))


def plan_of(*changes: Change, target: WriteTarget = TARGET, job: str = "hr", mapping: str = "m1") -> Plan:
    part = ObjectPlan(
        name="person",
        target=target,
        changes=changes,
        held_changes=(),
        held=(),
        problems=(),
        statistics=Statistics(),
    )
    return seal(Plan(job=job, definition_digest=mapping, objects=(part,)))


def read_changes(lines: t.Iterable[str]) -> list[Change]:
    return [change for part in read_plan(lines, "plan file plan").objects for change in part.changes]


def lines_of(plan: Plan) -> list[str]:
    lines: list[str] = []
    seal(plan, lines.append)
    return lines


@st.composite
def any_plan(draw: st.DrawFn) -> Plan:
    """A plan of two objects with everything that a plan can hold; changes are numbered as planners do."""
    parts = []
    first = 1
    for name in ("person", "group"):
        changes = [
            replace(change, object=name, number=number)
            for number, change in enumerate(draw(st.lists(any_change(), max_size=4)), first)
        ]
        first += len(changes)
        held = draw(st.lists(st.booleans(), min_size=len(changes), max_size=len(changes)))
        guards = draw(st.frozensets(st.sampled_from(ACCEPTABLE), min_size=1, max_size=3))
        keys = [change.key for change in changes] or [("1",)]
        parts.append(
            ObjectPlan(
                name=name,
                target=replace(
                    TARGET, loose_keys=draw(st.booleans()), object_classes=draw(st.sampled_from([(), ("a",)]))
                ),
                changes=[change for change, is_held in zip(changes, held, strict=True) if not is_held],
                held_changes=[
                    HeldChange(change=change, guards=guards)
                    for change, is_held in zip(changes, held, strict=True)
                    if is_held
                ],
                held=[Held(object=name, guard=guard, count=3, limit="1", message="m") for guard in sorted(guards)],
                problems=(),
                statistics=Statistics(read=draw(st.integers(0, 9))),
                links=[
                    Link(identity=draw(st.text(max_size=4)), anchor=draw(st.text(max_size=4)), key=key)
                    for key in keys
                    if changes
                ],
                leavers=draw(st.lists(LEAVERS, max_size=2)),
                returned=draw(st.lists(st.text(max_size=4), max_size=2)),
            )
        )
    return seal(Plan(job="hr", definition_digest="m1", objects=tuple(parts)))


@given(any_plan())
def test_a_plan_comes_back_as_it_was_sealed(plan: Plan) -> None:
    assert read_plan(sealed_lines(plan), "plan 7") == plan
    assert list(sealed_lines(plan)) == lines_of(plan)


def test_pairs_that_were_only_found_are_not_kept_with_a_plan() -> None:
    links = [Link(identity="7", anchor="a7", key=("7",)), Link(identity="1", anchor="", key=("1",))]
    plan = plan_of(*CHANGES)
    linked = seal(replace(plan, objects=(replace(plan.objects[0], links=links),)))
    assert read_plan(sealed_lines(linked), "plan 7").objects[0].links == links[1:]


def test_all_changes_that_are_read_share_the_names_of_their_fields() -> None:
    after = {"a long name": "1"}
    changes = [Change(number=n, object="person", action="create", key=("1",), before={}, after=after) for n in (1, 2)]
    first, second = ((*change.after, change.object) for change in read_changes(lines_of(plan_of(*changes))))
    assert all(mine is other for mine, other in zip(first, second, strict=True))


@given(st.lists(any_change(), max_size=4))
def test_a_plan_file_gives_back_exactly_its_changes(changes: list[Change]) -> None:
    assert read_changes(lines_of(plan_of(*changes))) == changes


@given(any_change())
def test_a_line_is_what_an_encoder_makes_of_the_change(change: Change) -> None:
    line = lines_of(plan_of(change))[1]
    assert line == json.dumps(change_to_json(change), sort_keys=True, separators=(",", ":")) + "\n"


@given(any_change())
def test_a_change_comes_back_from_its_json(change: Change) -> None:
    assert change_from_json(json.loads(json.dumps(change_to_json(change)))) == change


def test_the_digest_is_the_same_for_the_same_plan() -> None:
    assert plan_of(*CHANGES).digest == plan_of(*CHANGES).digest
    assert len(plan_of().digest) == 64


def altered(number: int, **fields: t.Any) -> tuple[Change, ...]:
    changes = list(CHANGES)
    changes[number] = replace(changes[number], **fields)
    return tuple(changes)


@pytest.mark.parametrize(
    "other",
    [
        plan_of(*CHANGES, job="crm"),
        plan_of(*CHANGES, mapping="m2"),
        plan_of(*CHANGES, target=replace(TARGET, container="staff")),
        plan_of(*CHANGES, target=replace(TARGET, replace=True)),
        plan_of(*CHANGES, target=replace(TARGET, fields=("id",))),
        plan_of(*CHANGES, target=replace(TARGET, key_fields=("name",))),
        plan_of(*CHANGES[:2]),
        plan_of(*reversed(CHANGES)),
        plan_of(*altered(1, after={"name": ""})),
        plan_of(*altered(1, before={"name": ""})),
        plan_of(*altered(1, key=("22",))),
        plan_of(*altered(1, action="delete")),
        plan_of(*altered(1, target="place")),
        plan_of(*altered(1, anchor="a1")),
        plan_of(*altered(1, after={"name": ValueChanges(added=("Bob\né",))})),
        plan_of(*altered(1, after={"name": ValueChanges(removed=("Bob\né",))})),
        plan_of(*altered(0, after={"id": "1", "pw": GeneratedPassword(rule=PasswordRule(length=6))})),
    ],
)
def test_the_digest_differs_when_anything_that_would_be_done_differs(other: Plan) -> None:
    assert other.digest != plan_of(*CHANGES).digest


def test_added_and_removed_values_are_told_apart_from_whole_ones() -> None:
    change = replace(CHANGES[1], anchor="a1", after={"tags": ValueChanges(added=("x", b"\xff"), removed=("y",))})
    data = change_to_json(change)
    assert data["after"] == {"tags": {"values": {"added": ["x", {"base64": "/w=="}], "removed": ["y"]}}}
    assert data["anchor"] == "a1"
    assert "anchor" not in change_to_json(CHANGES[1])


def test_a_plan_file_holds_no_password_only_its_rule() -> None:
    line = json.loads(lines_of(plan_of(*CHANGES))[1])
    assert line["after"]["pw"] == {"password": {**line["after"]["pw"]["password"], "per": "job", "length": 20}}


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4])
def test_a_plan_file_cut_between_lines_gives_nothing(kept: int) -> None:
    with pytest.raises(StoreError, match=r"plan file plan is not whole: its end is missing\. Nothing of it is used\."):
        read_changes(lines_of(plan_of(*CHANGES))[:kept])


def test_a_plan_file_cut_anywhere_gives_nothing() -> None:
    text = "".join(lines_of(plan_of(*CHANGES)))
    for length in range(len(text) - 1):
        with pytest.raises(StoreError, match="plan file plan"):
            read_changes(text[:length].splitlines(keepends=True))


def test_only_the_last_line_break_may_be_missing() -> None:
    text = "".join(lines_of(plan_of(*CHANGES)))[:-1]
    assert read_changes(text.splitlines(keepends=True)) == list(CHANGES)


def test_a_plan_file_without_its_first_line_gives_nothing() -> None:
    with pytest.raises(
        StoreError, match="line 1, is damaged: its format is None, this release reads 'lockstep-plan-2'"
    ):
        read_changes(lines_of(plan_of(*CHANGES))[1:])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Bob', '"Bot'),
        ('"key":["2"]', '"key":["3"]'),
        ('"action":"update"', '"action":"delete"'),
        ('"job":"hr"', '"job":"crm"'),
        ('"container":"people"', '"container":"staff"'),
        ('"changes":3', '"changes":2'),
        ('"changes":3', '"changes": 3'),
    ],
)
def test_a_plan_file_changed_by_hand_gives_nothing(old: str, new: str) -> None:
    text = "".join(lines_of(plan_of(*CHANGES)))
    assert text.count(old) == 1
    with pytest.raises(StoreError, match=r"plan file plan was changed after it was sealed\. Nothing of it is used\."):
        read_changes(text.replace(old, new).splitlines(keepends=True))


@pytest.mark.parametrize("order", [(0, 2, 1, 3, 4), (0, 1, 3, 4), (0, 1, 1, 2, 3, 4)])
def test_lines_that_moved_vanished_or_doubled_give_nothing(order: tuple[int, ...]) -> None:
    lines = lines_of(plan_of(*CHANGES))
    with pytest.raises(StoreError, match="was changed after it was sealed"):
        read_changes([lines[number] for number in order])


def test_anything_after_the_end_gives_nothing() -> None:
    lines = lines_of(plan_of(*CHANGES))
    with pytest.raises(StoreError, match="plan file plan, line 6, is damaged: unexpected content"):
        read_changes([*lines, lines[1]])


@pytest.mark.parametrize(
    "line",
    [
        "\0\0\0\n",
        "[]\n",
        "7\n",
        "\n",
        "{\n",
        "[" * 100_000 + "\n",
        '{"object":"person","action":"update","number":1e999}\n',
    ],
)
def test_a_line_that_is_no_change_gives_nothing(line: str) -> None:
    lines = lines_of(plan_of(*CHANGES))
    with pytest.raises(StoreError, match="plan file plan, line 3, is damaged"):
        read_changes([*lines[:2], line, *lines[3:]])


@pytest.mark.parametrize(
    "damage",
    [
        {"action": "drop"},
        {"number": "one"},
        {"key": None},
        {"before": []},
        {"after": {"name": 5}},
        {"after": {"pw": {"password": {"colour": "red"}}}},
        {"after": {"pw": {"password": None}}},
        {"before": {"raw": {"base64": "?"}}},
        {"before": {"tags": {"values": {"added": [], "removed": []}}}},
        {"after": {"tags": {"values": {"added": []}}}},
        {"after": {"tags": {"values": {"added": [], "removed": [], "kept": []}}}},
        {"after": {"tags": {"values": ["x"]}}},
        {"after": {"tags": {"values": {"added": [5], "removed": []}}}},
        {"after": {"tags": {"values": {"added": [["x"]], "removed": []}}}},
    ],
)
def test_a_damaged_change_is_refused(damage: dict[str, t.Any]) -> None:
    lines = lines_of(plan_of(*CHANGES))
    lines[2] = json.dumps(json.loads(lines[2]) | damage) + "\n"
    with pytest.raises(StoreError, match="plan file plan, line 3, is damaged"):
        read_changes(lines)


@pytest.mark.parametrize("name", ["number", "object", "action", "key", "before", "after"])
def test_a_change_that_lacks_a_part_is_refused(name: str) -> None:
    lines = lines_of(plan_of(*CHANGES))
    data = json.loads(lines[2])
    del data[name]
    lines[2] = json.dumps(data) + "\n"
    with pytest.raises(StoreError, match="plan file plan, line 3, is damaged"):
        read_changes(lines)


def test_the_plan_counts_its_changes() -> None:
    after: dict[str, PlannedValue] = {"name": "x"}
    assert plan_of(*CHANGES, *altered(1, after=after)).change_count == 6
