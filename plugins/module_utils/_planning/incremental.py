# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incremental runs: which records are newer than the last successful run, by the source's own time stamps.

A time stamp is an ISO 8601 or generalized time (RFC 4517, 3.3.13), or a number (epoch, row version, update sequence
number). Records with none that can be read are always looked at. Equal to the mark counts as newer: several records
can carry one instant.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from decimal import Decimal, InvalidOperation

from .._model.values import Value

Order: t.TypeAlias = tuple[int, Decimal]
"""A sortable time stamp: its family (0 numbers, 1 instants) and its place in it (instants in seconds since 1970,
UTC).
"""

NUMBER, INSTANT = 0, 1
FUTURE_ALLOWANCE = dt.timedelta(days=1)
GENERALIZED_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d+))?(Z|[+-]\d\d(?:\d\d)?)")


def read_time_stamp(value: Value) -> Order | None:
    """Give the sortable form of a time stamp, None when it is empty or cannot be read. Local times count as UTC."""
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()
    match = GENERALIZED_TIME.fullmatch(text)
    if match is not None:
        return _read_generalized(match)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _read_instant(text)
    return (NUMBER, number) if number.is_finite() else None


def _read_generalized(match: re.Match[str]) -> Order | None:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    whole = _read_instant(
        f"{year}-{month}-{day}T{hour}:{minute or '00'}:{second or '00'}{'+00:00' if zone == 'Z' else zone}"
    )
    if whole is None or not fraction:
        return whole
    # The fraction is one of the last part given: an hour, a minute or a second.
    unit = 1 if second else 60 if minute else 3600
    return (INSTANT, whole[1] + Decimal(f"0.{fraction}") * unit)


def _read_instant(text: str) -> Order | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.timezone.utc)
    return (INSTANT, Decimal(str(moment.timestamp())))


class Delta:
    """Decides record by record whether it is newer than `since`, and remembers the newest time stamp seen."""

    def __init__(self, since: str | None, now: dt.datetime) -> None:
        self._since = read_time_stamp(since)
        self._latest_allowed = (INSTANT, Decimal(str((now + FUTURE_ALLOWANCE).timestamp())))
        self._newest: tuple[Order, str] | None = None
        self.future = 0
        self.unreadable = 0

    def is_new(self, value: Value) -> bool:
        """Tell whether a record with the time stamp `value` must be looked at; remembers `value` as a candidate mark.

        A time stamp more than a day ahead of `now` is looked at but never becomes the mark: one wrong clock would hide
        all later changes.
        """
        order = read_time_stamp(value)
        if order is None:
            self.unreadable += 1
            return True
        if order[0] == INSTANT and order > self._latest_allowed:
            self.future += 1
            return True
        if self._newest is None or order > self._newest[0]:
            self._newest = (order, str(value))
        return self._since is None or order[0] != self._since[0] or order >= self._since

    def mark(self, since: str | None) -> str | None:
        """Give the newest time stamp seen, or `since` when nothing newer was."""
        if self._newest is None:
            return since
        old = read_time_stamp(since)
        if old is not None and old[0] == self._newest[0][0] and old > self._newest[0]:
            return since
        return self._newest[1]
