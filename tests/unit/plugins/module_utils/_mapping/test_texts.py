# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.texts import split_parts, title_case, to_ascii
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("o'neil", "O'Neil"),
        ("O\u2019NEIL", "O\u2019Neil"),
        ("anne-marie VON der heide", "Anne-Marie Von Der Heide"),
        ("john's", "John's"),
        ("don't we'll", "Don't We'll"),
        ("'quoted' words", "'Quoted' Words"),
        ("3RD floor", "3rd Floor"),
        ("rene\u0301e", "Rene\u0301e"),
        ("élodie ÖZDEMİR".casefold(), "Élodie Özdemi\u0307r"),
        ("snake_case", "Snake_Case"),
        ("", ""),
    ],
)
def test_title_case_writes_names_as_people_do(text, expected):
    assert title_case(text) == expected


@given(st.text())
def test_title_case_changes_nothing_but_case(text):
    assert title_case(text).casefold() == text.casefold()


LETTERS = st.characters(max_codepoint=0x24F).filter(lambda char: len(char.title()) == len(char.lower()) == 1)


@given(st.text(alphabet=LETTERS))
def test_title_case_is_stable(text):
    once = title_case(text)

    assert title_case(once) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("äöüÄÖÜß", "aouAOUss"),
        ("øØłŁæÆœŒđðþħı", "oOlLaeAEoeOEddthhi"),
        ("Ñandú çà", "Nandu ca"),
        ("\u201cquoted\u201d \u2013 it\u2019s", '"quoted" - it\'s'),
        ("a\u00a0b\u2026", "a b..."),
        ("\ufb01", "fi"),
        ("ǿ", "o"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_to_ascii(text, expected):
    assert to_ascii(text) == expected


@pytest.mark.parametrize(
    ("text", "name"), [("Иван", "CYRILLIC"), ("李", "CJK"), ("ok 😀", "GRINNING"), ("\ue000", "unnamed")]
)
def test_a_character_without_an_ascii_form_is_named_and_never_dropped(text, name):
    with pytest.raises(ValueError, match=rf"{name}.* has no ASCII form"):
        to_ascii(text)


@given(st.text())
def test_to_ascii_gives_ascii_or_says_why_not(text):
    with contextlib.suppress(ValueError):
        assert to_ascii(text).isascii()


@given(st.lists(st.text(alphabet="ab ;", max_size=4)))
def test_split_parts_are_trimmed_distinct_and_never_empty(parts):
    found = split_parts(";".join(parts), ";")

    assert all(part and part == part.strip() for part in found)
    assert len(set(found)) == len(found)
    assert set(found) == {piece.strip() for part in parts for piece in part.split(";")} - {""}
