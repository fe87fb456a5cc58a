# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, RecordError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Unique
from ansible_collections.lockstep.sync.plugins.module_utils._planning.unique import UniqueValues, check_unique
from hypothesis import given
from hypothesis import strategies as st

PLAIN = Unique()


def test_a_free_wish_is_taken_as_it_is():
    assert UniqueValues(["other", None, b"\x00", ("jsmith",)]).take("jsmith", PLAIN) == "jsmith"


def test_a_taken_wish_gets_the_first_free_number_without_regard_to_case():
    values = UniqueValues(["JSmith", "jsmith2", "jsmith4"])

    assert [values.take("jsmith", PLAIN) for _each in range(3)] == ["jsmith3", "jsmith5", "jsmith6"]


def test_sharp_s_counts_as_two_letters_when_compared():
    assert UniqueValues(["STRASSE"]).take("straße", PLAIN) == "straße2"


@pytest.mark.parametrize("current", ["jsmith", "JSmith", "jsmith2", "JSMITH17", "jsmith1", "jsmith0"])
def test_the_present_value_is_kept_when_it_is_the_wish_or_one_of_its_numbers(current):
    values = UniqueValues([current, "jsmith"])

    assert values.take("jsmith", PLAIN, current) == current


@pytest.mark.parametrize("current", ["jsmit", "jsmith-2", "jsmith02", "xjsmith2", "jsmith2x", "jsmith\u0663", "2", ""])
def test_another_present_value_is_given_up(current):
    values = UniqueValues([current, "jsmith"])

    assert values.take("jsmith", PLAIN, current) == "jsmith2"


def test_a_kept_value_is_taken_for_everybody_else():
    values = UniqueValues([])

    values.take("a", PLAIN, "a2")

    assert [values.take("a", PLAIN), values.take("a", PLAIN)] == ["a", "a3"]


@pytest.mark.parametrize(
    ("pattern", "expected"), [("{value}-{n}", "a{n}-7"), ("{n}.{value}", "7.a{n}"), ("x{value}y{n}z", "xa{n}y7z")]
)
def test_patterns_and_a_wish_with_braces(pattern, expected):
    values = UniqueValues(["a{n}"])
    rule = Unique(pattern=pattern, start=7)

    assert values.take("a{n}", rule) == expected
    assert values.take("a{n}", rule, expected) == expected


def test_the_wish_is_cut_so_that_the_number_fits():
    rule = Unique(max_length=6)
    values = UniqueValues([f"abcde{n}" for n in range(2, 10)])

    assert values.take("abcdefgh", rule) == "abcdef"
    assert values.take("abcdefgh", rule) == "abcd10"
    assert values.take("abcdefgh", rule, "abcd10") == "abcd10"
    assert values.take("abcdefgh", rule, "ABCDEF") == "ABCDEF"
    assert values.take("abcdefgh", rule, "abcdefgh") == "abcd11"


def test_no_room_left_is_an_error_of_that_record():
    values = UniqueValues(["a", "ab", *(f"a{n}" for n in range(2, 10))])

    with pytest.raises(RecordError, match=r"no value made from 'ab' .* within 2 characters"):
        values.take("ab", Unique(max_length=2))


def test_an_empty_wish_is_an_error():
    with pytest.raises(RecordError, match="no value to make unique"):
        UniqueValues([]).take("", PLAIN)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Unique(pattern="{value}"), "must contain"),
        (Unique(pattern="{n}"), "must contain"),
        (Unique(pattern="{value}{n}{n}"), "must contain"),
        (Unique(start=-1), "start must be 0 or more, got -1"),
        (Unique(max_length=1), "max_length 1 leaves no room"),
        (Unique(pattern="{value}--{n}", max_length=3), "leaves no room"),
    ],
)
def test_a_bad_rule_is_a_config_error(rule, message):
    with pytest.raises(ConfigError, match=message):
        check_unique(rule)
    with pytest.raises(ConfigError, match=message):
        UniqueValues([]).take("a", rule)


@given(
    present=st.lists(st.text(alphabet="aB2ß", min_size=1, max_size=4)),
    wishes=st.lists(st.text(alphabet="aB2ß", min_size=1, max_size=4)),
    rule=st.sampled_from([PLAIN, Unique(pattern="{value}-{n}", start=1), Unique(pattern="{n}{value}", max_length=5)]),
)
def test_given_values_are_all_different_and_a_second_run_keeps_them(present, wishes, rule):
    values = UniqueValues(present)

    given_out = [values.take(wish, rule) for wish in wishes]

    folded = [value.casefold() for value in given_out]
    assert len(set(folded)) == len(folded)
    assert not set(folded) & {value.casefold() for value in present}
    again = UniqueValues([*present, *given_out])
    assert [again.take(wish, rule, value) for wish, value in zip(wishes, given_out, strict=True)] == given_out


@given(number=st.integers(0, 10**6), base=st.text(min_size=1, max_size=8))
def test_every_numbered_value_is_recognized_as_made_from_its_wish(number, base):
    for rule in (PLAIN, Unique(pattern="{n}-{value}"), Unique(pattern="a{value}{n}b")):
        current = rule.pattern.replace("{n}", str(number)).replace("{value}", base)
        if "{" not in base:
            assert UniqueValues([base]).take(base, rule, current) == current
