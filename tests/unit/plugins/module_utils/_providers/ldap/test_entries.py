# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries: what is remembered of headers never changes what is read, in either spelling of lengths."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import ber, entries, responses
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.ber import MalformedError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.entries import EntryDecoder, Row
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ldap_bytes as raw

COLUMNS = ("cn", "objectClass", "member", "jpegPhoto")
SPELLINGS = [b"cn", b"CN", b"objectClass", b"objectclass", b"member", b"jpegPhoto", b"cn;lang-de", b"other"]
VALUES = st.lists(st.sampled_from([b"a", b"b" * 127, b"c" * 128, b"d" * 300]) | st.binary(max_size=9), max_size=3)
ATTRIBUTES = st.lists(st.tuples(st.sampled_from(SPELLINGS), VALUES), max_size=5, unique_by=lambda one: one[0].lower())
FOUND = st.lists(st.tuples(st.binary(max_size=12), ATTRIBUTES), min_size=1, max_size=4)
DONE = raw.result(7, responses.SEARCH_DONE)


def decoder_of(*columns: str, forgotten: tuple[int, ...] = ()) -> EntryDecoder:
    decoder = EntryDecoder(columns or COLUMNS, forgotten=forgotten)
    decoder.expect(7)
    return decoder


def one(*attributes: tuple[bytes, list[bytes]], four: bool = False, dn: bytes = b"cn=x") -> bytes:
    return raw.entry(7, dn, attributes, four=four)


def read_plainly(data: bytes) -> list[Row]:
    """Read entries with nothing but the strict decoder, an attribute at a time."""
    rows: list[Row] = []
    at = 0
    try:
        while 0 < (end := ber.message_end(data, at)) <= len(data):
            message_id, tag, start, stop = responses.decode_head(data, at, end)
            responses.read_controls(data, stop, end)
            if message_id != 7 or tag != responses.ENTRY:
                raise MalformedError("another message")
            rows.append(read_entry_plainly(data, start, stop))
            at = end
    except IndexError:
        raise MalformedError("cut off") from None
    return rows


def read_entry_plainly(data: bytes, start: int, stop: int) -> Row:
    dn, start = ber.read_octets(data, start, stop, "name")
    start, inner = ber.read_element(data, start, stop, ber.SEQUENCE, "attributes")
    if inner != stop:
        raise MalformedError("more")
    values: dict[bytes, tuple[bytes, ...]] = {name.lower().encode(): () for name in COLUMNS}
    while start < stop:
        name, found, start = responses.read_attribute(data, start, stop)
        if found and name.lower() in values:
            if values[name.lower()]:
                raise MalformedError("twice")
            values[name.lower()] = found
    return (dn, *values.values())


@settings(max_examples=40)
@given(FOUND, st.booleans())
def test_rows_are_what_was_sent(found: list[tuple[bytes, raw.Attributes]], four: bool) -> None:
    decoder = decoder_of()
    # Twice, for the second time all headers are known.
    data = b"".join(raw.entry(7, dn, attributes, four=four) for dn, attributes in found) * 2 + DONE
    assert decoder.feed(data) == len(data)
    expected = []
    for dn, attributes in found * 2:
        values = {name.lower().decode(): tuple(given_) for name, given_ in attributes}
        expected.append((dn, *(values.get(name.lower(), ()) for name in COLUMNS)))
    assert len(decoder) == len(expected)
    assert decoder.take().rows == expected
    assert decoder.done is not None
    assert len(decoder) == 0


@settings(max_examples=80)
@given(FOUND, st.booleans(), st.data())
def test_what_is_known_of_headers_never_hides_damage(
    found: list[tuple[bytes, raw.Attributes]], four: bool, data: st.DataObject
) -> None:
    sound = b"".join(raw.entry(7, dn, attributes, four=four) for dn, attributes in found)
    bad = data.draw(raw.damaged(sound))
    experienced = decoder_of()
    experienced.feed(sound)
    experienced.take()
    try:
        expected = read_plainly(bad)
    except MalformedError:
        # Damage may also make another message of it, which the plain reader does not know.
        try:
            experienced.feed(bad)
        except MalformedError:
            return
        assert experienced.done or experienced.notice or experienced.references or experienced.intermediates
        return
    experienced.feed(bad)
    assert experienced.take().rows == expected


