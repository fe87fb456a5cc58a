# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that need not read: both systems show that nothing changed since a run that found nothing to do.

A system shows it by a token that any change of it changes. The tokens are taken before a run reads and again when its
plan is made: only when they are equal, and the plan is empty, does the run become one to stand on. Nothing is ever
concluded for a part of the records: when one token is another one, everything is read.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator

from .._model.access import WriteTarget, as_directory
from .._model.bundles import RELEASE
from .._model.digests import content_digest
from .._model.dn import is_within
from .._model.jobs import Resolve
from .._model.plans import ObjectPlan, Plan
from .._model.standstill import Standstill, variables_of
from .._planning.request import Side
from .._store.run_rows import StoredRun
from .._store.store import Store
from .context import RunContext
from .definition import definition_digest
from .sides import PreparedObject, Sides

WHOLE_JOB = ""
"""In the place of an object's name: no object has this one."""
LONGEST = dt.timedelta(days=1)
"""For how long a run can be stood on: what no system counts, such as who may see what, is found out once a day."""


def look(context: RunContext, sides: Sides) -> Standstill | None:
    """Ask both systems for their tokens; None when the job does not want it, the run is for some records only, or one
    of the systems cannot tell.
    """
    if not context.job.proof or context.request.keys or context.request.explain is not None:
        return None
    tokens = _tokens(context, sides)
    return None if tokens is None else Standstill(digest=_digest(context), tokens=tokens)


def run_to_stand_on(context: RunContext, seen: Standstill) -> StoredRun | None:
    """Give the run that found nothing to do when both systems were as they are now; None when there is none or it was
    too long ago, or this run was asked for something that only reading can answer.
    """
    request = context.request
    if request.full or request.keep_plan or request.smart_groups:
        return None
    kept = context.store.marks.get(context.job.name, WHOLE_JOB, seen.digest)
    if kept is None:
        return None
    mark = json.loads(kept)
    run = context.store.runs.get(mark["run"]) if mark["tokens"] == seen.tokens else None
    if run is None:
        return None
    age = context.runtime.clock() - dt.datetime.fromisoformat(run.started)
    # A run of the future was told by a clock that was wrong, and would be believed for longer.
    return run if dt.timedelta() <= age < LONGEST else None


def plan_of(run: StoredRun, context: RunContext, sides: Sides) -> Plan:
    """Give the empty plan that the records still have; its counts are those of `run`, which read them."""
    counts = dict(run.objects)
    return Plan(
        job=context.job.name,
        definition_digest=definition_digest(context.job, context.store),
        objects=tuple(
            ObjectPlan(
                name=item.spec.name,
                target=WriteTarget(
                    container=item.destination.query.container, key_fields=item.spec.key_fields, fields=()
                ),
                changes=(),
                held_changes=(),
                held=(),
                problems=(),
                statistics=counts[item.spec.name],
            )
            for item in sides.objects
        ),
    )


def remark_on(run: StoredRun) -> str:
    """Say on which run this one stands, to be put at the end of its message."""
    warnings = "1 warning stands" if run.statistics.warnings == 1 else f"{run.statistics.warnings} warnings stand"
    told = f" Its {warnings}, see the log of that run." if run.statistics.warnings else ""
    return f" Neither system has changed since run {run.id}, which read them; nothing was read.{told}"


def still_stands(context: RunContext, sides: Sides, seen: Standstill | None, plan: Plan) -> bool:
    """Tell whether this run, which read everything, becomes one to stand on."""
    if seen is None or plan.change_count or plan.held_count:
        return False
    # A warning is about records as they are, and stands as long as they do; an error may have passed by then.
    if any(part.held or part.statistics.errors for part in plan.objects):
        return False
    return _tokens(context, sides) == seen.tokens


def keep(store: Store, job: str, run_id: int, seen: Standstill) -> None:
    """Remember that run `run_id` of `job` found nothing to do while both systems were as `seen`."""
    store.marks.set(job, WHOLE_JOB, seen.digest, json.dumps({"run": run_id, "tokens": seen.tokens}))


def _tokens(context: RunContext, sides: Sides) -> str | None:
    if not _reads_below_its_bases(sides):
        context.log.note("nothing is proven: the job reads entries outside of `base_dn`. Everything is read.")
        return None
    found = [provider.change_token() for provider in (sides.source, sides.destination)]
    for name, token in zip((context.job.source.provider, context.job.destination.provider), found, strict=True):
        if token is None:
            context.log.note(
                f"provider {name!r} does not tell whether something changed (OpenLDAP does with the overlay syncprov). "
                "Everything is read."
            )
            return None
    return json.dumps(found)


def _reads_below_its_bases(sides: Sides) -> bool:
    """Tell whether all that a directory is asked for lies where its token speaks of."""
    return all(
        is_within(place, as_directory(side.provider).base)
        for item in sides.objects
        for side in (item.source, item.destination)
        if side.provider.capabilities.directory
        for place in _places(item, side)
    )


def _places(item: PreparedObject, side: Side) -> Iterator[str]:
    if side.query.container is not None:
        yield side.query.container
    yield from side.query.more_containers
    for field in item.spec.fields:
        for step in field.transform:
            if isinstance(step, Resolve) and step.container is not None:
                yield step.container


def _digest(context: RunContext) -> str:
    """Give a digest over everything but the two systems that decides what a run finds."""
    job, runtime = context.job, context.runtime
    known = {**runtime.environ, "COMPUTERNAME": runtime.host}
    content = {
        "definition": definition_digest(job, context.store),
        "limits": dataclasses.asdict(job.limits),
        "variables": {name: known.get(name) for name in variables_of(job)},
        "release": RELEASE,
    }
    return content_digest(content)
