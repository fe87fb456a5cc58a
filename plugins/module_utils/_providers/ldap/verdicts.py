# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may still be done to an entry as it is now: all of a change, what is left of it, or nothing."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import replace

from ..._model.dn import fold_dn
from ..._model.plans import DONE, Change, Outcome, PlannedValue, ValueChanges
from ..._model.secrets import GeneratedPassword
from ..._model.values import Single, Value, members
from ..before_image import judge
from .accounts import ACCOUNT_ATTRIBUTES
from .attributes import Attributes
from .left_names import LeftNames
from .modifications import MOST_ASSERTED
from .outcomes import record_name
from .places import DN_CHANGES, judge_place
from .steps import CHUNK

_LAST = frozenset(name.casefold() for name in ACCOUNT_ATTRIBUTES)


def has_sets(change: Change) -> bool:
    """Tell whether single values are added to or taken from a set."""
    return any(isinstance(value, ValueChanges) for value in change.after.values())


class Verdicts:
    """Judges changes of one directory; names in values are the same however they are spelled, and whether or not they
    have followed their entry.
    """

    def __init__(self, attributes: Attributes, left_names: LeftNames) -> None:
        self._attributes = attributes
        self._left_names = left_names

    def narrowed(self, change: Change, *, whole: bool) -> Change:
        """Give the change with what is compared only: never a password or where the entry is. Unless `whole`, neither
        sets that are added to or taken from nor long ones that the change leaves alone.
        """
        if change.action in DN_CHANGES:
            return replace(change, before={}, after={})
        after = {
            name: value
            for name, value in change.after.items()
            if self._attributes.of(name).is_compared and (whole or not isinstance(value, ValueChanges))
        }
        before = {
            name: value
            for name, value in change.before.items()
            if self._attributes.of(name).is_compared
            and not isinstance(change.after.get(name), ValueChanges)
            and (name in after or len(members(value)) <= MOST_ASSERTED)
        }
        return replace(change, before=before, after=after)

    def judge(
        self, change: Change, place: str, current: Mapping[str, Value], *, whole: bool, begun: bool = False
    ) -> Outcome | None:
        """Give the outcome of a change that must not be applied, None for one of which something is left to do.

        Args:
            change: the planned change.
            place: where the entry is.
            current: its fields, at least those of `narrowed`.
            whole: whether the sets are among `current`.
            begun: an earlier try of ours may have written a part of it.
        """
        if change.action in DN_CHANGES:
            return judge_place(change, place)
        compared = self.narrowed(change, whole=whole)
        compared = replace(compared, before=self._without_deleted(compared.before))
        current = self._without_deleted(current)
        if begun:
            written = {
                name
                for name, value in compared.after.items()
                if name in compared.before and self._agrees(name, value, current.get(name))
            }
            before = {name: current.get(name) if name in written else value for name, value in compared.before.items()}
            compared = replace(compared, before=before)
        verdict = judge(compared, current, fold=self._fold)
        if verdict == DONE and change.action == "create" and len(compared.after) < len(change.after):
            return _unknown_password(change)
        return None if verdict == DONE and not whole and has_sets(change) else verdict

    def left_to_do(self, change: Change, current: Mapping[str, Value]) -> Change:
        """Give the change without the fields, and the values of sets, that are as planned already."""
        after: dict[str, PlannedValue] = {}
        for name, value in change.after.items():
            if not self._attributes.of(name).is_compared or name not in current:
                after[name] = value
            elif isinstance(value, ValueChanges):
                # What is taken out is called as it stands there, which need not be its entry's name any more.
                there = {self._fold(name, part): part for part in members(current[name])}
                gone = (there.get(self._fold(name, part)) for part in value.removed)
                after[name] = ValueChanges(
                    added=tuple(part for part in value.added if self._fold(name, part) not in there),
                    removed=tuple(part for part in gone if part is not None),
                )
            elif not self._agrees(name, value, current[name]):
                after[name] = value
        # What was found as planned, and where references have followed their entry, is what others must not change from
        # now on.
        before = {
            name: current[name]
            if (name in change.after and name not in after) or self._has_followed(name, value, current)
            else value
            for name, value in change.before.items()
        }
        return replace(change, before=before, after=after)

    def _has_followed(self, name: str, value: Value, current: Mapping[str, Value]) -> bool:
        is_dn = name in current and self._attributes.of(name).is_dn
        return is_dn and self._folded(name, value) == self._folded(name, current[name])

    def _without_deleted(self, fields: Mapping[str, Value]) -> dict[str, Value]:
        return {
            name: self._left_names.without_deleted(value) if self._attributes.of(name).is_dn else value
            for name, value in fields.items()
        }

    def left_to_create(self, change: Change, current: Mapping[str, Value]) -> dict[str, ValueChanges] | None:
        """Give the values that a new entry still lacks; None when it is not the one that was begun. What is written
        last (flags, passwords) and what the server fills in by itself do not matter.
        """
        lacking: dict[str, ValueChanges] = {}
        for name, value in self.narrowed(change, whole=True).after.items():
            if value is None or self._is_last(name) or isinstance(value, GeneratedPassword):
                continue
            wanted, there = self._folded(name, t.cast("Value", value)), self._folded(name, current.get(name))
            if wanted == there:
                continue
            if len(wanted) <= CHUNK or not there < wanted:
                return None
            missing = (part for part in members(t.cast("Value", value)) if self._fold(name, part) not in there)
            lacking[name] = ValueChanges(added=tuple(missing))
        return lacking

    def _is_last(self, name: str) -> bool:
        return self._attributes.of(name).flag is not None or name.casefold() in _LAST

    def _agrees(self, name: str, value: PlannedValue, current: Value) -> bool:
        if isinstance(value, (GeneratedPassword, ValueChanges)):
            return False
        return self._folded(name, value) == self._folded(name, current)

    def _folded(self, name: str, value: Value) -> frozenset[Single]:
        return frozenset(self._fold(name, part) for part in members(value))

    def _fold(self, name: str, value: Single) -> Single:
        if not isinstance(value, str) or not self._attributes.of(name).is_dn:
            return value
        return self._left_names.now(fold_dn(value))


def _unknown_password(change: Change) -> Outcome:
    message = f"a record {record_name(change)} has appeared; whether it has the planned password is not known"
    return Outcome(status="skipped", code="exists", message=message)
