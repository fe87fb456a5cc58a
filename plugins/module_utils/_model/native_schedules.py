# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules in the words of AWX (RFC 5545), systemd (systemd.time(7)) and cron (crontab(5)), and whether that is exact.

A form is exact when it fires, from now on, at exactly the same times. One that is not fires more often, never less: it
is good for a tick, which lets the store decide.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .occurrences import trigger_occurrences
from .schedules import ScheduleSpec
from .triggers import Trigger
from .zones import UTC_NAMES, Zone, to_instant, to_wall

DAY = 86400
MOST_LINES = 50
"""A form with more lines than that is a tick every minute instead."""
_RRULE_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_SYSTEMD_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MINUTELY_RRULE = "FREQ=MINUTELY;INTERVAL=1"
_MINUTELY_CALENDAR = "*-*-* *:*:00"
_MINUTELY_CRON = "* * * * *"
_SYSTEMD_LAST = 28  # it counts no further from the end of a month
_FOUR_YEARS = dt.timedelta(days=1461)

Lines: t.TypeAlias = tuple[list[str], bool]
"""The lines of one trigger, and whether they are exact."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Times:
    """The times of day of one trigger, in seconds: those on its days, and those on the days after them.

    `regular` is false when it fires on more than two days; then all of them are in `same`.
    """

    same: frozenset[int]
    next: frozenset[int]
    regular: bool

    @property
    def all(self) -> frozenset[int]:
        return self.same | self.next


class _Moment(t.NamedTuple):
    """Hours, minutes and seconds; every combination of them is meant."""

    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]


def native_forms(spec: ScheduleSpec, now: dt.datetime) -> dict[str, dict[str, t.Any]]:
    """Give `rrule` (one text, with `exact`), `oncalendar` and `cron` (a `list` each, with `exact`).

    Cron has no time zone; its form is exact on hosts whose clock is in UTC, for schedules in UTC.
    """
    zone = spec.zone
    live = [each for each in spec.triggers if each.enabled and _fires(each, zone, now)]
    timed = [each for each in live if each.type != "startup"]
    starts = len(timed) < len(live)
    rrule = _rrule(timed, spec.timezone, zone, now)
    calendar = _merge((_calendar(each, zone, now) for each in timed), _MINUTELY_CALENDAR, starts=starts)
    cron = _merge((_cron(each, zone, now) for each in timed), _MINUTELY_CRON, starts=starts)
    if starts:
        rrule = (
            _rrule_text(_MINUTELY_RRULE, start=to_wall(now, zone).replace(microsecond=0), name=spec.timezone),
            False,
        )
    if starts and not timed and all(each.delay is None for each in live):
        cron = (["@reboot"], True)
    return {
        "rrule": {"text": rrule[0], "exact": rrule[1]},
        "oncalendar": {"list": [f"{line} {spec.timezone}" for line in calendar[0]], "exact": calendar[1]},
        "cron": {
            "list": cron[0],
            "exact": cron[1] and (spec.timezone in UTC_NAMES or not timed),
        },
    }


def _fires(trigger: Trigger, zone: Zone, now: dt.datetime) -> bool:
    return trigger.type == "startup" or next(trigger_occurrences(trigger, zone, now, None), None) is not None


def _merge(parts: Iterable[Lines], minutely: str, *, starts: bool) -> Lines:
    """Give the lines of all triggers. What nothing here can say, as the start of a host, is a tick every minute."""
    found = list(parts)
    lines = list(dict.fromkeys(line for part, _exact in found for line in part))
    if starts or len(lines) > MOST_LINES:
        return [minutely], False
    return lines, all(exact for _part, exact in found)


# -- times of day -------------------------------------------------------------------------------------------------


def _times(trigger: Trigger) -> _Times:
    start = trigger.start
    base = start.hour * 3600 + start.minute * 60 + start.second
    if trigger.repeat is None:
        return _Times(same=frozenset({base}), next=frozenset(), regular=True)
    step, length = (int(each.total_seconds()) for each in (trigger.repeat.step, trigger.repeat.length))
    found = range(base, base + length, step)
    if length > DAY:
        return _Times(same=frozenset(each % DAY for each in found), next=frozenset(), regular=False)
    return _Times(
        same=frozenset(each for each in found if each < DAY),
        next=frozenset(each - DAY for each in found if each >= DAY),
        regular=True,
    )


def _moments(times: Iterable[int]) -> list[_Moment]:
    """Give the times as few products of hours, minutes and seconds."""
    minutes: dict[tuple[int, int], set[int]] = {}
    for time in times:
        minutes.setdefault((time // 3600, time % 60), set()).add(time // 60 % 60)
    hours: dict[tuple[int, tuple[int, ...]], set[int]] = {}
    for (hour, second), found in minutes.items():
        hours.setdefault((second, tuple(sorted(found))), set()).add(hour)
    return sorted(_Moment(tuple(sorted(found)), minute, (second,)) for (second, minute), found in hours.items())


def _months(trigger: Trigger) -> tuple[int, ...] | None:
    """Give the months of the year of a monthly trigger, empty for all; None when they differ from year to year."""
    if trigger.every == 1:
        return trigger.months
    if 12 % trigger.every:
        return None
    first = trigger.start.month - 1
    reached = {(first + number * trigger.every) % 12 + 1 for number in range(12 // trigger.every)}
    return tuple(sorted(reached.intersection(trigger.months or reached)))


def _as_if_always(trigger: Trigger, zone: Zone, now: dt.datetime) -> bool:
    """Tell whether a form without first and last date fires, from now on, at the same times."""
    if trigger.until is not None:
        return False
    if trigger.start <= to_wall(now, zone):
        return True
    # Four years are 48 months, so months that are counted stay the same.
    earlier = replace(trigger, at=trigger.start - _FOUR_YEARS)
    first = next(trigger_occurrences(earlier, zone, now, None), None)
    return first == next(trigger_occurrences(trigger, zone, now, None), None)


# -- AWX ----------------------------------------------------------------------------------------------------------


def _rrule(triggers: Sequence[Trigger], name: str, zone: Zone, now: dt.datetime) -> tuple[str, bool]:
    """Give one set of rules. AWX wants one DTSTART and INTERVAL in each, and no number in BYDAY."""
    if not triggers:
        return "", True
    start = min(each.start for each in triggers)
    rules: list[str] = []
    exact = True
    for trigger in triggers:
        found = _rules(trigger, start, zone, now)
        rules.extend(found or _daily_rules(_times(trigger).all))
        exact = exact and bool(found)
    rules = list(dict.fromkeys(rules))
    if len(rules) > MOST_LINES:
        rules, exact = [_MINUTELY_RRULE], False
    return _rrule_text(*rules, start=start, name=name), exact


def _rrule_text(*rules: str, start: dt.datetime, name: str) -> str:
    return " ".join([f"DTSTART;TZID={name}:{start:%Y%m%dT%H%M%S}", *(f"RRULE:{rule}" for rule in rules)])


def _daily_rules(times: Iterable[int]) -> list[str]:
    return [f"FREQ=DAILY;INTERVAL=1;{_by_time(moment)}" for moment in _moments(times)]


def _by_time(moment: _Moment) -> str:
    parts = zip(("BYHOUR", "BYMINUTE", "BYSECOND"), moment, strict=True)
    return ";".join(f"{name}={','.join(map(str, numbers))}" for name, numbers in parts)


def _rules(trigger: Trigger, start: dt.datetime, zone: Zone, now: dt.datetime) -> list[str]:
    """Give the exact rules of one trigger in a set that begins at `start`, none when there are no such rules."""
    times = _times(trigger)
    if trigger.type == "once":
        return _rules_of_once(trigger, start, zone) if times.regular else []
    if trigger.start != start and not (trigger.start <= to_wall(now, zone) and _in_phase(trigger, start)):
        return []
    if not times.regular or (times.next and (trigger.type == "monthly" or trigger.every > 1)):
        return []
    until = "" if trigger.until is None else f";UNTIL={_in_utc(trigger.until, zone)}"
    return [
        f"{days};{_by_time(moment)}{until}"
        for shift, found in enumerate((times.same, times.next))
        for days in _by_days(trigger, shift)
        for moment in _single_moments(trigger, found)
    ]


def _single_moments(trigger: Trigger, times: Iterable[int]) -> list[_Moment]:
    """Give the times one by one where BYSETPOS counts them, too."""
    if trigger.week_of_month is None:
        return _moments(times)
    return [_moments([time])[0] for time in sorted(times)]


def _in_phase(trigger: Trigger, start: dt.datetime) -> bool:
    """Tell whether counting from `start` reaches the same days as counting from the trigger's own start."""
    own = trigger.start
    passed = {
        "daily": own.toordinal() - start.toordinal(),
        "weekly": (own.toordinal() - own.weekday() - start.toordinal() + start.weekday()) // 7,
        "monthly": (own.year - start.year) * 12 + own.month - start.month,
    }
    return passed[trigger.type] % trigger.every == 0


