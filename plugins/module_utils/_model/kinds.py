# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical text of each kind of value, and the native Python values that drivers want.

| kind | canonical text |
|---|---|
| text | as it is; at most `max_length` characters |
| integer | `-17`: no leading zeros, no plus sign, no fraction |
| decimal | `12.5`: no exponent, no trailing zeros after the point, rounded half up to the field's scale |
| float | the shortest text that reads back as the same number; `nan`, `inf`, `-inf` |
| boolean | `true`, `false` |
| date | `2026-11-21` |
| datetime | `2026-11-21T08:30:00`, `.250000` when there is a fraction; with a time zone in UTC, ending in `+00:00` |
| time | `08:30:00`, `.250000` when there is a fraction |
| binary | bytes |
| uuid | lower case with hyphens |
| json | keys sorted, no spaces |
| dn | a distinguished name in canonical spelling (`dn`); compared without case |
| sid | a Windows security identifier, `S-1-5-21-...` (MS-DTYP 2.4.2.1) |

Providers give only canonical values of their own fields; the planner makes the source's values canonical for the
destination's fields with `canonicalizer`; so two values are the same exactly when their canonical forms are equal.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import struct
import typing as t
import uuid
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from .dn import canonical_dn
from .native import UTC, datetime_text, decimal_text, duration_text, float_text, from_native, integer_text, json_text
from .schema import FieldInfo
from .values import Single, show

__all__ = [
    "accepts_any_text",
    "canonicalizer",
    "datetime_text",
    "decimal_text",
    "duration_text",
    "float_text",
    "from_native",
    "integer_text",
    "json_text",
    "same_form",
    "to_native",
]

Canonicalizer: t.TypeAlias = Callable[[Single], Single]

TRUE_TEXTS = frozenset({"true", "t", "yes", "y", "on", "1"})
FALSE_TEXTS = frozenset({"false", "f", "no", "n", "off", "0"})
MOST_DIGITS = 1000
"""No system keeps longer numbers, and `1e999999999` written out would fill the memory."""

_WIDE = Context(prec=3 * MOST_DIGITS)


def canonicalizer(info: FieldInfo) -> Canonicalizer:
    """Give the function that makes one non-empty value canonical for `info`.

    The function raises ValueError with a message that says what was got and what the field takes.
    """
    return _MAKERS[info.kind](info)


def accepts_any_text(info: FieldInfo) -> bool:
    """Tell whether every text is canonical for `info`, so that a reader's text needs no second look."""
    return info.kind == "text" and info.max_length is None and not info.forbidden


def same_form(one: FieldInfo, other: FieldInfo) -> bool:
    """Tell whether values canonical for `one` are always canonical for `other`."""
    if one.kind != other.kind:
        return False
    if one.kind in ("text", "binary"):
        fits = other.max_length is None or (one.max_length is not None and one.max_length <= other.max_length)
        return fits and set(other.forbidden) <= set(one.forbidden)
    if one.kind in ("boolean", "date", "uuid", "json", "dn", "sid"):
        return True
    traits = ("precision", "scale", "bits", "unsigned", "timezone")
    return all(getattr(one, trait) == getattr(other, trait) for trait in traits)


def to_native(info: FieldInfo, value: Single) -> t.Any:
    """Give the Python value a database driver takes for the canonical `value` of `info`."""
    convert = _TO_NATIVE.get(info.kind)
    return value if convert is None or isinstance(value, bytes) else convert(value)


_TO_NATIVE: dict[str, Callable[[str], t.Any]] = {
    "integer": int,
    "decimal": Decimal,
    "float": float,
    "boolean": "true".__eq__,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "time": dt.time.fromisoformat,
    "uuid": uuid.UUID,
    "json": json.loads,
}


def _wrong(value: Single, wanted: str) -> ValueError:
    return ValueError(f"{show(value)} is not {wanted}")


