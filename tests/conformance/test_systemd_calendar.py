# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calendar expressions of schedules, asked of systemd itself: exact ones fire at the same times, the others at more."""

from __future__ import annotations

import datetime as dt
import re
import subprocess

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.native_schedules import native_forms
from ansible_collections.lockstep.sync.plugins.module_utils._model.occurrences import occurrences
from ansible_collections.lockstep.sync.plugins.module_utils._model.schedules import parse_schedule
from support.schedules import CASES, Case

UTC = dt.timezone.utc
NOW = dt.datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ITERATIONS = 400
STAMP = re.compile(r"[A-Z][a-z]{2} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$")


def systemd_fires(expression: str) -> tuple[list[dt.datetime], bool]:
    """Give when a timer with this expression fires next, and whether that is all."""
    command = ["systemd-analyze", "calendar", "--base-time", f"{NOW:%Y-%m-%d %H:%M:%S} UTC"]
    done = subprocess.run(
        [*command, f"--iterations={ITERATIONS}", expression],
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = [
        dt.datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
        for line in done.stdout.splitlines()
        # For expressions in UTC there is no second line with the time in UTC.
        if (match := STAMP.search(line)) and not line.strip().startswith("Original")
    ]
    return found, len(found) < ITERATIONS


@pytest.mark.parametrize("timezone", ["UTC", "Europe/London", "Australia/Lord_Howe"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_timers_of_systemd_fire_at_the_times_of_the_schedule(case: Case, timezone: str) -> None:
    spec = parse_schedule("s", {"timezone": timezone, "triggers": list(case.triggers)})

    form = native_forms(spec, NOW)["oncalendar"]

    assert form["exact"] is case.calendar
    answers = [systemd_fires(expression) for expression in form["list"]]
    assert all(found for found, _all in answers)
    # As far as all expressions were asked.
    end = min((found[-1] for found, complete in answers if not complete), default=dt.datetime(2030, 1, 1, tzinfo=UTC))
    end = min(end, dt.datetime(2029, 1, 1, tzinfo=UTC))
    fires = sorted({each for found, _all in answers for each in found if each <= end})
    wanted = list(occurrences(spec, NOW, end))
    if form["exact"]:
        assert fires == wanted
    else:
        assert set(fires) > set(wanted)