def _by_days(trigger: Trigger, shift: int) -> list[str]:
    head = f"FREQ={trigger.type.upper()};INTERVAL={trigger.every}"
    if trigger.type == "daily":
        return [head]
    if trigger.type == "weekly":
        return [f"{head};BYDAY={','.join(_RRULE_DAYS[day] for day in _shifted(trigger, shift))}"]
    if trigger.months:
        head += f";BYMONTH={','.join(map(str, trigger.months))}"
    if trigger.week_of_month is None:
        return [f"{head};BYMONTHDAY={','.join(map(str, trigger.days_of_month))}"]
    return [f"{head};BYDAY={_RRULE_DAYS[day]};BYSETPOS={trigger.week_of_month}" for day in trigger.weekdays]


def _shifted(trigger: Trigger, shift: int) -> list[int]:
    return sorted((day + shift) % 7 for day in trigger.weekdays)


def _rules_of_once(trigger: Trigger, start: dt.datetime, zone: Zone) -> list[str]:
    own = trigger.start
    times = _times(trigger)
    if own == start and trigger.repeat is None:
        return ["FREQ=DAILY;INTERVAL=1;COUNT=1"]
    if (own - start).days >= 365:
        return []
    rules: list[str] = []
    for shift, found in enumerate((times.same, times.next)):
        day = own + dt.timedelta(days=shift)
        end = day.replace(hour=23, minute=59, second=59)
        last = end if trigger.until is None else min(end, trigger.until)
        rules.extend(
            f"FREQ=DAILY;INTERVAL=1;BYMONTH={day.month};BYMONTHDAY={day.day};{_by_time(moment)};"
            f"UNTIL={_in_utc(last, zone)}"
            for moment in _moments(found)
        )
    return rules


