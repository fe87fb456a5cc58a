# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and controls, as ldap3 and pyasn1 read them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import ber, controls, filters, requests
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.ber import MalformedError
from hypothesis import given, settings
from hypothesis import strategies as st
from ldap3.protocol import rfc4511
from pyasn1.codec.ber import decoder
from pyasn1.type import univ
from support.ldap_codec import decode_filter, decode_request

IDS = st.integers(1, 2**31 - 1)
TEXTS = st.text(max_size=40)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
VALUES = st.lists(st.binary(max_size=200), min_size=1, max_size=4)
CONTROLS = st.sampled_from([b"", controls.show_deleted(), controls.tree_delete() + controls.paged_results(5, b"c")])


def parts(listed: t.Any) -> list[tuple[str, list[bytes]]]:
    return [(str(one["type"]), [bytes(value) for value in one["vals"]]) for one in listed]


@settings(max_examples=40)
@given(IDS, TEXTS, st.integers(0, 2), st.lists(NAMES, max_size=5), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_search(message_id: int, base: str, scope: int, names: list[str], size: int, time: int) -> None:
    made = requests.search(
        base, scope, filters.present("cn"), names, size_limit=size, time_limit=time, types_only=bool(size % 2)
    )
    found_id, name, operation, found = decode_request(made(message_id))
    assert (found_id, name, found) == (message_id, "searchRequest", [])
    assert str(operation["baseObject"]) == base
    assert (int(operation["scope"]), int(operation["derefAliases"])) == (scope, 0)
    assert (int(operation["sizeLimit"]), int(operation["timeLimit"])) == (size, time)
    assert bool(operation["typesOnly"]) == bool(size % 2)
    assert str(operation["filter"]["present"]) == "cn"
    assert [str(one) for one in operation["attributes"]] == names


@settings(max_examples=40)
@given(IDS, TEXTS, st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=4), CONTROLS)
def test_add(message_id: int, dn: str, attributes: list[tuple[str, list[bytes]]], sent: bytes) -> None:
    found_id, name, operation, found = decode_request(requests.add(dn, attributes, controls=sent)(message_id))
    assert (found_id, name, str(operation["entry"])) == (message_id, "addRequest", dn)
    assert [(key, sorted(values)) for key, values in parts(operation["attributes"])] == [
        (key, sorted(values)) for key, values in attributes
    ]
    assert bool(found) == bool(sent)


@settings(max_examples=40)
@given(IDS, TEXTS, st.lists(st.tuples(st.integers(0, 2), NAMES, st.just([]) | VALUES), min_size=1, max_size=4))
def test_modify(message_id: int, dn: str, changes: list[tuple[int, str, list[bytes]]]) -> None:
    found_id, name, operation, _found = decode_request(requests.modify(dn.encode(), changes)(message_id))
    assert (found_id, name, str(operation["object"])) == (message_id, "modifyRequest", dn)
    seen = [
        (int(one["operation"]), str(one["modification"]["type"]), [bytes(v) for v in one["modification"]["vals"]])
        for one in operation["changes"]
    ]
    assert seen == changes


@given(IDS, TEXTS, CONTROLS)
def test_delete(message_id: int, dn: str, sent: bytes) -> None:
    for form in (dn, dn.encode()):
        found_id, name, operation, found = decode_request(requests.delete(form, controls=sent)(message_id))
        assert (found_id, name, str(operation)) == (message_id, "delRequest", dn)
        assert len(found) == sent.count(b"1.2.840")


@given(IDS, TEXTS, TEXTS, st.booleans(), st.none() | TEXTS)
def test_modify_dn(message_id: int, dn: str, rdn: str, delete_old: bool, superior: str | None) -> None:
    for form in (superior, superior.encode() if superior is not None else None):
        made = requests.modify_dn(dn, rdn, delete_old=delete_old, new_superior=form)
        found_id, name, operation, _found = decode_request(made(message_id))
        assert (found_id, name) == (message_id, "modDNRequest")
        assert (str(operation["entry"]), str(operation["newrdn"])) == (dn, rdn)
        assert bool(operation["deleteoldrdn"]) == delete_old
        seen = operation["newSuperior"]
        assert (str(seen) if seen.hasValue() else None) == superior


@given(IDS, st.none() | st.binary(max_size=200))
def test_extended(message_id: int, value: bytes | None) -> None:
    _id, name, operation, _found = decode_request(requests.extended("1.3.6.1.4.1.4203.1.11.3", value)(message_id))
    assert (name, str(operation["requestName"])) == ("extendedReq", "1.3.6.1.4.1.4203.1.11.3")
    seen = operation["requestValue"]
    assert (bytes(seen) if seen.hasValue() else None) == value


