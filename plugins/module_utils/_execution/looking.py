# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of changes as they are now: at a directory found by anchor, else by name; elsewhere by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._model.access import Provider, Query
from .._model.dn import fold_dn
from .._model.plans import Change
from .._model.secrets import GeneratedPassword
from .._model.values import Key, Value

Record = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where the changes of one object go: the query that reads it, its key fields and the fields that can be read
    back; for a directory the fields that hold an entry's name and anchor.
    """

    provider: Provider
    query: Query
    key_fields: tuple[str, ...]
    fields: tuple[str, ...]
    place: str | None = None
    anchor: str | None = None


def find_records(
    changes: Sequence[Change], destination: Destination, *, whole: bool = False
) -> dict[int, Record | None]:
    """Give by number each change's record as it is, None when there is none.

    A record has the fields that the changes are about; with `whole` those of tables and files have all. A directory's
    have name and anchor among them. A constant number of readings. Raises ProviderError.
    """
    if destination.place is not None:
        return _find_entries(changes, destination, destination.place)
    # A file that the first write would have made is not there to be read when that write never came.
    if not destination.provider.describe_container(destination.query).exists:
        return dict.fromkeys((change.number for change in changes), None)
    wanted_fields = destination.fields if whole else _names(changes, destination.fields)
    fields = tuple(dict.fromkeys((*destination.key_fields, *wanted_fields)))
    wanted: set[tuple[Value, ...]] = {change.key for change in changes}
    present: dict[tuple[Value, ...], Record] = {}
    keys = [change.key for change in changes]
    provider = destination.provider
    with provider.read_keys(destination.query, fields, destination.key_fields, keys) as reading:
        for batch in reading.batches():
            for row in batch:
                record = dict(zip(fields, row, strict=True))
                key = tuple(record[name] for name in destination.key_fields)
                if key in wanted:
                    present[key] = record
    provider.release()
    return {change.number: present.get(change.key) for change in changes}


def _names(changes: Sequence[Change], readable: Sequence[str]) -> list[str]:
    """Give the fields that the changes are about, of those that can be read."""
    named = {name for change in changes for name in (*change.before, *change.after)}
    return [name for name in readable if name in named]


def _find_entries(changes: Sequence[Change], destination: Destination, place_field: str) -> dict[int, Record | None]:
    anchor_field = destination.anchor or ""
    by_anchor = _read(destination, anchor_field, [change.anchor for change in changes], changes)
    by_place = _read(destination, place_field, [change.target for change in changes], changes)
    found: dict[int, Record | None] = {}
    for change in changes:
        current = by_anchor.get(change.anchor or "") or by_place.get(fold_dn(change.target or ""))
        other = current is not None and change.anchor is not None and current.get(anchor_field) != change.anchor
        found[change.number] = None if other else current
    destination.provider.release()
    return found


def _read(
    destination: Destination, field: str, wanted: Sequence[str | None], changes: Sequence[Change]
) -> dict[str, Record]:
    keys: list[Key] = [(text,) for text in dict.fromkeys(wanted) if text]
    if not field or not keys:
        return {}
    place = destination.place or ""
    readable = {
        name
        for change in changes
        for name in (*change.before, *(name for name, value in change.after.items() if is_readable(value)))
    }
    fields = (
        place,
        *([destination.anchor] if destination.anchor is not None else []),
        *sorted(readable - {place}),
    )
    found: dict[str, Record] = {}
    with destination.provider.read_keys(Query(), fields, (field,), keys) as reading:
        for batch in reading.batches():
            for row in batch:
                record = dict(zip(fields, row, strict=True))
                text = str(record[field])
                found[fold_dn(text) if field == place else text] = record
    return found


def is_readable(value: object) -> bool:
    """Tell whether a planned value can be compared with what is there: a password is known only while it is written."""
    return not isinstance(value, GeneratedPassword)
