# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical texts of Python values as drivers and sheets give them; `kinds` says what they look like."""

from __future__ import annotations

import datetime as dt
import json
import math
import typing as t
import uuid
from collections.abc import Callable
from decimal import Decimal

from .values import Single, show

UTC = dt.timezone.utc


def from_native(value: t.Any) -> Single | None:
    """Give the canonical text of a Python value as a driver or a sheet returned it, by its Python type.

    Raises TypeError for a type that has no canonical form.
    """
    if value is None or isinstance(value, (str, bytes)):
        return value
    handler = _FROM_NATIVE.get(type(value))
    if handler is not None:
        return handler(value)
    for kind, convert in _FROM_NATIVE.items():
        if isinstance(value, kind):
            return convert(value)
    raise TypeError(f"no canonical form for {type(value).__name__}: {show(str(value))}")


def integer_text(value: int) -> str:
    return str(int(value))


def decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        return str(value).lower()
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def float_text(value: float) -> str:
    """Whole numbers lose their `.0`, so that 5.0 of a sheet is the text 5."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e16:
        return str(int(value))
    return repr(value)


def datetime_text(value: dt.datetime) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(UTC)
    return value.isoformat()


def duration_text(value: dt.timedelta) -> str:
    """`[-]HH:MM:SS[.ffffff]`, hours unbounded: how MariaDB and sheets give times of day and durations."""
    micros = value // dt.timedelta(microseconds=1)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, fraction = divmod(micros, 1_000_000)
    tail = f".{fraction:06d}" if fraction else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{tail}"


def json_text(value: t.Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_FROM_NATIVE: dict[type, Callable[[t.Any], Single]] = {
    bool: lambda value: "true" if value else "false",
    int: integer_text,
    float: float_text,
    Decimal: decimal_text,
    dt.datetime: datetime_text,
    dt.date: lambda value: value.isoformat(),
    dt.time: lambda value: value.isoformat(),
    dt.timedelta: duration_text,
    uuid.UUID: str,
    memoryview: bytes,
    bytearray: bytes,
    dict: json_text,
    list: json_text,
}
