# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules and triggers as declared: read, written back, and refused."""

from __future__ import annotations

import datetime as dt
import typing as t
import zoneinfo

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.due import (
    is_late,
    is_runnable,
    why_missed,
    within_grace,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, DependencyError
from ansible_collections.lockstep.sync.plugins.module_utils._model.schedules import parse_schedule, schedule_definition
from ansible_collections.lockstep.sync.plugins.module_utils._model.zones import find_zone

Json = dict[str, t.Any]
AT = "2026-01-05T03:00:00"
DAILY: Json = {"type": "daily", "at": AT}


def test_a_schedule_is_what_it_says_with_defaults_filled_in() -> None:
    spec = parse_schedule(
        "nightly",
        {
            "jobs": ["b", "a", "b"],
            "max_duration": " 2h  30m ",
            "triggers": [
                {"type": "weekly", "at": "2026-01-05 03:00", "until": "2026-12-31"},
                {"type": "monthly", "at": AT, "months": [6, 3], "repeat": {"every": "15m", "for": "8h"}},
                {"type": "monthly", "at": AT, "weekdays": ["friday", "monday"], "week_of_month": -1},
                {"type": "startup", "delay": "30s", "enabled": False},
                {"type": "startup"},
                {"type": "once", "at": AT},
            ],
        },
    )
    plain = schedule_definition(spec)
    assert plain == {
        "description": "",
        "enabled": True,
        "jobs": ["b", "a"],
        "collections": [],
        "timezone": "UTC",
        "triggers": [
            {
                "type": "weekly",
                "enabled": True,
                "at": AT,
                "every": 1,
                "weekdays": ["monday"],
                "until": "2026-12-31T00:00:00",
            },
            {
                "type": "monthly",
                "enabled": True,
                "at": AT,
                "every": 1,
                "days_of_month": [5],
                "months": [3, 6],
                "repeat": {"every": "15m", "for": "8h"},
            },
            {
                "type": "monthly",
                "enabled": True,
                "at": AT,
                "every": 1,
                "weekdays": ["monday", "friday"],
                "week_of_month": -1,
            },
            {"type": "startup", "enabled": False, "delay": "30s"},
            {"type": "startup", "enabled": True},
            {"type": "once", "enabled": True, "at": AT},
        ],
        "max_duration": "2h 30m",
        "missed": {"policy": "run_once", "grace": "6h"},
        "overlap": "skip",
    }
    assert schedule_definition(parse_schedule("nightly", plain)) == plain
    assert (spec.max_seconds, spec.missed.grace_seconds) == (9000, 21600)
    assert parse_schedule("s", {"triggers": [DAILY]}).max_seconds is None


BAD: tuple[tuple[Json, str], ...] = (
    ({"triggers": []}, "`triggers` is empty; nothing would ever start it"),
    ({}, "`triggers` is missing"),
    ({"trigger": [DAILY]}, "there is no option 'trigger'. Did you mean 'triggers'?"),
    ({"timezone": "Europe/Londn"}, "timezone: there is no time zone 'Europe/Londn'. Did you mean 'Europe/London'?"),
    ({"timezone": "Europe"}, "there is no time zone 'Europe'"),
    ({"timezone": "../etc/passwd"}, "there is no time zone '../etc/passwd'"),
    ({"timezone": "right/Europe/London"}, "there is no time zone 'right/Europe/London'"),
    ({"jobs": [" a"]}, "jobs: job ' a': a name is"),
    ({"max_duration": "soon"}, "max_duration: 'soon' is not a length of time"),
    ({"missed": {"policy": "never"}}, "`policy` must be one of 'run_once', 'skip', got 'never'"),
    ({"missed": {"grace": "0s"}}, "grace: '0s' is no time at all"),
    ({"overlap": "kill"}, "`overlap` must be one of 'skip', 'queue', got 'kill'"),
)
BAD_TRIGGERS: tuple[tuple[t.Any, str], ...] = (
    ("daily", "trigger 1: expected a mapping of options, got 'daily'"),
    ({"at": AT}, "trigger 1: `type` is missing. Valid: 'once', 'daily', 'weekly', 'monthly', 'startup'"),
    ({"type": "hourly", "at": AT}, "`type` must be one of 'once', 'daily'"),
    ({"type": "daily"}, r"trigger 1 (daily): `at` is missing, the first date and time"),
    ({"type": "daily", "at": "2026-02-30T03:00:00"}, "`at` '2026-02-30T03:00:00' is no date and time (day"),
    ({"type": "daily", "at": "three"}, "`at` 'three' is no date and time"),
    ({"type": "daily", "at": "2026-01-05T03:00:00+01:00"}, "has an offset. It is the time of the wall clock"),
    ({"type": "daily", "at": "2026-01-05T03:00:00.5"}, "`at` must be a date and time in whole seconds from 1970"),
    ({"type": "daily", "at": "1955-01-05T03:00:00"}, "from 1970 to 8999"),
    ({"type": "daily", "at": AT, "until": "2026-01-05T02:59:59"}, "`until` 2026-01-05T02:59:59 is before `at`"),
    ({"type": "daily", "at": AT, "until": "2026-03-29T01:30:00"}, "`until` '2026-03-29T01:30:00' does not exist in"),
    ({"type": "once", "at": "2026-03-29T01:30:00"}, "`at` 2026-03-29T01:30:00 does not exist in this time zone"),
    ({"type": "daily", "at": AT, "every": 0}, "`every` must be a whole number of at least 1 and at most 1000, got 0"),
    ({"type": "daily", "at": AT, "every": "x"}, "`every` must be a whole number"),
    (
        {"type": "once", "at": AT, "every": 2},
        "`every` does not go with a trigger of this type, got 2. Valid: `at`, `rep",
    ),
    ({"type": "daily", "at": AT, "weekdays": ["monday"]}, "`weekdays` does not go with a trigger of this type"),
    ({"type": "startup", "at": AT}, "(startup): `at` does not go with a trigger of this type"),
    ({"type": "daily", "at": AT, "delay": "3s"}, "`delay` does not go with a trigger of this type"),
    ({"type": "startup", "delay": "x"}, "delay: 'x' is not a length of time"),
    ({"type": "weekly", "at": AT, "weekdays": ["mon"]}, "`weekdays` must be a list of 'monday', 'tuesday'"),
    ({"type": "monthly", "at": AT, "weekdays": ["monday"]}, "`weekdays` and `week_of_month` go together"),
    ({"type": "monthly", "at": AT, "week_of_month": 1}, "`weekdays` and `week_of_month` go together"),
    (
        {"type": "monthly", "at": AT, "week_of_month": 1, "weekdays": ["monday"], "days_of_month": [1]},
        "`days_of_month` and `week_of_month` exclude each other",
    ),
    ({"type": "monthly", "at": AT, "week_of_month": 6, "weekdays": ["monday"]}, "`week_of_month` must be 1 to 5"),
    ({"type": "monthly", "at": AT, "days_of_month": [0]}, "`days_of_month` must be a list of days from 1 to 31"),
    ({"type": "monthly", "at": AT, "days_of_month": [32]}, "`days_of_month` must be a list of days from 1 to 31"),
    ({"type": "monthly", "at": AT, "days_of_month": []}, "`days_of_month` must be a list of days from 1 to 31"),
    ({"type": "monthly", "at": AT, "months": [13]}, "`months` must be a list of months from 1 to 12"),
    ({"type": "monthly", "at": AT, "months": [1, True]}, "`months` must be a list of months from 1 to 12"),
    ({"type": "monthly", "at": AT, "months": ["may"]}, "`months` must be a list of months from 1 to 12"),
    (
        {"type": "monthly", "at": AT, "months": [2, 4], "days_of_month": [31, -31]},
        "none of the months [2, 4] has a day of `days_of_month` [31, -31]",
    ),
    (
        {"type": "monthly", "at": AT, "every": 6, "months": [2]},
        "with `every: 6` from 2026-01-05T03:00:00 the months are [1, 7] and `months` [2] has none of them",
    ),
    ({"type": "daily", "at": AT, "repeat": {"every": "5m"}}, "repeat: `for` is missing"),
    ({"type": "daily", "at": AT, "repeat": {"every": "0", "for": "1h"}}, "every: '0' is no time at all"),
    ({"type": "daily", "at": AT, "repeat": {"every": "30s", "for": "1h"}}, "`every` must be in whole minutes"),
    ({"type": "daily", "at": AT, "repeat": {"every": "90s", "for": "1h"}}, "`every` must be in whole minutes"),
    ({"type": "daily", "at": AT, "repeat": {"every": "1h", "for": "32d"}}, "`for` must be at most 31d"),
    (
        {"type": "daily", "at": AT, "repeat": {"every": "1h", "for": "1h"}},
        "`every` '1h' is not shorter than `for` '1h'",
    ),
)


@pytest.mark.parametrize(("options", "message"), BAD, ids=str)
def test_a_schedule_that_cannot_be_meant_is_refused(options: Json, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_schedule("s", {"triggers": [DAILY], **options} if options else {})
    assert refused.value.message.startswith("schedule 's'")
    assert message in refused.value.message


@pytest.mark.parametrize(("trigger", "message"), BAD_TRIGGERS, ids=str)
def test_a_trigger_that_cannot_be_meant_is_refused(trigger: t.Any, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_schedule("s", {"timezone": "Europe/London", "triggers": [trigger]})
    assert refused.value.message.startswith("schedule 's', trigger 1")
    assert message in refused.value.message


def test_a_host_without_time_zones_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    zoneinfo.ZoneInfo.clear_cache()
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    with pytest.raises(DependencyError, match="pip install tzdata"):
        find_zone("Europe/Nowhere", "timezone")
    assert find_zone("UTC", "timezone") is dt.timezone.utc


def test_what_is_late_is_run_within_the_grace_or_not_at_all() -> None:
    due = dt.datetime(2026, 1, 5, 3, tzinfo=dt.timezone.utc)
    once = parse_schedule("s", {"triggers": [DAILY], "missed": {"grace": "1h"}})
    skip = parse_schedule("s", {"triggers": [DAILY], "missed": {"policy": "skip", "grace": "1h"}})

    def at(minutes: float) -> dt.datetime:
        return due + dt.timedelta(minutes=minutes)

    assert [is_late(due, at(minutes)) for minutes in (0, 2, 2.1)] == [False, False, True]
    assert [is_runnable(once, due, at(minutes)) for minutes in (2, 60, 60.1)] == [True, True, False]
    assert [is_runnable(skip, due, at(minutes)) for minutes in (2, 2.1)] == [True, False]
    assert [within_grace(skip, due, at(minutes)) for minutes in (60, 61)] == [True, False]
    assert why_missed(once, due, at(90)) == "Nobody looked in time; it was 90 minutes late and its grace is 1h."
    assert why_missed(skip, due, at(5)).endswith("5 minutes late and the schedule skips what it missed.")
