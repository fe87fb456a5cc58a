# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The destination side in memory: for each key one 64-bit hash of the compared fields.

Hashes of text are seeded per process, so two different records look the same once in about 10^19 comparisons, and not
in the next run. Values are text, bytes or nothing, never numbers, whose hashes collide by design. A record whose hash
differs is read again and compared field by field, so a hash only ever saves work; it decides nothing.
"""

from __future__ import annotations

import typing as t
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from .._model.access import Completeness, Reading
from .._model.checkpoint import Checkpoint
from .._model.errors import RecordError
from .._model.schema import FieldInfo
from .._model.values import Key, Row, show

Fold: t.TypeAlias = Callable[[str], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyReader:
    """Reads keys from rows. `folds` gives for each part how the destination compares it, None when it compares
    exactly; with `several` a part can have several values, and then it is no key.
    """

    positions: tuple[int, ...]
    folds: tuple[Fold | None, ...]
    several: bool = False

    def of_rows(self, rows: Sequence[t.Any]) -> list[t.Any]:
        """Give the index keys of `rows` in order."""
        if self.several:
            return [self.of_row(row) for row in rows]
        keys = map(itemgetter(*self.positions), rows)
        return [self.fold(key) for key in keys] if any(self.folds) else list(keys)

    def of_row(self, row: Sequence[t.Any]) -> t.Any:
        """Give the index key of one row."""
        if not self.several:
            return self.fold(itemgetter(*self.positions)(row))
        parts = tuple(None if isinstance(part := row[place], tuple) else part for place in self.positions)
        return self.fold(parts[0] if len(parts) == 1 else parts)

    def of_key(self, key: Key) -> t.Any:
        """Give the index key of a record's key texts."""
        return self.fold(key[0] if len(key) == 1 else key)

    def fold(self, key: t.Any) -> t.Any:
        """Give `key` as the destination compares it."""
        if not any(self.folds):
            return key
        if not isinstance(key, tuple):
            fold = self.folds[0]
            return key if fold is None or not isinstance(key, str) else fold(key)
        return tuple(
            part if fold is None or not isinstance(part, str) else fold(part)
            for part, fold in zip(key, self.folds, strict=True)
        )

    def texts(self, row: Sequence[t.Any]) -> Key:
        """Give the key texts of `row`, not folded. Raises RecordError when a part is empty or not one text."""
        parts = tuple(row[position] for position in self.positions)
        for part, fold in zip(parts, self.folds, strict=True):
            if part is not None and not isinstance(part, str):
                raise RecordError(f"a key is one text, got {show(part)}.", code="key")
            # Blanks are an empty key where the destination does not see them.
            if not part or (fold is not None and not fold(part)):
                raise RecordError("the key is empty: every part of a key needs a value.", code="empty_key")
        return parts


def fold_of(info: FieldInfo) -> Fold | None:
    """Give how the field `info` compares texts, None for exactly.

    Folding too much only makes two records ambiguous, which is reported; folding too little would take one record for
    two, and delete one.
    """
    if info.case_sensitive:
        return None if info.trailing_blanks_count else fold_blanks
    return fold_case if info.accent_sensitive else fold_accents


def fold_blanks(text: str) -> str:
    """Give `text` without trailing blanks."""
    return text.rstrip(" ")


def fold_case(text: str) -> str:
    """Give `text` without case and trailing blanks."""
    return text.casefold().rstrip(" ")


def fold_accents(text: str) -> str:
    """Give `text` without case, accents and trailing blanks."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).rstrip(" ")


def has_empty_part(key: t.Any) -> bool:
    """Tell whether an index key is empty or has an empty part."""
    if isinstance(key, tuple):
        return any(part is None or part == "" for part in key)
    return key is None or key == ""


@dataclass(kw_only=True, slots=True)
class DestinationIndex:
    """What one sweep over the destination leaves in memory.

    Attributes:
        hashes: index key -> hash of the compared fields.
        ambiguous: keys that several records have, with how many; they are not in `hashes`.
        total: records read.
        keyless: records with an empty key; they are never matched and never deleted.
        taken: position -> the present values of a field that must be unique.
        places, anchors: index key -> where the record is, and what names it for ever (directories only).
    """

    hashes: dict[t.Any, int] = field(default_factory=dict)
    ambiguous: dict[t.Any, int] = field(default_factory=dict)
    total: int = 0
    keyless: int = 0
    taken: dict[int, set[t.Any]] = field(default_factory=dict)
    places: dict[t.Any, str] = field(default_factory=dict)
    anchors: dict[t.Any, str] = field(default_factory=dict)
    completeness: Completeness = field(default_factory=lambda: Completeness(proven=True))


def read_index(
    open_reading: Callable[[], Reading],
    keys: KeyReader,
    project: Callable[[Row], t.Any] | None,
    unique_positions: Iterable[int],
    checkpoint: Checkpoint,
    *,
    place: int | None = None,
    anchor: int | None = None,
) -> DestinationIndex:
    """Sweep over the destination once. `project` picks the compared fields of a row, None for all of them.

    `place` and `anchor` are the positions of a directory's own fields. Only when two records share a key is there a
    second sweep, to count them.
    """
    index = DestinationIndex(taken={position: set() for position in unique_positions})
    with open_reading() as reading:
        for batch in reading.batches():
            checkpoint(len(batch))
            index.total += len(batch)
            hashed = map(hash, batch) if project is None else map(hash, map(project, batch))
            index_keys = keys.of_rows(batch)
            index.hashes.update(zip(index_keys, hashed, strict=True))
            if place is not None:
                index.places.update(zip(index_keys, map(itemgetter(place), batch), strict=True))
            if anchor is not None:
                index.anchors.update(zip(index_keys, map(itemgetter(anchor), batch), strict=True))
            for position, values in index.taken.items():
                values.update(row[position] for row in batch)
        index.completeness = reading.completeness
    if len(index.hashes) != index.total:
        _find_ambiguous(open_reading, keys, index, checkpoint)
    _drop_keyless(index)
    return index


def _find_ambiguous(
    open_reading: Callable[[], Reading], keys: KeyReader, index: DestinationIndex, checkpoint: Checkpoint
) -> None:
    seen: set[t.Any] = set()
    counts: dict[t.Any, int] = {}
    with open_reading() as reading:
        for batch in reading.batches():
            checkpoint(len(batch))
            for key in keys.of_rows(batch):
                if key in seen:
                    counts[key] = counts.get(key, 1) + 1
                seen.add(key)
    for key, count in counts.items():
        index.hashes.pop(key, None)
        if has_empty_part(key):
            index.keyless += count
        else:
            index.ambiguous[key] = count


def _drop_keyless(index: DestinationIndex) -> None:
    empty: list[t.Any]
    if index.hashes and isinstance(next(iter(index.hashes)), tuple):
        empty = [key for key in index.hashes if has_empty_part(key)]
    else:
        empty = [key for key in (None, "") if key in index.hashes]
    for key in empty:
        del index.hashes[key]
    index.keyless += len(empty)
