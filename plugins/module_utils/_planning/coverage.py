# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workflows a plan falls under. Pure: a plan and the rules in, the rules that apply out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .._model.plans import Action, Change, GuardClass, Plan
from .._model.workflows import WorkflowSpec
from .guards import let_through

SMART_GROUP_TYPE = "group"
COUNTS_AS: Mapping[Action, Action] = {"create_container": "create", "membership": "update", "link": "update"}
"""Actions that people do not name in a workflow: a container is made, a record's groups or references change."""


def covers_job(workflow: WorkflowSpec, job: str, *, scheduled: bool) -> bool:
    """Tell whether runs of the job can fall under the workflow at all."""
    return (not workflow.jobs or job in workflow.jobs) and (workflow.schedules or not scheduled)


def covers_type(workflow: WorkflowSpec, object_type: str) -> bool:
    """Tell whether objects of this type can fall under the workflow."""
    return not workflow.object_types or object_type.casefold() in _folded(workflow.object_types)


def covering(
    workflows: Iterable[WorkflowSpec], plan: Plan, types: Mapping[str, str], *, scheduled: bool
) -> list[WorkflowSpec]:
    """Give the workflows that the plan falls under: at least one change that would be applied matches all they say.

    Args:
        workflows: all there are.
        plan: what guards hold of it does not count, it is not applied.
        types: the type of each object of the job; other parts of a plan are smart groups.
        scheduled: whether a schedule started the run.
    """
    return [
        workflow
        for workflow in workflows
        if covers_job(workflow, plan.job, scheduled=scheduled)
        and any(
            _covers_changes(workflow, part.changes)
            for part in plan.objects
            if covers_type(workflow, types.get(part.name, SMART_GROUP_TYPE))
        )
    ]


def changes_asked_for(plan: Plan, accepted: Collection[GuardClass], *, rest_applied: bool) -> list[Change]:
    """Give the changes that a request is about: those of `plan` that no guard holds, unless they were applied before,
    and those whose guards are all accepted.
    """
    asked: list[Change] = []
    for part in plan.objects:
        proceeding = {change.number for change in part.changes} if rest_applied else set()
        asked += [change for change in let_through(part, accepted).changes if change.number not in proceeding]
    return asked


def _covers_changes(workflow: WorkflowSpec, changes: Sequence[Change]) -> bool:
    fields = _folded(workflow.fields)
    return any(
        (not workflow.actions or COUNTS_AS.get(change.action, change.action) in workflow.actions)
        and (not fields or change.action == "delete" or not fields.isdisjoint(_folded(change.after)))
        for change in changes
    )


def _folded(names: Collection[str]) -> frozenset[str]:
    # Names of attributes and of object classes differ in more than case; those of columns nearly always do.
    return frozenset(name.casefold() for name in names)
