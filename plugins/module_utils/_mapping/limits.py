# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much one expression may do: sizes of values, and an amount of work per record.

An expression has no loops of its own, so it is enough to look at every operation, call, filter and test: what goes in,
what comes out, and a running sum of both. The work of one evaluation stays within about a second.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Iterator, Mapping

MAX_TEXT = 1_000_000
"""Characters (or bytes) of all texts of one value."""
MAX_ITEMS = 10_000
"""Elements of one list, nested ones included."""
MAX_BITS = 10_000
"""Bits of a whole number, about 3,000 digits."""
MAX_WIDTH = 10_000
"""Characters a text may be padded to."""
MAX_PATTERN = 1_000
"""Characters of a regular expression."""
MAX_MATCHED = 32_768
"""Characters a regular expression is tried on: what a sheet's cell can hold."""
MAX_WORK = 20_000_000
_STEP_COST = 200
_ITEM_COST = 100

_PLAIN = (bool, float, dt.datetime, dt.date, dt.timedelta, type(None))


class LimitError(Exception):
    """An expression wants more than it may, or a value of a kind it may not have."""


def measure(value: t.Any) -> int:
    """Give the cost of looking at `value`. Raises LimitError when it is too big or of a kind that is not allowed."""
    chars = items = 0
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, (str, bytes)):
            chars += len(part)
        elif isinstance(part, int):
            _check_bits(part.bit_length())
            chars += part.bit_length() // 3
        elif isinstance(part, (list, tuple)):
            items += len(part)
            _check_count(items)
            stack.extend(part)
        elif isinstance(part, Mapping):
            items += len(part)
            _check_count(items)
            stack.extend(part.keys())
            stack.extend(part.values())
        elif not isinstance(part, _PLAIN):
            raise LimitError(f"a value of the kind {type(part).__name__} cannot be used here")
        if chars > MAX_TEXT:
            raise LimitError(f"a text of more than {MAX_TEXT:,} characters is too long")
    return chars + items * _ITEM_COST


class Budget:
    """The work that is left for the evaluation under way."""

    __slots__ = ("_left", "undefined")

    def __init__(self, undefined: type) -> None:
        self.undefined = undefined
        self._left = MAX_WORK

    def refill(self) -> None:
        """Start the next evaluation."""
        self._left = MAX_WORK

    def spend(self, *values: t.Any) -> None:
        """Count one step on `values`. Raises LimitError when one is too big or the work is used up."""
        cost = _STEP_COST
        for value in values:
            if not isinstance(value, self.undefined):
                cost += measure(value)
        self._left -= cost
        if self._left < 0:
            raise LimitError("the expression takes too many steps")

    def keep(self, value: t.Any) -> t.Any:
        """Count a result and give it; what comes item by item becomes a list first."""
        if isinstance(value, Iterator):
            value = _collect(value, self.undefined)
        self.spend(value)
        return value


def _collect(items: Iterator[t.Any], undefined: type) -> list[t.Any]:
    found = []
    for item in items:
        found.append(str(item) if isinstance(item, undefined) else item)  # str raises what is missing
        _check_count(len(found))
    return found


def _check_count(count: int) -> None:
    if count > MAX_ITEMS:
        raise LimitError(f"a list of more than {MAX_ITEMS:,} elements is too long")


def _check_bits(bits: int) -> None:
    if bits > MAX_BITS:
        raise LimitError("a number of more than 3,000 digits is too big")


# -- operators: looked at before they run, because running them is the damage ----------------------------------------


def check_operation(operator: str, left: t.Any, right: t.Any) -> None:
    """Raise LimitError when `left operator right` would be too big."""
    if operator == "*":
        _check_product(left, right)
    elif operator == "**":
        _check_power(left, right)
    elif operator == "%" and isinstance(left, (str, bytes)):
        raise LimitError("`%` does not format texts here. Use the filter format, or join with `~`")


def _check_product(left: t.Any, right: t.Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
        return
    for many, times in ((left, right), (right, left)):
        if isinstance(many, (str, bytes, list, tuple)) and isinstance(times, int):
            _check_repeat(many, times)


def _check_repeat(many: str | bytes | list[t.Any] | tuple[t.Any, ...], times: int) -> None:
    if isinstance(many, (str, bytes)):
        check_length(len(many) * times)
    else:
        _check_count(len(many) * times)


def _check_power(left: t.Any, right: t.Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        _check_bits(left.bit_length() * right)


def check_length(length: int) -> None:
    """Raise LimitError when a text of `length` characters is too long."""
    if length > MAX_TEXT:
        raise LimitError(f"a text of more than {MAX_TEXT:,} characters is too long")


def check_width(width: t.Any) -> None:
    """Raise LimitError when a text may not be padded to `width` characters."""
    if not isinstance(width, int) or width > MAX_WIDTH:
        raise LimitError(f"a text can be padded to at most {MAX_WIDTH:,} characters, got {str(width)[:20]}")
