# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._store.texts import (
    clean,
    from_json_text,
    to_json_text,
)
from hypothesis import given
from hypothesis import strategies as st

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_cleaned_text_can_be_stored_everywhere(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert "\x00" not in cleaned


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_text_that_can_be_stored_is_left_alone(text: str) -> None:
    assert clean(text) == text


@given(ANY_TEXT)
def test_json_text_is_ascii_without_nul_and_reads_back(text: str) -> None:
    stored = to_json_text({"a": text})
    assert stored.isascii()
    assert "\x00" not in stored
    assert from_json_text(stored) == {"a": text}
