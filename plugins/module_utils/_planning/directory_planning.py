# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan one object whose destination is a directory: bring companion, changes and leavers together."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from .._model.access import Query
from .._model.compiled import MappedRow
from .._model.dn import fold_dn
from .._model.errors import ProviderError, RecordError
from .._model.plans import Change, Link
from .._model.values import Key, Value
from .destination import DestinationReader, Found
from .directory import DirectoryCompanion, check_on_disable
from .directory_changes import DirectoryChanges
from .fields import FieldRule
from .images import with_images
from .index import DestinationIndex
from .leaving import Leaving
from .protecting import find_protected_entries
from .request import ObjectRequest, SharedPlan, Tally
from .sweep import Piles
from .table_changes import Chooser, note_vanished
from .unique import UniqueValues


class DirectoryPlanning:
    """One object at a directory. `companion` goes along with the sweep, then `make` gives the changes."""

    def __init__(
        self,
        request: ObjectRequest,
        shared: SharedPlan,
        reader: DestinationReader,
        index: DestinationIndex,
        *,
        rules: Sequence[FieldRule],
        tally: Tally,
    ) -> None:
        self._request = request
        self._shared = shared
        self._reader = reader
        self._index = index
        self._rules = rules
        self._tally = tally
        self.companion = DirectoryCompanion(request, shared, index)
        shared.places.update(map(fold_dn, index.places.values()))
        chooser = Chooser(request, rules, self._taken(rules))
        self.changes = DirectoryChanges(
            request, shared, self.companion, rules=rules, tally=tally, choose_for=chooser.for_record
        )
        self.leaving = Leaving(request, shared, self.changes, tally)
        check_on_disable(request, self.leaving.state)
        self.links: list[Link] = []

    # -- what must be unique ------------------------------------------------------------------------------------

    def _taken(self, rules: Sequence[FieldRule]) -> dict[int, UniqueValues]:
        """Give by position the values that are taken anywhere below the base, in any field that clashes.

        Objects of one plan share them, so that what one is given the next does not get.
        """
        families = {
            rule.position: tuple(sorted({rule.spec.name, *rule.info.unique_with})) for rule in rules if rule.unique
        }
        wanted = [family for family in dict.fromkeys(families.values()) if family not in self._shared.taken]
        if wanted:
            self._read_taken(wanted)
        return {position: self._shared.taken[family] for position, family in families.items()}

    def _read_taken(self, families: Sequence[tuple[str, ...]]) -> None:
        info = self._request.destination.info
        names = tuple(dict.fromkeys(name for family in families for name in family if info.field(name) is not None))
        owner = info.anchor or info.place or names[0]
        query = Query(filter=f"(|{''.join(f'({name}=*)' for name in names)})")
        taken = {family: UniqueValues(()) for family in families}
        with self._request.destination.provider.read(query, (owner, *names)) as reading:
            for batch in reading.batches():
                self._request.checkpoint(len(batch))
                for row in batch:
                    values = dict(zip(names, row[1:], strict=True))
                    for family, unique in taken.items():
                        for name in family:
                            unique.add(values.get(name), str(row[0]))
            if not reading.completeness.proven:
                raise ProviderError(
                    f"which values of {', '.join(names)} are taken is not known: {reading.completeness.reason}. "
                    "Nothing was planned, because a name could be given twice."
                )
        self._shared.taken.update(taken)

    # -- changes ------------------------------------------------------------------------------------------------

    def make(self, piles: Piles, absent: list[t.Any], repeated: t.Collection[t.Any]) -> list[Change]:
        """Give all changes in the order in which they are applied."""
        protected = self._protected_keys([*piles.candidates, *absent])
        absent = [key for key in absent if key not in protected]
        extra = self.leaving.extra_fields
        present = self._reader.read_again(self._index, [*piles.candidates, *absent], extra)
        note_vanished(self._tally, piles.candidates, dict.fromkeys((*present, *protected)))
        self._note_values(piles, present)
        self._add_new(piles)
        absent_set = set(absent)
        for index_key, row in piles.candidates.items():
            found = present.get(index_key)
            if index_key in protected:
                key = self._reader.source_keys.texts(row)
                self._tally.skip(key, f"protected: {self._index.places[index_key]!r} matches `protect`.")
            elif found is not None and not self._update(found, row, rekeyed=index_key in self._rekeyed(piles)):
                piles.unchanged += 1
        self.leaving.plan_joins()
        self._leave([found for key, found in present.items() if key in absent_set])
        ordered = self.changes.ordered
        ordered.deletes = with_images(ordered.deletes, self._shared.directory)
        self.changes.add_containers()
        self.links = [*self.companion.links_found(self._key_of, repeated), *self.changes.links]
        return self.changes.ordered.all()

    def _note_values(self, piles: Piles, present: Mapping[t.Any, Found]) -> None:
        """Let references find records by the values that this very run gives them."""
        references = self._shared.references
        written = [
            rule
            for rule in self._rules
            if (rule.compared or rule.spec.key) and not rule.unique and references.looks_for(rule.spec.name)
        ]
        if not written:
            return
        for index_key, row in piles.candidates.items():
            found = present.get(index_key)
            if found is not None:
                values: dict[str, Value] = {rule.spec.name: t.cast("t.Any", row[rule.position]) for rule in written}
                references.note_values(values, found.place)

    @staticmethod
    def _rekeyed(piles: Piles) -> set[t.Any]:
        return {linked for linked, _row in piles.relinked.values()}

    def _add_new(self, piles: Piles) -> None:
        if self._request.spec.missing_at_destination == "skip":
            self._tally.count("skipped", len(piles.creates))
            return
        placed: list[tuple[Key, MappedRow, str]] = []
        for row in piles.creates.values():
            key = self._reader.source_keys.texts(row)
            new = self.changes.place_new(key, row)
            if new is not None:
                placed.append((key, *new))
        for key, row, place in placed:
            self.changes.create(key, row, place)

    def _update(self, found: Found, row: MappedRow, *, rekeyed: bool) -> bool:
        """Plan one record; true when it changes or is at fault, so that it does not count as unchanged."""
        try:
            return self.changes.update(found, row, rekeyed=rekeyed, leaving=self._leaving_of(found))
        except RecordError as error:
            self._tally.error(found.key, error.reason_code, error.message)
            return True

    def _leaving_of(self, found: Found) -> Leaving | None:
        return self.leaving if found.anchor in self._request.leavers else None

    def _leave(self, absent: Sequence[Found]) -> None:
        if self._request.spec.missing_at_source == "delete":
            for found in absent:
                change = self.changes.change("delete", found.key, found.place, found.anchor, found.before, {})
                self.changes.ordered.deletes.append(change)
        else:
            self.leaving.leave(absent)

    def _protected_keys(self, index_keys: Sequence[t.Any]) -> set[t.Any]:
        """Give those of `index_keys` whose records match `protect`: one search, and only when something would change.

        Raises ProviderError when the search is not complete: who is protected is then not known.
        """
        protect = self._request.spec.protect
        if protect is None or not index_keys:
            return set()
        side = self._request.destination
        where = f"object {self._request.spec.name!r}"
        found = find_protected_entries(side, protect, where, self._request.checkpoint)
        return {key for key in index_keys if fold_dn(self._index.places[key]) in found.places}

    def _key_of(self, index_key: t.Any) -> Key:
        return index_key if isinstance(index_key, tuple) else (index_key,)
