# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses: one LDAP message to one `Response` (RFC 4511 section 4), and what its result code means."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from ..._model.errors import ProviderError
from . import ber
from .ber import MalformedError

Values: t.TypeAlias = tuple[bytes, ...]

BIND: t.Final = 0x61
ENTRY: t.Final = 0x64
SEARCH_DONE: t.Final = 0x65
MODIFY: t.Final = 0x67
ADD: t.Final = 0x69
DELETE: t.Final = 0x6B
MODIFY_DN: t.Final = 0x6D
COMPARE: t.Final = 0x6F
REFERENCE: t.Final = 0x73
EXTENDED: t.Final = 0x78
INTERMEDIATE: t.Final = 0x79

# Tags of operations whose content is an LDAPResult.
RESULTS: t.Final = frozenset({BIND, SEARCH_DONE, MODIFY, ADD, DELETE, MODIFY_DN, COMPARE, EXTENDED})

NOTICE_OF_DISCONNECTION: t.Final = "1.3.6.1.4.1.1466.20036"

SUCCESS: t.Final = 0
TIME_LIMIT_EXCEEDED: t.Final = 3
SIZE_LIMIT_EXCEEDED: t.Final = 4
REFERRAL: t.Final = 10
ADMIN_LIMIT_EXCEEDED: t.Final = 11
UNAVAILABLE_CRITICAL_EXTENSION: t.Final = 12
NO_SUCH_ATTRIBUTE: t.Final = 16
ATTRIBUTE_OR_VALUE_EXISTS: t.Final = 20
NO_SUCH_OBJECT: t.Final = 32
BUSY: t.Final = 51
UNAVAILABLE: t.Final = 52
NOT_ALLOWED_ON_NON_LEAF: t.Final = 66
ENTRY_ALREADY_EXISTS: t.Final = 68
ASSERTION_FAILED: t.Final = 122

