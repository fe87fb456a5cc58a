# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work out what a list of changes makes of the records of a file, before anything is written. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from .._model.plans import DONE, Change, Outcome, PlannedValue
from .._model.values import Key, Value, show_key
from .before_image import judge

Record = Mapping[str, Value]
Refusal = Callable[[Change], "Outcome | None"]
ValueRefusal = Callable[[str, PlannedValue], "Outcome | None"]
Fitness = Callable[[Iterable[PlannedValue]], bool]

CHUNK = 500
"""New records whose values are looked at together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Folded:
    """What remains to be written, and one outcome for each change, in order.

    Attributes:
        updated: new values of records that stay, only the fields that differ.
        deleted: keys of records that go.
        created: new records in the order of their changes.
    """

    outcomes: list[Outcome]
    updated: Mapping[Key, Record]
    deleted: frozenset[Key]
    created: Mapping[Key, Record]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be written."""
        return not (self.updated or self.deleted or self.created)


def fold_changes(
    changes: Sequence[Change],
    found: Mapping[Key, Sequence[Record]],
    fields: Sequence[str],
    refuse: Refusal,
    fit: Fitness | None = None,
) -> Folded:
    """Apply `changes` in memory to the records `found`, honouring before-images.

    Args:
        changes: the changes of one call of a writer.
        found: for each key of `changes` the records that have it now, with all mapped `fields`.
        fields: the mapped fields; in files empty text and no value are the same in all of them.
        refuse: gives a failed outcome for a change that the file cannot take, else None.
        fit: tells that the file can take each of many values; when it cannot, `refuse` is asked about each change.
    """
    if not found and fit is not None:
        folded = _fold_new(changes, refuse, fit)
        if folded is not None:
            return folded
    empty = frozenset(fields)
    now: dict[Key, Record | None] = {}
    outcomes = []
    for change in changes:
        records = found.get(change.key, ())
        if len(records) > 1:
            outcomes.append(_ambiguous(change, len(records)))
            continue
        current = now.setdefault(change.key, records[0] if records else None)
        outcome = judge(change, current, empty_is_null=empty) or refuse(change)
        if outcome is None:
            now[change.key] = _result(change, current)
        outcomes.append(outcome or DONE)
    return _compare(outcomes, found, now)


def _fold_new(changes: Sequence[Change], refuse: Refusal, fit: Fitness) -> Folded | None:
    """Fold new records of different keys, all that a first load has; None when there are other changes."""
    # Values of other types than a record's are refused below, and the record with them.
    created = t.cast("dict[Key, Record]", {each.key: each.after for each in changes if each.action == "create"})
    if len(created) != len(changes):
        return None
    outcomes = []
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        if fit(chain.from_iterable(change.after.values() for change in chunk)):
            outcomes += [DONE] * len(chunk)
            continue
        for change in chunk:
            refusal = refuse(change)
            if refusal is not None:
                del created[change.key]
            outcomes.append(refusal or DONE)
    return Folded(outcomes=outcomes, updated={}, deleted=frozenset(), created=created)


def _result(change: Change, current: Record | None) -> Record | None:
    if change.action == "delete":
        return None
    # what a file cannot hold (a password not yet made) was refused before
    written = {name: value for name, value in change.after.items() if value is None or isinstance(value, str)}
    return {**(current or {}), **written}


def refuse_values(change: Change, refuse: ValueRefusal) -> Outcome | None:
    """Give the first failed outcome that `refuse` gives for a value of `change`, or None."""
    refusals = (refuse(name, value) for name, value in change.after.items())
    return next((refusal for refusal in refusals if refusal is not None), None)


def failed(code: str, message: str) -> Outcome:
    """Give a failed outcome."""
    return Outcome(status="failed", code=code, message=message)


def _compare(
    outcomes: list[Outcome], found: Mapping[Key, Sequence[Record]], now: Mapping[Key, Record | None]
) -> Folded:
    updated: dict[Key, Record] = {}
    created: dict[Key, Record] = {}
    deleted = set()
    for key, after in now.items():
        before = next(iter(found.get(key, ())), None)
        if before is None and after is not None:
            created[key] = after
        elif before is not None and after is None:
            deleted.add(key)
        elif before is not None and after is not None:
            differing = {name: value for name, value in after.items() if (value or None) != (before.get(name) or None)}
            if differing:
                updated[key] = differing
    return Folded(outcomes=outcomes, updated=updated, deleted=frozenset(deleted), created=created)


def _ambiguous(change: Change, count: int) -> Outcome:
    key = show_key(change.key)
    return failed("ambiguous", f"{count} records have the key {key}; make the key unique before it can be written")
