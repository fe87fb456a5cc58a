# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.password import SIMILAR, check_rule, make_password
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, RecordError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import PasswordRule
from hypothesis import assume, given
from hypothesis import strategies as st

RULES = st.builds(
    PasswordRule,
    length=st.integers(6, 99),
    upper=st.booleans(),
    lower=st.booleans(),
    digits=st.booleans(),
    special=st.text(alphabet="!#$%&*+-=?@_|", max_size=15),
    no_repeat_special=st.booleans(),
    exclude_similar=st.booleans(),
)


@given(rule=RULES, seed=st.integers())
def test_a_password_follows_its_rule(rule, seed):
    try:
        check_rule(rule)
    except ConfigError:
        assume(False)

    password = make_password(rule, random.Random(seed))

    specials = [char for char in password if char in rule.special]
    assert len(password) == rule.length
    assert any(map(str.isupper, password)) == rule.upper
    assert any(map(str.islower, password)) == rule.lower
    assert any(map(str.isdigit, password)) == rule.digits
    assert bool(specials) == bool(rule.special)
    assert all(char.isascii() and (char.isalnum() or char in rule.special) for char in password)
    if rule.exclude_similar:
        assert not SIMILAR & set(password)
    if rule.no_repeat_special:
        assert len(specials) == len(set(specials))


def test_the_first_characters_do_not_tell_their_class():
    rule = PasswordRule(length=8)

    starts = {make_password(rule, random.Random(seed))[0].isupper() for seed in range(50)}

    assert starts == {True, False}


def test_system_randomness_gives_another_one_each_time():
    assert len({make_password(PasswordRule(), random.SystemRandom()) for _each in range(20)}) == 20


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (PasswordRule(length=5), "length must be 6 to 99, got 5"),
        (PasswordRule(length=100), "length must be 6 to 99, got 100"),
        (
            PasswordRule(upper=False, lower=False, digits=False, special=""),
            "at least one of upper, lower, digits, special",
        ),
        (PasswordRule(special="|"), "exclude_similar leaves nothing of special"),
        (PasswordRule(special="!a"), "got 'a'"),
        (PasswordRule(special="! "), "got ' '"),
        (PasswordRule(special="!\x07"), "got '.x07'"),
        (
            PasswordRule(upper=False, lower=False, digits=False, special="!!#", no_repeat_special=True),
            "16 special characters without a repeat need as many in special, it has 2",
        ),
    ],
)
def test_an_impossible_rule_is_a_config_error(rule, message):
    with pytest.raises(ConfigError, match=message):
        check_rule(rule)
    with pytest.raises(ConfigError, match=message):
        make_password(rule, random.Random(1))


def test_forbidden_texts_are_not_contained_in_any_case():
    rule = PasswordRule(length=6, upper=False, lower=False, special="", exclude_similar=False)
    # Whichever text holds the first draw must change it.
    first = make_password(rule, random.Random(4))

    assert first[1:4] not in make_password(rule, random.Random(4), [first[1:4]])
    letters = PasswordRule(length=6, digits=False, special="")
    drawn = make_password(letters, random.Random(4))
    assert drawn.casefold() not in make_password(letters, random.Random(4), [drawn.swapcase()]).casefold()


def test_forbidden_texts_of_less_than_three_characters_are_not_looked_for():
    rule = PasswordRule(length=6, upper=False, lower=False, special="")

    password = make_password(rule, random.Random(1), ["", *"0123456789"])

    assert password == make_password(rule, random.Random(1))


def test_when_the_forbidden_texts_leave_nothing_it_says_so():
    rule = PasswordRule(length=6, upper=False, lower=False, digits=False, special="!")

    with pytest.raises(RecordError, match="none was found without"):
        make_password(rule, random.Random(1), ["!!!"])
