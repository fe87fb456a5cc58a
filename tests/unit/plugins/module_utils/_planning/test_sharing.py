# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal texts of a field become one object, and the memory that it takes to know them has an end."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._planning import sharing
from ansible_collections.lockstep.sync.plugins.module_utils._planning.sharing import SharedTexts


def text(value: str) -> str:
    """Give an equal text that is an object of its own."""
    return "".join(list(value))


def test_equal_texts_of_a_field_become_one() -> None:
    texts = SharedTexts()
    first = texts.share((text("1 Main Street"), text("Berlin")))
    second = texts.share((text("2 Main Street"), text("Berlin")))
    assert (first, second) == (("1 Main Street", "Berlin"), ("2 Main Street", "Berlin"))
    assert first[1] is second[1]


def test_other_values_stay_as_they_are() -> None:
    row = (None, b"\x00", ("a", "b"), text("x"))
    shared = SharedTexts().share(row)
    assert shared == row
    assert all(one is other for one, other in zip(shared[:3], row[:3], strict=True))


def test_a_field_with_too_many_texts_is_remembered_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST", 3)
    texts = SharedTexts()
    rows = [texts.share((text(f"person {number}"), text("Berlin"))) for number in range(10)]
    assert [row[0] for row in rows] == [f"person {number}" for number in range(10)]
    assert all(row[1] is rows[0][1] for row in rows)
    again = [texts.share((text("person 9"), text("Berlin"))) for _time in range(2)]
    assert again[0][0] is not again[1][0]


def test_rows_of_different_widths_are_taken() -> None:
    texts = SharedTexts()
    assert texts.share(("a",)) == ("a",)
    assert texts.share(("a", "b", "c")) == ("a", "b", "c")