@settings(max_examples=40)
@given(FOUND, st.booleans(), st.data())
def test_it_does_not_matter_where_the_stream_is_cut(
    found: list[tuple[bytes, raw.Attributes]], four: bool, data: st.DataObject
) -> None:
    whole = b"".join(raw.entry(7, dn, attributes, four=four) for dn, attributes in found) + DONE
    at_once, piecemeal = decoder_of(), decoder_of()
    at_once.feed(whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    buffer, at = b"", 0
    for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        buffer = buffer[at:] + whole[start:stop]
        at = piecemeal.feed(buffer)
    assert piecemeal.take().rows == at_once.take().rows
    assert piecemeal.done is not None


def test_equal_lists_of_values_are_kept_once() -> None:
    classes = (b"objectClass", [b"top", b"person"])
    decoder = decoder_of()
    decoder.feed(
        one(classes, (b"cn", [b"a"])) + one(classes, (b"cn", [b"b"])) + one((b"objectClass", [b"top", b"other!"]))
    )
    first, second, third = (row[2] for row in decoder.take().rows)
    assert first is second
    assert third == (b"top", b"other!")


def test_long_lists_of_values_are_not_remembered() -> None:
    members = [b"cn=m%05d" % number for number in range(80)]
    decoder = decoder_of()
    decoder.feed(one((b"member", members), four=True) * 2)
    first, second = (row[3] for row in decoder.take().rows)
    assert first == second == tuple(members)
    assert not decoder._known


def test_the_memory_for_headers_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_MAX_KNOWN", 2)
    decoder = decoder_of()
    data = b"".join(one((b"cn", [b"x" * size])) for size in range(1, 9)) * 2
    decoder.feed(data)
    assert [len(row[1][0]) for row in decoder.take().rows] == [*range(1, 9)] * 2
    assert len(decoder._known) == 2


@pytest.mark.parametrize(
    "attribute",
    [
        raw.element(0x30, b"\x04\x81\x02cn", raw.element(0x31, raw.element(4, b"v"))),
        raw.element(0x30, raw.element(4, b"cn"), b"\x31\x81\x03\x04\x01v"),
        raw.element(0x30, raw.element(4, b"cn"), raw.element(0x31, b"\x04\x82\x00\x01v")),
        raw.element(0x30, raw.element(4, b"cn"), raw.element(0x31, b"\x04\x83\x00\x00\x01v")),
        raw.element(0x30, raw.element(4, b"cn"), raw.element(0x31, raw.element(4, b"v")), four=True),
        raw.element(0x30, raw.element(4, b"cn"), raw.element(0x31, raw.element(4, b"v"), four=True)),
        b"\x30\x81\x09\x04\x02cn\x31\x03\x04\x01v",
    ],
)
def test_other_spellings_of_lengths_are_read_as_well(attribute: bytes) -> None:
    operation = raw.element(0x64, raw.element(4, b"cn=x"), raw.element(0x30, attribute))
    decoder = decoder_of()
    decoder.feed(raw.message(7, operation) * 2)
    assert [row[1] for row in decoder.take().rows] == [(b"v",), (b"v",)]


def test_long_names_are_read_as_well() -> None:
    name = "x" * 200
    decoder = decoder_of(name)
    decoder.feed(one((name.encode(), [b"v"])) * 2)
    assert [row[1] for row in decoder.take().rows] == [(b"v",), (b"v",)]


def test_an_id_may_have_more_octets_than_it_needs() -> None:
    plain = one((b"cn", [b"v"]))
    controls = raw.element(0xA0, raw.control(b"1.2.3", b"x"))
    decoder = decoder_of()
    decoder.feed(raw.element(0x30, b"\x02\x02\x00\x07", plain[plain.index(b"\x64") :], controls))
    taken = decoder.take()
    assert taken.rows == [(b"cn=x", (b"v",), (), (), ())]
    assert taken.controls == {0: {"1.2.3": b"x"}}


def test_controls_of_an_entry_are_kept_with_its_row() -> None:
    decoder = decoder_of()
    decoder.feed(one() + raw.entry(7, b"cn=y", [], controls={b"1.2.3": b"v"}, four=False))
    assert decoder.take().controls == {1: {"1.2.3": b"v"}}
    decoder.feed(one())
    assert decoder.take().controls == {}


def test_what_comes_beside_entries_is_kept() -> None:
    reference = raw.message(7, raw.element(0x73, raw.element(4, b"ldap://a"), raw.element(4, b"ldap://b")))
    intermediate = raw.message(7, raw.element(0x79, raw.element(0x80, b"1.2.3")))
    decoder = decoder_of()
    data = reference + intermediate + one() + DONE
    assert decoder.feed(data + one()) == len(data), "nothing is read beyond the end of the search"
    assert decoder.references == [("ldap://a", "ldap://b")]
    assert [found.name for found in decoder.intermediates] == ["1.2.3"]
    assert len(decoder) == 1


def test_answers_to_what_was_abandoned_are_left_out() -> None:
    old = raw.entry(3, b"cn=old", [], four=False) + raw.result(3, responses.SEARCH_DONE)
    decoder = decoder_of(forgotten=(3,))
    decoder.feed(old + one() + DONE)
    assert [row[0] for row in decoder.take().rows] == [b"cn=x"]
    with pytest.raises(MalformedError, match="id 3, which no operation has"):
        decoder_of().feed(old)


def test_the_next_page_is_expected_under_its_own_id() -> None:
    decoder = decoder_of()
    decoder.feed(one((b"cn", [b"a"])) + DONE)
    decoder.expect(1000)
    assert decoder.done is None
    decoder.feed(raw.entry(1000, b"cn=y", [(b"cn", [b"b"])], four=False) + raw.result(1000, responses.SEARCH_DONE))
    assert [row[1] for row in decoder.take().rows] == [(b"a",), (b"b",)]


def test_a_notice_of_disconnection_ends_the_reading() -> None:
    notice = raw.result(0, responses.EXTENDED, raw.element(0x8A, b"1.3.6.1.4.1.1466.20036"), code=52)
    decoder = decoder_of()
    assert decoder.feed(notice + one()) == len(notice)
    assert decoder.notice is not None
    assert decoder.notice.name == responses.NOTICE_OF_DISCONNECTION


@pytest.mark.parametrize("four", [False, True])
def test_parts_of_value_lists_are_recognised(four: bool) -> None:
    decoder = decoder_of("cn", "member", "photo;binary")
    decoder.feed(
        one(
            (b"member", []),
            (b"Member;Range=0-1", [b"a", b"b"]),
            (b"photo;range=7-*;binary", [b"p"]),
            (b"cn;range=0-1;lang-de", [b"not asked for"]),
            (b"cn;range=x-1", [b"no range"]),
            four=four,
        )
    )
    taken = decoder.take()
    assert taken.rows == [(b"cn=x", (), (b"a", b"b"), (b"p",))]
    assert [(answer.row, answer.place, answer.start, answer.end) for answer in taken.ranges] == [
        (0, 1, 0, 1),
        (0, 2, 7, None),
    ]


def test_a_column_cannot_be_wanted_twice() -> None:
    with pytest.raises(ValueError, match="an attribute is wanted twice: cn, CN"):
        EntryDecoder(["cn", "CN"])


NAME = raw.element(4, b"cn=x")
CN = raw.element(0x30, raw.element(4, b"cn"), raw.element(0x31, raw.element(4, b"v")))
TWO = raw.element(0x30, raw.element(4, b"cn"), raw.element(0x31, raw.element(4, b"v"), raw.element(4, b"w")))


@pytest.mark.parametrize(
    ("operation", "complaint"),
    [
        (raw.element(0x64, raw.element(0x30)), "must begin with its name, not with 30"),
        (raw.element(0x64, NAME, raw.element(0x31)), "come its attributes, not 31"),
        (raw.element(0x64, NAME, raw.element(0x30), b"\x05\x00"), "attributes end at byte"),
        (raw.element(0x64, NAME, raw.element(0x30, CN[:-1])), "ends at"),
        (raw.element(0x64, NAME, raw.element(0x30, CN, CN)), "twice"),
        (raw.element(0x64, NAME, raw.element(0x30, TWO, TWO)), "twice"),
        (raw.element(0x64, NAME, raw.element(0x30, CN, TWO)), "twice"),
        (b"\x64\x82\x01\x00" + NAME, "ends at"),
        (b"\x64\x05\x04\x82", "ends at"),
        (b"\x64\x04\x04\x7f\x30\x00", "cut off within an element"),
        (raw.element(0x67, b"\x0a\x01\x00\x04\x00\x04\x00"), "operation 67 in answer to a search"),
        (raw.element(0x73), "names no server"),
        (raw.element(0x78), "operation 78 in answer to a search"),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_an_entry_that_cannot_be_is_refused(operation: bytes, complaint: str, known: bool) -> None:
    decoder = decoder_of()
    if known:
        decoder.feed(one((b"cn", [b"v"])) + one((b"cn", [b"v", b"w"])))
    with pytest.raises(MalformedError, match=complaint):
        decoder.feed(raw.message(7, operation))


def test_a_known_header_is_not_trusted_beyond_the_end_of_its_entry() -> None:
    attribute = raw.element(0x30, raw.element(4, b"cn"), raw.element(0x31, raw.element(4, b"v" * 9)))
    decoder = decoder_of()
    decoder.feed(one((b"cn", [b"v" * 9])))
    short = raw.message(7, raw.element(0x64, NAME, raw.element(0x30, attribute[:-3])))
    with pytest.raises(MalformedError, match="last attribute ends at byte"):
        decoder.feed(short + one((b"cn", [b"next"])))


@pytest.mark.parametrize("tail", [b"\x00", b"\x04", raw.element(0xA0, b"\x30"), raw.element(0xA1), b"\xa0\x05"])
@pytest.mark.parametrize("message_id", [b"\x02\x01\x07", b"\x02\x02\x00\x07"])
def test_what_follows_an_entry_must_be_controls(message_id: bytes, tail: bytes) -> None:
    operation = raw.element(0x64, NAME, raw.element(0x30, CN))
    with pytest.raises(MalformedError):
        decoder_of().feed(raw.element(0x30, message_id, operation, tail))


@pytest.mark.parametrize("bad", [b"\x64\x02\x04\x7f", b"\x64\x00", b"\x64\x03\x04\x01x"])
def test_an_entry_taken_out_of_its_message_is_checked_as_well(bad: bytes) -> None:
    data = raw.message(7, bad)
    _id, _tag, start, stop = responses.decode_head(data, 0, len(data))
    with pytest.raises(MalformedError, match="cut off within an element"):
        decoder_of().decode_entry(data, start, stop, len(data))


def test_an_entry_taken_out_of_its_message_has_its_controls() -> None:
    data = raw.entry(7, b"cn=x", [(b"cn", [b"v"])], controls={b"1.2.3": b"c"}, four=True)
    _id, _tag, start, stop = responses.decode_head(data, 0, len(data))
    decoder = EntryDecoder(["cn"])
    decoder.decode_entry(data, start, stop, len(data))
    taken = decoder.take()
    assert taken.rows == [(b"cn=x", (b"v",))]
    assert taken.controls == {0: {"1.2.3": b"c"}}
