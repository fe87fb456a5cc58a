# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide whether a planned change may still be applied to a record as it is now. Pure: no file, no connection."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Container, Mapping

from .._model.plans import DONE, Change, Outcome, PlannedValue, ValueChanges
from .._model.secrets import GeneratedPassword
from .._model.values import Single, Value, members, show, show_key

Fold: t.TypeAlias = Callable[[str, Single], Single]
"""(field, single value) -> a form that is equal for values that are the same to the system."""

_MISSING = object()
_CREATES = frozenset({"create", "create_container"})


def judge(
    change: Change,
    current: Mapping[str, Value] | None,
    *,
    empty_is_null: Container[str] = frozenset(),
    fold: Fold | None = None,
) -> Outcome | None:
    """Give the outcome of a change that must not be applied, or None for one that may be.

    Values that are to be added or removed are a set that converges: one that is there or gone already contradicts
    nothing, and when all are, the field is done.

    Args:
        change: the planned change; a generated password in it equals every value, since nobody can compare it.
        current: the record with the change's key as it is now, at least all its mapped fields; None when there is none.
        empty_is_null: the fields in which empty text and no value are the same.
        fold: how the system compares values; None for exactly.
    """
    compare = _Compare(empty_is_null, fold)
    if change.action in _CREATES:
        return _judge_create(change, current, compare)
    if current is None:
        message = f"the record {_name(change)} is not there any more"
        return Outcome(status="skipped", code="gone", message=message)
    sets = {name for name, value in change.after.items() if isinstance(value, ValueChanges)}
    moved = compare.differences({name: value for name, value in change.before.items() if name not in sets}, current)
    # A password that is all there is to write tells nothing: it must be written.
    readable = {name: value for name, value in change.after.items() if not isinstance(value, GeneratedPassword)}
    if not moved and (not readable or compare.differences(readable, current)):
        return None
    planned = {**{name: value for name, value in change.before.items() if name not in sets}, **change.after}
    if change.action != "delete" and not compare.differences(planned, current):
        return DONE
    return _moved_on(change, current, moved) if moved else None


class _Compare:
    def __init__(self, empty_is_null: Container[str], fold: Fold | None) -> None:
        self._empty_is_null = empty_is_null
        self._fold = fold

    def differences(self, wanted: Mapping[str, PlannedValue], current: Mapping[str, Value]) -> list[str]:
        """Name the fields of `wanted` whose current value is another one."""
        return [name for name, value in wanted.items() if not self._agrees(name, value, current.get(name, _MISSING))]

    def _agrees(self, name: str, value: PlannedValue, found: t.Any) -> bool:
        if isinstance(value, GeneratedPassword):
            return True
        if isinstance(value, ValueChanges):
            present = self._folded(name, None if found is _MISSING else found)
            return self._folded(name, value.added) <= present and present.isdisjoint(self._folded(name, value.removed))
        if found is _MISSING:
            return False
        if value == found or (name in self._empty_is_null and value in (None, "") and found in (None, "")):
            return True
        return self._fold is not None and self._folded(name, value) == self._folded(name, found)

    def _folded(self, name: str, value: Value) -> frozenset[Single]:
        fold = self._fold
        return frozenset(members(value) if fold is None else (fold(name, part) for part in members(value)))


def _judge_create(change: Change, current: Mapping[str, Value] | None, compare: _Compare) -> Outcome | None:
    if current is None:
        return None
    different = compare.differences(change.after, current)
    if not different:
        return DONE
    names = ", ".join(different)
    message = f"a record {_name(change)} has appeared; it differs from the planned one in {names}"
    return Outcome(status="skipped", code="exists", message=message)


def _moved_on(change: Change, current: Mapping[str, Value], moved: list[str]) -> Outcome:
    first = moved[0]
    return Outcome(
        status="skipped",
        code="moved_on",
        message=f"the record {_name(change)} was changed since it was read, in {', '.join(moved)}: "
        f"{first} was {show(change.before[first])}, is {show(current.get(first))}",
    )


def _name(change: Change) -> str:
    return show_key(change.key) if change.key and change.action != "membership" else repr(change.target or "")
