# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the inverse of what a run really did. Pure: what the records are now is handed in.

Created records are deleted, deleted ones made again from their image, with their groups; changed fields get their old
value back where they still have the one the run wrote; who was renamed or moved goes back. In reverse order, so that
every change finds its record where the run left it. Only references are written last: they name records as the run
found them, and only then is every record called so again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._model.dn import first_rdn, fold_dn
from .._model.plans import Action, Change, Image, PlannedValue, ValueChanges
from .._model.runs import AppliedChange, Problem
from .._model.secrets import MASK, GeneratedPassword
from .._model.values import Key, Single, Value, members, show

Record = Mapping[str, Value]
Fold = Callable[[str, Single], Single]


@dataclass(kw_only=True, slots=True)
class Inverse:
    """The inverse of the changes of one object, in the order to apply, and what cannot be taken back."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    moved_on: int = 0

    def leave_out(self, changes: Sequence[Change], code: str, reason: str) -> None:
        """Take `changes` out again and say why."""
        left_out = {id(change) for change in changes}
        self.changes = [change for change in self.changes if id(change) not in left_out]
        self.problems += [
            Problem(level="warning", object=each.object, key=each.key, code=code, message=f"{each.action}: {reason}.")
            for each in changes
        ]
        self.moved_on += len(changes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """One change as it was done: `anchor` is that of a record that it made."""

    change: Change
    anchor: str | None

    @classmethod
    def of(cls, applied: AppliedChange) -> Written:
        """Give the change of `applied` with the record's anchor."""
        given = None if applied.outcome is None else applied.outcome.anchor
        return cls(change=applied.change, anchor=applied.change.anchor or given)


