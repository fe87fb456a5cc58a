# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms for AWX and cron: exact ones fire at the same times, the others at those and more.

`tests/conformance/test_systemd_calendar.py` asks systemd itself about its form.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.native_schedules import native_forms
from ansible_collections.lockstep.sync.plugins.module_utils._model.occurrences import occurrences
from ansible_collections.lockstep.sync.plugins.module_utils._model.schedules import ScheduleSpec, parse_schedule
from dateutil import rrule, tz
from support.schedules import CASES, Case

UTC = dt.timezone.utc
NOW = dt.datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
END = dt.datetime(2027, 7, 21, tzinfo=UTC)
CRON_END = dt.datetime(2026, 10, 1, tzinfo=UTC)


def spec_of(case: Case, timezone: str) -> ScheduleSpec:
    return parse_schedule("s", {"timezone": timezone, "triggers": list(case.triggers)})


def rrule_fires(text: str, after: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    """Give when AWX fires: it leaves out local times that do not exist."""
    start, *rules = text.split(" RRULE:")
    zone = tz.gettz(start.split("=")[1].split(":")[0])
    found = rrule.rruleset()
    for each in rules:
        found.rrule(t.cast("rrule.rrule", rrule.rrulestr(f"{start}\nRRULE:{each}")))
    margin = dt.timedelta(days=2)
    return [
        wall.astimezone(UTC)
        for wall in found.between(after - margin, until + margin)
        if tz.datetime_exists(wall.replace(tzinfo=zone)) and after < wall.astimezone(UTC) <= until
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize("timezone", ["UTC", "Europe/London", "Australia/Lord_Howe"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rules_of_awx_fire_at_the_times_of_the_schedule(case: Case, timezone: str) -> None:
    spec = spec_of(case, timezone)

    form = native_forms(spec, NOW)["rrule"]

    assert form["exact"] is case.rrule
    end = NOW + dt.timedelta(days=8) if "MINUTELY" in form["text"] else END
    wanted = list(occurrences(spec, NOW, end))
    found = rrule_fires(form["text"], NOW, end)
    if form["exact"]:
        assert found == wanted
    else:
        assert set(found) > set(wanted)
    assert wanted or case.name == "startup"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rules_are_those_that_awx_takes(case: Case) -> None:
    text = native_forms(spec_of(case, "America/New_York"), NOW)["rrule"]["text"]
    assert len(re.findall("DTSTART", text)) == 1
    assert re.match(r"DTSTART;TZID=America/New_York:\d{8}T\d{6} RRULE:", text)
    for each in text.split(" RRULE:")[1:]:
        assert "INTERVAL=" in each
        assert "SECONDLY" not in each
        assert not re.search(r"BYDAY=[^;]*\d", each)
        assert not ("COUNT=" in each and "UNTIL=" in each)
        assert re.search(r"UNTIL=(?!\d{8}T\d{6}Z)", each) is None


def cron_fires(line: str, after: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    """Give when cron on a host in UTC fires: each field is a list of numbers, or all."""
    ranges = (range(60), range(24), range(1, 32), range(1, 13), range(7))
    minutes, hours, days, months, weekdays = (
        span if field == "*" else sorted(map(int, field.split(",")))
        for field, span in zip(line.split(" "), ranges, strict=True)
    )
    found: list[dt.datetime] = []
    for day in (after.date() + dt.timedelta(days=number) for number in range((until - after).days + 2)):
        if day.day in days and day.month in months and day.isoweekday() % 7 in weekdays:
            times = (dt.time(hour, minute, tzinfo=UTC) for hour in hours for minute in minutes)
            found += [dt.datetime.combine(day, time) for time in times]
    return [moment for moment in found if after < moment <= until]


@pytest.mark.no_cover
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_lines_of_cron_fire_at_the_times_of_the_schedule(case: Case) -> None:
    spec = spec_of(case, "UTC")
    wanted = list(occurrences(spec, NOW, CRON_END))

    form = native_forms(spec, NOW)["cron"]

    assert form["exact"] is case.cron
    if case.name == "startup":
        assert form["list"] == ["@reboot"]
        return
    found = sorted({each for line in form["list"] for each in cron_fires(line, NOW, CRON_END)})
    if form["exact"]:
        assert found == wanted
    else:
        minutes = {each + dt.timedelta(seconds=-each.second % 60) for each in wanted}
        assert minutes <= set(found)


def test_cron_is_exact_in_utc_only() -> None:
    daily = next(case for case in CASES if case.name == "daily")
    assert native_forms(spec_of(daily, "Etc/UTC"), NOW)["cron"] == {"list": ["0 3 * * *"], "exact": True}
    assert native_forms(spec_of(daily, "Europe/London"), NOW)["cron"]["exact"] is False


def test_what_never_fires_again_has_no_form() -> None:
    over = {"type": "daily", "at": "2026-01-05T03:00:00", "until": "2026-02-01T00:00:00"}
    off = {"type": "startup", "enabled": False}
    spec = parse_schedule("s", {"triggers": [over, off]})
    assert native_forms(spec, NOW) == {
        "rrule": {"text": "", "exact": True},
        "oncalendar": {"list": [], "exact": True},
        "cron": {"list": [], "exact": True},
    }


def test_the_start_of_a_host_is_a_tick_every_minute_where_it_cannot_be_said() -> None:
    forms = native_forms(parse_schedule("s", {"triggers": [{"type": "startup", "delay": "1m"}]}), NOW)
    assert forms == {
        "rrule": {"text": "DTSTART;TZID=UTC:20260601T120000 RRULE:FREQ=MINUTELY;INTERVAL=1", "exact": False},
        "oncalendar": {"list": ["*-*-* *:*:00 UTC"], "exact": False},
        "cron": {"list": ["* * * * *"], "exact": False},
    }
