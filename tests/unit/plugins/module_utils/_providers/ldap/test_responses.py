# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses: one message to one response, or a complaint that says what is wrong with it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import responses
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.ber import MalformedError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.responses import (
    LdapResultError,
    NoSuchObjectError,
    Response,
    decode_response,
    result_error,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ldap_bytes as raw
from support import ldap_codec

TAGS = {
    "bindResponse": responses.BIND,
    "searchResDone": responses.SEARCH_DONE,
    "modifyResponse": responses.MODIFY,
    "addResponse": responses.ADD,
    "delResponse": responses.DELETE,
    "modDNResponse": responses.MODIFY_DN,
    "compareResponse": responses.COMPARE,
    "extendedResp": responses.EXTENDED,
}
URIS = st.lists(st.sampled_from(["ldap://a/dc=x", "ldaps://b/dc=y??sub"]), max_size=2)
CONTROLS = st.dictionaries(st.sampled_from(["1.2.3", "1.2.840.113556.1.4.319"]), st.binary(max_size=200), max_size=2)


def decode(data: bytes) -> Response:
    return decode_response(data, 0, len(data))


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(TAGS)),
    st.integers(0, 2**31 - 1),
    st.sampled_from(sorted(responses.RESULT_NAMES)),
    st.text(max_size=150),
    URIS,
    CONTROLS,
    st.none() | st.binary(max_size=200),
)
def test_results_of_every_operation_are_as_ldap3_means_them(
    name: str, number: int, code: int, text: str, uris: list[str], found: dict[str, bytes], value: bytes | None
) -> None:
    more: dict[str, t.Any] = {}
    if name == "extendedResp":
        more = {"oid": "1.3.6", "value": value}
    elif name == "bindResponse":
        more = {"value": value}
    data = ldap_codec.result(
        number, name, code, matched=text[:9], diagnostic=text, referrals=uris, controls=found, **more
    )
    assert decode(data) == Response(
        message_id=number,
        tag=TAGS[name],
        code=code,
        matched_dn=text[:9],
        diagnostic=text,
        referrals=tuple(uris),
        controls=found,
        name=more.get("oid"),
        value=more.get("value"),
    )


@pytest.mark.parametrize("name", sorted(TAGS))
def test_a_plain_success_is_as_any_other_result(name: str) -> None:
    plain = ldap_codec.result(300, name, 0, matched="", diagnostic="", referrals=[], controls={})
    assert decode(plain) == Response(message_id=300, tag=TAGS[name], code=0, controls={})
    told = decode(ldap_codec.result(300, name, 0, matched="", diagnostic="a", referrals=[], controls={"1.2": b"x"}))
    assert (told.diagnostic, told.controls) == ("a", {"1.2": b"x"})


@pytest.mark.parametrize(("name", "value"), [(None, None), ("1.2.3", None), (None, b"v"), ("1.2.3", b"")])
def test_an_intermediate_response_has_a_name_a_value_both_or_none(name: str | None, value: bytes | None) -> None:
    found = decode(ldap_codec.intermediate(5, name, value))
    assert (found.message_id, found.tag, found.code) == (5, responses.INTERMEDIATE, -1)
    assert (found.name, found.value) == (name, value)


@given(st.data())
def test_damage_is_malformed_or_another_response(data: st.DataObject) -> None:
    control = raw.element(0xA0, raw.control(b"1.2.3", b"v"), raw.element(0x30, raw.element(4, b"1"), b"\x01\x01\xff"))
    sound = raw.message(
        9,
        raw.element(
            data.draw(st.sampled_from([*sorted(responses.RESULTS), responses.INTERMEDIATE])),
            b"\x0a\x01\x00\x04\x01x\x04\x00",
            raw.element(0xA3, raw.element(4, b"ldap://x")),
            raw.element(0x8A, b"1.2"),
        ),
        control,
    )
    bad = data.draw(raw.damaged(sound))
    try:
        found = decode(bad)
    except MalformedError:
        return
    assert found.code >= 0 or found.tag == responses.INTERMEDIATE


@given(st.binary(max_size=40))
def test_garbage_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(data)


def test_lengths_may_have_more_octets_than_they_need() -> None:
    found = decode(bytes.fromhex("30840000001802010565840000000f0a0400000020048400000000040161"))
    assert (found.message_id, found.code, found.matched_dn, found.diagnostic) == (5, 32, "", "a")


@pytest.mark.parametrize("tag", [responses.BIND, responses.DELETE, responses.EXTENDED])
def test_what_later_versions_append_is_ignored(tag: int) -> None:
    """RFC 4511 section 4: trailing components of sequences whose tags are not known are to be ignored."""
    more = raw.element(0xA9, b"\x04\x00") + raw.element(0x9E, b"later")
    assert decode(raw.result(5, tag, more, code=32)).code == 32
    found = decode(raw.message(5, raw.element(responses.INTERMEDIATE, raw.element(0x81, b"v"), more)))
    assert found.value == b"v"


