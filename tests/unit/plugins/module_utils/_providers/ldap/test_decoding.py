# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoding against ldap3's codec, and against everything that is no LDAP."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import ber, controls, requests, responses
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.entries import EntryDecoder
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ldap_codec

NAMES = st.sampled_from(["cn", "CN", "member", "jpegPhoto;binary", "cn;lang-de", "description"])
VALUES = st.lists(st.binary(max_size=300), min_size=1, max_size=3)
ENTRY = st.tuples(
    st.text(max_size=40).map(str.encode),
    st.lists(st.tuples(NAMES, VALUES), max_size=4, unique_by=lambda one: one[0].lower()),
)
COLUMNS = ("cn", "member", "jpegPhoto;binary", "cn;lang-de", "description")


def decode(data: bytes, message_id: int = 7, columns: tuple[str, ...] = COLUMNS) -> EntryDecoder:
    decoder = EntryDecoder(columns, forgotten=set())
    decoder.expect(message_id)
    decoder.feed(data, 0)
    return decoder


@settings(max_examples=40)
@given(st.lists(ENTRY, max_size=5))
def test_entries_are_as_ldap3_means_them(found: list[tuple[bytes, list[tuple[str, list[bytes]]]]]) -> None:
    data = b"".join(ldap_codec.entry(7, dn, attributes) for dn, attributes in found) + ldap_codec.result(
        7, "searchResDone", 0
    )
    decoder = decode(data)
    rows = decoder.take().rows
    wanted = []
    for dn, attributes in found:
        values = {name.lower(): tuple(given) for name, given in attributes}
        wanted.append((dn, *(values.get(column.lower(), ()) for column in COLUMNS)))
    assert [(row[0], *(tuple(value) for value in row[1:])) for row in rows] == wanted
    assert decoder.done is not None


@given(st.lists(ENTRY, min_size=1, max_size=3), st.data())
def test_damage_is_an_error_or_changes_nothing_else(
    found: list[tuple[bytes, list[tuple[str, list[bytes]]]]], data: st.DataObject
) -> None:
    whole = bytearray(b"".join(ldap_codec.entry(7, dn, attributes) for dn, attributes in found))
    for _change in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        decoder = decode(cut)
        decoder.take()
    except ber.MalformedError:
        return
    assert decoder.done is None or decoder.notice is not None or decoder.done.code is not None


@given(st.binary(max_size=60))
def test_garbage_is_an_error_or_waits_for_more(data: bytes) -> None:
    try:
        decode(data).take()
        if data:
            responses.decode_response(data, 0, len(data))
    except ber.MalformedError:
        return


@given(
    st.sampled_from(["modifyResponse", "addResponse", "delResponse", "modDNResponse", "searchResDone"]),
    st.integers(1, 2**31 - 1),
    st.sampled_from([0, 10, 32, 68, 122]),
    st.text(max_size=20),
    st.text(max_size=20),
    st.lists(st.just("ldap://x/dc=y"), max_size=2),
    st.dictionaries(st.just("1.2.3"), st.binary(max_size=9), max_size=1),
)
def test_results_are_as_ldap3_means_them(
    name: str, number: int, code: int, matched: str, text: str, referrals: list[str], given_: dict[str, bytes]
) -> None:
    data = ldap_codec.result(number, name, code, matched=matched, diagnostic=text, referrals=referrals, controls=given_)
    found = responses.decode_response(data, 0, len(data))
    assert (found.message_id, found.code, found.matched_dn, found.diagnostic) == (number, code, matched, text)
    assert (list(found.referrals), dict(found.controls)) == (referrals, given_)


def test_extended_and_intermediate_responses() -> None:
    data = ldap_codec.result(3, "extendedResp", 0, oid="1.2.3", value=b"v")
    found = responses.decode_response(data, 0, len(data))
    assert (found.name, found.value, found.tag) == ("1.2.3", b"v", responses.EXTENDED)
    data = ldap_codec.intermediate(3, "1.2.3", b"v")
    found = responses.decode_response(data, 0, len(data))
    assert (found.name, found.value, found.code) == ("1.2.3", b"v", -1)


def test_results_for_people() -> None:
    assert responses.result_text(32, "gone\0\n") == "noSuchObject (32): gone"
    assert responses.result_text(9999, "") == "unknown result (9999)"


@pytest.mark.parametrize("text", ["0-1499", "1500-*", "0-*"])
def test_parts_of_lists_are_recognised(text: str) -> None:
    decoder = decode(ldap_codec.entry(7, b"cn=g", [(f"member;range={text}", [b"a"])]))
    (answer,) = decoder.take().ranges
    start, _hyphen, end = text.partition("-")
    assert (answer.place, answer.start, answer.end) == (1, int(start), None if end == "*" else int(end))


def test_the_paging_control() -> None:
    value = ber.tlv(ber.SEQUENCE, ber.integer(5) + ber.octets(b"next"))
    assert controls.decode_paged_cookie({controls.PAGED_RESULTS: value}) == b"next"
    assert controls.decode_paged_cookie({}) is None
    for bad in (value[:-1], value + b"x", b"", ber.tlv(ber.SEQUENCE, ber.octets(b"x"))):
        with pytest.raises(ber.MalformedError):
            controls.decode_paged_cookie({controls.PAGED_RESULTS: bad})


def test_the_entry_of_a_post_read_control() -> None:
    attribute = ber.tlv(ber.SEQUENCE, ber.text("entryUUID") + ber.tlv(ber.SET, ber.octets(b"u")))
    content = ber.text("cn=x") + ber.tlv(ber.SEQUENCE, attribute)
    for tag in (0x64, ber.SEQUENCE):
        found = controls.decode_read_entry({controls.POST_READ: ber.tlv(tag, content)}, controls.POST_READ)
        assert found is not None
        assert (found.dn, dict(found.attributes)) == (b"cn=x", {"entryUUID": (b"u",)})
    assert controls.decode_read_entry({}, controls.POST_READ) is None
    for bad in (b"", b"\x04\x00", ber.tlv(0x64, content)[:-2], b"\x30"):
        with pytest.raises(ber.MalformedError):
            controls.decode_read_entry({controls.POST_READ: bad}, controls.POST_READ)


@pytest.mark.parametrize(
    "made",
    [
        controls.paged_results(5, b"c"),
        controls.assertion(b"\x87\x02cn"),
        controls.pre_read(["cn"]),
        controls.post_read(["cn"]),
        controls.show_deleted(),
        controls.permissive_modify(),
        controls.tree_delete(),
        controls.extended_dn(),
    ],
)
def test_controls_are_what_ldap3_reads(made: bytes) -> None:
    _id, _name, _operation, found = ldap_codec.decode_request(requests.delete("cn=x", controls=made)(1))
    ((oid, critical, _value),) = found
    assert oid.startswith("1.")
    assert isinstance(critical, bool)
    assert t.cast("object", oid) in {
        value for name, value in vars(controls).items() if name.isupper() and isinstance(value, str)
    }
