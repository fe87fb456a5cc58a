# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the modules `run` and `run_info`: typed request, one call, the result as Ansible shows it."""

from __future__ import annotations

import os
import random
import time
import typing as t

from .._model.errors import ConfigError
from .._model.runs import RunResult, Status
from .._running.conductor import Ran, run_job
from .._running.files import change_line
from .._running.runtime import RunRequest, Runtime
from .._store.paths import run_directory
from .._store.runs import StoredRun
from .frame import Call, Result
from .machine import this_process
from .run_result import error_line, held_line, make_diff, run_to_result

FAIL_ON: tuple[str, ...] = ("failed", "errors", "held", "changes")
RUN_STATUSES: tuple[str, ...] = ("running", "succeeded", "completed_with_errors", "failed", "held")


def run_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `run`."""
    return {
        "argument_spec": {
            "job": {"type": "str", "required": True},
            "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "explain": {"type": "str"},
            "full": {"type": "bool", "default": False},
            "max_changes": {"type": "int", "default": 100},
            "fail_on": {
                "type": "list",
                "elements": "str",
                "choices": list(FAIL_ON),
                "default": ["failed", "errors", "held"],
            },
        },
    }


def run_info_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `run_info`."""
    return {
        "argument_spec": {
            "id": {"type": "int"},
            "job": {"type": "str"},
            "status": {"type": "str", "choices": list(RUN_STATUSES)},
            "since": {"type": "str"},
            "changes": {"type": "bool", "default": False},
            "offset": {"type": "int", "default": 0},
            "limit": {"type": "int", "default": 100},
        },
        "required_if": [("changes", True, ("id",))],
    }


def run(call: Call) -> Result:
    """Run, preview or explain a job."""
    params = call.params
    if params["explain"] is not None and params["keys"]:
        raise ConfigError("`explain` looks at one record and `keys` picks the records of a run: give one of them.")
    if params["max_changes"] < 0:
        raise ConfigError(f"max_changes: got {params['max_changes']}, it takes 0 or more.")
    request = RunRequest(
        job=params["job"],
        preview=call.check,
        keys=tuple(params["keys"]),
        explain=params["explain"],
        full=params["full"],
        max_changes=params["max_changes"],
    )
    return _to_result(run_job(request, call.store, runtime_of(call, "run")), params["fail_on"])


def run_info(call: Call) -> Result:
    """Read the history of runs."""
    params = call.params
    for option in ("offset", "limit"):
        if params[option] < 0:
            raise ConfigError(f"{option}: got {params[option]}, it takes 0 or more.")
    runs = _find_runs(call)
    listed = [_describe_run(each) for each in runs]
    if params["changes"]:
        page = {"offset": params["offset"], "limit": params["limit"]}
        store = call.store.runs
        listed[0]["changes"] = [change_line(item) for item in store.changes(runs[0].id, **page)]
        problems = store.problems(runs[0].id, **page)
        listed[0]["errors"] = [error_line(problem) for problem in problems if problem.level == "error"]
    count = "1 run" if len(listed) == 1 else f"{len(listed)} runs"
    return Result(msg=f"{count} found.", values={"runs": listed})


def _find_runs(call: Call) -> list[StoredRun]:
    params = call.params
    if params["id"] is not None:
        found = call.store.runs.get(params["id"])
        if found is None:
            raise ConfigError(
                f"id: there is no run {params['id']} in {call.store.location}. Leave `id` out to list all."
            )
        return [found]
    status: Status | None = params["status"]
    return call.store.runs.find(
        job=params["job"],
        status=status,
        since=params["since"],
        limit=params["limit"],
        offset=params["offset"],
    )


def runtime_of(call: Call, module: str) -> Runtime:
    """Give the world of `module` on this machine."""
    process = this_process(module)
    return Runtime(
        clock=call.clock,
        monotonic=time.monotonic,
        sleep=time.sleep,
        host=process.host,
        pid=process.pid,
        boot_id=process.boot_id,
        environ=os.environ,
        run_directory=run_directory(call.address.url, os.environ, os.geteuid()),
        randomness=random.SystemRandom(),
        protect=call.protect,
    )


def _to_result(ran: Ran, fail_on: t.Collection[str]) -> Result:
    result = ran.result
    run_values = run_to_result(result)
    values: dict[str, t.Any] = {
        "run": run_values,
        "ansible_facts": {"lockstep_runs": {result.job: run_values}},
        "ansible_stats": {"data": _artifact(result), "per_host": False, "aggregate": False},
    }
    if ran.explanation is not None:
        values["explanation"] = ran.explanation
    if ran.failure_code:
        values["error"] = {"code": ran.failure_code}
    changed = _is_changed(result)
    reason = _reason_to_fail(result, fail_on, changed=changed)
    return Result(
        msg=result.message + (f" The task fails because of `fail_on: {reason}`." if reason == "changes" else ""),
        changed=changed,
        failed=bool(reason),
        values=values,
        diff=make_diff(result.changes, _count_made(result)),
    )


def _is_changed(result: RunResult) -> bool:
    return bool(_count_made(result))


def _count_made(result: RunResult) -> int:
    """Count the changes that were made, or in a preview would be."""
    return result.statistics.changes


def _reason_to_fail(result: RunResult, fail_on: t.Collection[str], *, changed: bool) -> str:
    """Give the class of `fail_on` that this run falls under, empty when it is none."""
    if result.status == "failed":
        return "failed"
    reasons = {"errors": bool(result.statistics.errors), "held": bool(result.held), "changes": changed}
    return next((name for name, applies in reasons.items() if applies and name in fail_on), "")


def _artifact(result: RunResult) -> dict[str, t.Any]:
    """Give what AWX shows as artifacts: status and counts, under a name that no other job has."""
    return {
        f"lockstep_{result.job}": {
            "id": result.id,
            "status": result.status,
            "outcome": result.agreement,
            **result.statistics.as_dict(),
        }
    }


def _describe_run(run_: StoredRun) -> dict[str, t.Any]:
    return {
        "id": run_.id,
        "job": run_.job,
        "status": run_.status,
        "outcome": run_.agreement,
        "message": run_.message,
        "host": run_.host,
        "started": run_.started,
        "finished": run_.finished,
        "duration_seconds": run_.duration,
        "statistics": run_.statistics.as_dict(),
        "objects": [{"name": name, "statistics": counts.as_dict()} for name, counts in run_.objects],
        "held": [held_line(held) for held in run_.held],
        "changes_total": run_.changes_total,
        "changes_file": run_.changes_file,
        "log_file": run_.log_file,
        "plan_digest": run_.plan_digest,
    }
