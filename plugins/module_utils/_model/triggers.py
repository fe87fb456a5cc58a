# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triggers of a schedule between plain data and `Trigger`."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .durations import parse_duration
from .errors import ConfigError
from .sections import Section
from .zones import Zone, to_instant

TriggerType: t.TypeAlias = t.Literal["once", "daily", "weekly", "monthly", "startup"]
TRIGGER_TYPES: tuple[TriggerType, ...] = ("once", "daily", "weekly", "monthly", "startup")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TRIGGER_OPTIONS: Mapping[TriggerType, tuple[str, ...]] = {
    "once": ("at", "repeat", "until"),
    "daily": ("at", "every", "repeat", "until"),
    "weekly": ("at", "every", "weekdays", "repeat", "until"),
    "monthly": ("at", "every", "weekdays", "days_of_month", "week_of_month", "months", "repeat", "until"),
    "startup": ("delay",),
}
"""The options of each type beside `type` and `enabled`."""
ALL_OPTIONS = tuple(
    dict.fromkeys(("type", "enabled", *(name for options in TRIGGER_OPTIONS.values() for name in options)))
)
LONGEST_EVERY = 1000
MINUTE = 60
LONGEST_REPEAT = 31 * 86400
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
YEARS = range(1970, 9000)
"""Years that `at` and `until` may lie in; what is counted from them stays within the calendar of Python."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeat:
    """Fire again every `every` for as long as `for_` after each occurrence, which is the first of them.

    Both are lengths of time as text. They are counted on the wall clock.
    """

    every: str
    for_: str

    @property
    def step(self) -> dt.timedelta:
        return dt.timedelta(seconds=parse_duration(self.every, "every"))

    @property
    def length(self) -> dt.timedelta:
        return dt.timedelta(seconds=parse_duration(self.for_, "for"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """One trigger. `at` and `until` are wall clock times without a zone; of a `startup` trigger only `delay` counts.

    Attributes:
        at: the first date, and the time of day; what `every` counts from.
        every: every so many days, weeks (from Monday) or months.
        weekdays: 0 is Monday. Of a monthly trigger those of `week_of_month`.
        days_of_month: 1 to 31, or -1 (the last) to -31.
        week_of_month: which of these weekdays in its month, 1 to 5 or from the end -1 to -5.
        months: 1 to 12; empty for all.
        until: the last moment at which it may fire.
        delay: how long after the start of the host, as text.
    """

    type: TriggerType
    enabled: bool = True
    at: dt.datetime | None = None
    every: int = 1
    weekdays: tuple[int, ...] = ()
    days_of_month: tuple[int, ...] = ()
    week_of_month: int | None = None
    months: tuple[int, ...] = ()
    repeat: Repeat | None = None
    until: dt.datetime | None = None
    delay: str | None = None

    @property
    def start(self) -> dt.datetime:
        """The first date and time of day; a `startup` trigger has none."""
        if self.at is None:
            raise ConfigError(f"a trigger of type {self.type} has no time of its own.")
        return self.at

    @property
    def delay_seconds(self) -> float:
        """How long after the start of the host it fires, in seconds."""
        return 0.0 if self.delay is None else parse_duration(self.delay, "delay")


def parse_trigger(data: object, place: str, zone: Zone) -> Trigger:
    """Read one trigger. Raises ConfigError naming `place`, the option, the value and the valid ones."""
    section = Section(data, place, ALL_OPTIONS)
    if "type" not in section.given:
        raise ConfigError(f"{place}: `type` is missing. Valid: {', '.join(map(repr, TRIGGER_TYPES))}.")
    kind = section.choice("type", TRIGGER_TYPES, "once")
    section.place = f"{place} ({kind})"
    _refuse_foreign(section, kind)
    if kind == "startup":
        return Trigger(type=kind, enabled=section.flag("enabled", True), delay=_delay(section))
    at = _wall(section, "at", zone)
    if at is None:
        raise ConfigError(f"{section.place}: `at` is missing, the first date and time, such as '2026-01-05T03:00:00'.")
    until = _wall(section, "until", zone)
    if until is not None and until < at:
        raise ConfigError(
            f"{section.place}: `until` {until.isoformat()} is before `at` {at.isoformat()}; nothing is due."
        )
    trigger = Trigger(
        type=kind,
        enabled=section.flag("enabled", True),
        at=at,
        every=section.integer("every", 1, minimum=1, maximum=LONGEST_EVERY),
        weekdays=_weekdays(section, kind, at),
        days_of_month=_days_of_month(section, kind, at),
        week_of_month=_week_of_month(section),
        months=_numbers(section, "months", range(1, 13), "months from 1 to 12"),
        repeat=_repeat(section),
        until=until,
    )
    if kind == "monthly":
        _refuse_never(trigger, section.place)
    if kind == "once" and to_instant(at, zone) is None:
        raise ConfigError(
            f"{section.place}: `at` {at.isoformat()} does not exist in this time zone, clocks are put forward over it. "
            "Choose another time."
        )
    return trigger


def trigger_definition(trigger: Trigger) -> dict[str, t.Any]:
    """Give the plain form of `trigger`, the inverse of `parse_trigger`."""
    plain: dict[str, t.Any] = {"type": trigger.type, "enabled": trigger.enabled}
    if trigger.type == "startup":
        return plain | ({} if trigger.delay is None else {"delay": trigger.delay})
    plain["at"] = trigger.start.isoformat()
    if trigger.type != "once":
        plain["every"] = trigger.every
    if trigger.weekdays:
        plain["weekdays"] = [WEEKDAYS[day] for day in trigger.weekdays]
    for option in ("days_of_month", "months"):
        if getattr(trigger, option):
            plain[option] = list(getattr(trigger, option))
    if trigger.week_of_month is not None:
        plain["week_of_month"] = trigger.week_of_month
    if trigger.repeat is not None:
        plain["repeat"] = {"every": trigger.repeat.every, "for": trigger.repeat.for_}
    if trigger.until is not None:
        plain["until"] = trigger.until.isoformat()
    return plain


def _refuse_foreign(section: Section, kind: TriggerType) -> None:
    valid = TRIGGER_OPTIONS[kind]
    foreign = [name for name in section.given if name not in (*valid, "type", "enabled")]
    if foreign:
        raise ConfigError(
            f"{section.place}: `{foreign[0]}` does not go with a trigger of this type, got "
            f"{section.given[foreign[0]]!r}. Valid: {', '.join(f'`{name}`' for name in valid)}."
        )


def _wall(section: Section, option: str, zone: Zone) -> dt.datetime | None:
    text = section.optional_text(option)
    if text is None:
        return None
    try:
        wall = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"{section.place}: `{option}` {text!r} is no date and time ({error}). Give one as '2026-01-05T03:00:00'."
        ) from None
    if wall.tzinfo is not None:
        raise ConfigError(
            f"{section.place}: `{option}` {text!r} has an offset. It is the time of the wall clock in `timezone`: "
            "leave the offset out."
        )
    if wall.microsecond or wall.year not in YEARS:
        raise section.wrong(option, f"a date and time in whole seconds from {YEARS[0]} to {YEARS[-1]}")
    if option == "until" and to_instant(wall, zone) is None:
        raise ConfigError(
            f"{section.place}: `until` {text!r} does not exist in this time zone, clocks are put forward over it. "
            "Choose another time."
        )
    return wall


def _weekdays(section: Section, kind: TriggerType, at: dt.datetime) -> tuple[int, ...]:
    days = section.texts("weekdays")
    for day in days:
        if day not in WEEKDAYS:
            raise section.wrong("weekdays", f"a list of {', '.join(map(repr, WEEKDAYS))}")
    if kind == "monthly" and bool(days) != ("week_of_month" in section.given):
        raise ConfigError(
            f"{section.place}: `weekdays` and `week_of_month` go together, such as weekdays: [monday] with "
            "week_of_month: 2 for the second Monday. Give both or none."
        )
    if kind == "weekly" and not days:
        return (at.weekday(),)
    return tuple(sorted({WEEKDAYS.index(day) for day in days}))


def _days_of_month(section: Section, kind: TriggerType, at: dt.datetime) -> tuple[int, ...]:
    valid = [day for day in range(-31, 32) if day]
    days = _numbers(section, "days_of_month", valid, "days from 1 to 31, or from the end -1 to -31")
    if days and "week_of_month" in section.given:
        raise ConfigError(
            f"{section.place}: `days_of_month` and `week_of_month` exclude each other. Use a trigger for each."
        )
    if kind == "monthly" and not days and "week_of_month" not in section.given:
        return (at.day,)
    return days


def _refuse_never(trigger: Trigger, place: str) -> None:
    """Refuse a monthly trigger whose months have none of its days, as the 30th of February."""
    first = trigger.start.month - 1
    reached = {(first + number * trigger.every) % 12 + 1 for number in range(12)}
    months = sorted(reached.intersection(trigger.months or reached))
    if not months:
        raise ConfigError(
            f"{place}: with `every: {trigger.every}` from {trigger.start.isoformat()} the months are {sorted(reached)} "
            f"and `months` {list(trigger.months)} has none of them; nothing would ever be due."
        )
    longest = max(_LONGEST_MONTHS[month - 1] for month in months)
    if trigger.days_of_month and min(map(abs, trigger.days_of_month)) > longest:
        raise ConfigError(
            f"{place}: none of the months {months} has a day of `days_of_month` {list(trigger.days_of_month)}; nothing "
            "would ever be due."
        )


def _week_of_month(section: Section) -> int | None:
    if "week_of_month" not in section.given:
        return None
    week = section.given["week_of_month"]
    if isinstance(week, bool) or not isinstance(week, int) or not 1 <= abs(week) <= 5:
        raise section.wrong("week_of_month", "1 to 5, or from the end -1 to -5")
    return week


def _numbers(section: Section, option: str, valid: t.Collection[int], wanted: str) -> tuple[int, ...]:
    numbers = section.items(option)
    if option in section.given and not numbers:
        raise section.wrong(option, f"a list of {wanted}, or left out")
    found = {number for number in numbers if isinstance(number, int) and not isinstance(number, bool)}
    if not found.issubset(valid) or len(found) != len(set(map(str, numbers))):
        raise section.wrong(option, f"a list of {wanted}")
    return tuple(sorted(found, key=lambda number: (number < 0, number)))


def _repeat(section: Section) -> Repeat | None:
    if "repeat" not in section.given:
        return None
    repeat = section.section("repeat", ("every", "for"))
    every, length = repeat.required_text("every"), repeat.required_text("for")
    step = parse_duration(every, f"{repeat.place}, every")
    longest = parse_duration(length, f"{repeat.place}, for")
    if step % MINUTE:
        raise repeat.wrong("every", "in whole minutes")
    if longest > LONGEST_REPEAT or longest % MINUTE:
        raise repeat.wrong("for", "at most 31d, in whole minutes")
    if step >= longest:
        raise ConfigError(
            f"{repeat.place}: `every` {every!r} is not shorter than `for` {length!r}, so nothing is repeated. Leave "
            "`repeat` out, or make `for` longer."
        )
    return Repeat(every=" ".join(every.split()), for_=" ".join(length.split()))


def _delay(section: Section) -> str | None:
    text = section.optional_text("delay")
    if text is None:
        return None
    parse_duration(text, f"{section.place}, delay")
    return " ".join(text.split())
