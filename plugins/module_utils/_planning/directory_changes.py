# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of one object at a directory: create in containers, update by values, rename, move, link, disable.

One record can have several changes in one run. Each knows where the record is when its turn comes, because the order
is fixed: containers, creates, disables, memberships that end, updates, renames, moves, references to records the run
made, memberships that begin, deletes.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .._model.compiled import MappedRow
from .._model.dn import first_rdn, fold_dn, format_dn, join_dn, parse_dn
from .._model.errors import RecordError
from .._model.limits import parse_limit
from .._model.plans import Action, Change, Held, Link, PlannedValue, ValueChanges
from .._model.values import Key, Value, as_set, is_empty, members, show
from .destination import Found
from .directory import CONTAINER, IDENTITY, Containers, DirectoryCompanion
from .fields import FieldRule, check_create, find_differences
from .naming import take_rename
from .ordering import Ordered
from .references import Pending, Unresolved, settle_value
from .request import ObjectRequest, SharedPlan, Tally

BIG_SET = 100
Choose: t.TypeAlias = Callable[[FieldRule, str, Value], str]
MakeChoose: t.TypeAlias = Callable[[str | None], Choose]


class Return(t.Protocol):
    """What a record that was disabled gets back when it returns (`leaving.Leaving`)."""

    def come_back(self, found: Found) -> dict[str, PlannedValue]: ...

    def rejoin(self, found: Found, key: Key, place: str) -> None: ...

    def way_back(self, found: Found) -> str | None: ...


