# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refresh a job's smart groups within its run: in a preview they are planned only."""

from __future__ import annotations

from dataclasses import replace

from .._model.access import PasswordPolicy, as_directory
from .._model.plans import ObjectPlan
from .asking import must_wait
from .context import RunContext
from .destinations import Destinations
from .files import RunFiles, save_plan
from .sides import open_named_provider
from .smart_groups import find_smart_group, plan_refresh
from .writing import write_plan


def plan_smart_groups(context: RunContext, *, first_number: int) -> list[ObjectPlan]:
    """Give the parts of the job's smart groups, in order; what was found goes into the account. Raises
    LockstepError.
    """
    parts: list[ObjectPlan] = []
    for name in context.smart_groups:
        spec = find_smart_group(context.store, name)
        provider = open_named_provider(spec.provider, context.store, context.runtime)
        try:
            found = plan_refresh(
                spec, as_directory(provider), first_number=first_number, accepted=context.request.accept
            )
        finally:
            provider.close()
        parts.append(found.part)
        first_number += len(found.part.changes) + len(found.part.held_changes)
        context.account.problems = [*context.account.problems, *found.part.problems]
    return parts


def refresh_smart_groups(context: RunContext, files: RunFiles, number: int) -> None:
    """Refresh the smart groups, now that the job's changes are made; plans and journals are named from `number` on."""
    account = context.account
    plan = account.plan
    if plan is None or not context.smart_groups:
        return
    parts = plan_smart_groups(context, first_number=account.planned + 1)
    account.planned = max([account.planned, *(change.number for part in parts for change in part.all_changes())])
    refreshing = replace(plan, objects=tuple(parts))
    account.plan = replace(plan, objects=(*plan.objects, *parts))
    if must_wait(refreshing, context, whole=False):
        return
    with Destinations(context.job, context.store, context.runtime) as destinations:
        for number_of_group, part in enumerate((part for part in parts if part.changes), number):
            sealed = save_plan(replace(plan, objects=(part,)), files.plan(number_of_group))
            journal = files.journal(number_of_group)
            write_plan(sealed, context, journal, destinations.open_writer, PasswordPolicy())
