# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module `plan_info`."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .._model.errors import ConfigError
from .._model.lines import change_line, held_line
from .._model.plans import Change, Plan
from .._model.runs import AppliedChange
from .._operations.plan_files import FORMATS, choose_format, plan_text, write_if_different
from .._planning.sealed import read_plan
from .._store.plans import StoredPlan
from .frame import Call, Result
from .results import json_safe

Described = dict[str, t.Any]


def plan_info_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `plan_info`."""
    return {
        "argument_spec": {
            "id": {"type": "int"},
            "job": {"type": "str"},
            "offset": {"type": "int", "default": 0},
            "limit": {"type": "int", "default": 100},
            "path": {"type": "path"},
            "format": {"type": "str", "choices": list(FORMATS)},
        },
        "required_by": {"path": ("id",), "format": ("path",)},
    }


def plan_info(call: Call) -> Result:
    """List kept plans; show the changes of one, page by page, and write it to a file."""
    params = call.params
    for option in ("offset", "limit"):
        if params[option] < 0:
            raise ConfigError(f"{option}: got {params[option]}, it takes 0 or more.")
    if params["id"] is None:
        found = call.store.plans.find(job=params["job"], limit=params["limit"], offset=params["offset"])
        count = f"{len(found)} plan{'' if len(found) == 1 else 's'} found."
        return Result(msg=count, values={"plans": [_describe(stored) for stored in found]})
    return _show(call, _need_plan(call))


def _need_plan(call: Call) -> StoredPlan:
    number, job = call.params["id"], call.params["job"]
    stored = call.store.plans.get(number)
    if stored is None or job not in (None, stored.job):
        of_job = "" if job is None else f" of job {job!r}"
        raise ConfigError(
            f"id: there is no plan {number}{of_job} in {call.store.location}. Leave `id` out to list those there are."
        )
    return stored


def _show(call: Call, stored: StoredPlan) -> Result:
    params = call.params
    plan = read_plan(call.store.plans.lines(stored.id), f"plan {stored.id}")
    described = _describe(stored) | {"held": [held_line(held) for part in plan.objects for held in part.held]}
    offset, limit = params["offset"], params["limit"]
    lines = _lines(plan)
    message = f"Plan {stored.id} of job {stored.job!r} has {len(lines)} changes."
    changed = False
    if params["path"] is not None:
        path = Path(params["path"]).expanduser().absolute()
        form = choose_format(path, params["format"])
        text = plan_text(json_safe(described | {"changes": _lines(plan, most=None)}), form)
        changed = write_if_different(path, text, check=call.check)
        message += f" It {'would be' if call.check else 'is'} written to {path}."
    page = described | {"changes": lines[offset : offset + limit]}
    return Result(msg=message, changed=changed, values={"plans": [page]})


def _describe(stored: StoredPlan) -> Described:
    return {
        "id": stored.id,
        "job": stored.job,
        "kind": stored.kind,
        "origin": stored.origin_id,
        "digest": stored.digest,
        "created": stored.created,
        "host": stored.host,
        "requester": stored.requester,
        "changes_total": stored.changes_total,
        "held_total": stored.held_total,
        "counts": dict(stored.counts),
        "applied_by": stored.run_id,
        "accepted": list(stored.accepted),
    }


def _lines(plan: Plan, **options: t.Any) -> list[Described]:
    """Give all changes in the order in which they would be applied, held ones with their guards."""
    found = []
    for part in plan.objects:
        guards = {held.change.number: sorted(held.guards) for held in part.held_changes}
        found += [_line(change, guards.get(change.number, []), options) for change in part.all_changes()]
    return found


def _line(change: Change, guards: list[t.Any], options: t.Mapping[str, t.Any]) -> Described:
    line = change_line(AppliedChange(change=change, outcome=None), **options)
    return {"number": change.number, **line, "held": guards}
