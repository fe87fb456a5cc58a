# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look for bytes on which our LDAP decoder slips, or means something else than ldap3's.

usage: fuzz_ldap_codec.py [SECONDS]     60 when not given; for CI and for nights alike

With atheris installed it looks where code was not reached yet, otherwise it changes good messages at random. What must
hold of any bytes: our decoder takes them or says MalformedError; a decoder that has read other entries before reads the
same from them as a fresh one; and whatever both we and ldap3 take, we read the same from.
"""

from __future__ import annotations

import functools
import importlib.util
import random
import re
import sys
import time
import typing as t
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import conftest

conftest.make_importable()

from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import ber, responses  # noqa: E402
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.entries import EntryDecoder  # noqa: E402
from pyasn1.error import PyAsn1Error  # noqa: E402
from support import ldap_codec  # noqa: E402

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
COLUMNS = ("objectClass", "cn", "member")
PERSON: list[tuple[str, list[bytes]]] = [
    ("objectClass", [b"top", b"person"]),
    ("cn", [b"somebody"]),
    ("description", [b"x" * 150]),
    ("member;range=0-1", [b"a", b""]),
]


def widen(data: bytes) -> bytes:
    """Give sequences and sets the lengths of four octets that Active Directory writes."""
    parts, at = [], 0
    while at < len(data):
        tag, start, end = ber.read_header(data, at, len(data))
        content = data[start:end]
        if tag & 0x20:
            content = widen(content)
            parts.append(bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content)
        else:
            parts.append(data[at:end])
        at = end
    return b"".join(parts)


def seeds() -> list[bytes]:
    controls = {"1.2.840.113556.1.4.319": b"0\x05\x02\x01\x00\x04\x00"}
    made = [
        ldap_codec.entry(7, b"cn=somebody,dc=x", PERSON),
        ldap_codec.entry(7, b"cn=somebody,dc=x", PERSON[1:2], controls),
        ldap_codec.result(7, "searchResDone", 10, matched="dc=x", referrals=["ldap://y"], controls=controls),
        ldap_codec.result(7, "addResponse", 68, diagnostic="there"),
        ldap_codec.result(7, "extendedResp", 0, oid="1.2.3", value=b"v"),
        ldap_codec.result(0, "extendedResp", 52, oid="1.3.6.1.4.1.1466.20036"),
        ldap_codec.intermediate(7, "1.2.3", b"v"),
        ldap_codec.reference(7, ["ldap://y/dc=x"]),
    ]
    return made + [widen(one) for one in made]


def read_rows(data: bytes, before: bytes) -> t.Any:
    """Give what a decoder makes of the bytes after it has read others; None when they are malformed."""
    made = EntryDecoder(COLUMNS, forgotten={9})
    made.expect(7)
    made.feed(before)
    made.take()
    try:
        end = made.feed(data)
    except ber.MalformedError:
        return None
    return end, made.take(), made.references, made.intermediates, made.done, made.notice


def read_ours(data: bytes) -> t.Any:
    """Give id, tag and content of one message; None when it is malformed or not whole."""
    try:
        if ber.message_end(data, 0) != len(data):
            return None
        message_id, tag, start, stop = responses.decode_head(data, 0, len(data))
        if tag in responses.RESULTS:
            found = responses.decode_response(data, 0, len(data))
            return message_id, tag, found.code, found.diagnostic, found.matched_dn, by_digits(found.controls.items())
        if tag != responses.ENTRY:
            return None
        dn, at = ber.read_octets(data, start, stop, "the name")
        attributes = responses.read_attributes(data, at, stop)
        return message_id, tag, dn, dict(attributes), by_digits(responses.read_controls(data, stop, len(data)).items())
    except (ber.MalformedError, IndexError):
        return None


def by_digits(controls: Iterable[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """Give controls by their OID; what is no OID at all is shown differently by everybody."""
    return {oid if re.fullmatch("[0-9.]+", oid) else "": value or b"" for oid, value in controls}


def read_peers(data: bytes) -> t.Any:
    """Give the same as ldap3's schema and pyasn1 read it."""
    try:
        message_id, name, operation, listed = ldap_codec.decode_request(data)
        controls = by_digits((oid, value) for oid, _critical, value in listed)
        if name == "searchResEntry":
            attributes = {
                bytes(one["type"]).decode(errors="backslashreplace"): tuple(bytes(value) for value in one["vals"])
                for one in operation["attributes"]
            }
            return message_id, responses.ENTRY, bytes(operation["object"]), attributes, controls
        texts = [bytes(operation[key]).decode(errors="backslashreplace") for key in ("diagnosticMessage", "matchedDN")]
        return message_id, TAGS[name], int(operation["resultCode"]), *texts, controls
    except (PyAsn1Error, AssertionError, KeyError, ValueError, TypeError, AttributeError, IndexError):
        return None


def check(data: bytes) -> None:
    """Raise AssertionError where one of the promises does not hold; any other error is a slip."""
    assert read_rows(data, b"") == read_rows(data, lesson()), f"what was read before changes what is read: {data.hex()}"
    ours = read_ours(data)
    if ours is None:
        return
    peers = read_peers(data)
    if peers is not None:
        assert ours == peers, f"{data.hex()}: ours {ours}, ldap3's {peers}"


@functools.cache
def lesson() -> bytes:
    """Give entries in both forms of lengths, after which a decoder knows their headers."""
    short, wide = seeds()[0], widen(seeds()[0])
    return short * 2 + wide * 2


def change(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """Give the bytes with one to four changes."""
    changed = bytearray(data)
    for _number in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed)) if changed else 0
        match chance.randrange(7):
            case 0 | 1 if changed:
                changed[at] = chance.choice((0, 1, 4, 0x30, 0x31, 0x7F, 0x80, 0x81, 0x84, 0xFF, chance.randrange(256)))
            case 2 if changed:
                changed[at] = (changed[at] + chance.choice((-1, 1))) & 0xFF
            case 3:
                changed[at:at] = chance.randbytes(chance.randint(1, 4))
            case 4:
                del changed[at : at + chance.randint(1, 4)]
            case 5:
                other = chance.choice(others)
                changed[at:] = other[chance.randrange(len(other)) :]
            case _:
                changed += chance.choice(others)
    return bytes(changed)


def run_at_random(seconds: float, test: Callable[[bytes], None]) -> int:
    """Change good messages until the time is over; gives how many were tried."""
    start = random.SystemRandom().randrange(1 << 32)
    print(f"seed {start}")
    chance = random.Random(start)
    good = seeds()
    for one in good:
        test(one)
    end = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < end:
        test(change(chance.choice(good), chance, good))
        tried += 1
    return tried


def main() -> None:
    """Run for the given seconds."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    if importlib.util.find_spec("atheris"):
        import atheris  # noqa: PLC0415

        atheris.instrument_all()
        atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}"], check)
        atheris.Fuzz()
    else:
        print(f"{run_at_random(seconds, check)} messages without a slip")


if __name__ == "__main__":
    main()
