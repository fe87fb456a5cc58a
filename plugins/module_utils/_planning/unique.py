# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unique values: take the wish as it is when nobody has it, else the first free one with a number put in."""

from __future__ import annotations

from collections.abc import Iterable

from .._model.errors import ConfigError, RecordError
from .._model.jobs import Unique
from .._model.values import Value, members, show


def check_unique(rule: Unique) -> None:
    """Raise ConfigError when `rule` cannot give numbered values."""
    for name in ("{value}", "{n}"):
        if rule.pattern.count(name) != 1:
            raise ConfigError(
                f"unique: the pattern {rule.pattern!r} must contain {{value}} once and {{n}} once, "
                f"such as '{{value}}{{n}}' or '{{value}}-{{n}}'."
            )
    if rule.start < 0:
        raise ConfigError(f"unique: start must be 0 or more, got {rule.start}.")
    if rule.max_length is not None and _room(rule, len(str(rule.start))) < 1:
        raise ConfigError(
            f"unique: max_length {rule.max_length} leaves no room for the value in the pattern {rule.pattern!r}. "
            f"Raise max_length or shorten the pattern."
        )


class UniqueValues:
    """The values of one field that are taken at the destination or by this run; compared without regard to case, and
    mail addresses without the `smtp:` before them.
    """

    __slots__ = ("_next", "_own", "_taken")

    def __init__(self, values: Iterable[Value]) -> None:
        self._taken: set[str] = {fold_unique(value) for value in values if isinstance(value, str)}
        self._own: dict[str, str] = {}
        # Where the search for a free number left off: a thousand equal wishes must not try a million numbers.
        self._next: dict[tuple[str, Unique], int] = {}

    def add(self, value: Value, owner: str) -> None:
        """Enter a value of a directory's record: it is taken for all but the record whose anchor is `owner`."""
        for part in members(value):
            if isinstance(part, str):
                key = fold_unique(part)
                if self._own.setdefault(key, owner) != owner:
                    self._taken.add(key)

    def take(self, base: str, rule: Unique, current: str | None = None, owner: str | None = None) -> str:
        """Give the value for the wish `base` and remember it as taken.

        `current`, the present value of the matched record, is kept when it is `base` itself or `base` with a number by
        the rule's pattern, so that a second run changes nothing. What only the record `owner` has is free for it.

        Raises ConfigError for a bad rule, RecordError when `base` is empty or no numbered value fits into `max_length`.
        """
        check_unique(rule)
        if not base:
            raise RecordError("unique: there is no value to make unique.")
        if current is not None and _is_made_from(current, base, rule):
            self._taken.add(fold_unique(current))
            return current
        value = self._first_free(base, rule, owner)
        self._taken.add(fold_unique(value))
        return value

    def _is_taken(self, value: str, owner: str | None) -> bool:
        key = fold_unique(value)
        return key in self._taken or self._own.get(key, owner) != owner

    def _first_free(self, base: str, rule: Unique, owner: str | None) -> str:
        plain = base if rule.max_length is None else base[: rule.max_length]
        if not self._is_taken(plain, owner):
            return plain
        place = (plain.casefold(), rule)
        number = self._next.get(place, rule.start)
        while (value := _numbered(base, rule, str(number))) is not None:
            if not self._is_taken(value, owner):
                self._next[place] = number + 1
                return value
            number += 1
        raise RecordError(
            f"unique: no value made from {show(base)} by the pattern {rule.pattern!r} is free within "
            f"{rule.max_length} characters. Raise max_length or choose another pattern."
        )


def fold_unique(value: str) -> str:
    """Give the form in which two values clash: without case, and an address without its `smtp:` (proxyAddresses)."""
    folded = value.casefold()
    return folded.removeprefix("smtp:")


def _room(rule: Unique, digits: int) -> int:
    """How many characters of the base fit beside the pattern's own text and a number of `digits` digits."""
    own_text = len(rule.pattern) - len("{value}") - len("{n}")
    return (rule.max_length or 0) - own_text - digits


def _cut(base: str, rule: Unique, digits: int) -> str | None:
    if rule.max_length is None:
        return base
    room = _room(rule, digits)
    return base[:room] if room >= 1 else None


def _numbered(base: str, rule: Unique, number: str) -> str | None:
    cut = _cut(base, rule, len(number))
    if cut is None:
        return None
    # Only the pattern is searched for names: a base that contains `{n}` stays as it is.
    before, _name, after = rule.pattern.partition("{value}")
    return before.replace("{n}", number) + cut + after.replace("{n}", number)


def _is_made_from(current: str, base: str, rule: Unique) -> bool:
    folded = current.casefold()
    limit = rule.max_length
    if limit is not None and len(current) > limit:
        return False
    if folded == (base if limit is None else base[:limit]).casefold():
        return True
    return any(
        (value := _numbered(base, rule, number)) is not None and value.casefold() == folded
        for number in _possible_numbers(current, rule)
    )


def _possible_numbers(current: str, rule: Unique) -> Iterable[str]:
    """Give each number, of one digit up, that may stand in `current` where the pattern puts it."""
    before, _name, after = rule.pattern.partition("{n}")
    at_end = "{value}" in before
    stop = len(current) - len(after) if at_end else len(before)
    for digits in range(1, len(current) + 1):
        part = current[max(stop - digits, 0) : stop] if at_end else current[stop : stop + digits]
        if len(part) != digits or not (part.isascii() and part.isdigit()):
            return
        if part == "0" or part[0] != "0":
            yield part
