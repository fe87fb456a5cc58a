# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweep over the source: map each record, join it by key with the destination index, and sort it into a pile."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from .._model.access import Query
from .._model.compiled import CompiledMapping, MappedRow
from .._model.errors import RecordError, SkipRecord
from .._model.values import Key, Row, is_empty, show
from .fields import FieldRule, canonical_key_part, prepare_row
from .incremental import Delta
from .index import DestinationIndex, KeyReader
from .request import ObjectRequest, Tally
from .sharing import SharedTexts
from .skimming import Skim

PORTRAIT_FIELDS = 4


@dataclass(kw_only=True, slots=True)
class Piles:
    """Where the source's records went, by index key.

    Attributes:
        creates: not at the destination.
        candidates: at the destination with another hash; to be read again and compared.
        unchanged: how many are the same.
        matched: how many have a record at the destination.
        relinked: records whose key nobody has at the destination, with the index key of the record they are linked to.
        keyless: records at fault or left alone whose key could not be read; while there are any, nothing is believed
            gone.
        missing_keys: keys asked for that no record in scope has.
        proven: the reading saw every record; `reason` says why not.
    """

    creates: dict[t.Any, MappedRow] = field(default_factory=dict)
    candidates: dict[t.Any, MappedRow] = field(default_factory=dict)
    relinked: dict[t.Any, tuple[t.Any, MappedRow]] = field(default_factory=dict)
    unchanged: int = 0
    matched: int = 0
    keyless: int = 0
    missing_keys: frozenset[Key] = frozenset()
    proven: bool = True
    reason: str = ""


class Companion(t.Protocol):
    """What a directory destination adds to the sweep: references, containers and links."""

    @property
    def source_extras(self) -> tuple[str, ...]:
        """Source fields to read beside those of the mapping."""

    def resolve(self, planned: MappedRow) -> MappedRow:
        """Put DNs in the place of references."""

    def finish(self, planned: MappedRow, key: Key, source: Row, extras: Row) -> MappedRow:
        """Append what the plan needs to know of the record beside its fields, its identity last. Raises RecordError,
        SkipRecord.
        """

    def match(self, index_key: t.Any, planned: MappedRow, *, same: bool) -> bool:
        """Note that a record is matched; tell whether it must be looked at although its fields are the `same`."""

    def identity(self, key: Key, extras: Row) -> str:
        """Give what names the source record for ever."""

    def linked_key(self, identity: str) -> t.Any | None:
        """Give the index key of the record that a source record is linked to, None when there is none."""


