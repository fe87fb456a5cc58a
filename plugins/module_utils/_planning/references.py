# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References: from a key text to the distinguished name of the record that has it, out of memory.

Each place where references are looked for is read once per run, whatever number of records refer to it. Records that
the same run will make are found, too; writing references to those of the same object is put off until they are there.
Records whose value changes in the run are found by the new one, and objects that come later find those that an earlier
one renames or moves where they will be by then.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .._model.access import Completeness, Directory, Query
from .._model.checkpoint import Checkpoint
from .._model.dn import fold_dn, is_within
from .._model.jobs import Resolve
from .._model.plans import Change
from .._model.values import Value, as_set, is_empty, members


@dataclass(frozen=True, slots=True)
class Pending:
    """A reference that is not found among the records there are: the texts looked for, and the DNs found already."""

    missing: tuple[str, ...]
    found: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class ReferenceIndex:
    """The records of one place by the folded values of one field.

    `ambiguous` are values that several records have, with the folded DNs of these; they are never guessed at. `planned`
    are records that this run makes: value -> the DN they will have.
    """

    places: dict[str, str] = field(default_factory=dict)
    ambiguous: dict[str, set[str]] = field(default_factory=dict)
    planned: dict[str, str] = field(default_factory=dict)
    completeness: Completeness = field(default_factory=lambda: Completeness(proven=True))

    def add(self, value: Value, place: str) -> None:
        """Enter one record."""
        for part in members(value):
            if isinstance(part, str):
                key = part.casefold()
                first = self.places.setdefault(key, place)
                if first != place:
                    self.ambiguous.setdefault(key, {fold_dn(first)}).add(fold_dn(place))

    def find(self, text: str) -> str | None:
        """Give the DN of the one record that has `text`, None when there is none or several have it."""
        key = text.strip().casefold()
        return None if key in self.ambiguous else self.places.get(key)

    def find_planned(self, text: str) -> str | None:
        """Give the DN that the record with `text` will have when this run is done."""
        key = text.strip().casefold()
        return None if key in self.ambiguous else self.planned.get(key)


IndexKey: t.TypeAlias = tuple[str | None, str | None, str]


@dataclass(kw_only=True, slots=True)
class ReferenceBook:
    """All reference indexes of one run, by container, filter and field; made when they are first needed.

    `moved` are the records that objects planned so far rename or move: folded DN they have -> the DN they will have.
    """

    directory: Directory
    place: str
    indexes: dict[IndexKey, ReferenceIndex] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)

    def index(self, rule: Resolve, checkpoint: Checkpoint) -> ReferenceIndex:
        """Give the index for `rule`. Raises ProviderError when its place cannot be read."""
        key = (rule.container, rule.filter, rule.match.casefold())
        found = self.indexes.get(key)
        if found is None:
            found = self.indexes[key] = self._read(rule, checkpoint)
        return found

    def _read(self, rule: Resolve, checkpoint: Checkpoint) -> ReferenceIndex:
        index = ReferenceIndex()
        present = f"({rule.match}=*)"
        query = Query(container=rule.container, filter=f"(&{rule.filter}{present})" if rule.filter else present)
        with self.directory.read(query, (rule.match, self.place)) as reading:
            for batch in reading.batches():
                checkpoint(len(batch))
                for value, place in batch:
                    if isinstance(place, str):
                        index.add(value, place)
            index.completeness = reading.completeness
        return index

    def looks_for(self, name: str) -> bool:
        """Tell whether any reference looks for values of the field `name`."""
        return any(match == name.casefold() for _container, _filter, match in self.indexes)

    def note_planned(self, values: Mapping[str, Value], place: str) -> None:
        """Enter a record that the run makes, with its mapped fields, into every index it may be looked for in."""
        for index, text in self._entries(values, place):
            index.planned[text.casefold()] = place

    def note_values(self, values: Mapping[str, Value], place: str) -> None:
        """Enter a record that is there under the values that the run gives it, unless another record has them."""
        for index, text in self._entries(values, place):
            index.places.setdefault(text.casefold(), place)

    def note_moves(self, changes: Iterable[Change]) -> None:
        """Enter what an object renames and moves: it is done when the next object's turn comes."""
        starts: dict[str, str] = {}  # the DN that a record will have -> the one it has
        for change in changes:
            if change.action in ("rename", "move") and change.target is not None:
                start = starts.pop(change.target, change.target)
                starts[str(change.after[self.place])] = start
        if not starts:
            return
        ways = {start: place for place, start in starts.items()}
        moved = {fold_dn(start): place for start, place in ways.items()}
        self.moved |= moved
        for index in self.indexes.values():
            index.places = {text: ways.get(place, place) for text, place in index.places.items()}
            for places in index.ambiguous.values():
                places |= {fold_dn(moved[start]) for start in places & moved.keys()}

    def where(self, value: Value) -> Value:
        """Give the DNs `value` as they will be when the objects planned so far are done."""
        if not self.moved or is_empty(value):
            return value
        places = [self.moved.get(fold_dn(part), part) if isinstance(part, str) else part for part in members(value)]
        return as_set(places) if isinstance(value, tuple) else places[0]

    def _entries(self, values: Mapping[str, Value], place: str) -> Iterator[tuple[ReferenceIndex, str]]:
        folded = {name.casefold(): value for name, value in values.items()}
        for (container, _filter, match), index in self.indexes.items():
            if container is not None and not is_within(place, container):
                continue
            for part in members(folded.get(match)):
                if isinstance(part, str):
                    yield index, part


@dataclass(frozen=True, kw_only=True, slots=True)
class Unresolved:
    """A reference that nobody has: the field, and the texts."""

    field: str
    texts: tuple[str, ...]
    reason: str


def resolve_value(index: ReferenceIndex, wish: Value) -> Value | Pending:
    """Give the DNs for the key texts `wish`, or what is found and what is still looked for."""
    texts = [part for part in members(wish) if isinstance(part, str) and part.strip()]
    found: list[str] = []
    missing: list[str] = []
    for text in texts:
        place = index.find(text)
        if place is None:
            missing.append(text)
        else:
            found.append(place)
    return Pending(tuple(missing), tuple(found)) if missing else as_set(found)


def settle_value(
    index: ReferenceIndex, pending: Pending, name: str, current: Value = None
) -> tuple[Value, Value, Unresolved | None]:
    """Give for a pending reference: the DNs there are, the DNs of records the run makes, and what nobody has.

    Of the DNs that the field has now (`current`), those stay that a text may stand for which several records have.
    """
    now, later, nobody = list(pending.found), [], []
    for text in pending.missing:
        place, planned = index.find(text), index.find_planned(text)
        if place is not None:
            now.append(place)  # its value changes in this run
        elif planned is not None:
            later.append(planned)
        else:
            nobody.append(text)
    unresolved = None
    if nobody:
        several: set[str] = set()
        for text in nobody:
            several |= index.ambiguous.get(text.strip().casefold(), set())
        now += [part for part in members(current) if isinstance(part, str) and fold_dn(part) in several]
        reason = "several records have it" if several else "no record has it"
        if not index.completeness.proven:
            reason = f"the records could not be read completely: {index.completeness.reason}"
        unresolved = Unresolved(field=name, texts=tuple(nobody), reason=reason)
    return as_set(now), as_set(later), unresolved
