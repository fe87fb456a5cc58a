# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make passwords by a rule. Called at the moment a password is written; no plan, log or message ever holds one."""

from __future__ import annotations

import string
import typing as t
from collections.abc import Collection, Sequence

from .._model.errors import ConfigError, RecordError
from .._model.secrets import PasswordRule

SHORTEST = 6
LONGEST = 99
SIMILAR = frozenset("0Oo1Iil|")
# Active Directory does not look for account names shorter than this in a password.
_SHORTEST_FORBIDDEN = 3
_TRIES = 1_000


class RandomSource(t.Protocol):
    """Where the characters come from: `random.SystemRandom()`, or a seeded `random.Random` in tests."""

    def choice(self, seq: Sequence[str], /) -> str: ...

    def shuffle(self, x: list[str], /) -> None: ...


def check_rule(rule: PasswordRule) -> None:
    """Raise ConfigError when no password can follow `rule`."""
    if not SHORTEST <= rule.length <= LONGEST:
        raise ConfigError(f"password: length must be {SHORTEST} to {LONGEST}, got {rule.length}.")
    for char in rule.special:
        if char.isalnum() or char.isspace() or not char.isprintable():
            raise ConfigError(
                f"password: special takes characters that are no letters, digits or spaces, got {char!r}."
            )
    letters = _plain_classes(rule)
    special = _special(rule)
    if rule.special and not special:
        raise ConfigError(
            f"password: exclude_similar leaves nothing of special {rule.special!r}. "
            f"Add other characters or set exclude_similar to false."
        )
    if not letters and not special:
        raise ConfigError("password: no characters to choose from. Set at least one of upper, lower, digits, special.")
    if rule.no_repeat_special and not letters and len(special) < rule.length:
        raise ConfigError(
            f"password: {rule.length} special characters without a repeat need as many in special, "
            f"it has {len(special)}. Allow upper, lower or digits, or set no_repeat_special to false."
        )


def make_password(rule: PasswordRule, random: RandomSource, forbidden: Collection[str] = ()) -> str:
    """Give a password with at least one character of each class of `rule` and none of the texts `forbidden` in it.

    Texts of fewer than three characters are not looked for; case does not matter.

    Raises ConfigError for an impossible rule, RecordError when the forbidden texts leave no password.
    """
    check_rule(rule)
    banned = [text.casefold() for text in forbidden if len(text) >= _SHORTEST_FORBIDDEN]
    for _try in range(_TRIES):
        password = _draw(rule, random)
        folded = password.casefold()
        if not any(text in folded for text in banned):
            return password
    raise RecordError(
        "password: none was found without the account's own names in it. Make it longer or allow more characters."
    )


def _plain_classes(rule: PasswordRule) -> list[str]:
    wanted = (
        (rule.upper, string.ascii_uppercase),
        (rule.lower, string.ascii_lowercase),
        (rule.digits, string.digits),
    )
    return [_usable(chars, rule) for enabled, chars in wanted if enabled]


def _special(rule: PasswordRule) -> str:
    return _usable("".join(dict.fromkeys(rule.special)), rule)


def _usable(chars: str, rule: PasswordRule) -> str:
    return "".join(char for char in chars if char not in SIMILAR) if rule.exclude_similar else chars


def _draw(rule: PasswordRule, random: RandomSource) -> str:
    classes = _plain_classes(rule)
    plain = "".join(classes)
    special = _special(rule)
    chosen = [random.choice(chars) for chars in (*classes, special) if chars]
    while len(chosen) < rule.length:
        left = special
        if rule.no_repeat_special:
            left = "".join(char for char in special if char not in chosen)
        chosen.append(random.choice(plain + left))
    # The first ones came class by class; the order must not tell.
    random.shuffle(chosen)
    return "".join(chosen)
