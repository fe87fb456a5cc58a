# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the destination of one object: one sweep into an index, and again the records that must be looked at."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from .._model.access import Reading
from .._model.values import Key, Value
from .fields import FieldRule
from .index import DestinationIndex, KeyReader, fold_of, read_index
from .request import ObjectRequest, Tally
from .skimming import Skim


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A destination record as it was read again: `before` are its mapped fields, `extra` what else was asked for.

    `place` is its DN at a directory and empty elsewhere.
    """

    key: Key
    before: Mapping[str, Value]
    place: str = ""
    anchor: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)


class DestinationReader:
    """Knows which fields of the destination are read, and how keys are found in its rows."""

    def __init__(self, request: ObjectRequest, rules: Sequence[FieldRule]) -> None:
        self._request = request
        self._side = request.destination
        self._rules = rules
        # A password is never read back: what is not known cannot leak into a plan or a log.
        self._read_rules = [rule for rule in rules if rule.position not in request.mapping.passwords]
        self.fields = tuple(rule.spec.name for rule in self._read_rules)
        key_rules = [rule for rule in rules if rule.spec.key]
        self.key_fields = tuple(rule.spec.name for rule in key_rules)
        self.folds = tuple(fold_of(rule.info) for rule in key_rules)
        self._several = any(rule.info.multi_valued for rule in key_rules)
        self.source_keys = self._key_reader(tuple(rule.position for rule in key_rules))
        self._keys = self._key_reader(tuple(self.fields.index(name) for name in self.key_fields))
        info = self._side.info
        self._system = tuple(name for name in (info.place, info.anchor) if name is not None)

    def _key_reader(self, positions: tuple[int, ...]) -> KeyReader:
        return KeyReader(positions=positions, folds=self.folds, several=self._several)

    def projection(self, width: int) -> Callable[[t.Any], t.Any] | None:
        """Give what picks the compared fields from a mapped row of `width` parts, None when that is the whole row."""
        return _projection([rule.position for rule in self._rules if _is_hashed(rule)], width)

    @property
    def compared_rules(self) -> list[FieldRule]:
        """The rules of the fields that decide whether two records are equal, keys included."""
        return [rule for rule in self._read_rules if _is_hashed(rule)]

    def read_index(self, tally: Tally, skimmed: Skim | None = None) -> DestinationIndex:
        """Sweep over the destination once, or over what `skimmed` leaves of it. Raises ProviderError when it cannot be
        read to its end.
        """
        if not self._side.info.exists:
            return DestinationIndex()
        hashed = [self.fields.index(rule.spec.name) for rule in self.compared_rules]
        unique = {rule.position: self.fields.index(rule.spec.name) for rule in self._rules if rule.unique}
        info = self._side.info
        width = len(self.fields)
        index = read_index(
            self._open if skimmed is None else lambda: skimmed.read_destination(self.fields),
            self._keys,
            _projection(hashed, width + len(self._system)),
            unique.values(),
            self._request.checkpoint,
            place=None if info.place is None else width,
            anchor=None if info.anchor is None else width + len(self._system) - 1,
        )
        index.taken = {position: index.taken[place] for position, place in unique.items()}
        if index.keyless:
            tally.warn(
                "empty_key",
                f"{index.keyless} records at the destination have an empty key; they are never matched, changed or "
                "deleted.",
            )
        return index

    def _open(self, extra: Sequence[str] = ()) -> Reading:
        return self._side.provider.read(self._side.query, (*self.fields, *self._system, *extra))

    def read_again(
        self, index: DestinationIndex, index_keys: Sequence[t.Any], extra: Sequence[str] = ()
    ) -> dict[t.Any, Found]:
        """Give the destination records with `index_keys`, from the state the index was made of where the system can
        still show it. `extra` are fields to read beside the mapped ones.
        """
        if not index_keys:
            return {}
        wanted = set(index_keys)
        found: dict[t.Any, Found] = {}
        width, system = len(self.fields), len(self._system)
        with self._open_again(index, index_keys, extra) as reading:
            for batch in reading.batches():
                self._request.checkpoint(len(batch))
                for row in batch:
                    key = self._keys.of_row(row)
                    if key not in wanted:
                        continue
                    own = row[width : width + system]
                    found[key] = Found(
                        key=self._keys.texts(row),
                        before=dict(zip(self.fields, row, strict=False)),
                        place=str(own[0]) if self._side.info.place is not None else "",
                        anchor=str(own[-1]) if self._side.info.anchor is not None and own[-1] else None,
                        extra=dict(zip(extra, row[width + system :], strict=True)),
                    )
        return found

    def _open_again(self, index: DestinationIndex, index_keys: Sequence[t.Any], extra: Sequence[str]) -> Reading:
        side, place = self._side, self._side.info.place
        fields = (*self.fields, *self._system, *extra)
        if place is not None:
            places: list[Key] = [(index.places[key],) for key in index_keys]
            return side.provider.read_keys(side.query, fields, (place,), places)
        # A folded key is not a text the system can look up, so then everything is read again.
        if any(self.folds):
            return self._open(extra)
        keys: list[Key] = [key if isinstance(key, tuple) else (key,) for key in index_keys]
        return side.provider.read_keys(side.query, fields, self.key_fields, keys)


def _is_hashed(rule: FieldRule) -> bool:
    # Keys are equal whenever two records are compared; with them the whole row can be hashed as it is.
    return rule.compared or rule.spec.key


def _projection(positions: Sequence[int], width: int) -> Callable[[t.Any], t.Any] | None:
    if list(positions) == list(range(width)):
        return None
    if len(positions) == 1:
        # A tuple like that of the other side, where the one field may be the whole row.
        position = positions[0]
        return lambda row: (row[position],)
    return itemgetter(*positions)
