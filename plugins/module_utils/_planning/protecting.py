# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the records that `protect` names: they are never touched, whatever the source says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .._model.checkpoint import Checkpoint
from .._model.compiled import Protection
from .._model.dn import fold_dn
from .._model.errors import ProviderError
from .._model.plans import Change
from .._model.values import Key
from .directory import with_filter
from .request import Side

_MAKES = frozenset({"create", "create_container"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtectedEntries:
    """The protected records of a directory: folded DNs, and anchors where it has such."""

    places: frozenset[str]
    anchors: frozenset[str]

    def has(self, change: Change) -> bool:
        """Tell whether `change` would touch one of them."""
        return change.anchor in self.anchors or fold_dn(change.target or "") in self.places


def find_protected_entries(side: Side, protect: str, where: str, checkpoint: Checkpoint) -> ProtectedEntries:
    """Search a directory once for the records that match the filter `protect`.

    Raises ProviderError, starting with `where`, when the search is not complete: who is protected is then not known.
    """
    place, anchor = side.info.place or "dn", side.info.anchor
    places: set[str] = set()
    anchors: set[str] = set()
    with side.provider.read(with_filter(side.query, protect), (place, *([anchor] if anchor else []))) as reading:
        for batch in reading.batches():
            checkpoint(len(batch))
            places.update(fold_dn(str(row[0])) for row in batch)
            anchors.update(str(row[1]) for row in batch if anchor and row[1])
        completeness = reading.completeness
    if not completeness.proven:
        raise ProviderError(
            f"{where}: which records match `protect: {protect}` is not known: {completeness.reason}. Nothing was "
            "planned."
        )
    return ProtectedEntries(places=frozenset(places), anchors=frozenset(anchors))


def find_protected_keys(
    side: Side,
    key_fields: Sequence[str],
    keys: Collection[Key],
    protection: Protection,
    checkpoint: Checkpoint,
) -> frozenset[Key]:
    """Read the records of a table or file with `keys`, and give the keys of those that `protection` matches.

    Raises ProviderError, and RecordError when the expression cannot tell.
    """
    found: set[Key] = set()
    width = len(key_fields)
    with side.provider.read_keys(side.query, (*key_fields, *protection.fields), key_fields, list(keys)) as reading:
        for batch in reading.batches():
            checkpoint(len(batch))
            found.update(tuple(map(str, row[:width])) for row in batch if protection.matches(row[width:]))
    return frozenset(found)


def touches(change: Change) -> bool:
    """Tell whether `change` is one of a record that is there already."""
    return change.action not in _MAKES
