# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.results import to_value
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, None),
        ("", None),
        (b"", None),
        ("text", "text"),
        (b"\xff", b"\xff"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-17, "-17"),
        (5.0, "5"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.5"),
        (Decimal("NaN"), "nan"),
        ([], None),
        ([None, ""], None),
        (["a", 1, None, "", True, b"\x00"], ("a", "1", "true", b"\x00")),
        (("a", "a"), ("a", "a")),
        ("ä" * 524_288, "ä" * 524_288),
    ],
)
def test_results_in_normal_form(result, expected):
    assert to_value(result) == expected


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"a": 1}, "of the kind dict. Valid: text"),
        ({1}, "of the kind set"),
        ([["a"]], "of the kind list"),
        (1j, "of the kind complex"),
        (dt.date(2026, 1, 1), "of the kind date"),
        (print, "of the kind builtin_function_or_method"),
        ("x" * 1_048_577, "1,048,577 bytes, at most 1,048,576"),
        ("ä" * 524_289, "1,048,578 bytes"),
        (["x" * 600_000] * 2, "1,200,000 bytes"),
        ("a\ud800", "'.ud800', which is not a character"),
        pytest.param(2**20_000, "more than 3,000 digits", id="bits"),
        (Decimal("1e999999"), "more than 3,000 digits"),
        (Decimal("1e-999999"), "more than 3,000 digits"),
    ],
)
def test_anything_else_is_refused(result, message):
    with pytest.raises(ValueError, match=message):
        to_value(result)


@given(st.recursive(st.none() | st.text() | st.binary() | st.integers() | st.floats(), st.lists, max_leaves=6))
def test_a_result_is_a_value_or_refused(result):
    try:
        value = to_value(result)
    except ValueError:
        return
    assert (
        value is None
        or (isinstance(value, (str, bytes)) and value)
        or all(isinstance(p, (str, bytes)) and p for p in value)
    )
