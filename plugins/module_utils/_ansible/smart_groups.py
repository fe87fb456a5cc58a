# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of `smart_group_info`: what a refresh would do now."""

from __future__ import annotations

import typing as t

from .._model.access import as_directory
from .._model.lines import SHOWN_VALUES
from .._model.plans import ValueChanges
from .frame import Call


def smart_group_members(call: Call, name: str) -> dict[str, t.Any]:
    """Give what a refresh of the smart group `name` would do now. Raises ConfigError, ProviderError."""
    from .._running.sides import open_named_provider
    from .._running.smart_groups import find_smart_group, plan_refresh
    from .running import runtime_of

    runtime = runtime_of(call, "smart_group_info")
    spec = find_smart_group(call.store, name)
    provider = open_named_provider(spec.provider, call.store, runtime)
    try:
        plan = plan_refresh(spec, as_directory(provider), first_number=1)
    finally:
        provider.close()
    changes = [value for change in plan.part.changes for value in change.after.values()]
    sets = [value for value in changes if isinstance(value, ValueChanges)]
    return {
        "found": plan.found,
        "present": plan.present,
        "joining": [str(each) for value in sets for each in value.added[:SHOWN_VALUES]],
        "leaving": [str(each) for value in sets for each in value.removed[:SHOWN_VALUES]],
        "held": " ".join(held.message for held in plan.part.held),
    }
