# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Value lists that Active Directory gives in parts (MS-ADTS section 3.1.1.3.1.3.3): the other parts, and no gap."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from . import filters, requests
from .entries import EntryDecoder, RangeAnswer, Row, Taken
from .pipeline import fetch
from .requests import Request
from .responses import Values
from .wire import Wire

WINDOW: t.Final = 32


@dataclass(kw_only=True, slots=True)
class OpenRow:
    """A row with value lists that go on: by the index of the attribute, where the next part must start.

    `key` is for whoever completes several of them, to know them again.
    """

    dn: bytes
    values: list[Values]
    next_start: dict[int, int]
    key: int = 0

    def row(self) -> Row:
        return (self.dn, *self.values)

    def take(self, answer: RangeAnswer, values: Values) -> bool:
        """Append a part; false when it is not the one that must come next."""
        start = self.next_start.pop(answer.place, 0)
        if answer.start != start or not values:
            return False
        if answer.end is not None:
            if answer.end - answer.start + 1 != len(values):
                return False
            self.next_start[answer.place] = answer.end + 1
        if start:
            self.values[answer.place] += values
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Rows sorted: complete ones, those whose parts are to be fetched, and why others were left out."""

    rows: list[Row]
    open_rows: list[OpenRow]
    complaints: list[str]


def split(taken: Taken, columns: Sequence[str]) -> Split:
    """Sort what was decoded. Without partial lists, which is nearly always, nothing is copied."""
    if not taken.ranges:
        return Split(rows=taken.rows, open_rows=[], complaints=[])
    found: dict[int, OpenRow] = {}
    complaints: dict[int, str] = {}
    for answer in taken.ranges:
        dn, *values = taken.rows[answer.row]
        one = found.setdefault(answer.row, OpenRow(dn=dn, values=values, next_start={}))
        if not one.take(answer, values[answer.place]):
            complaints[answer.row] = _complaint(one, columns[answer.place])
    return Split(
        rows=[row for index, row in enumerate(taken.rows) if index not in found]
        + [one.row() for index, one in found.items() if index not in complaints and not one.next_start],
        open_rows=[one for index, one in found.items() if index not in complaints and one.next_start],
        complaints=list(complaints.values()),
    )


def complete(
    wire: Wire, columns: Sequence[str], controls: bytes, open_rows: list[OpenRow]
) -> tuple[list[OpenRow], list[str]]:
    """Fetch the other parts of all these rows, one part of each at a time.

    Gives the rows that are complete now, and why others could not be completed.
    """
    finished: list[OpenRow] = []
    complaints: list[str] = []
    decoder = EntryDecoder(columns, forgotten=wire.forgotten)
    while open_rows:
        going_on: list[OpenRow] = []
        asked = [_next_part(one, columns, controls) for one in open_rows]
        with closing(fetch(wire, asked, decoder, WINDOW)) as answers:
            for index, taken in answers:
                one = open_rows[index]
                complaint = _append(one, taken, columns)
                if complaint:
                    complaints.append(complaint)
                else:
                    (going_on if one.next_start else finished).append(one)
        open_rows = going_on
    return finished, complaints


def _next_part(one: OpenRow, columns: Sequence[str], controls: bytes) -> Request:
    # With the extended name control, a name has its GUID in front, which alone names the entry.
    base = one.dn.partition(b";")[0] if one.dn.startswith(b"<GUID=") else one.dn
    wanted = [f"{columns[place]};range={start}-*" for place, start in one.next_start.items()]
    return requests.search(base, requests.BASE, filters.present("objectClass"), wanted, controls=controls)


def _append(one: OpenRow, taken: Taken, columns: Sequence[str]) -> str:
    """Append the parts that came; gives the complaint if one of them is not the next."""
    answers = {answer.place: answer for answer in taken.ranges}
    values = [part for _dn, *parts in taken.rows for part in parts]
    for place in list(one.next_start):
        answer = answers.get(place)
        if answer is None or not one.take(answer, values[place]):
            return _complaint(one, columns[place])
    return ""


def _complaint(one: OpenRow, attribute: str) -> str:
    return f"the values of {attribute} of {one.dn.decode(errors='backslashreplace')!r} could not be read to the end"
