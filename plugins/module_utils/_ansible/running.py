# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module `run`: typed request, one call, the result as Ansible shows it."""

from __future__ import annotations

import os
import random
import time
import typing as t

from .._model.durations import parse_duration
from .._model.errors import ConfigError
from .._model.runs import RunResult
from .._planning.guards import ACCEPTABLE
from .._running.conductor import Ran, run_job
from .._running.progress import Board
from .._running.runtime import RunRequest, Runtime
from .._store.paths import run_directory
from .frame import Call, Result
from .identity import actor_of
from .machine import this_process
from .run_result import RUN_BYTES, fit_blocks, make_diff, run_to_result
from .watching import WATCH, watched

FAIL_ON: tuple[str, ...] = ("failed", "errors", "held", "changes")
WHAT: tuple[str, ...] = ("job", "collection", "schedule", "due", "plan", "undo", "resume", "request")
"""The options of `run` of which exactly one says what is done."""
OF_JOB = ("keys", "explain", "full")


def run_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `run`."""
    return {
        "argument_spec": {
            "job": {"type": "str"},
            "collection": {"type": "str"},
            "schedule": {"type": "str"},
            "due": {"type": "bool"},
            "plan": {"type": "int"},
            "undo": {"type": "int"},
            "resume": {"type": "int"},
            "request": {"type": "int"},
            "keep_plan": {"type": "bool", "default": False},
            "accept": {"type": "list", "elements": "str", "choices": list(ACCEPTABLE), "default": []},
            "timeout": {"type": "str"},
            "requester": {"type": "str"},
            "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "explain": {"type": "str"},
            "full": {"type": "bool", "default": False},
            "max_changes": {"type": "int", "default": 100},
            "progress_interval": {"type": "int", "default": 10},
            "fail_on": {
                "type": "list",
                "elements": "str",
                "choices": list(FAIL_ON),
                "default": ["failed", "errors", "held"],
            },
        },
        "required_one_of": [WHAT],
        "mutually_exclusive": [WHAT],
    }


def keeps_plan(params: t.Mapping[str, t.Any]) -> bool:
    """Tell whether the store is written to even in check mode."""
    return bool(params["keep_plan"])


def run(call: Call) -> Result:
    """Run, preview or explain a job, apply a plan, undo or resume a run, execute a request."""
    params = call.params
    if params["explain"] is not None and params["keys"]:
        raise ConfigError("`explain` looks at one record and `keys` picks the records of a run: give one of them.")
    if params["job"] is None:
        # Reading everything, whatever was read before, is something for all jobs of a collection.
        mismatched = OF_JOB[:-1] if params["collection"] is not None else OF_JOB
        given = [option for option in mismatched if params[option]]
        what = next(option for option in WHAT if params[option] is not None)
        if given:
            raise ConfigError(f"`{given[0]}` does not fit `{what}`, which works on a plan that is there. Leave it out.")
    check_numbers(params)
    request = RunRequest(
        job=params["job"] or "",
        collection=params["collection"] or "",
        plan=params["plan"],
        undo=params["undo"],
        resume=params["resume"],
        request=params["request"],
        preview=call.check,
        keys=tuple(params["keys"]),
        explain=params["explain"],
        full=params["full"],
        max_changes=params["max_changes"],
        keep_plan=params["keep_plan"],
        accept=frozenset(params["accept"]),
        timeout=None if params["timeout"] is None else parse_duration(params["timeout"], "timeout"),
        requester=actor_of(call, "requester", params["requester"]).person,
    )
    with watched(os.environ.get(WATCH)) as board:
        ran = _run(request, call, runtime_of(call, "run", board))
    return ran_result(ran, params["fail_on"])


def _run(request: RunRequest, call: Call, runtime: Runtime) -> Ran:
    if not request.collection:
        return run_job(request, call.store, runtime)
    from .._running.collections import run_collection

    return run_collection(request, call.store, runtime)


def check_numbers(params: t.Mapping[str, t.Any]) -> None:
    """Raise ConfigError for a number that no kind of run takes."""
    for option in ("max_changes", "progress_interval"):
        if params[option] < 0:
            raise ConfigError(f"{option}: got {params[option]}, it takes 0 or more.")


def runtime_of(call: Call, module: str, board: Board | None = None) -> Runtime:
    """Give the world of `module` on this machine."""
    board = board or Board()
    process = this_process(module)
    return Runtime(
        clock=call.clock,
        monotonic=time.monotonic,
        sleep=board.sleep,
        host=process.host,
        pid=process.pid,
        boot_id=process.boot_id,
        environ=os.environ,
        run_directory=run_directory(call.address.url, os.environ, os.geteuid()),
        randomness=random.SystemRandom(),
        protect=call.protect,
        board=board,
    )


def ran_result(ran: Ran, fail_on: t.Collection[str]) -> Result:
    """Give the result of a run. The task fails when it failed, or falls under a class of `fail_on`."""
    result = ran.result
    run_values = show_run(ran)
    values: dict[str, t.Any] = {
        "run": run_values,
        "ansible_facts": {"lockstep_runs": {name_of(result): run_values}},
        "ansible_stats": {"data": artifact(result), "per_host": False, "aggregate": False},
    }
    if ran.explanation is not None:
        values["explanation"] = ran.explanation
    if ran.failure_code:
        values["error"] = {"code": ran.failure_code}
    changed = is_changed(result)
    reason = reason_to_fail(result, fail_on, changed=changed)
    return Result(
        msg=result.message + (f" The task fails because of `fail_on: {reason}`." if reason == "changes" else ""),
        changed=changed,
        failed=bool(reason),
        values=values,
        diff=show_changes(ran),
    )


def name_of(result: RunResult) -> str:
    """Give the name of what was run: a job or a job collection."""
    return result.collection or result.job


def show_run(ran: Ran, limit: int = RUN_BYTES) -> dict[str, t.Any]:
    """Give `run` as the task returns it, of about `limit` bytes at most; a job collection's with those of its jobs."""
    share = limit // (len(ran.parts) + 1)
    shown = run_to_result(ran.result, share)
    return {**shown, "jobs": [run_to_result(part.result, share) for part in ran.parts]} if ran.parts else shown


def show_changes(ran: Ran) -> list[dict[str, str]]:
    """Give the diff of a run; that of a job collection says of which job each block is."""
    if not ran.parts:
        return make_diff(ran.result.changes, count_made(ran.result))
    return fit_blocks(
        [
            {**block, **{side: f"{part.result.job}: {block[side]}" for side in ("before_header", "after_header")}}
            for part in ran.parts
            for block in make_diff(part.result.changes, count_made(part.result))
        ]
    )


def is_changed(result: RunResult) -> bool:
    """Tell whether a run changed something, or in a preview would."""
    return bool(count_made(result))


def count_made(result: RunResult) -> int:
    """Count the changes that were made, or in a preview would be."""
    return result.statistics.changes


def reason_to_fail(result: RunResult, fail_on: t.Collection[str], *, changed: bool) -> str:
    """Give the class of `fail_on` that this run falls under, empty when it is none."""
    if result.status == "failed":
        return "failed"
    reasons = {"errors": bool(result.statistics.errors), "held": bool(result.held), "changes": changed}
    return next((name for name, applies in reasons.items() if applies and name in fail_on), "")


def artifact(result: RunResult) -> dict[str, t.Any]:
    """Give what AWX shows as artifacts: status and counts, under a name that no other job has."""
    return {
        f"lockstep_{name_of(result)}": {
            "id": result.id,
            "status": result.status,
            "outcome": result.agreement,
            **result.statistics.as_dict(),
        }
    }
