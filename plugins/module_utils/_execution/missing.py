# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a directory that a run should have made and did not: nobody can refer to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .._model.dn import fold_dn
from .._model.plans import Change, Outcome, PlannedValue, ValueChanges

NOT_MADE = Outcome(
    status="failed",
    code="reference",
    message="not written: the record, or the one it refers to, should have been made before and was not.",
)


class Missing:
    """Remembers the places of new records that were refused, over all objects of a plan."""

    def __init__(self) -> None:
        self._places: set[str] = set()

    def note(self, changes: Sequence[Change], outcomes: Sequence[Outcome]) -> None:
        """Look at what became of `changes`."""
        for change, outcome in zip(changes, outcomes, strict=True):
            if change.action in ("create", "create_container") and change.target and outcome.status == "failed":
                self._places.add(fold_dn(change.target))

    def stands_in_the_way(self, change: Change) -> bool:
        """Tell whether `change` is about nothing but records that were not made."""
        if not self._places or change.action != "link" or change.target is None:
            return False
        return fold_dn(change.target) in self._places or not self._without_missing(change.after)

    def without_missing(self, change: Change) -> Change:
        """Give `change` without the references to records that were not made."""
        if not self._places:
            return change
        after = self._without_missing(change.after)
        return change if after == change.after else replace(change, after=after)

    def _without_missing(self, after: Mapping[str, PlannedValue]) -> dict[str, PlannedValue]:
        left: dict[str, PlannedValue] = {}
        for name, value in after.items():
            if isinstance(value, ValueChanges):
                added = tuple(part for part in value.added if not self._is_missing(part))
                if added or value.removed:
                    left[name] = replace(value, added=added)
            elif isinstance(value, tuple):
                left[name] = tuple(part for part in value if not self._is_missing(part)) or None
            elif not self._is_missing(value):
                left[name] = value
        return left

    def _is_missing(self, value: PlannedValue) -> bool:
        return isinstance(value, str) and "=" in value and fold_dn(value) in self._places