def _in_utc(wall: dt.datetime, zone: Zone) -> str:
    """Give a time for UNTIL. At the end of a day that the clock leaves out the offset before counts."""
    instant = to_instant(wall, zone) or wall.replace(tzinfo=zone).astimezone(dt.timezone.utc)
    return f"{instant:%Y%m%dT%H%M%SZ}"


# -- systemd ------------------------------------------------------------------------------------------------------


def _calendar(trigger: Trigger, zone: Zone, now: dt.datetime) -> Lines:
    """Give calendar expressions without the zone."""
    times = _times(trigger)
    if trigger.type == "once":
        if not times.regular:
            return _calendar_lines(["*-*-*"], times.all), False
        days = ((trigger.start + dt.timedelta(days=shift)).date().isoformat() for shift in range(2))
        parts = zip(days, (times.same, times.next), strict=True)
        lines = [line for day, found in parts for line in _calendar_lines([day], found)]
        return lines, trigger.until is None or trigger.repeat is None
    days_of = _calendar_days(trigger, 0)
    if days_of is None or not times.regular or (times.next and trigger.type == "monthly"):
        return _calendar_lines(["*-*-*"], times.all), False
    lines = _calendar_lines(days_of, times.same) + _calendar_lines(_calendar_days(trigger, 1) or [], times.next)
    return lines, _as_if_always(trigger, zone, now)


