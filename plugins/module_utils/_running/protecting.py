# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that have come under `protect` since a plan was made: what the plan would do to them is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._model.plans import Change, ObjectPlan, Outcome, Plan
from .._model.runs import AppliedChange
from .._planning.protecting import find_protected_entries, find_protected_keys, touches
from .._planning.request import Side
from .context import RunContext
from .destinations import Destinations
from .sides import destination_query, mapping_context, protection_of
from .smart_groups import PREFIX


def leave_out_protected(plan: Plan, context: RunContext, destinations: Destinations) -> Plan:
    """Give `plan` without the changes of records that are protected now; each is told as skipped. Raises LockstepError
    when it cannot be found out who is protected.
    """
    parts = [_without_protected(part, context, destinations) for part in plan.objects]
    return replace(plan, objects=tuple(parts))


def _without_protected(part: ObjectPlan, context: RunContext, destinations: Destinations) -> ObjectPlan:
    left_out = protected_changes(part.name, part.changes, context, destinations)
    if not left_out:
        return part
    outcome = Outcome(status="skipped", code="protected", message=reason(part.name, destinations))
    context.account.applied.extend(AppliedChange(change=change, outcome=outcome) for change in left_out)
    numbers = {change.number for change in left_out}
    return replace(part, changes=[change for change in part.changes if change.number not in numbers])


def protected_changes(
    name: str, changes: Sequence[Change], context: RunContext, destinations: Destinations
) -> list[Change]:
    """Give those of the `changes` of the object `name` that would touch a protected record. Raises LockstepError."""
    touching = [change for change in changes if touches(change)]
    if name.startswith(PREFIX) or not touching:
        return []
    spec = destinations.spec(name)
    if spec.protect is None:
        return []
    provider, info = destinations.provider_of(name), destinations.info(name)
    side = Side(provider=provider, query=destination_query(spec, destinations.type_of(name)), info=info)
    if provider.capabilities.directory:
        entries = find_protected_entries(side, spec.protect, f"object {name!r}", context.checkpoint)
        return [change for change in touching if entries.has(change)]
    protection = protection_of(spec, info, mapping_context(context.job, spec, context.runtime))
    if protection is None:
        return []
    wanted = {change.key for change in touching}
    keys = find_protected_keys(side, spec.key_fields, wanted, protection, context.checkpoint)
    return [change for change in touching if change.key in keys]


def reason(name: str, destinations: Destinations) -> str:
    """Say why a record of the object `name` was left alone."""
    return f"it matches `protect: {destinations.spec(name).protect}` now"
