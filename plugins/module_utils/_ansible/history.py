# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module `run_info`: it reads the history and imports nothing that runs jobs."""

from __future__ import annotations

import typing as t

from .._model.errors import ConfigError
from .._model.lines import change_line, error_line, held_line
from .._model.runs import STATUSES, Status
from .._store.run_rows import StoredRun
from .frame import Call, Result

RUN_STATUSES: tuple[str, ...] = tuple(status for status in STATUSES if status != "skipped")


def run_info_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `run_info`."""
    return {
        "argument_spec": {
            "id": {"type": "int"},
            "job": {"type": "str"},
            "collection": {"type": "str"},
            "status": {"type": "str", "choices": list(RUN_STATUSES)},
            "since": {"type": "str"},
            "changes": {"type": "bool", "default": False},
            "offset": {"type": "int", "default": 0},
            "limit": {"type": "int", "default": 100},
        },
        "required_if": [("changes", True, ("id",))],
    }


def run_info(call: Call) -> Result:
    """Read the history of runs."""
    params = call.params
    for option in ("offset", "limit"):
        if params[option] < 0:
            raise ConfigError(f"{option}: got {params[option]}, it takes 0 or more.")
    runs = _find_runs(call)
    listed = [_describe_run(each) for each in runs]
    for each, line in zip(runs, listed, strict=True):
        if each.kind == "collection":
            line["runs"] = [part.id for part in call.store.runs.parts(each.id)]
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
        collection=params["collection"],
        status=status,
        since=params["since"],
        limit=params["limit"],
        offset=params["offset"],
    )


def _describe_run(run_: StoredRun) -> dict[str, t.Any]:
    return {
        "id": run_.id,
        "job": run_.job,
        "collection": run_.collection,
        "parent": run_.parent_id,
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
        "plan": run_.plan_id,
        "kind": run_.kind,
        "origin": run_.origin_id,
        "unchanged_since": run_.stands_on,
        "requester": run_.requester,
        "schedule": run_.schedule,
    }
