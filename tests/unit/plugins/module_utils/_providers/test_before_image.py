# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change is applied only to the record it was planned for."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Action, Change, PlannedValue
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
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
