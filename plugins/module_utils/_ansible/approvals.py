# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of `workflow`, `request` and `request_info`."""

from __future__ import annotations

import typing as t

from .._model.approvals import REQUEST_STATUSES
from .._model.errors import ConfigError, LockstepError, StoreError
from .._model.lines import change_line
from .._model.runs import AppliedChange
from .._operations.approvals import (
    Decided,
    DecisionRequest,
    decide,
    describe_request,
    need_request,
    state_message,
)
from .._operations.workflows import declare_workflows
from .._planning.coverage import changes_asked_for
from .._planning.sealed import read_plan
from .._store.requests import StoredRequest
from .declaring import declared_result
from .frame import Call, Result
from .identity import actor_of
from .requests import entries, workflow_request

FAIL_ON = ("failed", "errors", "held")


def declare(call: Call) -> Result:
    """Carry out the declarations of workflows."""
    actor = actor_of(call, "name", None)
    requests = [workflow_request(entry, actor) for entry in entries(call.params, "workflows")]
    declared = declare_workflows(call.store, requests)
    return declared_result("workflow", declared, bulk=call.params["workflows"] is not None, check=call.check)


def request_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `request`."""
    return {
        "argument_spec": {
            "id": {"type": "int", "required": True},
            "state": {"type": "str", "required": True, "choices": ["approved", "denied"]},
            "approver": {"type": "str"},
            "reason": {"type": "str"},
            "execute": {"type": "bool", "default": True},
        },
        "required_if": [("state", "denied", ("reason",))],
    }


def request(call: Call) -> Result:
    """Approve or deny a request, and execute the plan when nothing else is missing."""
    if not call.check:
        return _request(call)
    # The preview of the plan has to see the approval, which is gone when the transaction of a rehearsal ends.
    with call.store.transaction():
        return _request(call)


def _request(call: Call) -> Result:
    params = call.params
    actor = actor_of(call, "approver", params["approver"])
    decision = DecisionRequest(
        id=params["id"], decision=params["state"], actor=actor, reason=params["reason"] or "", now=call.clock()
    )
    decided = decide(call.store, decision)
    ran = _execute(call, actor.person) if params["execute"] and decided.executable else None
    would = "would be" if call.check else "was"
    done = f"{would} {params['state']} by {actor.person!r}" if decided.changed else f"was {params['state']} before"
    what = state_message(decided) if ran is None else ran.msg
    stored = need_request(call.store, params["id"])
    described = describe_request(call.store, stored, call.clock())
    return Result(
        msg=f"Request {params['id']} of job {decided.request.job!r} {done}. {what}",
        changed=decided.changed or (ran is not None and ran.changed),
        failed=ran is not None and ran.failed,
        values={"request": described, **({} if ran is None else ran.values)},
        diff=[_diff(decided, described["status"]), *(t.cast("list[t.Any]", ran.diff or []) if ran is not None else [])],
        warnings=() if ran is None else ran.warnings,
    )


def _execute(call: Call, person: str) -> Result:
    """Execute the plan. The decision stands whatever becomes of it, so no error of a run may hide it."""
    from .._running.conductor import run_job
    from .._running.runtime import RunRequest
    from .running import ran_result, runtime_of

    run_request = RunRequest(request=call.params["id"], preview=call.check, requester=person)
    try:
        return ran_result(run_job(run_request, call.store, runtime_of(call, "request")), FAIL_ON)
    except LockstepError as error:
        message = (
            f"It was not executed: {error.message} Execute it with `lockstep.sync.run: request={call.params['id']}`."
        )
        return Result(msg=message, failed=True, values={"error": {"code": error.code}})


def _diff(decided: Decided, status: str) -> dict[str, t.Any]:
    header = f"request {decided.request.id}"
    return {
        "before_header": header,
        "after_header": header,
        "before": {"status": decided.before},
        "after": {"status": status},
    }


def request_info_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `request_info`."""
    return {
        "argument_spec": {
            "id": {"type": "int"},
            "job": {"type": "str"},
            "status": {"type": "str", "choices": list(REQUEST_STATUSES)},
            "offset": {"type": "int", "default": 0},
            "limit": {"type": "int", "default": 100},
        }
    }


def request_info(call: Call) -> Result:
    """List requests; of one also what it would change."""
    params = call.params
    for option in ("offset", "limit"):
        if params[option] < 0:
            raise ConfigError(f"{option}: got {params[option]}, it takes 0 or more.")
    if params["id"] is not None:
        found = [_with_changes(call, need_request(call.store, params["id"]))]
    else:
        requests = call.store.requests.find(
            job=params["job"], status=params["status"], limit=params["limit"], offset=params["offset"]
        )
        found = [describe_request(call.store, stored, call.clock()) for stored in requests]
    count = "1 request" if len(found) == 1 else f"{len(found)} requests"
    return Result(
        msg=f"{count} found.",
        values={"requests": found},
        warnings=[
            f"Request {each['id']} cannot be trusted: {each['problem']}." for each in found if not each["verified"]
        ],
    )


def _with_changes(call: Call, stored: StoredRequest) -> dict[str, t.Any]:
    """Give one request with a page of the changes that it is about."""
    described = describe_request(call.store, stored, call.clock())
    terms = stored.request.terms
    try:
        plan = read_plan(call.store.plans.lines(terms.plan_id), f"plan {terms.plan_id}")
        if plan.digest != stored.plan_digest:
            raise StoreError(f"plan {terms.plan_id} is not the one that was sealed as {stored.plan_digest[:16]}")
    except StoreError as error:
        return {**described, "verified": False, "problem": error.message.rstrip("."), "changes": [], "changes_total": 0}
    changes = changes_asked_for(plan, terms.accepted, rest_applied=terms.after_run_id is not None)
    first = call.params["offset"]
    page = changes[first : first + call.params["limit"]]
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.action] = counts.get(change.action, 0) + 1
    return {
        **described,
        "counts": dict(sorted(counts.items())),
        "changes_total": len(changes),
        "changes": [change_line(AppliedChange(change=change, outcome=None)) for change in page],
    }
