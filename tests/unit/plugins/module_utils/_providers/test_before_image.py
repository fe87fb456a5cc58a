# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change is applied only to the record it was planned for."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    DONE,
    Action,
    Change,
    PlannedValue,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Single, Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.before_image import judge

BEFORE: dict[str, Value] = {"id": "1", "name": "Ann", "mail": None}


def make(action: Action, before: dict[str, Value], after: dict[str, PlannedValue]) -> Change:
    return Change(number=1, object="row", action=action, key=("1",), before=before, after=after)


def test_a_create_is_applied_when_there_is_no_such_record() -> None:
    assert judge(make("create", {}, {"id": "1"}), None) is None


def test_a_create_is_done_when_the_record_is_already_as_planned() -> None:
    assert judge(make("create", {}, {"id": "1", "name": "Ann"}), {"id": "1", "name": "Ann", "mail": "x"}) == DONE


def test_a_create_is_skipped_when_another_record_has_the_key() -> None:
    outcome = judge(make("create", {}, {"id": "1", "name": "Ann"}), {"id": "1", "name": "Bob"})
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("skipped", "exists")
    assert "name" in outcome.message


def test_a_generated_password_is_never_compared() -> None:
    planned: dict[str, PlannedValue] = {"id": "1", "secret": GeneratedPassword(rule=PasswordRule())}
    assert judge(make("create", {}, planned), {"id": "1", "secret": "anything"}) == DONE


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_record_that_is_gone_is_skipped(action: Action) -> None:
    outcome = judge(make(action, BEFORE, {"name": "Anna"}), None)
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("skipped", "gone")


@pytest.mark.parametrize("action", ["update", "delete"])
def test_an_unchanged_record_is_written(action: Action) -> None:
    assert judge(make(action, BEFORE, {"name": "Anna"}), {**BEFORE, "unmapped": "x"}) is None


def test_an_update_that_was_made_already_is_done() -> None:
    assert judge(make("update", BEFORE, {"name": "Anna"}), {**BEFORE, "name": "Anna"}) == DONE


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_record_that_moved_on_is_skipped_and_the_fields_are_named(action: Action) -> None:
    outcome = judge(make(action, BEFORE, {"mail": "a@b"}), {"id": "1", "name": "Eve", "mail": "x@y"})
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("skipped", "moved_on")
    assert "in name, mail: name was 'Ann', is 'Eve'" in outcome.message


def test_a_record_that_got_the_planned_value_and_another_one_moved_on() -> None:
    outcome = judge(make("update", BEFORE, {"name": "Anna"}), {**BEFORE, "name": "Anna", "mail": "x@y"})
    assert outcome is not None
    assert outcome.code == "moved_on"


def test_a_field_that_is_missing_now_counts_as_changed() -> None:
    outcome = judge(make("update", BEFORE, {"name": "Anna"}), {"id": "1", "name": "Ann"})
    assert outcome is not None
    assert outcome.code == "moved_on"


def test_empty_text_and_nothing_are_the_same_only_where_the_field_says_so() -> None:
    change = make("update", BEFORE, {"name": "Anna"})
    assert judge(change, {**BEFORE, "mail": ""}, empty_is_null={"mail"}) is None
    outcome = judge(change, {**BEFORE, "mail": ""})
    assert outcome is not None
    assert outcome.code == "moved_on"


def test_a_password_that_is_all_there_is_to_write_is_written() -> None:
    assert judge(make("update", BEFORE, {"secret": GeneratedPassword(rule=PasswordRule())}), BEFORE) is None


# -- values that are added and removed

GROUP: dict[str, Value] = {"cn": "staff", "member": ("ann", "bob", "eve")}
SWAP = ValueChanges(added=("cid", "dan"), removed=("ann", "bob"))


@pytest.mark.parametrize("action", ["update", "membership", "link"])
@pytest.mark.parametrize(
    ("members", "done"),
    [
        (("ann", "bob", "eve"), False),
        (("ann", "bob", "eve", "somebody else"), False),
        (("ann", "bob", "cid", "eve"), False),
        (("bob", "eve"), False),
        (("ann", "bob", "cid", "dan"), False),
        (("cid", "eve"), False),
        (("cid", "dan", "eve"), True),
        (("cid", "dan"), True),
        ("ann", False),
        (None, False),
    ],
)
def test_a_set_converges_whoever_else_changed_it(action: Action, members: Value, done: bool) -> None:
    outcome = DONE if done else None
    now = {**GROUP, "member": members}
    assert judge(make(action, GROUP, {"member": SWAP}), now) == outcome
    assert judge(make(action, {"cn": "staff"}, {"member": SWAP}), now) == outcome