def look_for(written: Written, place: str | None) -> Change:
    """Give a change that stands where `written` left its record, so that the record can be found."""
    change = written.change
    where = change.target
    if place is not None and change.action in ("rename", "move"):
        where = str(change.after[place])
    return replace(change, target=where, anchor=written.anchor)


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What undoing must know of the system.

    Attributes:
        place: the field that holds a record's name at a directory, None elsewhere.
        fold: a form of values that is equal for values that the system holds for the same; None for exactly.
        filled_in: fields that the system fills in when a new record leaves them out.
        references: fields whose values must name records that exist, when the system checks that.
        locked: what makes an account unable to log in; one that comes back has no password.
        coming: folded names of records that are made again after those of this object.
    """

    place: str | None = None
    fold: Fold | None = None
    filled_in: frozenset[str] = frozenset()
    references: frozenset[str] = frozenset()
    locked: Mapping[str, Value] = field(default_factory=dict)
    coming: frozenset[str] = frozenset()


def plan_undo(
    done: Sequence[Written], records: Mapping[int, Record | None], surroundings: Surroundings | None = None
) -> Inverse:
    """Give the inverse of `done`, the changes of one object in the order they were made.

    `records` gives by number of the change the record as it is now, None when there is none. The changes get no number.
    What has moved on since is left alone and told in `problems`.
    """
    planner = _UndoPlanner(records, surroundings or Surroundings())
    made = _what_was_made(done)
    links = [written for written in done if written.change.action == "link"]
    others = [written for written in done if written.change.action != "link"]
    for written in (*reversed(others), *reversed(links)):
        change = written.change
        if change.action == "create":
            planner.take_away(written, made[change.key])
        elif change.key not in made or change.action == "membership":
            planner.take_back(written)
    return planner.finish()


def _what_was_made(done: Sequence[Written]) -> dict[Key, dict[str, Value]]:
    """Give by key what the new records were in the end: references between them were written afterwards."""
    made: dict[Key, dict[str, Value]] = {}
    for written in done:
        change = written.change
        if change.action == "create":
            made[change.key] = _plain(change.after)
        elif change.key in made and change.action in ("link", "update"):
            record = made[change.key]
            for name, value in change.after.items():
                if isinstance(value, ValueChanges):
                    record[name] = value.applied_to(record.get(name))
                else:
                    record |= _plain({name: value})
    return made


class _UndoPlanner:
    def __init__(self, records: Mapping[int, Record | None], surroundings: Surroundings) -> None:
        self._records = records
        self._around = surroundings
        self._place = surroundings.place
        self._inverse = Inverse()
        self._containers: list[Change] = []
        self._again: list[Change] = []
        self._references: list[Change] = []
        self._deletions: list[Change] = []
        self._links: list[Change] = []
        self._joins: list[Change] = []
        self._ways_back: dict[Key, list[str]] = {}

    def finish(self) -> Inverse:
        """Give the inverse: records that come back first, new ones go when nothing refers to them any more."""
        self._inverse.changes = [
            *self._containers,
            *self._again,
            *self._inverse.changes,
            *self._references,
            *self._deletions,
            *self._links,
            *self._joins,
        ]
        return self._inverse

    def take_back(self, written: Written) -> None:
        """Plan the inverse of one change that made no record."""
        change, current = written.change, self._records.get(written.change.number)
        if change.action == "delete":
            self._make_again(written, current)
        elif change.action == "create_container":
            if current is not None:
                self._deletions.append(
                    self._change(
                        change, "delete", target=self._where(change, current), anchor=None, before={}, after={}
                    )
                )
        elif current is None:
            self._leave(change, "gone", "the record is not there any more")
        elif change.action in ("rename", "move"):
            self._put_back(written, current)
        else:
            self._give_back(written, current)

    # -- records ------------------------------------------------------------------------------------------------

    def _make_again(self, written: Written, current: Record | None) -> None:
        change, around = written.change, self._around
        if current is not None:
            self._leave(change, "exists", "a record of this name is there again")
            return
        place = change.target
        if not change.key:
            name, text = first_rdn(place or "")[0]
            self._containers.append(
                self._change(change, "create_container", target=place, anchor=None, before={}, after={name: text})
            )
            return
        image = change.image or Image(fields={})
        fields = {name: value for name, value in {**change.before, **image.fields}.items() if name != self._place}
        fields |= {name: value for name, value in around.locked.items() if name in fields}
        later = {name: value for name, value in fields.items() if name in around.references and members(value)}
        at_once = {name: value for name, value in fields.items() if name not in later}
        self._again.append(self._change(change, "create", target=place, anchor=None, before={}, after=at_once))
        for name, value in later.items():
            self._refer(change, name, value)
        for group, name in image.groups:
            joins = {name: ValueChanges(added=(place or "",))}
            self._joins.append(self._change(change, "membership", target=group, anchor=None, before={}, after=joins))

    def _refer(self, change: Change, name: str, value: Value) -> None:
        """Plan a reference of a record that comes back, once the records that it refers to are there."""
        there = tuple(part for part in members(value) if fold_dn(str(part)) not in self._around.coming)
        if len(there) < len(members(value)):
            lost = len(members(value)) - len(there)
            self._warn(change, "reference", f"{lost} values of {name!r} name records that come back later; add them")
        if not there:
            return
        after: PlannedValue = ValueChanges(added=there) if isinstance(value, tuple) else value
        before: dict[str, Value] = {} if isinstance(value, tuple) else {name: None}
        self._links.append(
            self._change(change, "link", target=change.target, anchor=None, before=before, after={name: after})
        )

    def take_away(self, written: Written, made: Record) -> None:
        """Plan that a record goes which the run made, unless it has changed since."""
        change, current = written.change, self._records.get(written.change.number)
        if current is None:
            return
        before = {
            name: value
            for name, value in made.items()
            if name != self._place and not (value is None and name in self._around.filled_in)
        }
        moved = [name for name, value in before.items() if not self._same(name, value, current.get(name))]
        if moved:
            self._leave_moved_on(change, moved, before, current)
            return
        shown = {name: current.get(name) for name in before}
        rest = {name: value for name, value in current.items() if name not in before and name != self._place}
        where = self._where(change, current)
        deletion = self._change(change, "delete", target=where, anchor=written.anchor, before=shown, after={})
        self._deletions.append(replace(deletion, image=Image(fields=rest)))

    def _put_back(self, written: Written, current: Record) -> None:
        change, place = written.change, self._place or ""
        old, new = str(change.before[place]), str(change.after[place])
        if fold_dn(str(current.get(place))) != fold_dn(new) and not self._comes_there(change):
            self._leave(change, "moved_on", f"the record is at {show(current.get(place))}, not at {new!r} any more")
            return
        before, after = {place: new}, {place: old}
        back = self._change(change, change.action, target=new, anchor=written.anchor, before=before, after=after)
        self._inverse.changes.append(back)
        self._ways_back.setdefault(change.key, []).append(old)

    def _comes_there(self, change: Change) -> bool:
        """Tell whether an inverse planned before puts the record where this change left it."""
        return change.after[self._place or ""] in self._ways_back.get(change.key, ())

    # -- fields -------------------------------------------------------------------------------------------------

    def _give_back(self, written: Written, current: Record) -> None:
        change = written.change
        before: dict[str, Value] = {}
        after: dict[str, PlannedValue] = {}
        moved: list[str] = []
        for name, value in change.after.items():
            if isinstance(value, ValueChanges):
                values = self._values_back(name, value, current.get(name))
                if values.added or values.removed:
                    after[name] = values
            elif isinstance(value, GeneratedPassword) or value == MASK:
                self._warn(change, "password", f"{name!r} is a password and stays; nobody knows the one before")
            elif self._same(name, value, current.get(name)):
                before[name], after[name] = value, change.before.get(name)
            elif not self._same(name, change.before.get(name), current.get(name)):
                moved.append(name)
        if moved:
            self._leave_moved_on(change, moved, _plain(change.after), current)
        if after:
            action: Action = "membership" if change.action == "membership" else "update"
            where = self._where(change, current)
            back = self._change(change, action, target=where, anchor=written.anchor, before=before, after=after)
            (self._references if change.action == "link" else self._inverse.changes).append(back)

    def _values_back(self, name: str, value: ValueChanges, current: Value) -> ValueChanges:
        """Give what takes back values that were added and removed: those that others removed or added since stay."""
        present = {self._folded(name, part) for part in members(current)}
        return ValueChanges(
            added=tuple(part for part in value.removed if self._folded(name, part) not in present),
            removed=tuple(part for part in value.added if self._folded(name, part) in present),
        )

    # -- the rest -----------------------------------------------------------------------------------------------

    def _where(self, change: Change, current: Record) -> str | None:
        """Give where the record is when its turn comes: where the change found it, if it is still to go back there."""
        if self._place is None or change.action == "membership":
            return change.target
        ways_back = self._ways_back.get(change.key)
        if ways_back is None:
            return str(current.get(self._place) or change.target)
        return ways_back[-1] if change.action == "link" else change.target

    @staticmethod
    def _change(
        origin: Change,
        action: Action,
        *,
        target: str | None,
        anchor: str | None,
        before: Mapping[str, Value],
        after: Mapping[str, PlannedValue],
    ) -> Change:
        return Change(
            number=0,
            object=origin.object,
            action=action,
            key=origin.key,
            target=target,
            anchor=anchor,
            before=before,
            after=after,
        )

    def _leave_moved_on(self, change: Change, names: Sequence[str], written: Record, current: Record) -> None:
        first = names[0]
        self._leave(
            change,
            "moved_on",
            f"changed since the run, in {', '.join(names)}: {first} was written as {show(written.get(first))}, is "
            f"{show(current.get(first))}",
        )

    def _leave(self, change: Change, code: str, why: str) -> None:
        self._inverse.moved_on += 1
        self._warn(change, code, f"the {change.action} is not taken back: {why}")

    def _warn(self, change: Change, code: str, message: str) -> None:
        self._inverse.problems.append(
            Problem(level="warning", object=change.object, key=change.key, code=code, message=f"{message}.")
        )

    def _same(self, name: str, one: Value, other: Value) -> bool:
        """Empty text and no value are the same here: some systems cannot tell them apart."""
        return {self._folded(name, part) for part in members(one) if part != ""} == {
            self._folded(name, part) for part in members(other) if part != ""
        }

    def _folded(self, name: str, value: Single) -> Single:
        fold = self._around.fold
        return value if fold is None else fold(name, value)


def _plain(fields: Mapping[str, PlannedValue]) -> dict[str, Value]:
    """Give the fields that can be compared: a password is stored as a mask."""
    return {
        name: value
        for name, value in fields.items()
        if not isinstance(value, (GeneratedPassword, ValueChanges)) and value != MASK
    }
