# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords at the moment they are written: no plan, journal or log ever holds one."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from .._mapping.password import make_password
from .._model.access import PasswordPolicy
from .._model.plans import Change, PlannedValue
from .._model.secrets import GeneratedPassword, PasswordRule

COMPLEX_KINDS = 3
_ACCOUNT_FIELDS = ("samaccountname", "uid")
_NAME_FIELDS = ("cn", "displayname")


class Passwords:
    """Makes passwords; a rule `per: job` has one for the whole run.

    A rule that asks for less than the destination's policy is raised to it. No password holds the names of its account.
    """

    def __init__(self, randomness: random.Random, policy: PasswordPolicy) -> None:
        self._randomness = randomness
        self._policy = policy
        self._of_job: dict[PasswordRule, str] = {}

    def fill_in(self, change: Change) -> Change:
        """Give `change` with its passwords made. Raises ConfigError, RecordError as `make_password` does."""
        if not any(isinstance(value, GeneratedPassword) for value in change.after.values()):
            return change
        names = _account_names(change)
        return replace(change, after={name: self._value(value, names) for name, value in change.after.items()})

    def _value(self, value: PlannedValue, names: Sequence[str]) -> PlannedValue:
        if not isinstance(value, GeneratedPassword):
            return value
        rule = self._raised(value.rule)
        if rule.per == "object":
            return make_password(rule, self._randomness, names)
        if rule not in self._of_job:
            self._of_job[rule] = make_password(rule, self._randomness)
        return self._of_job[rule]

    def _raised(self, rule: PasswordRule) -> PasswordRule:
        """Give `rule` with the length and the kinds of characters that the destination asks for."""
        if self._policy.min_length > rule.length:
            rule = replace(rule, length=self._policy.min_length)
        kinds = sum((rule.upper, rule.lower, rule.digits, bool(rule.special)))
        if self._policy.complex and kinds < COMPLEX_KINDS:
            rule = replace(rule, upper=True, lower=True, digits=True)
        return rule


def _account_names(change: Change) -> list[str]:
    """Give the texts that a password must not contain: the account's name, and the parts of its full name (MS-SAMR
    3.1.1.7.1).
    """
    folded = {name.casefold(): value for name, value in change.after.items()}
    names = [value for name in _ACCOUNT_FIELDS if isinstance(value := folded.get(name), str)]
    for name in _NAME_FIELDS:
        value = folded.get(name)
        if isinstance(value, str):
            names += re.split(r"[\s,.\-_#]+", value)
    return names
