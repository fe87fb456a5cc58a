# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries as they are at the moment of writing, found by what names them for ever."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..._model.errors import ProviderError
from ..._model.plans import Change
from ..._model.values import Value
from . import controls, filters, requests
from .channel import Channel
from .entries import Row
from .fields import Fields, RowMaker
from .flavours import PLACE
from .modifications import Builder
from .session import Session
from .values import decode_time
from .verdicts import Verdicts

ANCHORS_PER_SEARCH = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Present:
    """An entry as it is: where, its fields, raw values of some attributes, and its anchor."""

    place: str
    fields: Mapping[str, Value]
    raw: Mapping[str, Sequence[bytes]]
    anchor: str | None


class Looker:
    """Reads the entries of changes. Active Directory finds an entry by its GUID wherever it lies (MS-ADTS
    3.1.1.3.1.2.4); elsewhere it is read by its name, and searched for where that is gone or another one's.
    """

    def __init__(self, session: Session, fields: Fields, builder: Builder, verdicts: Verdicts) -> None:
        self._session = session
        self._fields = fields
        self._builder = builder
        self._verdicts = verdicts

    def look(self, channel: Channel, changes: Sequence[Change], *, whole: bool) -> list[Present | None]:
        """Give for each change its entry, None when there is none any more. Sets that are added to or taken from are
        read only when `whole`: a group of 50,000 is not read because one joins.
        """
        found: list[Present | None] = [None] * len(changes)
        groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
        for number, change in enumerate(changes):
            compared = self._verdicts.narrowed(change, whole=whole)
            names = tuple(sorted({*compared.before, *compared.after}))
            groups.setdefault((names, self._builder.raw_attributes(change)), []).append(number)
        for (names, raw_names), numbers in groups.items():
            reader = _Reader(self._fields, names, raw_names, self._session.where)
            asked = [changes[number] for number in numbers]
            for number, present in zip(numbers, self._read(channel, asked, reader), strict=True):
                found[number] = present
        return found

    def _read(self, channel: Channel, changes: Sequence[Change], reader: _Reader) -> list[Present | None]:
        found: list[Present | None] = [None] * len(changes)
        places = [self._builder.address(change, change.target or "") for change in changes]
        for index, row in channel.read_entries(places, reader.asked):
            found[index] = None if row is None else reader.present(row)
        if self._session.flavour.guid:
            return found
        astray = {
            number: change.anchor
            for number, (change, present) in enumerate(zip(changes, found, strict=True))
            if change.anchor is not None and (present is None or present.anchor != change.anchor)
        }
        by_anchor = self._find(channel, tuple(dict.fromkeys(astray.values())), reader)
        for number, anchor in astray.items():
            found[number] = by_anchor.get(anchor)
        return found

    def _find(self, channel: Channel, anchors: Sequence[str], reader: _Reader) -> dict[str, Present]:
        """Search for entries by their anchors. Raises ProviderError when the search may not be complete."""
        found: dict[str, Present] = {}
        name = self._fields.anchor or ""
        for start in range(0, len(anchors), ANCHORS_PER_SEARCH):
            part = anchors[start : start + ANCHORS_PER_SEARCH]
            equal = [filters.equals(name, self._fields.encode(name)(anchor)) for anchor in part]
            wanted = equal[0] if len(equal) == 1 else filters.any_of(equal)
            stream = channel.search(self._session.base, requests.SUBTREE, wanted, reader.asked, page_size=None)
            for batch in stream:
                for row in batch:
                    present = reader.present(row)
                    if present.anchor is not None:
                        found[present.anchor] = present
            if not stream.outcome.proven:
                raise ProviderError(
                    f"{self._session.where}: which entries are gone is not known: {stream.outcome.reason}"
                )
        return found

    def deletions(self, channel: Channel, changes: Sequence[Change]) -> list[str]:
        """Say of entries that are gone when Active Directory deleted them, as long as it keeps their tombstones
        (MS-ADTS 3.1.1.5.5); empty text where nothing is known.
        """
        said = [""] * len(changes)
        numbers = [number for number, change in enumerate(changes) if change.anchor is not None]
        if not self._session.flavour.guid or not numbers:
            return said
        places = [self._builder.address(changes[number], "") for number in numbers]
        names = ("whenChanged", "lastKnownParent")
        for index, row in channel.read_entries(places, names, controls=controls.show_deleted()):
            if row is not None:
                when, parent = (b"".join(list(values)[:1]) for values in row[1:])
                where = parent.decode("utf-8", "replace") or "an unknown container"
                said[numbers[index]] = f"; it was deleted at {decode_time(when)} out of {where}"
        return said


class _Reader:
    """Makes `Present` of rows that hold some fields, the anchor, and raw attributes."""

    def __init__(self, fields: Fields, names: Sequence[str], raw_names: Sequence[str], where: str) -> None:
        self._anchor = fields.anchor
        self._names = (*names, *([fields.anchor] if fields.anchor is not None else []))
        self._maker = RowMaker(fields, self._names, where)
        self._placer = RowMaker(fields, (PLACE,), where)
        self._raw_names = raw_names
        self.asked = tuple(dict.fromkeys((*self._maker.attributes, *raw_names))) or ("objectClass",)

    def present(self, row: Row) -> Present:
        (values,) = self._maker.rows([t.cast("Row", row[: 1 + len(self._maker.attributes)])])
        ((place,),) = self._placer.rows([row])
        fields = dict(zip(self._names, values, strict=True))
        raw = dict(zip(self.asked, t.cast("tuple[Sequence[bytes], ...]", row[1:]), strict=True))
        anchor = fields.get(self._anchor or "")
        return Present(
            place=str(place),
            fields=fields,
            raw={name: raw[name] for name in self._raw_names},
            anchor=anchor if isinstance(anchor, str) else None,
        )
