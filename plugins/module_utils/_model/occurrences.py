# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When triggers fire: pure, from the declared start, in the wall clock of the schedule's zone.

Times that the wall clock leaves out (clocks put forward) are skipped; what it shows twice fires once, the first time.
That is what RRULEs in AWX and calendar expressions of systemd do, too. Because of it the order on the wall clock is the
order in time, so everything here walks naive datetimes and turns them into instants at the end.
"""

from __future__ import annotations

import calendar
import datetime as dt
import heapq
from collections.abc import Callable, Iterator, Mapping

from .schedules import ScheduleSpec
from .triggers import Trigger, TriggerType
from .zones import Zone, to_instant, to_wall

_DAY = dt.timedelta(days=1)
_LAST_YEAR = 9998


def trigger_occurrences(
    trigger: Trigger, zone: Zone, after: dt.datetime, until: dt.datetime | None
) -> Iterator[dt.datetime]:
    """Give the instants (UTC, increasing) at which `trigger` fires after `after`, up to and including `until`.

    Neither `enabled` nor a `startup` trigger plays a part. Without `until` they may go on for ever.
    """
    # What the wall clock showed first at or before `after` is not later than what it shows then.
    for wall in _repeated(trigger, max(trigger.start, to_wall(after, zone))):
        if trigger.until is not None and wall > trigger.until:
            return
        instant = to_instant(wall, zone)
        if instant is None or instant <= after:
            continue
        if until is not None and instant > until:
            return
        yield instant


def occurrences(spec: ScheduleSpec, after: dt.datetime, until: dt.datetime | None) -> Iterator[dt.datetime]:
    """Give the different instants at which any active trigger fires after `after`, up to and including `until`."""
    zone = spec.zone
    last: dt.datetime | None = None
    for instant in heapq.merge(*(trigger_occurrences(each, zone, after, until) for each in spec.active)):
        if instant != last:
            yield instant
        last = instant


def next_occurrence(spec: ScheduleSpec, after: dt.datetime) -> dt.datetime | None:
    """Give the first instant after `after`, None when there is none."""
    return next(occurrences(spec, after, None), None)


def next_runs(spec: ScheduleSpec, after: dt.datetime, count: int = 10) -> list[str]:
    """Give the next `count` instants as ISO 8601 with the offset that the zone has then."""
    zone = spec.zone
    found = (instant.astimezone(zone).isoformat() for instant in occurrences(spec, after, None))
    return [text for text, _number in zip(found, range(count), strict=False)]


# -- walls: naive datetimes, increasing ---------------------------------------------------------------------------


def _repeated(trigger: Trigger, lower: dt.datetime) -> Iterator[dt.datetime]:
    """Give all wall times from `lower` on: each occurrence, with its repetitions. Windows may overlap."""
    if trigger.repeat is None:
        yield from _bases(trigger, lower)
        return
    step, length = trigger.repeat.step, trigger.repeat.length
    bases = _bases(trigger, lower - length)
    base = next(bases, None)
    open_windows: list[tuple[dt.datetime, dt.datetime]] = []  # the next time of each, and its end
    last: dt.datetime | None = None
    while open_windows or base is not None:
        if base is not None and (not open_windows or base <= open_windows[0][0]):
            passed = max(0, -((base - lower) // step))  # how many steps it takes to reach `lower`
            first = base + passed * step
            if first < base + length:
                heapq.heappush(open_windows, (first, base + length))
            base = next(bases, None)
            continue
        wall, end = heapq.heappop(open_windows)
        if wall + step < end:
            heapq.heappush(open_windows, (wall + step, end))
        if wall != last:
            yield wall
        last = wall


def _bases(trigger: Trigger, lower: dt.datetime) -> Iterator[dt.datetime]:
    """Give the wall times from `lower` on without repetitions; found without walking the days before."""
    start = trigger.start
    time = start.time()
    first = max(start, lower)
    for day in _DAYS[trigger.type](trigger, first.date()):
        if day.year > _LAST_YEAR:
            return
        wall = dt.datetime.combine(day, time)
        if wall >= first:
            yield wall


def _once(trigger: Trigger, _first: dt.date) -> Iterator[dt.date]:
    yield trigger.start.date()


def _daily(trigger: Trigger, first: dt.date) -> Iterator[dt.date]:
    start = trigger.start.toordinal()
    passed = max(0, first.toordinal() - start) // trigger.every
    return _every(start + passed * trigger.every, trigger.every)


def _weekly(trigger: Trigger, first: dt.date) -> Iterator[dt.date]:
    monday = trigger.start.toordinal() - trigger.start.weekday()
    step = 7 * trigger.every
    passed = max(0, first.toordinal() - monday) // step
    for week in _every(monday + passed * step, step):
        for weekday in trigger.weekdays:
            yield week + weekday * _DAY


def _monthly(trigger: Trigger, first: dt.date) -> Iterator[dt.date]:
    start = trigger.start.year * 12 + trigger.start.month - 1
    passed = max(0, first.year * 12 + first.month - 1 - start) // trigger.every
    number = start + passed * trigger.every
    while number // 12 <= _LAST_YEAR:
        year, month = number // 12, number % 12 + 1
        if not trigger.months or month in trigger.months:
            for day in _days_in(trigger, year, month):
                yield dt.date(year, month, day)
        number += trigger.every


def _days_in(trigger: Trigger, year: int, month: int) -> list[int]:
    """Give the days of one month, increasing."""
    first_weekday, length = calendar.monthrange(year, month)
    if trigger.week_of_month is None:
        wanted = [day if day > 0 else length + 1 + day for day in trigger.days_of_month]
    else:
        wanted = [_nth(weekday - first_weekday, length, trigger.week_of_month) for weekday in trigger.weekdays]
    return sorted({day for day in wanted if 1 <= day <= length})


def _nth(shift: int, length: int, week: int) -> int:
    """Give the day of the `week`th of a weekday that stands `shift` days from that of the 1st; it may not exist."""
    first = 1 + shift % 7
    if week > 0:
        return first + 7 * (week - 1)
    last = first + (length - first) // 7 * 7
    return last + 7 * (week + 1)


def _every(first: int, step: int) -> Iterator[dt.date]:
    """Give every `step`th day from the ordinal `first` on, to the end of the calendar."""
    last = dt.date(_LAST_YEAR, 12, 31).toordinal()
    return (dt.date.fromordinal(number) for number in range(first, last + 1, step))


_DAYS: Mapping[TriggerType, Callable[[Trigger, dt.date], Iterator[dt.date]]] = {
    "once": _once,
    "daily": _daily,
    "weekly": _weekly,
    "monthly": _monthly,
}
