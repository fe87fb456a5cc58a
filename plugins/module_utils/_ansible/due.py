# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options `due` and `schedule` of the module `run`: several runs in one task."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Collection, Sequence
from dataclasses import replace

from .._model.durations import parse_duration
from .._model.errors import ConfigError
from .._operations.schedules import occurrence_line
from .._running.collections import run_collection
from .._running.conductor import Ran, run_job
from .._running.due import Runners, Ticked, run_schedule, tick
from .._running.runtime import RunRequest
from .._running.telling import deliver_waiting
from .frame import Call, Result
from .identity import actor_of
from .machine import up_seconds
from .run_result import RUN_BYTES, fit_blocks
from .running import (
    OF_JOB,
    artifact,
    check_numbers,
    count_made,
    is_changed,
    name_of,
    reason_to_fail,
    runtime_of,
    show_changes,
    show_run,
)
from .watching import WATCH, watched

RUNNERS: Runners = {"job": run_job, "collection": run_collection}
OF_ONE_RUN = (*OF_JOB, "accept", "keep_plan")
MOST_FACTS = 20
"""How many runs come back as facts, too; `runs` may have more."""


def run_schedules(call: Call) -> Result:
    """Run what is due, or all of one schedule."""
    params = call.params
    what = "due" if params["schedule"] is None else "schedule"
    if params["due"] is False:
        raise ConfigError("due: got false, which asks for nothing. Set `due: true`, or name a `job`.")
    given = [option for option in OF_ONE_RUN if params[option]]
    if given:
        raise ConfigError(f"`{given[0]}` does not fit `{what}`, which may start several runs. Leave it out.")
    check_numbers(params)
    request = RunRequest(
        preview=call.check,
        max_changes=params["max_changes"],
        timeout=None if params["timeout"] is None else parse_duration(params["timeout"], "timeout"),
        requester=actor_of(call, "requester", params["requester"]).person,
    )
    with watched(os.environ.get(WATCH)) as board:
        runtime = runtime_of(call, "run", board)
        if what == "schedule":
            ticked = run_schedule(params["schedule"], request, call.store, runtime, runners=RUNNERS)
            subject = f"Schedule {params['schedule']!r}"
        else:
            ticked = tick(request, call.store, runtime, runners=RUNNERS, up_seconds=up_seconds())
            subject = _what_was_due(ticked)
    result = _result(ticked, params["fail_on"], subject, check=call.check)
    # A tick that has nothing to run is what mails wait for that were not delivered before.
    return result if call.check else replace(result, warnings=[*ticked.warnings, *deliver_waiting(call.store, runtime)])


def _what_was_due(ticked: Ticked) -> str:
    names = ", ".join(sorted({repr(each.schedule) for each in ticked.occurrences}))
    count = len(ticked.occurrences)
    return f"{count} occurrence{'' if count == 1 else 's'} of {names}" if count else ""


def _result(ticked: Ticked, fail_on: Collection[str], subject: str, *, check: bool) -> Result:
    """Give the result of several runs. The task fails when one of them does, or could not be started."""
    runs = ticked.runs
    share = RUN_BYTES // max(1, len(runs))
    shown = [show_run(ran, share) for ran in runs]
    reasons = [
        (ran, reason) for ran in runs if (reason := reason_to_fail(ran.result, fail_on, changed=is_changed(ran.result)))
    ]
    values: dict[str, t.Any] = {
        "runs": shown,
        "occurrences": [occurrence_line(each) for each in ticked.occurrences],
        "next": None if ticked.next_due is None else {"schedule": ticked.next_due[0], "due": ticked.next_due[1]},
        "ansible_facts": {"lockstep_runs": {name_of(ran.result): run for ran, run in _last(runs, shown)}},
        "ansible_stats": {
            "data": {name: value for ran in runs[-MOST_FACTS:] for name, value in artifact(ran.result).items()},
            "per_host": False,
            "aggregate": False,
        },
    }
    code = next((ran.failure_code for ran, _reason in reasons if ran.failure_code), "")
    if code or ticked.failures:
        values["error"] = {"code": code or "config"}
    return Result(
        msg=_message(ticked, subject, reasons, check=check),
        changed=any(is_changed(ran.result) for ran in runs),
        failed=bool(reasons or ticked.failures),
        values=values,
        diff=_diff(runs),
    )


def _last(runs: Sequence[Ran], shown: Sequence[dict[str, t.Any]]) -> list[tuple[Ran, dict[str, t.Any]]]:
    return list(zip(runs, shown, strict=True))[-MOST_FACTS:]


def _message(ticked: Ticked, subject: str, reasons: Sequence[tuple[Ran, str]], *, check: bool) -> str:
    upcoming = ""
    if ticked.next_due is not None:
        upcoming = f"ext: {ticked.next_due[1]} (schedule {ticked.next_due[0]!r})."
    if not (subject or ticked.failures):
        return f"Nothing is due; {'n' + upcoming if upcoming else 'no schedule is due later either.'}"
    count = sum(count_made(ran.result) for ran in ticked.runs)
    runs = f"{len(ticked.runs)} run{'' if len(ticked.runs) == 1 else 's'}"
    changes = f"{count} change{'' if count == 1 else 's'}"
    told = [f"{subject} {'would start' if check else 'started'} {runs} with {changes}."] if subject else []
    told += [each[0].upper() + each[1:] for each in ticked.failures]
    told += [ran.result.message for ran, _reason in reasons]
    return " ".join([*told, *(["N" + upcoming] if upcoming else [])])


def _diff(runs: Sequence[Ran]) -> list[dict[str, str]]:
    return fit_blocks([block for ran in runs for block in show_changes(ran)])