def _text(info: FieldInfo) -> Canonicalizer:
    limit = info.max_length
    forbidden = frozenset(info.forbidden)

    def canonical(value: Single) -> Single:
        if not isinstance(value, str):
            raise _wrong(value, "text; binary data needs a binary field")
        if forbidden and not forbidden.isdisjoint(value):
            found = next(char for char in value if char in forbidden)
            raise ValueError(f"{show(value)} contains {found!r}; the field takes none of {info.forbidden}")
        if limit is not None and len(value) > limit:
            raise ValueError(f"{show(value)} has {len(value)} characters, the field takes {limit}")
        return value

    return canonical


def _integer(info: FieldInfo) -> Canonicalizer:
    low, high = None, None
    if info.bits is not None:
        low, high = (0, 2**info.bits - 1) if info.unsigned else (-(2 ** (info.bits - 1)), 2 ** (info.bits - 1) - 1)

    def canonical(value: Single) -> Single:
        number = _parse_integer(value)
        if low is not None and high is not None and not low <= number <= high:
            raise ValueError(f"{show(value)} is outside {low} to {high}")
        return str(number)

    return canonical


def _parse_integer(value: Single) -> int:
    text = _plain_text(value, "a whole number")
    if text in ("true", "false"):
        return int(text == "true")
    if len(text) < 19 and text.isascii() and text.isdigit():
        return int(text)
    number = _parse_decimal(value, text, "a whole number")
    if number != number.to_integral_value(context=_WIDE):
        raise _wrong(value, "a whole number")
    return int(number)