def test_the_criticality_of_a_control_is_passed_over() -> None:
    control = raw.element(0x30, raw.element(4, b"1.2"), b"\x01\x01\xff", raw.element(4, b"v"))
    plain = raw.element(0x30, raw.element(4, b"1.3"), b"\x01\x01\x00")
    operation = raw.element(0x65, b"\x0a\x01\x00\x04\x00\x04\x00")
    assert decode(raw.message(5, operation, raw.element(0xA0, control, plain))).controls == {"1.2": b"v", "1.3": b""}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (raw.message(5, raw.element(0x64)), "operation 64 is not a result"),
        (raw.message(5, b"\x42\x00"), "operation 42 is not a result"),
        (raw.element(0x30, b"\x02\x01\xff", raw.element(0x65)), "message id -1 is negative"),
        (raw.element(0x30, b"\x02\x05\x01\x00\x00\x00\x00", raw.element(0x65)), "1 to 4 octets"),
        (raw.message(5, b""), "should begin at byte"),
        (raw.message(5, raw.element(0x65, b"\x0a\x01\xff\x04\x00\x04\x00")), "result code -1 is negative"),
        (raw.message(5, raw.element(0x65, b"\x02\x01\x00\x04\x00\x04\x00")), "result code at byte 7 must have the tag"),
        (raw.result(5, 0x65, raw.element(0xA3)), "names no server"),
        (raw.result(5, 0x65, raw.element(4, b"x")), "something after its end"),
        (raw.result(5, 0x61, raw.element(0x87, b"x"), b"\x05\x00"), "something after its end"),
        (raw.result(5, 0x78, b"\x05\x00"), "something after its end"),
        (raw.result(5, 0x78, raw.element(0x8B, b"v"), b"\x05\x00"), "something after its end"),
        (raw.result(5, 0x78, b"\x8b\x84"), "ends at|cut off"),
        (raw.message(5, raw.element(0x65), b"\xa1\x00"), "the controls at byte"),
        (raw.message(5, raw.element(0x65), b"\xa0\x00\x04\x00"), "something after its controls"),
        (raw.message(5, raw.element(0x65), raw.element(0xA0, b"\x31\x00")), "a control at byte"),
        (
            raw.message(5, raw.element(0x65), raw.element(0xA0, raw.element(0x30, b"\x04\x011\x04\x00\x04\x00"))),
            "the control 1 has something after its value",
        ),
        (b"\x30\x01\x02", "should begin"),
        (b"\x30\x02\x02\x82", "cut off within a length"),
        (b"\x30\x82", "cut off within a length"),
        (raw.message(5, raw.element(0x65))[:-1], "ends at"),
        (raw.message(5, raw.element(0x65)) + b"x", "ends at 7, not at 8"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(data: bytes, complaint: str) -> None:
    with pytest.raises(MalformedError, match=complaint):
        decode(data)


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        (raw.element(0x30) + b"\x04\x00", "after its attributes"),
        (raw.element(0x30, b"\x04\x00"), "an attribute at byte"),
        (raw.element(0x30, raw.element(0x30, b"\x04\x00\x31\x00\x04\x00")), "after its values"),
        (raw.element(0x30, raw.element(0x30, b"\x04\x00\x31\x02\x02\x00")), "must have the tag 04, not 02"),
        (raw.element(0x30, raw.element(0x30, b"\x04\x00\x31\x02\x04\x05")), "the last value ends at"),
    ],
)
def test_attributes_that_cannot_be_are_refused(attributes: bytes, complaint: str) -> None:
    with pytest.raises(MalformedError, match=complaint):
        responses.read_attributes(attributes, 0, len(attributes))


def test_attributes_and_values_of_any_length() -> None:
    values = (b"", b"a" * 127, b"b" * 128, b"c" * 70000)
    listed = raw.element(
        0x30, raw.element(0x30, raw.element(4, b"cn\xff"), raw.element(0x31, *(raw.element(4, one) for one in values)))
    )
    assert responses.read_attributes(listed, 0, len(listed)) == {"cn\\xff": values}


def test_errors_say_what_was_done_what_came_and_what_to_do() -> None:
    gone = decode(raw.result(5, 0x65, code=32, matched=b"dc=x", text=b"0000208D: no\n\0"))
    error = result_error("reading", gone, "Look again.")
    assert isinstance(error, NoSuchObjectError)
    assert str(error) == (
        "reading: the server answered noSuchObject (32): 0000208D: no. The nearest entry that exists is 'dc=x'."
        " Look again."
    )
    assert (error.retriable, error.result_code, error.response) == (False, 32, gone)
    busy = result_error("reading", decode(raw.result(5, 0x65, code=51)))
    assert isinstance(busy, LdapResultError)
    assert not isinstance(busy, NoSuchObjectError)
    assert (str(busy), busy.retriable) == ("reading: the server answered busy (51).", True)