@given(IDS, IDS)
def test_abandon_and_unbind(message_id: int, abandoned: int) -> None:
    found_id, name, operation, _found = decode_request(requests.abandon(abandoned)(message_id))
    assert (found_id, name, int(operation)) == (message_id, "abandonRequest", abandoned)
    assert decode_request(requests.unbind()(message_id))[:2] == (message_id, "unbindRequest")


def only_control(encoded: bytes) -> tuple[str, bool, bytes | None]:
    (found,) = decode_request(requests.delete("cn=x", controls=encoded)(1))[3]
    return found


@pytest.mark.parametrize(
    ("encoded", "oid", "critical", "value"),
    [
        (controls.show_deleted(), "1.2.840.113556.1.4.417", True, None),
        (controls.permissive_modify(), "1.2.840.113556.1.4.1413", True, None),
        (controls.tree_delete(), "1.2.840.113556.1.4.805", True, None),
        (controls.extended_dn(), "1.2.840.113556.1.4.529", True, b"0\x03\x02\x01\x01"),
        (controls.extended_dn(readable=False), "1.2.840.113556.1.4.529", True, b"0\x03\x02\x01\x00"),
        (controls.control("1.2.3", critical=False), "1.2.3", False, None),
        (controls.control("1.2.3", b""), "1.2.3", True, b""),
    ],
)
def test_controls_of_active_directory(encoded: bytes, oid: str, critical: bool, value: bytes | None) -> None:
    assert only_control(encoded) == (oid, critical, value)


@given(st.integers(1, 2**31 - 1), st.binary(max_size=200))
def test_paged_results(size: int, cookie: bytes) -> None:
    oid, critical, value = only_control(controls.paged_results(size, cookie))
    assert (oid, critical) == ("1.2.840.113556.1.4.319", True)
    sequence, rest = decoder.decode(value)
    assert (int(sequence[0]), bytes(sequence[1]), rest) == (size, cookie, b"")
    assert controls.decode_paged_cookie({oid: t.cast("bytes", value)}) == cookie


def test_assertion_is_a_filter() -> None:
    oid, critical, value = only_control(controls.assertion(filters.parse("(sn=x)")))
    assert (oid, critical) == ("1.3.6.1.1.12", True)
    assert decode_filter(t.cast("bytes", value)) == ("equalityMatch", "sn", b"x")


def test_read_controls_name_the_attributes() -> None:
    for encoded, expected in (
        (controls.pre_read(["cn", "sn"]), "1.3.6.1.1.13.1"),
        (controls.post_read(["cn", "sn"], critical=True), "1.3.6.1.1.13.2"),
    ):
        oid, critical, value = only_control(encoded)
        assert (oid, critical) == (expected, expected.endswith("2"))
        assert [str(name) for name in decoder.decode(value, asn1Spec=rfc4511.AttributeSelection())[0]] == ["cn", "sn"]


def test_no_cookie_when_the_server_did_not_page() -> None:
    assert controls.decode_paged_cookie({}) is None
    assert controls.decode_read_entry({}, controls.POST_READ) is None


@pytest.mark.parametrize(
    "value", ["", "30", "3003020100", "30050201000400ff", "3006020100040000", "310502010004 00", "3082"]
)
def test_a_bad_paged_control_is_malformed(value: str) -> None:
    with pytest.raises(MalformedError):
        controls.decode_paged_cookie({controls.PAGED_RESULTS: bytes.fromhex(value)})


@pytest.mark.parametrize("tag", [0x64, 0x30])
def test_the_entry_after_a_change(tag: int) -> None:
    attributes = ber.tlv(0x30, ber.tlv(0x30, ber.text("sn") + ber.tlv(0x31, ber.octets(b"a") + ber.octets(b"b" * 200))))
    value = ber.tlv(tag, ber.text("cn=ü") + attributes)
    found = controls.decode_read_entry({controls.PRE_READ: value}, controls.PRE_READ)
    assert found == controls.ReadEntry(dn="cn=ü".encode(), attributes={"sn": (b"a", b"b" * 200)})


@given(st.data())
def test_a_bad_entry_after_a_change_is_malformed_or_another_entry(data: st.DataObject) -> None:
    attributes = ber.tlv(0x30, ber.tlv(0x30, ber.text("sn") + ber.tlv(0x31, ber.octets(b"a"))))
    value = bytearray(ber.tlv(0x64, ber.text("cn=x") + attributes))
    value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    try:
        controls.decode_read_entry({"1": bytes(value[: data.draw(st.integers(0, len(value)))])}, "1")
    except MalformedError:
        return


@pytest.mark.parametrize("value", ["", "6482", "650604023030", "640804000400"])
def test_what_is_no_entry_is_malformed(value: str) -> None:
    with pytest.raises(MalformedError):
        controls.decode_read_entry({"1": bytes.fromhex(value)}, "1")


def test_pyasn1_agrees_on_sequences() -> None:
    assert list(decoder.decode(ber.tlv(ber.SEQUENCE, ber.integer(5)))[0]) == [univ.Integer(5)]