def _calendar_lines(days: Sequence[str], times: Iterable[int]) -> list[str]:
    return [f"{day} {_clock(moment)}" for day in days for moment in _moments(times)]


def _clock(moment: _Moment) -> str:
    return ":".join(",".join(f"{number:02}" for number in numbers) for numbers in moment)


def _calendar_days(trigger: Trigger, shift: int) -> list[str] | None:
    """Give the days as expressions, None when there are none that say it."""
    if trigger.type != "monthly":
        if trigger.every > 1:
            return None
        names = ",".join(_SYSTEMD_DAYS[day] for day in _shifted(trigger, shift))
        return [f"{names} *-*-*" if names else "*-*-*"]
    months = _months(trigger)
    if months is None:
        return None
    month = ",".join(f"{number:02}" for number in months) or "*"
    if trigger.week_of_month is not None:
        return _calendar_week(trigger, trigger.week_of_month, month)
    if min(trigger.days_of_month) < -_SYSTEMD_LAST:
        return None
    sides = (
        ("-", [day for day in trigger.days_of_month if day > 0]),
        ("~", [-d for d in trigger.days_of_month if d < 0]),
    )
    return [f"*-{month}{mark}{','.join(f'{day:02}' for day in days)}" for mark, days in sides if days]


def _calendar_week(trigger: Trigger, week: int, month: str) -> list[str] | None:
    names = ",".join(_SYSTEMD_DAYS[day] for day in trigger.weekdays)
    first = 7 * (abs(week) - 1) + 1
    if week == -5:
        return None
    last = min(first + 6, 31)
    return [f"{names} *-{month}{'-' if week > 0 else '~'}{first:02}..{last:02}"]


# -- cron ---------------------------------------------------------------------------------------------------------


def _cron(trigger: Trigger, zone: Zone, now: dt.datetime) -> Lines:
    times = _times(trigger)
    days = _cron_days(trigger, 0) if times.regular else None
    if any(time % 60 for time in times.all) or days is None or (times.next and trigger.type == "monthly"):
        return _cron_lines("* * *", times.all), False
    lines = _cron_lines(days, times.same)
    if times.next:
        lines += _cron_lines(_cron_days(trigger, 1) or "* * *", times.next)
    return lines, trigger.type != "once" and _as_if_always(trigger, zone, now)


def _cron_lines(days: str, times: Iterable[int]) -> list[str]:
    """Give lines for the times; those within a minute are looked for at its end."""
    whole = {-(-time // 60) * 60 % DAY for time in times}
    return [
        f"{','.join(map(str, moment.minutes))} {','.join(map(str, moment.hours))} {days}" for moment in _moments(whole)
    ]


def _cron_days(trigger: Trigger, shift: int) -> str | None:
    """Give day of month, month and weekday, None when cron cannot say them: it fires on either of two given."""
    if trigger.type == "once":
        day = trigger.start + dt.timedelta(days=shift)
        return f"{day.day} {day.month} *"
    if trigger.type == "monthly":
        months = _months(trigger)
        if months is None or trigger.week_of_month is not None or min(trigger.days_of_month) < 0:
            return None
        return f"{','.join(map(str, trigger.days_of_month))} {','.join(map(str, months)) or '*'} *"
    if trigger.every > 1:
        return None
    weekdays = ",".join(str((day + 1) % 7) for day in _shifted(trigger, shift))
    return f"* * {weekdays or '*'}"
