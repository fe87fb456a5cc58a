# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canonical text becomes cells that read back as the same text."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import PlannedValue
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel.cells import (
    CELL_LENGTH,
    ColumnType,
    all_fit,
    column_type,
    native_value,
    refuse_value,
)


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (set(), "text"),
        ({str}, "text"),
        ({float}, "number"),
        ({float, int}, "number"),
        ({float, str}, "text"),
        ({dt.date, dt.datetime}, "date"),
        ({bool}, "boolean"),
        ({bool, float}, "text"),
        ({dt.time}, "time"),
        ({dt.timedelta}, "text"),
    ],
)
def test_only_a_column_of_one_type_has_that_type(types: set[type], kind: ColumnType) -> None:
    assert column_type(types) == kind


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("5", "number", 5),
        ("-5.25", "number", -5.25),
        ("1e+20", "number", 10**20),
        ("true", "boolean", True),
        ("false", "boolean", False),
        ("2026-11-21", "date", dt.date(2026, 11, 21)),
        ("2026-11-21T08:30:00", "date", dt.datetime(2026, 11, 21, 8, 30)),  # noqa: DTZ001 - cells have no zone
        ("08:30:00", "time", dt.time(8, 30)),
    ],
)
def test_text_that_survives_gets_the_type_of_its_column(text: str, kind: ColumnType, value: object) -> None:
    native = native_value(text, kind)
    assert (native, type(native)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("5", "text"),
        ("00042", "number"),
        ("5.0", "number"),
        ("+5", "number"),
        (" 5", "number"),
        ("12345678901234567890", "number"),
        ("nan", "number"),
        ("inf", "number"),
        ("1_000", "number"),
        ("five", "number"),
        ("True", "boolean"),
        ("1", "boolean"),
        ("2026-11-21T00:00:00", "date"),
        ("20261121", "date"),
        ("2026-11-21T08:30:00+00:00", "date"),
        ("2026-11-21T08:30:00.250000", "date"),
        ("1900-02-28", "date"),
        ("soon", "date"),
        ("08:30", "time"),
        ("08:30:00.500000", "time"),
        ("08:30:00+01:00", "time"),
        ("noon", "time"),
    ],
)
def test_text_that_would_not_survive_stays_text(text: str, kind: ColumnType) -> None:
    assert native_value(text, kind) == text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"x", "type"),
        (("a", "b"), "type"),
        (GeneratedPassword(rule=PasswordRule()), "type"),
        ("a\0b", "character"),
        ("\ud800", "character"),
        ("\ufffe", "character"),
        ("x" * (CELL_LENGTH + 1), "too_long"),
        ("\U0001f600" * (CELL_LENGTH // 2 + 1), "too_long"),
    ],
)
def test_what_a_cell_cannot_hold_is_refused(value: PlannedValue, code: str) -> None:
    outcome = refuse_value("name", value)
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("failed", code)
    assert "name" in outcome.message
    assert not all_fit(["before", value, None, "after"])


@pytest.mark.parametrize("value", [None, "", "x" * CELL_LENGTH, "tab\tand\nline", "\x01"])
def test_other_values_are_taken(value: PlannedValue) -> None:
    assert refuse_value("name", value) is None


def test_values_fit_together_unless_one_may_not() -> None:
    assert all_fit([])
    assert all_fit([None, "", "x" * (CELL_LENGTH // 2), "tab\tand\nline", "\x01"])
    # looked at one by one
    assert not all_fit(["x" * CELL_LENGTH])
