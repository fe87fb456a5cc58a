# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LDAP messages made and taken apart by ldap3's and pyasn1's codecs, to hold our own against them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ldap3.protocol import rfc4511
from pyasn1.codec.ber import decoder, encoder

OPERATIONS: Mapping[str, type] = {
    "searchResDone": rfc4511.SearchResultDone,
    "modifyResponse": rfc4511.ModifyResponse,
    "addResponse": rfc4511.AddResponse,
    "delResponse": rfc4511.DelResponse,
    "modDNResponse": rfc4511.ModifyDNResponse,
    "compareResponse": rfc4511.CompareResponse,
    "bindResponse": rfc4511.BindResponse,
    "extendedResp": rfc4511.ExtendedResponse,
}


def decode_request(data: bytes) -> tuple[int, str, t.Any, list[tuple[str, bool, bytes | None]]]:
    """Give message id, name of the operation, the operation, and the controls."""
    message, rest = decoder.decode(data, asn1Spec=rfc4511.LDAPMessage())
    assert not rest
    operation = message["protocolOp"]
    controls = [
        (
            str(control["controlType"]),
            bool(control["criticality"]),
            bytes(control["controlValue"]) if control["controlValue"].hasValue() else None,
        )
        for control in (message["controls"] if message["controls"].hasValue() else ())
    ]
    return int(message["messageID"]), operation.getName(), operation.getComponent(), controls


def decode_filter(data: bytes) -> t.Any:
    """Give a filter as nested tuples, taken apart by hand (X.690 8.1): ldap3's own schema of filters does not nest."""
    found, end = _filter(data, 0)
    assert end == len(data)
    return found


def _element(data: bytes, at: int) -> tuple[int, bytes, int]:
    tag, size, at = data[at], data[at + 1], at + 2
    if size > 0x7F:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    assert at + size <= len(data)
    return tag, data[at : at + size], at + size


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        tag, content, at = _element(data, at)
        found.append((tag, content))
    return found


_NAMES = {
    0xA0: "and",
    0xA1: "or",
    0xA3: "equalityMatch",
    0xA5: "greaterOrEqual",
    0xA6: "lessOrEqual",
    0xA8: "approxMatch",
}
_PIECES = {0x80: "initial", 0x81: "any", 0x82: "final"}


def _filter(data: bytes, at: int) -> tuple[t.Any, int]:
    tag, content, end = _element(data, at)
    name = _NAMES.get(tag, "")
    if tag in (0xA0, 0xA1):
        inner, place = [], 0
        while place < len(content):
            part, place = _filter(content, place)
            inner.append(part)
        return (name, inner), end
    if tag == 0xA2:
        part, place = _filter(content, 0)
        assert place == len(content)
        return ("not", part), end
    if tag == 0x87:
        return ("present", content.decode()), end
    parts = _elements(content)
    if name:
        return (name, parts[0][1].decode(), parts[1][1]), end
    if tag == 0xA4:
        pieces = [(_PIECES[kind], piece) for kind, piece in _elements(parts[1][1])]
        return ("substringFilter", parts[0][1].decode(), pieces), end
    assert tag == 0xA9
    given = dict(parts)
    texts = [given[key].decode() if key in given else None for key in (0x82, 0x81)]
    return ("extensibleMatch", *texts, given.get(0x84, b"\0") != b"\0", given[0x83]), end


def message(message_id: int, name: str, operation: t.Any, controls: Mapping[str, bytes] | None = None) -> bytes:
    whole = rfc4511.LDAPMessage()
    whole["messageID"] = rfc4511.MessageID(message_id)
    choice = rfc4511.ProtocolOp()
    choice[name] = operation
    whole["protocolOp"] = choice
    if controls:
        many = rfc4511.Controls()
        for index, (oid, value) in enumerate(controls.items()):
            one = rfc4511.Control()
            one["controlType"] = rfc4511.LDAPOID(oid)
            one["criticality"] = rfc4511.Criticality(False)
            one["controlValue"] = rfc4511.ControlValue(value)
            many[index] = one
        whole["controls"] = many
    return bytes(encoder.encode(whole))


def entry(
    message_id: int,
    dn: bytes,
    attributes: Iterable[tuple[str, Sequence[bytes]]],
    controls: Mapping[str, bytes] | None = None,
) -> bytes:
    operation = rfc4511.SearchResultEntry()
    operation["object"] = rfc4511.LDAPDN(dn)
    listed = rfc4511.PartialAttributeList()
    for index, (name, values) in enumerate(attributes):
        one = rfc4511.PartialAttribute()
        one["type"] = rfc4511.AttributeDescription(name)
        vals = rfc4511.Vals()
        vals.clear()
        for place, value in enumerate(values):
            vals[place] = rfc4511.AttributeValue(value)
        one["vals"] = vals
        listed[index] = one
    if not len(listed):
        listed.clear()
    operation["attributes"] = listed
    return message(message_id, "searchResEntry", operation, controls)


def reference(message_id: int, uris: Sequence[str]) -> bytes:
    operation = rfc4511.SearchResultReference()
    for index, uri in enumerate(uris):
        operation[index] = rfc4511.URI(uri)
    return message(message_id, "searchResRef", operation)


def intermediate(message_id: int, name: str | None, value: bytes | None) -> bytes:
    operation = rfc4511.IntermediateResponse()
    if name is not None:
        operation["responseName"] = rfc4511.IntermediateResponseName(name)
    if value is not None:
        operation["responseValue"] = rfc4511.IntermediateResponseValue(value)
    return message(message_id, "intermediateResponse", operation)


def result(
    message_id: int,
    name: str,
    code: int,
    *,
    matched: str = "",
    diagnostic: str = "",
    referrals: Sequence[str] = (),
    controls: Mapping[str, bytes] | None = None,
    oid: str | None = None,
    value: bytes | None = None,
) -> bytes:
    operation = OPERATIONS[name]()
    # Some codes are not in ldap3's list of names; a number is always allowed.
    operation["resultCode"] = rfc4511.ResultCode(code)
    operation["matchedDN"] = rfc4511.LDAPDN(matched.encode())
    operation["diagnosticMessage"] = rfc4511.LDAPString(diagnostic.encode())
    if referrals:
        listed = rfc4511.Referral()
        for index, uri in enumerate(referrals):
            listed[index] = rfc4511.URI(uri)
        operation["referral"] = listed
    if oid is not None:
        operation["responseName"] = rfc4511.ResponseName(oid)
    if value is not None and name == "extendedResp":
        operation["responseValue"] = rfc4511.ResponseValue(value)
    elif value is not None:
        operation["serverSaslCreds"] = rfc4511.ServerSaslCreds(value)
    return message(message_id, name, operation, controls)
