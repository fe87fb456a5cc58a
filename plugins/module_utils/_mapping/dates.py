# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates between formats: strptime formats and the names iso, generalized_time, filetime, epoch.

A value without a zone counts as UTC where the target needs one. Values with a zone leave as UTC, except through a
strftime format, which keeps the wall clock time that was read.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from collections.abc import Callable
from decimal import Decimal

UTC = dt.timezone.utc
NAMES = ("iso", "generalized_time", "filetime", "epoch")

# RFC 4517 3.3.13: YYYYMMDDHH[MM[SS]][fraction of the last unit](Z|+HH[MM]).
_GENERALIZED = re.compile(
    r"(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})?)?(?:[.,](\d{1,20}))?(?:(Z)|([+-])(\d{2})(\d{2})?)", re.ASCII
)
# Decimal and int take far more: `1e999999999` would run for hours.
_WHOLE = re.compile(r"\d{1,20}", re.ASCII)
_SECONDS = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
# MS-DTYP 2.3.3: 100-nanosecond intervals since 1601-01-01 UTC.
_FILETIME_START = dt.datetime(1601, 1, 1, tzinfo=UTC)
# Active Directory writes these for "never" (accountExpires).
_NEVER = frozenset({0, 0x7FFFFFFFFFFFFFFF})
_PROBE = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
# C libraries take a width (%1000000000d) that Python does not check.
_FORMAT = re.compile(r"(?:[^%\x00]|%-?[A-Za-z%]|%:z)*")
FORMAT_LENGTH = 200

Moment: t.TypeAlias = dt.datetime | dt.date
"""A date without a time of day stays one, so that iso gives `2026-11-21` for it."""


def date_converter(from_: str, to: str) -> Callable[[str], str | None]:
    """Give the function that turns a text in the format `from_` into one in the format `to`.

    The function raises ValueError when the text is not in that format, and gives None for a file time that means never.
    Raises ValueError itself for a format that does not exist.
    """
    read, write = _reader(from_), _writer(to)

    def convert(text: str) -> str | None:
        try:
            moment = read(text.strip())
            return None if moment is None else write(moment)
        except (ValueError, OverflowError):
            raise ValueError(f"not a date in the format {from_!r} that {to!r} can hold") from None

    return convert


def format_moment(moment: Moment, form: str) -> str:
    """Give `moment` by a strftime format. Raises ValueError for a format with a width, or one that is too long."""
    _check_format(form)
    return moment.strftime(form)


def _check_format(form: str) -> None:
    if len(form) > FORMAT_LENGTH or not _FORMAT.fullmatch(form):
        raise ValueError(f"{form[:FORMAT_LENGTH]!r} is not a date format such as '%d.%m.%Y'")


def _reader(form: str) -> Callable[[str], Moment | None]:
    readers: dict[str, Callable[[str], Moment | None]] = {
        "iso": _read_iso,
        "generalized_time": _read_generalized,
        "filetime": _read_filetime,
        "epoch": _read_epoch,
    }
    if form in readers:
        return readers[form]
    date_only = _check_strptime(form)

    def read(text: str) -> Moment:
        moment = dt.datetime.strptime(text, form)  # noqa: DTZ007 - a text without a zone has none
        return moment.date() if date_only else moment

    return read


def _check_strptime(form: str) -> bool:
    """Tell whether the strptime format `form` holds a date only. Raises ValueError when it cannot be read."""
    _check_directives(form)
    try:
        dt.datetime.strptime(_PROBE.strftime(form), form)  # noqa: DTZ007
    except (ValueError, re.error) as error:
        raise ValueError(f"{form!r} cannot be read: {error}") from None
    return not re.search(r"%[HIpMSfzZcX]", form.replace("%%", ""))


def _check_directives(form: str) -> None:
    _check_format(form)
    if "%" not in form.replace("%%", ""):
        raise ValueError(f"{form!r} is not a date format. Valid: {', '.join(NAMES)}, or a format such as '%d.%m.%Y'")


def _writer(form: str) -> Callable[[Moment], str]:
    writers: dict[str, Callable[[Moment], str]] = {
        "iso": _write_iso,
        "generalized_time": _write_generalized,
        "filetime": lambda moment: str((_aware(moment) - _FILETIME_START) // dt.timedelta(microseconds=1) * 10),
        "epoch": _write_epoch,
    }
    if form in writers:
        return writers[form]
    _check_directives(form)
    return lambda moment: moment.strftime(form)


def _aware(moment: Moment) -> dt.datetime:
    if not isinstance(moment, dt.datetime):
        return dt.datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _read_iso(text: str) -> Moment:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return dt.datetime.fromisoformat(text)


def _write_iso(moment: Moment) -> str:
    if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
        return moment.astimezone(UTC).isoformat()
    return moment.isoformat()


def _read_generalized(text: str) -> dt.datetime:
    match = _GENERALIZED.fullmatch(text)
    if match is None:
        raise ValueError
    year, month, day, hour, minute, second, fraction, _utc, sign, off_hours, off_minutes = match.groups()
    # A leap second (60) is the first second of the next minute.
    leap = dt.timedelta(seconds=1) if second == "60" else dt.timedelta()
    seconds = 59 if leap else int(second or 0)
    unit = 3600 if minute is None else 60 if second is None else 1
    part = dt.timedelta(microseconds=int(Decimal(f"0.{fraction or 0}") * unit * 1_000_000))
    offset = dt.timedelta(hours=int(off_hours or 0), minutes=int(off_minutes or 0)) * (-1 if sign == "-" else 1)
    moment = dt.datetime(int(year), int(month), int(day), int(hour), int(minute or 0), seconds, tzinfo=UTC)
    return moment + leap + part - offset


def _write_generalized(moment: Moment) -> str:
    utc = _aware(moment)
    fraction = f".{utc.microsecond:06d}".rstrip("0") if utc.microsecond else ""
    return f"{utc.year:04d}{utc:%m%d%H%M%S}{fraction}Z"


def _read_filetime(text: str) -> dt.datetime | None:
    if not _WHOLE.fullmatch(text):
        raise ValueError
    ticks = int(text)
    if ticks in _NEVER:
        return None
    return _FILETIME_START + dt.timedelta(microseconds=ticks // 10)


def _read_epoch(text: str) -> dt.datetime:
    if not _SECONDS.fullmatch(text):
        raise ValueError
    return _EPOCH + dt.timedelta(microseconds=int(Decimal(text) * 1_000_000))


def _write_epoch(moment: Moment) -> str:
    micros = (_aware(moment) - _EPOCH) // dt.timedelta(microseconds=1)
    if micros % 1_000_000 == 0:
        return str(micros // 1_000_000)
    return format(Decimal(micros) / 1_000_000, "f").rstrip("0")
