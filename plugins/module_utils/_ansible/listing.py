# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of reading modules."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable, Sequence

from .._model.access import Directory, Provider
from .._model.plans import ValueChanges
from .._operations.list_providers import Surroundings
from .._running.files import SHOWN_VALUES
from .._running.sides import open_named_provider
from .._running.smart_groups import find_smart_group, plan_refresh
from .frame import Call, Result
from .results import MAX_BYTES, json_safe, size_of
from .running import runtime_of


def listed_result(noun: str, found: Sequence[t.Mapping[str, t.Any]], *, bulky: str | None = None) -> Result:
    """Give the result of a list.

    Args:
        noun: what is listed, in the singular.
        found: the entries.
        bulky: the part of every entry that is left out first when the list is too big.
    """
    shown = json_safe(found)
    warnings = []
    if bulky is not None and size_of(shown) > MAX_BYTES and len(shown) > 1:
        shown = [{name: value for name, value in entry.items() if name != bulky} for entry in shown]
        warnings.append(
            f"The list is long, so the {bulky} of its {noun}s are left out. Give `name` to see those of one."
        )
    count = len(found)
    return Result(
        msg=f"{count} {noun}{'' if count == 1 else 's'} found.", values={f"{noun}s": shown}, warnings=tuple(warnings)
    )


def surroundings(call: Call, open_provider: Callable[..., Provider]) -> Surroundings:
    """Give what looking at a system needs."""
    return Surroundings(
        open_provider=open_provider,
        environ=os.environ,
        protect=lambda secret: call.protect(secret.reveal()),
    )


def smart_group_members(call: Call, name: str) -> dict[str, t.Any]:
    """Give what a refresh of the smart group `name` would do now. Raises ConfigError, ProviderError."""
    runtime = runtime_of(call, "smart_group_info")
    spec = find_smart_group(call.store, name)
    provider = open_named_provider(spec.provider, call.store, runtime)
    try:
        plan = plan_refresh(spec, t.cast("Directory", provider), first_number=1)
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
