# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules, and which of their native forms are exact on the 1st of June 2026 at noon."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Json = dict[str, t.Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """The triggers of a schedule; `cron` is about a schedule in UTC."""

    name: str
    triggers: tuple[Json, ...]
    rrule: bool
    calendar: bool
    cron: bool


def case(name: str, *triggers: Json, rrule: bool, calendar: bool, cron: bool) -> Case:
    return Case(name=name, triggers=triggers, rrule=rrule, calendar=calendar, cron=cron)


def at(kind: str, time: str = "2026-01-05T03:00:00", **options: t.Any) -> Json:
    return {"type": kind, "at": time, **options}


CASES = (
    case("once", at("once", "2026-07-04T03:00:00"), rrule=True, calendar=True, cron=False),
    case(
        "twice",
        at("once", "2026-07-04T03:00:00"),
        at("once", "2026-09-01T22:15:00"),
        rrule=True,
        calendar=True,
        cron=False,
    ),
    case(
        "years apart",
        at("once", "2026-07-04T03:00:00"),
        at("once", "2027-07-20T03:00:00"),
        rrule=False,
        calendar=True,
        cron=False,
    ),
    case(
        "once with repetitions",
        at("once", "2026-07-04T22:00:00", repeat={"every": "50m", "for": "5h"}),
        rrule=True,
        calendar=True,
        cron=False,
    ),
    case(
        "once for days",
        at("once", "2026-07-04T22:00:00", repeat={"every": "5h", "for": "3d"}),
        rrule=False,
        calendar=False,
        cron=False,
    ),
    case(
        "once until",
        at("once", "2026-07-04T22:00:00", repeat={"every": "50m", "for": "5h"}, until="2026-07-05T00:30:00"),
        rrule=True,
        calendar=False,
        cron=False,
    ),
    case("daily", at("daily"), rrule=True, calendar=True, cron=True),
    case("daily at a second", at("daily", "2026-01-05T03:00:30"), rrule=True, calendar=True, cron=False),
    case("daily from tomorrow", at("daily", "2026-06-02T03:00:00"), rrule=True, calendar=True, cron=True),
    case("daily from next week", at("daily", "2026-06-08T03:00:00"), rrule=True, calendar=False, cron=False),
    case("daily until", at("daily", until="2026-10-01T00:00:00"), rrule=True, calendar=False, cron=False),
    case("every third day", at("daily", every=3), rrule=True, calendar=False, cron=False),
    case("in the hour that is put forward", at("daily", "2026-01-05T01:30:00"), rrule=True, calendar=True, cron=True),
    case("weekly", at("weekly", weekdays=["monday", "sunday"]), rrule=True, calendar=True, cron=True),
    case(
        "every second week",
        at("weekly", weekdays=["monday", "thursday"], every=2),
        rrule=True,
        calendar=False,
        cron=False,
    ),
    case("days of a month", at("monthly", days_of_month=[1, 15]), rrule=True, calendar=True, cron=True),
    case("last days", at("monthly", days_of_month=[1, -1, -2]), rrule=True, calendar=True, cron=False),
    case("far from the end", at("monthly", days_of_month=[-29]), rrule=True, calendar=False, cron=False),
    case("quarters", at("monthly", every=3, days_of_month=[10]), rrule=True, calendar=True, cron=True),
    case("every fifth month", at("monthly", every=5, days_of_month=[10]), rrule=True, calendar=False, cron=False),
    case("some months", at("monthly", months=[3, 9], days_of_month=[31, 30]), rrule=True, calendar=True, cron=True),
    case(
        "second monday and friday",
        at("monthly", weekdays=["monday", "friday"], week_of_month=2, months=[7, 8]),
        rrule=True,
        calendar=True,
        cron=False,
    ),
    case("last friday", at("monthly", weekdays=["friday"], week_of_month=-1), rrule=True, calendar=True, cron=False),
    case("fifth friday", at("monthly", weekdays=["friday"], week_of_month=5), rrule=True, calendar=True, cron=False),
    case(
        "fifth from the end",
        at("monthly", weekdays=["friday"], week_of_month=-5),
        rrule=True,
        calendar=False,
        cron=False,
    ),
    case("every 25 minutes", at("daily", repeat={"every": "25m", "for": "2h"}), rrule=True, calendar=True, cron=True),
    case(
        "over midnight",
        at("daily", "2026-01-05T22:30:00", repeat={"every": "1h", "for": "4h"}),
        rrule=True,
        calendar=True,
        cron=True,
    ),
    case(
        "for days",
        at("daily", "2026-01-05T22:30:00", every=7, repeat={"every": "7h", "for": "2d"}),
        rrule=False,
        calendar=False,
        cron=False,
    ),
    case(
        "weekly over midnight",
        at("weekly", "2026-01-05T22:30:00", weekdays=["friday", "sunday"], repeat={"every": "90m", "for": "5h"}),
        rrule=True,
        calendar=True,
        cron=True,
    ),
    case(
        "every second week over midnight",
        at("weekly", "2026-01-05T22:30:00", every=2, repeat={"every": "90m", "for": "5h"}),
        rrule=False,
        calendar=False,
        cron=False,
    ),
    case(
        "monthly over midnight",
        at("monthly", "2026-01-05T22:30:00", repeat={"every": "90m", "for": "5h"}),
        rrule=False,
        calendar=False,
        cron=False,
    ),
    case(
        "monthly with repetitions",
        at("monthly", weekdays=["monday"], week_of_month=1, repeat={"every": "90m", "for": "5h"}),
        rrule=True,
        calendar=True,
        cron=False,
    ),
    case(
        "all day",
        at("daily", "2026-01-05T00:00:00", repeat={"every": "7m", "for": "1d"}),
        rrule=True,
        calendar=True,
        cron=True,
    ),
    case(
        "too many lines",
        at("monthly", "2026-01-05T00:00:00", weekdays=["monday"], week_of_month=1, repeat={"every": "7m", "for": "1d"}),
        rrule=False,
        calendar=True,
        cron=False,
    ),
    case(
        "two times",
        at("daily"),
        at("weekly", "2026-01-07T14:00:00", weekdays=["friday"]),
        rrule=True,
        calendar=True,
        cron=True,
    ),
    case(
        "in phase",
        at("daily", every=2),
        at("weekly", "2026-01-21T14:00:00", every=2),
        at("monthly", "2026-03-01T15:00:00", every=2),
        rrule=True,
        calendar=False,
        cron=False,
    ),
    case(
        "out of phase",
        at("daily", every=2),
        at("daily", "2026-01-06T14:00:00", every=2),
        rrule=False,
        calendar=False,
        cron=False,
    ),
    case("one begins later", at("daily"), at("daily", "2026-08-01T14:00:00"), rrule=False, calendar=False, cron=False),
    case("startup", {"type": "startup"}, rrule=False, calendar=False, cron=True),
    case("startup too", {"type": "startup"}, at("daily"), rrule=False, calendar=False, cron=False),
)