def test_a_set_from_which_all_is_removed_may_be_empty_or_missing() -> None:
    change = make("membership", {}, {"member": ValueChanges(removed=("ann",))})
    assert judge(change, {"member": None}) == judge(change, {}) == judge(change, {"member": "bob"}) == DONE
    assert judge(change, {"member": "ann"}) is None


def test_a_field_beside_a_set_is_compared_as_a_whole() -> None:
    change = make("update", GROUP, {"member": SWAP, "mail": "s@x"})
    outcome = judge(change, {**GROUP, "cn": "crew", "member": ("cid", "dan")})
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("skipped", "moved_on")
    assert "in cn: cn was 'staff', is 'crew'" in outcome.message
    change = make("update", {**GROUP, "mail": None}, {"member": SWAP, "mail": "s@x"})
    assert judge(change, {**GROUP, "mail": "s@x", "member": ("cid", "dan")}) == DONE
    assert judge(change, {**GROUP, "mail": None, "member": ("cid", "dan")}) is None


def test_a_set_in_which_something_is_left_beside_a_field_that_is_done_moved_on() -> None:
    change = make("update", {**GROUP, "mail": None}, {"member": SWAP, "mail": "s@x"})
    outcome = judge(change, {**GROUP, "mail": "s@x"})
    assert outcome is not None
    assert (outcome.code, "in mail" in outcome.message) == ("moved_on", True)


@pytest.mark.parametrize("members", ["ANN", ("ANN", "bob")])
def test_values_are_compared_exactly_unless_the_system_says_how(members: Value) -> None:
    change = make("update", {"cn": "Staff"}, {"member": ValueChanges(added=("ann",))})
    current: dict[str, Value] = {"cn": "Staff", "member": members}
    assert judge(change, current) is None
    assert judge(change, current, fold=lower_members) == DONE
    moved = judge(change, {**current, "cn": "STAFF"}, fold=lower_members)
    assert moved is not None
    assert moved.code == "moved_on"


def lower_members(field: str, value: Single) -> Single:
    return value.lower() if field == "member" else value


def test_a_whole_value_that_is_the_same_to_the_system_has_not_moved_on() -> None:
    change = make("update", {"member": ("ann", "bob")}, {"cn": "crew"})
    assert judge(change, {"member": ("ANN", "Bob"), "cn": "staff"}, fold=lower_members) is None
    assert judge(change, {"member": ("ANN", "Bob"), "cn": "crew"}, fold=lower_members) == DONE


# -- the other actions of directories


@pytest.mark.parametrize("action", ["rename", "move", "disable", "link"])
def test_other_changes_of_a_record_are_judged_as_updates(action: Action) -> None:
    before, after = {"dn": "CN=a,DC=x"}, {"dn": "CN=b,DC=x"}
    change = make(action, t.cast("dict[str, Value]", before), t.cast("dict[str, PlannedValue]", after))
    assert judge(change, {"dn": "CN=a,DC=x"}) is None
    assert judge(change, {"dn": "CN=b,DC=x"}) == DONE
    codes = [outcome.code for outcome in (judge(change, {"dn": "CN=c,DC=x"}), judge(change, None)) if outcome]
    assert codes == ["moved_on", "gone"]


def test_a_container_is_judged_as_a_new_record() -> None:
    change = make("create_container", {}, {"ou": "it"})
    assert judge(change, None) is None
    assert judge(change, {"ou": "it", "l": "Bonn"}) == DONE
    other = judge(change, {"ou": "other"})
    assert other is not None
    assert other.code == "exists"


def test_a_message_about_a_membership_names_the_group() -> None:
    change = replace(make("membership", {}, {"member": SWAP}), target="CN=staff,DC=x")
    outcome = judge(change, None)
    assert outcome is not None
    assert outcome.message == "the record 'CN=staff,DC=x' is not there any more"