class DirectoryChanges:
    """Makes the changes of one object. `found` records and new ones are handed in one by one."""

    def __init__(
        self,
        request: ObjectRequest,
        shared: SharedPlan,
        companion: DirectoryCompanion,
        *,
        rules: Sequence[FieldRule],
        tally: Tally,
        choose_for: MakeChoose,
    ) -> None:
        self._request = request
        self._shared = shared
        self.companion = companion
        self._rules = rules
        self._tally = tally
        self._choose_for = choose_for
        self._containers = Containers(request, shared)
        info = request.destination.info
        self._place_field = info.place or "dn"
        self._naming = next(
            (rule for rule in rules if info.naming is not None and rule.spec.name.casefold() == info.naming.casefold()),
            None,
        )
        self.ordered = Ordered()
        self.links: list[Link] = []
        self.held_changes: list[Change] = []

    # -- new records --------------------------------------------------------------------------------------------

    def place_new(self, key: Key, row: MappedRow) -> tuple[MappedRow, str] | None:
        """Choose name and container of a new record; None when it cannot have any, which is told.

        All new records are placed before any is made, so that they can refer to one another.
        """
        try:
            row = self._with_unique(row)
            place = self._new_place(row)
            self._claim(place)
        except RecordError as error:
            self._tally.error(key, error.reason_code, error.message)
            return None
        named = {rule.spec.name: t.cast("Value", row[rule.position]) for rule in self._rules}
        self._shared.references.note_planned(named, place)
        return row, place

    def _with_unique(self, row: MappedRow) -> MappedRow:
        values = list(row)
        choose = self._choose_for(None)
        for rule in self._rules:
            wish = values[rule.position]
            if rule.unique and isinstance(wish, str) and wish:
                values[rule.position] = choose(rule, wish, None)
        return tuple(values)

    def _new_place(self, row: MappedRow) -> str:
        name = self._request.destination.info.naming or "cn"
        value = None if self._naming is None else row[self._naming.position]
        parts = members(t.cast("Value", value)) if isinstance(value, (str, tuple)) else ()
        if not parts or not isinstance(parts[0], str):
            raise RecordError(
                f"a new record needs a value for {name!r}, which names it; the mapping gives none.", code="required"
            )
        container = row[CONTAINER]
        if self._request.spec.create_in is None:
            container = self._request.destination.query.container or self._shared.directory.base
        if not isinstance(container, str):
            raise RecordError("`create_in` gives no container for this record.", code="container")
        self._containers.need(container)
        return join_dn(name, parts[0], container)

    def _claim(self, place: str) -> None:
        folded = fold_dn(place)
        if folded in self._shared.places:
            raise RecordError(
                f"the name {place!r} is taken by another record. Give the naming field the step `unique`, or another "
                "`create_in`.",
                code="exists",
            )
        self._shared.places.add(folded)

    def create(self, key: Key, row: MappedRow, place: str) -> None:
        """Plan a new record; references to records of this very plan are linked once those are there."""
        try:
            settled, later = self._settle(key, row, {})
            if not self._request.destination.info.keeps_references:
                # A group that cannot be empty gets members that are not there yet; such a directory takes them.
                at_once = {rule.spec.name for rule in self._rules if not rule.info.nullable}
                settled = self._merge_later(settled, {name: later[name] for name in later if name in at_once})
                later = {name: value for name, value in later.items() if name not in at_once}
            settled = tuple(None if isinstance(value, Pending) else value for value in settled)
            check_create(self._rules, settled)
        except RecordError as error:
            self._tally.error(key, error.reason_code, error.message)
            return
        after = {rule.spec.name: settled[rule.position] for rule in self._rules}
        self.ordered.creates.append(self.change("create", key, place, None, {}, after))
        self.links.append(Link(identity=t.cast("str", row[IDENTITY]), anchor="", key=key))
        self._link_later(key, place, None, dict.fromkeys(later), later)

    def _merge_later(self, row: MappedRow, later: Mapping[str, Value]) -> MappedRow:
        values = list(row)
        for rule in self._rules:
            if rule.spec.name in later:
                present = values[rule.position]
                now = () if isinstance(present, Pending) else members(t.cast("Value", present))
                both = as_set((*now, *members(later[rule.spec.name])))
                values[rule.position] = both
        return tuple(values)

    # -- records that are there ---------------------------------------------------------------------------------

    def update(self, found: Found, row: MappedRow, *, rekeyed: bool, leaving: Return | None = None) -> bool:
        """Plan what makes the record as the source has it; false when nothing differs. `leaving` knows what a record
        that returns gets back. Raises RecordError.
        """
        found = self._as_it_will_be(found)
        settled, later = self._settle(found.key, row, found.before)
        after = find_differences(self._rules, settled, found.before, self._choose_for(found.anchor), rekeyed=rekeyed)
        self._keep_doubtful(after)
        rename = None if self._naming is None else take_rename(after, found, self._naming.spec.name)
        later = {name: value for name, value in later.items() if not _holds(found.before.get(name), value)}
        key = found.key
        if rekeyed:
            key = tuple(str(settled[rule.position]) for rule in self._rules if rule.spec.key)
            self.links.append(Link(identity=t.cast("str", row[IDENTITY]), anchor=found.anchor or "", key=key))
        after = self._guard_removals(key, found, after)
        before = dict(found.before)
        if leaving is not None:
            given_back = leaving.come_back(found)
            before |= {name: found.extra.get(name) for name in given_back}
            after |= given_back
        if after:
            kept = {name: value for name, value in before.items() if not _is_big_set(value, after.get(name))}
            self.ordered.updates.append(self.change("update", key, found.place, found.anchor, kept, after))
        place = found.place if rename is None else self._rename(key, found, rename)
        wish = self._wished_container(found, row, leaving)
        if wish is not None:
            place = self.move(key, found, place, wish)
        if leaving is not None:
            leaving.rejoin(found, key, place)
        self._link_later(key, place, found.anchor, found.before, later)
        return bool(after or later or place != found.place or leaving is not None)

    def _as_it_will_be(self, found: Found) -> Found:
        """Give `found` with references to records that an earlier object renames or moves: the directory, or its
        overlay for referential integrity, corrects them before this object's turn comes.
        """
        references = self._shared.references
        if not references.moved or not self.companion.references:
            return found
        before = dict(found.before)
        for position in self.companion.references:
            name = self._rules[position].spec.name
            before[name] = references.where(before.get(name))
        return replace(found, before=before)

    def _wished_container(self, found: Found, row: MappedRow, leaving: Return | None) -> str | None:
        """Give the container the record must go to, None when it stays."""
        wish = row[CONTAINER]
        if isinstance(wish, str) and self.companion.is_elsewhere(row, found.place):
            return wish
        if leaving is None or self._request.spec.move:
            return None
        back = leaving.way_back(found)
        return wish if back is not None and isinstance(wish, str) else back

    def _rename(self, key: Key, found: Found, value: str) -> str:
        rdn = first_rdn(found.place)
        name = self._request.destination.info.naming or rdn[0][0]
        new = tuple((kind, value if kind.casefold() == name.casefold() else old) for kind, old in rdn)
        if new == rdn:
            new = ((name, value),)
        place = format_dn((new, *parse_dn(found.place)[1:]))
        self._claim_other(found.place, place)
        after = {self._place_field: place}
        before = {self._place_field: found.place}
        self.ordered.renames.append(self.change("rename", key, found.place, found.anchor, before, after))
        return place

    def move(self, key: Key, found: Found, place: str, container: str) -> str:
        """Plan that the record, which is called `place` by then, goes to `container`; give its new DN."""
        self._containers.need(container)
        new = format_dn((first_rdn(place), *parse_dn(container)))
        self._claim_other(place, new)
        before, after = {self._place_field: place}, {self._place_field: new}
        self.ordered.moves.append(self.change("move", key, place, found.anchor, before, after))
        return new

    def _claim_other(self, old: str, new: str) -> None:
        if fold_dn(old) != fold_dn(new):
            self._claim(new)
            self._shared.places.discard(fold_dn(old))

    def _keep_doubtful(self, after: dict[str, PlannedValue]) -> None:
        """Where the records referred to could not be read completely, nobody is taken out of a set."""
        for position, index in self.companion.references.items():
            name = self._rules[position].spec.name
            change = after.get(name)
            if index.completeness.proven or not isinstance(change, ValueChanges) or not change.removed:
                continue
            self._tally.warn(
                "absence",
                f"field {name!r}: {len(change.removed)} values stay, because the records referred to could not be read "
                f"completely: {index.completeness.reason}",
            )
            after[name] = ValueChanges(added=change.added)
            if not change.added:
                del after[name]

    def _guard_removals(self, key: Key, found: Found, after: dict[str, PlannedValue]) -> dict[str, PlannedValue]:
        """Hold the removals of one group when they are more than `member_removals`; who joins still joins."""
        limit = self._request.limits.member_removals
        if limit is None or "member_removals" in self._request.accepted:
            return after
        allowed = dict(after)
        for rule in self._rules:
            change = after.get(rule.spec.name)
            if rule.info.kind != "dn" or not isinstance(change, ValueChanges) or not change.removed:
                continue
            total = len(members(found.before.get(rule.spec.name)))
            if not parse_limit(limit).trips(len(change.removed), total):
                continue
            self._tally.held.append(
                Held(
                    object=self._request.spec.name,
                    guard="member_removals",
                    count=len(change.removed),
                    limit=limit,
                    message=f"object {self._request.spec.name!r}, {found.place!r}: {len(change.removed)} of {total} "
                    f"values of {rule.spec.name!r} would be removed, more than the limit `member_removals: {limit}`. "
                    "None of them was removed. Check the preview; if they are right, run with "
                    "`accept: [member_removals]`, or raise `limits.member_removals` of the job.",
                )
            )
            held = {rule.spec.name: ValueChanges(removed=change.removed)}
            self.held_changes.append(self.change("update", key, found.place, found.anchor, found.before, held))
            del allowed[rule.spec.name]
            if change.added:
                allowed[rule.spec.name] = ValueChanges(added=change.added)
        return allowed

    # -- references ---------------------------------------------------------------------------------------------

    def _settle(self, key: Key, row: MappedRow, before: Mapping[str, Value]) -> tuple[MappedRow, dict[str, Value]]:
        """Give the row with its pending references settled, and by field those to records that this run makes."""
        values: list[t.Any] = list(row)
        later: dict[str, Value] = {}
        for position, index in self.companion.references.items():
            pending = values[position]
            if not isinstance(pending, Pending):
                continue
            rule = self._rules[position]
            now, then, unresolved = settle_value(index, pending, rule.spec.name, before.get(rule.spec.name))
            if unresolved is not None:
                self._report(key, self._request.mapping.references[position].match, unresolved)
            if not is_empty(then):
                later[rule.spec.name] = then
            if is_empty(now) and (unresolved is not None or not is_empty(then)):
                continue  # what is there stays until the new one is there
            values[position] = now if rule.prepare is None else rule.prepare(now)
        return tuple(values), later

    def _report(self, key: Key, match: str, unresolved: Unresolved) -> None:
        texts = ", ".join(map(show, unresolved.texts[:5]))
        more = f" and {len(unresolved.texts) - 5} more" if len(unresolved.texts) > 5 else ""
        self._tally.warn(
            "unresolved",
            f"field {unresolved.field!r}: no reference for {match} = {texts}{more}: {unresolved.reason}. The "
            "rest of the record is not affected.",
            key,
        )

    def _link_later(
        self, key: Key, place: str, anchor: str | None, before: Mapping[str, Value], later: Mapping[str, Value]
    ) -> None:
        if not later:
            return
        after: dict[str, PlannedValue] = {}
        for rule in self._rules:
            if rule.spec.name in later:
                value = later[rule.spec.name]
                if rule.info.multi_valued:
                    after[rule.spec.name] = ValueChanges(added=members(value))
                else:
                    after[rule.spec.name] = members(value)[0]
        shown = {name: before.get(name) for name, value in after.items() if not isinstance(value, ValueChanges)}
        self.ordered.links.append(self.change("link", key, place, anchor, shown, after))

    # -- the rest -----------------------------------------------------------------------------------------------

    def add_containers(self) -> None:
        """Plan the containers that were found missing."""
        for place in self._containers.new:
            name, value = first_rdn(place)[0]
            self.ordered.containers.append(self.change("create_container", (), place, None, {}, {name: value}))

    def change(  # noqa: PLR0917 - the order is that of a sentence
        self,
        action: Action,
        key: Key,
        place: str,
        anchor: str | None,
        before: Mapping[str, Value],
        after: Mapping[str, PlannedValue],
    ) -> Change:
        """Give a change of this object; it gets its number when the plan is whole."""
        return Change(
            number=0,
            object=self._request.spec.name,
            action=action,
            key=key,
            target=place,
            anchor=anchor,
            before=before,
            after=after,
        )


def _is_big_set(value: Value, after: PlannedValue) -> bool:
    """A group of 50,000 members must not stand in the plan because one joins."""
    return isinstance(after, ValueChanges) and len(members(value)) > BIG_SET


def _holds(current: Value, wanted: Value) -> bool:
    present = {fold_dn(value) for value in members(current) if isinstance(value, str)}
    return all(isinstance(value, str) and fold_dn(value) in present for value in members(wanted))
