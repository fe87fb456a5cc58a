# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What user code gives back, in the one normal form of values."""

from __future__ import annotations

import typing as t
from decimal import Decimal

from .._model.kinds import decimal_text, float_text
from .._model.values import Single, Value

MAX_RESULT = 1_048_576
"""Bytes of one value: a text as UTF-8, the parts of a multi-valued one together."""
_MAX_BITS = 10_000
_VALID = "Valid: text, a number, true or false, bytes, none, or a list of these"


def to_value(result: t.Any) -> Value:
    """Give `result` as a value: numbers and truth values as text, lists as tuples without empty parts, '' as None.

    Raises ValueError for anything else and for more than 1 MB.
    """
    if result is None:
        return None
    if isinstance(result, (list, tuple)):
        parts = tuple(single for part in result if part is not None and (single := _single(part)))
        _check_size(sum(map(_size, parts)))
        return parts or None
    single = _single(result)
    _check_size(_size(single))
    return single or None


def _single(result: t.Any) -> Single:
    if isinstance(result, (str, bytes)):
        return result
    if isinstance(result, bool):
        return "true" if result else "false"
    if isinstance(result, int):
        if result.bit_length() > _MAX_BITS:
            raise ValueError("the number has more than 3,000 digits")
        return str(result)
    if isinstance(result, float):
        return float_text(result)
    if isinstance(result, Decimal):
        return _decimal(result)
    raise ValueError(f"the result is of the kind {type(result).__name__}. {_VALID}")


def _decimal(number: Decimal) -> str:
    if number.is_finite() and abs(number.adjusted()) > _MAX_BITS:
        raise ValueError("the number has more than 3,000 digits")
    return decimal_text(number)


def _size(single: Single) -> int:
    if isinstance(single, bytes) or single.isascii():
        return len(single)
    try:
        return len(single.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"the result holds {single[error.start]!r}, which is not a character") from None


def _check_size(size: int) -> None:
    if size > MAX_RESULT:
        raise ValueError(f"the result has {size:,} bytes, at most {MAX_RESULT:,} are taken")