# RFC 4511 appendix A and section 4.1.9; 118 to 122 are of RFC 3909, 4528 and IANA's registry, 4096 of RFC 4533.
RESULT_NAMES: t.Final[Mapping[int, str]] = {
    0: "success",
    1: "operationsError",
    2: "protocolError",
    3: "timeLimitExceeded",
    4: "sizeLimitExceeded",
    5: "compareFalse",
    6: "compareTrue",
    7: "authMethodNotSupported",
    8: "strongerAuthRequired",
    10: "referral",
    11: "adminLimitExceeded",
    12: "unavailableCriticalExtension",
    13: "confidentialityRequired",
    14: "saslBindInProgress",
    16: "noSuchAttribute",
    17: "undefinedAttributeType",
    18: "inappropriateMatching",
    19: "constraintViolation",
    20: "attributeOrValueExists",
    21: "invalidAttributeSyntax",
    32: "noSuchObject",
    33: "aliasProblem",
    34: "invalidDNSyntax",
    36: "aliasDereferencingProblem",
    48: "inappropriateAuthentication",
    49: "invalidCredentials",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
    54: "loopDetect",
    64: "namingViolation",
    65: "objectClassViolation",
    66: "notAllowedOnNonLeaf",
    67: "notAllowedOnRDN",
    68: "entryAlreadyExists",
    69: "objectClassModsProhibited",
    71: "affectsMultipleDSAs",
    80: "other",
    113: "lcupResourcesExhausted",
    114: "lcupSecurityViolation",
    115: "lcupInvalidData",
    116: "lcupUnsupportedScheme",
    117: "lcupReloadRequired",
    118: "canceled",
    119: "noSuchOperation",
    120: "tooLate",
    121: "cannotCancel",
    122: "assertionFailed",
    123: "authorizationDenied",
    4096: "e-syncRefreshRequired",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """One message that is no entry and no reference.

    `tag` says which operation it answers. `code` is -1 for an intermediate response, which has no result. `name` and
    `value` are of extended and intermediate responses. `controls` maps the OID to the value, empty when it has none.
    """

    message_id: int
    tag: int
    code: int
    matched_dn: str = ""
    diagnostic: str = ""
    referrals: tuple[str, ...] = ()
    controls: Mapping[str, bytes]
    name: str | None = None
    value: bytes | None = None

    @property
    def result(self) -> str:
        """The result for people: `noSuchObject (32): the server's own words`."""
        return result_text(self.code, self.diagnostic)


class LdapResultError(ProviderError):
    """The server answered an operation with a result that is none of success; the connection is sound."""

    def __init__(self, message: str, response: Response) -> None:
        super().__init__(message, retriable=response.code in (BUSY, UNAVAILABLE))
        self.response = response
        self.result_code = response.code


class NoSuchObjectError(LdapResultError):
    """The entry that an operation named is not there."""


_PLAIN_SUCCESS = b"\x0a\x01\x00\x04\x00\x04\x00"
"""The content of the answer to nearly every write: success, no matched name, no diagnostic message."""


def result_text(code: int, diagnostic: str) -> str:
    """Give a result for people. Active Directory ends its diagnostics with a NUL byte."""
    shown = f"{RESULT_NAMES.get(code, 'unknown result')} ({code})"
    words = diagnostic.strip("\0 \n")
    return f"{shown}: {words}" if words else shown


def result_error(what: str, response: Response, advice: str = "") -> LdapResultError:
    """Give the error for a result; `what` names the operation and its entry, `advice` says what to do."""
    matched = f" The nearest entry that exists is {response.matched_dn!r}." if response.matched_dn else ""
    message = f"{what}: the server answered {response.result}.{matched}{' ' if advice else ''}{advice}"
    kind = NoSuchObjectError if response.code == NO_SUCH_OBJECT else LdapResultError
    return kind(message, response)


def decode_head(data: bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """Give message id, operation's tag, and start and end of its content, of the whole message at `at`."""
    start, stop = ber.read_element(data, at, end, ber.SEQUENCE, "a message")
    if stop != end:
        raise MalformedError(f"the message at byte {at} ends at {stop}, not at {end}")
    message_id, at = ber.read_integer(data, start, stop, "the message id")
    if message_id < 0:
        raise MalformedError(f"the message id {message_id} is negative")
    tag, start, stop = ber.read_header(data, at, stop)
    return message_id, tag, start, stop


def decode_response(data: bytes, at: int, end: int) -> Response:
    """Decode one message that is a result or an intermediate response.

    Args:
        data: what was received.
        at: where the message begins.
        end: where it ends, from `ber.message_end`.

    Raises:
        MalformedError: it is not one, or it is an entry, a reference or a request.
    """
    try:
        message_id, tag, start, stop = decode_head(data, at, end)
        if stop == end and tag in RESULTS and data[start:stop] == _PLAIN_SUCCESS:
            return Response(message_id=message_id, tag=tag, code=SUCCESS, controls={})
        controls = read_controls(data, stop, end)
        if tag == INTERMEDIATE:
            name, value = _read_name_and_value(data, start, stop, 0x80, 0x81)
            return Response(message_id=message_id, tag=tag, code=-1, controls=controls, name=name, value=value)
        if tag not in RESULTS:
            raise MalformedError(f"the operation {tag:02x} is not a result")
        return _read_result(data, start, stop, (message_id, tag), controls)
    except IndexError:
        raise MalformedError("a message is cut off within a length") from None


def _read_result(data: bytes, start: int, stop: int, head: tuple[int, int], controls: Mapping[str, bytes]) -> Response:
    message_id, tag = head
    code, at = ber.read_integer(data, start, stop, "the result code", ber.ENUMERATED)
    if code < 0:
        raise MalformedError(f"the result code {code} is negative")
    matched_dn, at = ber.read_text(data, at, stop, "the matched name")
    diagnostic, at = ber.read_text(data, at, stop, "the diagnostic message")
    referrals: tuple[str, ...] = ()
    if at < stop and data[at] == 0xA3:
        first, after = ber.read_element(data, at, stop, 0xA3, "the referrals")
        referrals = read_uris(data, first, after)
        at = after
    name: str | None = None
    value: bytes | None = None
    if tag == EXTENDED:
        name, value = _read_name_and_value(data, at, stop, 0x8A, 0x8B)
    else:
        if tag == BIND and at < stop and data[at] == 0x87:
            value, at = ber.read_octets(data, at, stop, "the server's SASL credentials", 0x87)
        _skip_later(data, at, stop)
    return Response(
        message_id=message_id,
        tag=tag,
        code=code,
        matched_dn=matched_dn,
        diagnostic=diagnostic,
        referrals=referrals,
        controls=controls,
        name=name,
        value=value,
    )


def _read_name_and_value(
    data: bytes, at: int, stop: int, name_tag: int, value_tag: int
) -> tuple[str | None, bytes | None]:
    name: str | None = None
    value: bytes | None = None
    if at < stop and data[at] == name_tag:
        name, at = ber.read_text(data, at, stop, "the name of a response", name_tag)
    if at < stop and data[at] == value_tag:
        value, at = ber.read_octets(data, at, stop, "the value of a response", value_tag)
    _skip_later(data, at, stop)
    return name, value


def _skip_later(data: bytes, at: int, stop: int) -> None:
    """Pass over what later versions of the protocol append to a result, which RFC 4511 section 4 wants ignored.

    Such components have a tag of the context class, for the others could be taken for what stands before them.
    """
    while at < stop:
        tag, _start, after = ber.read_header(data, at, stop)
        if tag & 0xC0 != 0x80:
            raise MalformedError(f"a response has something after its end, at byte {at}")
        at = after


def read_uris(data: bytes, at: int, stop: int) -> tuple[str, ...]:
    """Give the URIs of a referral or reference; there must be at least one (RFC 4511 section 4.1.10)."""
    uris: list[str] = []
    while at < stop:
        uri, at = ber.read_text(data, at, stop, "a URI")
        uris.append(uri)
    if not uris:
        raise MalformedError("a referral names no server")
    return tuple(uris)


def read_controls(data: bytes, at: int, end: int) -> Mapping[str, bytes]:
    """Give the controls between the operation's end and the message's end (RFC 4511 section 4.1.11)."""
    if at == end:
        return {}
    at, stop = ber.read_element(data, at, end, 0xA0, "the controls")
    if stop != end:
        raise MalformedError(f"the message has something after its controls, at byte {stop}")
    controls: dict[str, bytes] = {}
    while at < stop:
        at, after = ber.read_element(data, at, stop, ber.SEQUENCE, "a control")
        oid, at = ber.read_text(data, at, after, "the type of a control")
        if at < after and data[at] == ber.BOOLEAN:
            _critical, at = ber.read_octets(data, at, after, "the criticality of a control", ber.BOOLEAN)
        value = b""
        if at < after:
            value, at = ber.read_octets(data, at, after, "the value of a control")
        if at != after:
            raise MalformedError(f"the control {oid} has something after its value")
        controls[oid] = value
    return controls


def read_attributes(data: bytes, at: int, stop: int) -> Mapping[str, Values]:
    """Give a PartialAttributeList that fills the data up to `stop` (RFC 4511 section 4.1.7)."""
    at, after = ber.read_element(data, at, stop, ber.SEQUENCE, "the attributes")
    if after != stop:
        raise MalformedError(f"an entry has something after its attributes, at byte {after}")
    attributes: dict[str, Values] = {}
    while at < stop:
        name, values, at = read_attribute(data, at, stop)
        attributes[name.decode(errors="backslashreplace")] = values
    return attributes


def read_attribute(data: bytes, at: int, stop: int) -> tuple[bytes, Values, int]:
    """Give description and values of one attribute, and where the next begins."""
    at, after = ber.read_element(data, at, stop, ber.SEQUENCE, "an attribute")
    name, at = ber.read_octets(data, at, after, "an attribute's description")
    at, end = ber.read_element(data, at, after, ber.SET, "an attribute's values")
    if end != after:
        raise MalformedError(f"an attribute has something after its values, at byte {end}")
    return name, _read_values(data, at, end), after


def _read_values(data: bytes, at: int, end: int) -> Values:
    """Give the values that fill the data up to `end`. Groups have very many: hence no call for each."""
    values: list[bytes] = []
    while at < end:
        if data[at] != ber.OCTETS:
            raise MalformedError(f"a value at byte {at} must have the tag 04, not {data[at]:02x}")
        size = data[at + 1]
        at += 2
        if size >= 0x80:
            size, at = ber.read_length(data, at - 1)
        values.append(data[at : at + size])
        at += size
    if at != end:
        raise MalformedError(f"the last value ends at byte {at}, the values of its attribute at {end}")
    return tuple(values)
