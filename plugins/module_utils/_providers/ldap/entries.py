# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hot path of reading: search results to rows, without an object for anything that is not kept.

A server spells the same attribute with the same bytes each time: sequence, its length, name, set, its length, value
tag, value length. So those header bytes are looked up as a whole. A header gets into the table only after the strict
decoder has taken it apart, and each fact about it (which attribute, how long the rest is) follows from its bytes alone;
so one lookup checks four tags and four lengths. Whatever is not in the table goes through the strict decoder.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from . import ber
from .ber import MalformedError
from .responses import (
    ENTRY,
    INTERMEDIATE,
    REFERENCE,
    SEARCH_DONE,
    Response,
    Values,
    decode_head,
    decode_response,
    read_attribute,
    read_controls,
    read_uris,
)

# The name as the server wrote it, then for each wanted attribute its values in the server's order, () for none.
Row: t.TypeAlias = tuple[bytes, *tuple[Values, ...]]

# place in the row, bytes after the header, and for several values: those bytes to the values they hold.
_Known: t.TypeAlias = tuple[int, int, dict[bytes, Values] | None]

# Headers and repeated values that are remembered: far more than a search has, far less than an attack would need.
_MAX_KNOWN: t.Final = 16384
_MAX_REPEATED_SIZE: t.Final = 512

