# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When triggers fire: against python-dateutil, by properties, and where clocks are put forward and back."""

from __future__ import annotations

import datetime as dt
import itertools
import typing as t
import zoneinfo
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.occurrences import (
    next_occurrence,
    next_runs,
    occurrences,
    trigger_occurrences,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.schedules import ScheduleSpec, parse_schedule
from ansible_collections.lockstep.sync.plugins.module_utils._model.triggers import WEEKDAYS, Trigger
from dateutil import rrule, tz
from hypothesis import given
from hypothesis import strategies as st

UTC = dt.timezone.utc
Json = dict[str, t.Any]
ZONES = ("UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
AT = "2026-01-05T01:30:00"
START = dt.datetime.fromisoformat(AT)
FROM, UNTIL = dt.datetime(2025, 12, 1, tzinfo=UTC), dt.datetime(2028, 12, 1, tzinfo=UTC)


def schedule(*triggers: Json, timezone: str = "UTC", **options: t.Any) -> ScheduleSpec:
    return parse_schedule("s", {"timezone": timezone, "triggers": list(triggers), **options})


def rule(frequency: int, **options: t.Any) -> list[dt.datetime]:
    """Give the wall times of a rule of python-dateutil over the years that are compared."""
    return list(rrule.rrule(frequency, dtstart=START, until=dt.datetime.fromisoformat("2029-01-01"), **options))


def with_repeats(walls: Iterable[dt.datetime], minutes: int, count: int) -> list[dt.datetime]:
    """Give each time with its repetitions."""
    return sorted({wall + dt.timedelta(minutes=minutes * number) for wall in walls for number in range(count)})


KINDS: dict[str, tuple[Json, list[dt.datetime]]] = {
    "once": ({"type": "once"}, [START]),
    "daily": ({"type": "daily"}, rule(rrule.DAILY)),
    "every third day": ({"type": "daily", "every": 3}, rule(rrule.DAILY, interval=3)),
    "weekly": ({"type": "weekly"}, rule(rrule.WEEKLY)),
    "every second week on two days": (
        {"type": "weekly", "every": 2, "weekdays": ["thursday", "sunday"]},
        rule(rrule.WEEKLY, interval=2, byweekday=(rrule.TH, rrule.SU)),
    ),
    "days of a month": (
        {"type": "monthly", "days_of_month": [1, 15, -1]},
        rule(rrule.MONTHLY, bymonthday=(1, 15, -1)),
    ),
    "every second month on the 31st": (
        {"type": "monthly", "every": 2, "days_of_month": [31]},
        rule(rrule.MONTHLY, interval=2, bymonthday=31),
    ),
    "second monday": (
        {"type": "monthly", "weekdays": ["monday"], "week_of_month": 2},
        rule(rrule.MONTHLY, byweekday=rrule.MO(2)),
    ),
    "last friday and sunday of two months": (
        {"type": "monthly", "weekdays": ["friday", "sunday"], "week_of_month": -1, "months": [3, 10]},
        rule(rrule.MONTHLY, byweekday=(rrule.FR(-1), rrule.SU(-1)), bymonth=(3, 10)),
    ),
    "fifth wednesday, from the end too": (
        {"type": "monthly", "weekdays": ["wednesday"], "week_of_month": -5},
        rule(rrule.MONTHLY, byweekday=rrule.WE(-5)),
    ),
    "every 25 minutes for two hours": (
        {"type": "daily", "repeat": {"every": "25m", "for": "2h"}},
        with_repeats(rule(rrule.DAILY), 25, 5),
    ),
    "over midnight, every second week": (
        {"type": "weekly", "every": 2, "weekdays": ["sunday"], "repeat": {"every": "90m", "for": "1d12h"}},
        with_repeats(rule(rrule.WEEKLY, interval=2, byweekday=rrule.SU), 90, 24),
    ),
    "windows that share times": (
        {"type": "daily", "repeat": {"every": "12h", "for": "2d"}},
        with_repeats(rule(rrule.DAILY), 720, 4),
    ),
    "windows that overlap": (
        {"type": "daily", "every": 2, "repeat": {"every": "11h", "for": "5d"}, "until": "2028-02-01T00:00:00"},
        [
            wall
            for wall in with_repeats(rule(rrule.DAILY, interval=2), 660, 11)
            if wall.isoformat() <= "2028-02-01T00:00:00"
        ],
    ),
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", KINDS)
def test_three_years_are_those_of_dateutil(kind: str, zone: str) -> None:
    trigger, walls = KINDS[kind]
    there = tz.gettz(zone)
    expected = [
        wall.replace(tzinfo=there).astimezone(UTC) for wall in walls if tz.datetime_exists(wall.replace(tzinfo=there))
    ]
    spec = schedule({"at": AT, **trigger}, timezone=zone)

    found = list(occurrences(spec, FROM, UNTIL))

    assert found == [instant for instant in expected if FROM < instant <= UNTIL]
    assert found


# -- clocks that are put forward and back -------------------------------------------------------------------------


def walls(spec: ScheduleSpec, after: str, until: str) -> list[str]:
    zone = spec.zone
    start, end = (dt.datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (after, until))
    return [each.astimezone(zone).strftime("%d %H:%M %z") for each in occurrences(spec, start, end)]


def test_a_time_that_does_not_exist_is_skipped_and_one_that_comes_twice_counts_once() -> None:
    spec = schedule({"type": "daily", "at": "2026-01-01T01:30:00"}, timezone="Europe/London")
    assert walls(spec, "2026-03-28T00:00", "2026-03-31T00:00") == ["28 01:30 +0000", "30 01:30 +0100"]
    assert walls(spec, "2026-10-24T12:00", "2026-10-26T12:00") == ["25 01:30 +0100", "26 01:30 +0000"]


def test_repetitions_follow_the_wall_clock() -> None:
    trigger = {"type": "daily", "at": "2026-01-01T00:30:00", "repeat": {"every": "30m", "for": "2h"}}
    spec = schedule(trigger, timezone="Europe/London")
    assert walls(spec, "2026-03-28T12:00", "2026-03-29T12:00") == ["29 00:30 +0000", "29 02:00 +0100"]
    assert walls(spec, "2026-10-24T12:00", "2026-10-25T12:00") == [
        "25 00:30 +0100",
        "25 01:00 +0100",
        "25 01:30 +0100",
        "25 02:00 +0000",
    ]


def test_a_day_that_a_country_left_out_is_left_out() -> None:
    spec = schedule({"type": "daily", "at": "2011-12-28T12:00:00"}, timezone="Pacific/Apia")
    assert walls(spec, "2011-12-28T00:00", "2011-12-31T20:00") == ["28 12:00 -1000", "29 12:00 -1000", "31 12:00 +1400"]


# -- several triggers, the next ones ------------------------------------------------------------------------------


def test_triggers_are_merged_and_the_same_time_counts_once() -> None:
    spec = schedule(
        {"type": "daily", "at": "2026-01-01T03:00:00"},
        {"type": "weekly", "at": "2026-01-05T03:00:00", "repeat": {"every": "1h", "for": "3h"}},
        {"type": "daily", "at": "2026-01-01T04:30:00", "enabled": False},
        {"type": "startup"},
        timezone="America/New_York",
    )
    assert next_runs(spec, dt.datetime(2026, 1, 5, tzinfo=UTC), 5) == [
        "2026-01-05T03:00:00-05:00",
        "2026-01-05T04:00:00-05:00",
        "2026-01-05T05:00:00-05:00",
        "2026-01-06T03:00:00-05:00",
        "2026-01-07T03:00:00-05:00",
    ]
    assert spec.startup == Trigger(type="startup")


def test_a_disabled_schedule_is_never_due() -> None:
    spec = schedule({"type": "daily", "at": AT}, {"type": "startup"}, enabled=False)
    assert (next_runs(spec, FROM), next_occurrence(spec, FROM), spec.startup) == ([], None, None)


def test_what_is_over_is_over() -> None:
    spec = schedule({"type": "daily", "at": AT, "until": "2026-01-07T01:30:00"})
    assert [each[8:10] for each in next_runs(spec, FROM)] == ["05", "06", "07"]
    assert next_occurrence(spec, dt.datetime(2026, 1, 7, 1, 30, tzinfo=UTC)) is None


def test_the_calendar_ends() -> None:
    spec = schedule({"type": "daily", "at": "8998-01-01T00:00:00", "every": 1000}, {"type": "monthly", "at": AT})
    late = dt.datetime(9998, 10, 15, tzinfo=UTC)
    assert [each[:10] for each in next_runs(spec, late)] == ["9998-11-05", "9998-12-05"]
    weekly = schedule({"type": "weekly", "at": AT, "weekdays": ["monday", "sunday"]})
    last = dt.datetime(9998, 12, 20, tzinfo=UTC)
    assert [each[:10] for each in next_runs(weekly, last)] == ["9998-12-20", "9998-12-21", "9998-12-27", "9998-12-28"]


def test_the_soonest_start_of_a_host_counts() -> None:
    spec = schedule({"type": "startup", "delay": "5m"}, {"type": "startup", "delay": "30s"})
    assert spec.startup is not None
    assert spec.startup.delay_seconds == 30
    with pytest.raises(ConfigError, match="startup has no time of its own"):
        assert spec.startup.start


class CountingZone(dt.tzinfo):
    """UTC that counts how often it is asked."""

    asked = 0

    def utcoffset(self, dt: datetime | None) -> timedelta:
        self.asked += 1
        return timedelta(0)

    def dst(self, dt: datetime | None) -> timedelta:
        return timedelta(0)


@pytest.mark.parametrize(
    "options",
    [
        {"type": "daily", "every": 3},
        {"type": "daily", "repeat": {"every": "1m", "for": "1d"}},
        {"type": "weekly", "every": 5},
        {"type": "monthly", "every": 7},
    ],
    ids=str,
)
def test_a_start_that_is_long_ago_is_not_walked_from(options: Json) -> None:
    spec = schedule({"at": "1970-01-01T00:00:00", **options})
    zone = CountingZone()
    found = trigger_occurrences(spec.triggers[0], zone, dt.datetime(2500, 6, 1, tzinfo=UTC), None)
    assert len(list(itertools.islice(found, 3))) == 3
    assert zone.asked < 100


# -- properties ---------------------------------------------------------------------------------------------------

LOCAL = st.datetimes(dt.datetime.fromisoformat("1990-01-01"), dt.datetime.fromisoformat("2060-01-01")).map(
    lambda moment: moment.replace(microsecond=0)
)
INSTANTS = LOCAL.map(lambda moment: moment.replace(tzinfo=UTC))
REPEATS = st.none() | st.builds(
    lambda every, times: {"every": f"{every}m", "for": f"{every * times}m"}, st.integers(7, 2000), st.integers(2, 20)
)


@st.composite
def triggers(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(("daily", "weekly", "monthly")))
    trigger: Json = {"type": kind, "at": draw(LOCAL).isoformat(), "every": draw(st.integers(1, 11))}
    days = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7))
    if kind == "weekly":
        trigger["weekdays"] = days
    elif kind == "monthly" and draw(st.booleans()):
        trigger |= {"weekdays": days, "week_of_month": draw(st.sampled_from((1, 2, 3, 4, 5, -1, -2, -3, -4, -5)))}
    elif kind == "monthly":
        trigger["days_of_month"] = draw(st.lists(st.sampled_from((1, 2, 28, 29, -1, -2, -28)), min_size=1))
    return {**trigger, "repeat": draw(REPEATS)}


@given(
    st.lists(triggers(), min_size=1, max_size=3),
    st.sampled_from(sorted(zoneinfo.available_timezones())),
    INSTANTS,
    st.integers(0, 400),
    st.integers(0, 400),
)
def test_windows_are_increasing_and_add_up(
    given_triggers: list[Json], zone: str, start: dt.datetime, first: int, second: int
) -> None:
    spec = schedule(*given_triggers, timezone=zone)
    middle = start + dt.timedelta(hours=first * 7)
    end = middle + dt.timedelta(hours=second * 7)

    whole = list(occurrences(spec, start, end))

    assert all(one < other for one, other in itertools.pairwise(whole))
    assert all(start < each <= end for each in whole)
    assert list(occurrences(spec, start, middle)) + list(occurrences(spec, middle, end)) == whole
    following = next_occurrence(spec, start)
    assert following == whole[0] if whole else following is None or following > end