class SourceSweep:
    """One pass over the source of one object. `run` gives the piles; what is left in the index afterwards is absent."""

    def __init__(
        self,
        request: ObjectRequest,
        *,
        rules: Sequence[FieldRule],
        index: DestinationIndex,
        keys: KeyReader,
        project: Callable[[MappedRow], t.Any] | None,
        delta: Delta | None,
        tally: Tally,
        unique: bool,
        companion: Companion | None = None,
    ) -> None:
        """`unique` says that the source itself guarantees that no two records have one key, so nobody has to remember
        the keys seen.
        """
        self._request = request
        self._mapping: CompiledMapping = request.mapping
        self._preparing = [rule for rule in rules if rule.prepare is not None]
        self._key_rules = [rule for rule in rules if rule.spec.key]
        self._index = index
        self._keys = keys
        self._project = project
        self._delta = delta
        self._tally = tally
        self._piles = Piles()
        self._texts = SharedTexts()
        self._companion = companion
        self._width = len(request.mapping.source_fields)
        self._unique = unique and request.wanted_keys is None and companion is None
        self._seen: set[t.Any] = set()
        # How many records of a key were left alone; each of them is accounted for where that was decided.
        self._protected: dict[t.Any, int] = {}
        self._repeated: dict[t.Any, int] = {}
        # Repeated keys whose first record had been sorted into a pile.
        self._sorted: set[t.Any] = set()
        self._wanted = None if request.wanted_keys is None else self._canonical_keys(request.wanted_keys)

    def run(self, query: Query, skimmed: Skim | None = None) -> Piles:
        """Read everything once, or what `skimmed` leaves of it. Raises ProviderError when the source fails; nothing may
        be planned then.
        """
        fields = self._mapping.source_fields
        if self._delta is not None and self._request.incremental is not None:
            fields = (*fields, self._request.incremental.field)
        if self._companion is not None:
            fields = (*fields, *self._companion.source_extras)
        if skimmed is not None:
            self._piles.unchanged += skimmed.equal
            self._tally.count("read", skimmed.equal)
            self._tally.count("in_scope", skimmed.equal)
        provider = self._request.source.provider
        with provider.read(query, fields) if skimmed is None else skimmed.read_source(fields) as reading:
            for batch in reading.batches():
                self._request.checkpoint(len(batch))
                self._tally.count("read", len(batch))
                self._take(batch)
            self._piles.proven = reading.completeness.proven
            self._piles.reason = reading.completeness.reason
        self._settle_repeated()
        self._settle_relinked()
        if self._wanted is not None:
            self._piles.missing_keys = frozenset(texts for key, texts in self._wanted.items() if key not in self._seen)
        self._piles.matched = self._piles.unchanged + len(self._piles.candidates)
        return self._piles

    def _take(self, batch: list[Row]) -> None:
        untouched = (
            self._mapping.identity
            and not self._preparing
            and self._delta is None
            and self._wanted is None
            and self._mapping.in_scope is None
            and self._companion is None
        )
        planned: list[t.Any] = batch if untouched else self._map(batch)
        keys = self._keys.of_rows(planned)
        if untouched and not (all(keys) if len(self._keys.positions) == 1 else all(map(all, keys))):
            planned = [row for row in batch if self._has_key(row)]
            keys = self._keys.of_rows(planned)
        self._tally.count("in_scope", len(planned))
        if not self._unique:
            if self._seen.isdisjoint(keys) and len(set(keys)) == len(keys):
                self._seen.update(keys)
            else:
                planned, keys = self._drop_repeated(planned, keys)
        self._join(planned, keys)

    def _has_key(self, row: Row) -> bool:
        try:
            self._keys.texts(row)
        except RecordError as error:
            self._keyless(row, error)
            return False
        return True

    def _keyless(self, row: Row, error: RecordError) -> None:
        self._piles.keyless += 1
        self._tally.count("in_scope")
        self._tally.error((), error.reason_code, f"{error.message.rstrip('.')}. The record has {self._portrait(row)}.")

    def _portrait(self, row: Row) -> str:
        """Give the first values of a source record, so that a person finds it without its key."""
        named = zip(self._mapping.source_fields, row, strict=False)
        shown = [f"{name}: {show(value)}" for name, value in named if not is_empty(value)]
        return ", ".join(shown[:PORTRAIT_FIELDS]) or "no values in the mapped fields"

    def _map(self, batch: list[Row]) -> list[MappedRow]:
        rows: list[MappedRow] = []
        for row in batch:
            source, extras = row[: self._width], row[self._width :]
            if self._delta is not None:
                stamp, extras = extras[0], extras[1:]
                if not self._delta.is_new(stamp):
                    if not self._protect(source, extras) and self._may_be_in_scope(source):
                        self._piles.keyless += 1
                    continue
            planned = self._map_one(source, extras)
            if planned is not None:
                rows.append(planned)
        return rows

    def _map_one(self, row: Row, extras: Row) -> MappedRow | None:
        scope, companion = self._mapping.in_scope, self._companion
        try:
            if scope is not None and not scope(row):
                return None
            planned = self._mapping.map_row(row)
            if companion is not None:
                planned = companion.resolve(planned)
            if self._preparing:
                planned = prepare_row(self._preparing, planned)
            key = self._keys.texts(planned)
            if companion is not None:
                planned = companion.finish(planned, key, row, extras)
        except SkipRecord as skip:
            self._leave(row, extras, skip)
            return None
        except RecordError as error:
            self._fail(row, extras, error)
            return None
        return planned if self._is_wanted(key) else None

    def _is_wanted(self, key: Key) -> bool:
        return self._wanted is None or (bool(key) and self._keys.of_key(key) in self._wanted)

    def _may_be_in_scope(self, row: Row) -> bool:
        scope = self._mapping.in_scope
        try:
            return scope is None or scope(row)
        except (RecordError, SkipRecord):
            # Nobody knows, so it may be.
            return True

    def _leave(self, row: Row, extras: Row, skip: SkipRecord) -> None:
        key = self._protect(row, extras)
        if not key:
            self._piles.keyless += 1
        if self._is_wanted(key):
            self._tally.count("in_scope")
            self._tally.skip(key, skip.message)

    def _fail(self, row: Row, extras: Row, error: RecordError) -> None:
        key = self._protect(row, extras)
        if not key:
            if self._wanted is None:
                self._keyless(row, error)
            return
        if self._is_wanted(key):
            self._tally.count("in_scope")
            self._tally.error(key, error.reason_code, error.message)

    def _protect(self, row: Row, extras: Row) -> Key:
        """Count the record as present at the source, and give its key; `()` when it has none that can be read."""
        try:
            values = self._mapping.map_key(row)
            for_key: list[t.Any] = [None] * (max(self._mapping.key_positions) + 1)
            for rule, value in zip(self._key_rules, values, strict=True):
                for_key[rule.position] = value if rule.prepare is None else rule.prepare(value)
            key = self._keys.texts(for_key)
        except (RecordError, SkipRecord):
            # The reason is already known from the mapping of the whole record, or the record asked to be left alone.
            return ()
        index_key = self._keys.of_key(key)
        if not self._unique:
            if index_key in self._seen:
                self._repeat(index_key)
            self._seen.add(index_key)
        self._protected[index_key] = self._protected.get(index_key, 0) + 1
        if self._companion is not None and index_key not in self._index.hashes:
            # Its key has changed, and nobody may take the record it is linked to for gone.
            linked = self._companion.linked_key(self._companion.identity(key, extras))
            if linked is not None:
                self._seen.add(linked)
        return key

    def _repeat(self, key: t.Any) -> None:
        """Count one more record of a key that was seen before."""
        if key not in self._repeated:
            self._repeated[key] = 1
            if key not in self._protected:
                self._sorted.add(key)
        self._repeated[key] += 1

    def _drop_repeated(self, planned: list[MappedRow], keys: list[t.Any]) -> tuple[list[MappedRow], list[t.Any]]:
        fresh_rows, fresh_keys = [], []
        for row, key in zip(planned, keys, strict=True):
            if key in self._seen:
                self._repeat(key)
                continue
            self._seen.add(key)
            fresh_rows.append(row)
            fresh_keys.append(key)
        return fresh_rows, fresh_keys

    def _join(self, planned: list[MappedRow], keys: list[t.Any]) -> None:
        project = self._project
        hashes = list(map(hash, planned if project is None else map(project, planned)))
        hashes_by_key = self._index.hashes
        found = list(map(hashes_by_key.pop, keys, repeat(None))) if self._unique else list(map(hashes_by_key.get, keys))
        companion = self._companion
        if found == hashes and companion is None:
            self._piles.unchanged += len(found)
            return
        for row, key, wanted, present in zip(planned, keys, hashes, found, strict=True):
            if companion is not None and present is not None and companion.match(key, row, same=present == wanted):
                self._piles.candidates[key] = row
            elif present == wanted:
                self._piles.unchanged += 1
            elif present is not None:
                self._piles.candidates[key] = row
            elif key in self._index.ambiguous:
                self._tally.error(
                    self._keys.texts(row),
                    "ambiguous",
                    f"{self._index.ambiguous[key]} records at the destination have this key. Make the key unique "
                    "there, or use more key fields.",
                )
            elif companion is not None and (linked := companion.linked_key(str(row[-1]))) is not None:
                self._piles.relinked[key] = (linked, row)
            else:
                self._piles.creates[key] = self._texts.share(row)

    def _settle_relinked(self) -> None:
        """Take a record whose key changed for the one it is linked to, unless another source record has that key."""
        taken: set[t.Any] = set()
        for key, (linked, row) in self._piles.relinked.items():
            if linked in self._seen or linked in taken:
                self._piles.creates[key] = row
            else:
                taken.add(linked)
                self._piles.candidates[linked] = row
        self._seen |= taken

    def _settle_repeated(self) -> None:
        """Take back what the first of several records with one key was sorted into."""
        for key, count in self._repeated.items():
            at_fault = count - self._protected.get(key, 0)
            if key in self._sorted and not self._take_back(key):
                at_fault -= 1
            texts = key if isinstance(key, tuple) else (key,)
            for _each in range(at_fault):
                self._tally.error(
                    texts,
                    "ambiguous",
                    f"{count} source records have this key. Make the key unique, or use more key fields.",
                )

    def _take_back(self, key: t.Any) -> bool:
        """Take a record out of its pile; false when it is in none, because its error has been told already."""
        piles = (self._piles.creates, self._piles.candidates, self._piles.relinked)
        if any(pile.pop(key, None) is not None for pile in piles):
            return True
        self._piles.unchanged -= key in self._index.hashes
        return key in self._index.hashes

    def _canonical_keys(self, keys: frozenset[Key]) -> dict[t.Any, Key]:
        """Give the index keys of keys as a person wrote them: `007` finds the integer 7."""
        wanted: dict[t.Any, Key] = {}
        for key in sorted(keys):
            row: list[t.Any] = [None] * (max(self._mapping.key_positions) + 1)
            for rule, text in zip(self._key_rules, key, strict=True):
                row[rule.position] = canonical_key_part(rule, text)
            wanted[self._keys.of_row(row)] = key
        return wanted

    @property
    def repeated_keys(self) -> t.Collection[t.Any]:
        """The index keys that several source records have."""
        return self._repeated.keys()

    def absent_keys(self) -> list[t.Any]:
        """Give the destination's keys that no source record in scope has."""
        present = self._protected if self._unique else self._seen
        return [key for key in self._index.hashes if key not in present]