_RANGE: t.Final = re.compile(rb";range=([0-9]{1,10})-([0-9]{1,10}|\*)(?=;|\Z)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeAnswer:
    """A value list that the server gave in part (MS-ADTS section 3.1.1.3.1.3.3).

    `row` is the index in the rows since the last `take`, `place` the index of the attribute among those wanted. The
    part has the values `start` to `end`; `end` is None when it reaches the last one.
    """

    row: int
    place: int
    start: int
    end: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What was decoded since the last `take`. `controls` are those of entries, by the index of the row."""

    rows: list[Row]
    ranges: Sequence[RangeAnswer]
    controls: Mapping[int, Mapping[str, bytes]]


class EntryDecoder:
    """Decodes the messages of one search into rows.

    Attributes are matched without regard to case, options being part of the name: `cn` is not `cn;lang-de`. Attributes
    that were not asked for are checked and left out. After the SearchResultDone, `done` is its response.
    """

    __slots__ = (
        "_blank",
        "_controls",
        "_known",
        "_message_id",
        "_places",
        "_prefix",
        "_ranges",
        "_room",
        "_rows",
        "done",
        "forgotten",
        "intermediates",
        "notice",
        "references",
    )

    def __init__(self, attributes: Sequence[str], *, forgotten: Container[int] = ()) -> None:
        """Make a decoder for these attribute descriptions, in this order.

        Args:
            attributes: without wildcards.
            forgotten: ids of abandoned operations, whose messages may still come and are left out.

        Raises:
            ValueError: an attribute is wanted twice.
        """
        self._places = {name.lower().encode(): place for place, name in enumerate(attributes, 1)}
        if len(self._places) != len(attributes):
            raise ValueError(f"an attribute is wanted twice: {', '.join(attributes)}")
        self._blank: tuple[Values, ...] = ((),) * len(attributes)
        self._known: dict[bytes, _Known] = {}
        self._room = _MAX_KNOWN
        self._message_id = -1
        self._prefix = b""
        self._rows: list[Row] = []
        self._ranges: list[RangeAnswer] = []
        self._controls: dict[int, Mapping[str, bytes]] = {}
        self.forgotten = forgotten
        self.references: list[tuple[str, ...]] = []
        self.intermediates: list[Response] = []
        self.done: Response | None = None
        self.notice: Response | None = None

    def __len__(self) -> int:
        """Give the number of rows that `take` would give."""
        return len(self._rows)

    def expect(self, message_id: int) -> None:
        """Begin with the answer to the request of this id. What was learned of headers is kept."""
        self._message_id = message_id
        self._prefix = ber.integer(message_id) + bytes((ENTRY,))
        self.done = None

    def take(self) -> Taken:
        """Give what was decoded, and begin anew."""
        taken = Taken(rows=self._rows, ranges=self._ranges, controls=self._controls)
        self._rows, self._ranges, self._controls = [], [], {}
        return taken

    def feed(self, data: bytes, at: int = 0) -> int:
        """Decode all complete messages from `at` on, at most to the end of the search.

        Gives where the first message begins that is not complete, or follows the end of the search. `notice` is set
        when the server said that it closes the connection.

        Raises:
            MalformedError: a message is not valid, or does not belong to this search.
        """
        end = len(data)
        prefix = self._prefix
        after_prefix = len(prefix)
        starts = data.startswith
        decode = self._decode_entry
        try:
            while True:
                stop = ber.message_end(data, at)
                if not stop or stop > end:
                    return at
                # Behind the tag and its length come the id and the entry's tag.
                start = at + 2 + (data[at + 1] & 0x7F if data[at + 1] & 0x80 else 0)
                if starts(prefix, start):
                    decode(data, start + after_prefix, stop)
                elif not self._take_other(data, at, stop):
                    return stop
                at = stop
        except IndexError:
            raise MalformedError("a message is cut off within an element") from None

    def decode_entry(self, data: bytes, start: int, stop: int, end: int) -> None:
        """Decode one entry whose message was taken apart by `decode_head`; `end` is the end of the message."""
        try:
            self._decode_content(data, start, stop)
            if stop != end:
                self._controls[len(self._rows) - 1] = read_controls(data, stop, end)
        except IndexError:
            raise MalformedError("an entry is cut off within an element") from None

    def _decode_entry(self, data: bytes, at: int, end: int) -> None:
        size, at = ber.read_length(data, at)
        stop = at + size
        if stop > end:
            raise MalformedError(f"an entry ends at byte {stop}, its message at {end}")
        self._decode_content(data, at, stop)
        if stop != end:
            self._controls[len(self._rows) - 1] = read_controls(data, stop, end)

    def _decode_content(self, data: bytes, at: int, stop: int) -> None:
        """Decode name and attributes, which must fill the entry."""
        if data[at] != 0x04:
            raise MalformedError(f"an entry must begin with its name, not with {data[at]:02x}")
        size, at = ber.read_length(data, at + 1)
        after = at + size
        row: list[t.Any] = [data[at:after], *self._blank]
        if data[after] != 0x30:
            raise MalformedError(f"after an entry's name come its attributes, not {data[after]:02x}")
        # Active Directory writes all lengths of sequences and sets with four octets, other servers as short as can be.
        name_at, header_size = (7, 16) if data[after + 1] == 0x84 else (3, 8)
        size, at = ber.read_length(data, after + 1)
        if at + size != stop:
            raise MalformedError(f"an entry's attributes end at byte {at + size}, the entry at {stop}")
        known = self._known.get
        while at < stop:
            start = at
            head = at + data[at + name_at] + header_size
            hit = known(data[at:head])
            if hit is not None:
                place, size, several = hit
                at = head + size
                values = (data[head:at],) if several is None else several.get(data[head:at])
                if values is not None:
                    if row[place]:
                        raise MalformedError(f"an entry has an attribute twice, at byte {start}")
                    row[place] = values
                    continue
            at = self._decode_attribute(data, start, stop, row)
        if at != stop:
            raise MalformedError(f"an entry's last attribute ends at byte {at}, the entry at {stop}")
        self._rows.append(tuple(row))

    def _decode_attribute(self, data: bytes, at: int, stop: int, row: list[t.Any]) -> int:
        """Decode any attribute by the book, and remember its header if it is an everyday one."""
        name, values, after = read_attribute(data, at, stop)
        place = self._places.get(name.lower())
        if place is None:
            place = self._decode_range(name)
            if place is None:
                return after
        elif values and self._room > 0:
            self._learn(data[at:after], name, values, place)
        # Active Directory sends an empty `member` beside `member;range=0-1499`.
        if values:
            if row[place]:
                raise MalformedError(f"an entry has the attribute {name!r} twice")
            row[place] = values
        return after

    def _decode_range(self, name: bytes) -> int | None:
        found = _RANGE.search(name)
        if found is None:
            return None
        place = self._places.get((name[: found.start()] + name[found.end() :]).lower())
        if place is not None:
            end = None if found[2] == b"*" else int(found[2])
            self._ranges.append(RangeAnswer(row=len(self._rows), place=place - 1, start=int(found[1]), end=end))
        return place

    def _learn(self, attribute: bytes, name: bytes, values: Values, place: int) -> None:
        """Remember the header if it has one of the two forms that `_decode_content` looks for."""
        form = attribute[1]
        if len(values[0]) > 0x7F or len(name) > 0x7F or (form > 0x7F and form != 0x84):
            return
        names = bytes((4, len(name))) + name
        header = _constructed(form, 0x30, len(attribute), 0)
        inner = _constructed(form, 0x31, len(attribute), len(header) + len(names))
        header += names + inner + bytes((4, len(values[0])))
        # What is written in another way, which BER allows, stays with the strict decoder.
        if attribute.startswith(header):
            self._remember(header, attribute[len(header) :], values, place)

    def _remember(self, header: bytes, rest: bytes, values: Values, place: int) -> None:
        if len(values) == 1:
            self._known[header] = (place, len(rest), None)
        elif len(rest) > _MAX_REPEATED_SIZE:
            return
        else:
            # Classes and the like: the same few values in every entry, kept once.
            several = self._known.setdefault(header, (place, len(rest), {}))[2]
            if several is not None:
                several[rest] = values
        self._room -= 1

    def _take_other(self, data: bytes, at: int, end: int) -> bool:
        """Take a message that is not an everyday entry; false at the end of the search."""
        message_id, tag, start, stop = decode_head(data, at, end)
        if message_id == 0:
            self.notice = decode_response(data, at, end)
            return False
        if message_id != self._message_id:
            if message_id in self.forgotten:
                return True
            raise MalformedError(f"a message with the id {message_id}, which no operation has")
        if tag == ENTRY:
            self.decode_entry(data, start, stop, end)
        elif tag == REFERENCE:
            self.references.append(read_uris(data, start, stop))
            read_controls(data, stop, end)
        elif tag == INTERMEDIATE:
            self.intermediates.append(decode_response(data, at, end))
        elif tag == SEARCH_DONE:
            self.done = decode_response(data, at, end)
            return False
        else:
            raise MalformedError(f"the operation {tag:02x} in answer to a search")
        return True


def _constructed(form: int, tag: int, total: int, before: int) -> bytes:
    """Give the header of a sequence or set from `before` to `total`: with four length octets if `form` says so."""
    if form == 0x84:
        return bytes((tag, 0x84)) + (total - before - 6).to_bytes(4, "big", signed=True)
    return bytes((tag, (total - before - 2) & 0xFF))