def _parse_decimal(value: Single, text: str, wanted: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _wrong(value, wanted) from None
    # Python reads 1_000 as a number, and nobody else does.
    if not number.is_finite() or "_" in text:
        raise _wrong(value, wanted)
    if len(text) > MOST_DIGITS or abs(number.adjusted()) > MOST_DIGITS:
        raise ValueError(f"{show(value)} has more than {MOST_DIGITS} digits")
    return number


def _decimal(info: FieldInfo) -> Canonicalizer:
    quantum = Decimal(1).scaleb(-info.scale) if info.scale is not None else None
    whole_digits = info.precision - (info.scale or 0) if info.precision is not None else None

    def canonical(value: Single) -> Single:
        text = _plain_text(value, "a decimal number")
        number = _parse_decimal(value, text, "a decimal number")
        if quantum is not None:
            number = number.quantize(quantum, rounding=ROUND_HALF_UP, context=_WIDE)
        if whole_digits is not None and number and number.adjusted() >= whole_digits:
            raise ValueError(f"{show(value)} has too many digits, the field takes {whole_digits} before the point")
        return decimal_text(number)

    return canonical


def _float(info: FieldInfo) -> Canonicalizer:
    single = info.bits == 32

    def canonical(value: Single) -> Single:
        text = _plain_text(value, "a number")
        try:
            number = float(text)
        except ValueError:
            raise _wrong(value, "a number") from None
        if "_" in text:
            raise _wrong(value, "a number")
        if math.isinf(number) and "inf" not in text.lower():
            raise ValueError(f"{show(value)} is too big for a float")
        return float_text(_shortest_single(number) if single else number)

    return canonical


def _shortest_single(number: float) -> float:
    if not math.isfinite(number):
        return number
    try:
        packed = struct.pack("<f", number)
    except OverflowError:
        raise ValueError(f"{number!r} is too big for a 32-bit float") from None
    rounded = struct.unpack("<f", packed)[0]
    shorter = (float(f"{rounded:.{digits}g}") for digits in range(6, 9))
    # Nine digits always tell one 32-bit float from all others.
    return next((short for short in shorter if struct.pack("<f", short) == packed), float(f"{rounded:.9g}"))


def _boolean(_info: FieldInfo) -> Canonicalizer:
    def canonical(value: Single) -> Single:
        text = _plain_text(value, "true or false").lower()
        if text in TRUE_TEXTS:
            return "true"
        if text in FALSE_TEXTS:
            return "false"
        raise _wrong(value, "true or false")

    return canonical


def _date(_info: FieldInfo) -> Canonicalizer:
    def canonical(value: Single) -> Single:
        text = _plain_text(value, "a date")
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise _wrong(value, "a date such as 2026-11-21") from None
        if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
            raise _wrong(value, "a date: it has a time of day")
        return moment.date().isoformat()

    return canonical


def _datetime(info: FieldInfo) -> Canonicalizer:
    digits = 6 if info.precision is None else info.precision

    def canonical(value: Single) -> Single:
        text = _plain_text(value, "a date and time")
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise _wrong(value, "a date and time such as 2026-11-21T08:30:00") from None
        try:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{show(value)} is outside the years 1 to 9999 in UTC") from None
        return _cut_fraction(moment if info.timezone else moment.replace(tzinfo=None), digits).isoformat()

    return canonical


_SOME_DAY = dt.date(2000, 1, 2)


def _time(info: FieldInfo) -> Canonicalizer:
    digits = 6 if info.precision is None else info.precision

    def canonical(value: Single) -> Single:
        text = _plain_text(value, "a time of day")
        try:
            moment = dt.time.fromisoformat(text)
        except ValueError:
            raise _wrong(value, "a time of day such as 08:30:00") from None
        if moment.tzinfo is not None:
            moment = dt.datetime.combine(_SOME_DAY, moment).astimezone(UTC).timetz()
        moment = moment.replace(tzinfo=UTC if info.timezone else None)
        return _cut_fraction(moment, digits).isoformat()

    return canonical


Moment = t.TypeVar("Moment", dt.datetime, dt.time)


def _cut_fraction(moment: Moment, digits: int) -> Moment:
    unit = 10 ** max(6 - digits, 0)
    return moment.replace(microsecond=moment.microsecond // unit * unit)


def _binary(info: FieldInfo) -> Canonicalizer:
    limit = info.max_length

    def canonical(value: Single) -> Single:
        data = value if isinstance(value, bytes) else value.encode("utf-8")
        if limit is not None and len(data) > limit:
            raise ValueError(f"{len(data)} bytes are too long, the field takes {limit}")
        return data

    return canonical


def _uuid(_info: FieldInfo) -> Canonicalizer:
    def canonical(value: Single) -> Single:
        try:
            return str(uuid.UUID(_plain_text(value, "a UUID")))
        except ValueError:
            raise _wrong(value, "a UUID") from None

    return canonical


def _json(_info: FieldInfo) -> Canonicalizer:
    def canonical(value: Single) -> Single:
        try:
            return json_text(json.loads(value, parse_constant=_refuse_constant))
        except (ValueError, RecursionError):
            raise _wrong(value, "JSON") from None

    return canonical


def _dn(_info: FieldInfo) -> Canonicalizer:
    def canonical(value: Single) -> Single:
        return canonical_dn(_plain_text(value, "a distinguished name"))

    return canonical


_SID = re.compile(r"S-1-\d{1,15}(?:-\d{1,10}){0,15}")


def _sid(_info: FieldInfo) -> Canonicalizer:
    def canonical(value: Single) -> Single:
        text = _plain_text(value, "a security identifier").upper()
        if _SID.fullmatch(text) is None:
            raise _wrong(value, "a security identifier such as S-1-5-21-1004336348-1177238915-682003330-512")
        return text

    return canonical


def _refuse_constant(name: str) -> t.NoReturn:
    raise ValueError(f"{name} is not JSON")


def _plain_text(value: Single, wanted: str) -> str:
    """Give the text without surrounding white space; raise ValueError for bytes."""
    if isinstance(value, bytes):
        raise _wrong(value, wanted)
    return value.strip()


_MAKERS: dict[str, Callable[[FieldInfo], Canonicalizer]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "float": _float,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "binary": _binary,
    "uuid": _uuid,
    "json": _json,
    "dn": _dn,
    "sid": _sid,
}
