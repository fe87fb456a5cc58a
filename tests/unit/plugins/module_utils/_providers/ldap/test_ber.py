# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BER: what is encoded can be read again, and what is not BER is refused without a slip."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import ber
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.ber import MalformedError
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8180"),
        (255, "81ff"),
        (256, "820100"),
        (65535, "82ffff"),
        (65536, "83010000"),
        (1 << 24, "8401000000"),
    ],
)
def test_lengths_take_as_few_octets_as_can_be(size: int, expected: str) -> None:
    encoded = ber.encode_length(size)
    assert encoded.hex() == expected
    assert ber.read_length(encoded, 0) == (size, len(encoded))


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_are_as_pyasn1_reads_them(value: int) -> None:
    encoded = ber.integer(value)
    assert decoder.decode(encoded) == (univ.Integer(value), b"")
    # pyasn1 takes an octet too many for -128 and the like.
    assert len(encoded) <= len(encoder.encode(univ.Integer(value)))
    assert ber.read_integer(encoded, 0, len(encoded), "it") == (value, len(encoded))


@given(st.binary(max_size=300), st.integers(0, 70000))
def test_strings_are_as_pyasn1_writes_them(value: bytes, more: int) -> None:
    value += bytes(more)
    assert ber.octets(value) == encoder.encode(univ.OctetString(value))
    assert ber.tlv(ber.OCTETS, value) == ber.octets(value)
    assert ber.read_octets(ber.octets(value), 0, len(ber.octets(value)), "it")[0] == value


def test_text_may_be_the_bytes_of_the_server() -> None:
    assert ber.text("ü") == ber.text("ü".encode()) == b"\x04\x02\xc3\xbc"


def test_truth_is_ff() -> None:
    assert (ber.boolean(True), ber.boolean(False, 0x84)) == (b"\x01\x01\xff", b"\x84\x01\x00")


def test_text_of_another_encoding_is_shown_escaped() -> None:
    assert ber.read_text(b"\x04\x02\xfcx", 0, 4, "it") == ("\\xfcx", 4)


@pytest.mark.parametrize(
    ("data", "end"),
    [
        ("", 0),
        ("30", 0),
        ("3003", 5),
        ("30030201", 5),
        ("3082", 0),
        ("308201", 0),
        ("30820102", 262),
        ("308400000005", 11),
    ],
)
def test_the_end_of_a_message_is_known_as_soon_as_its_length_is_there(data: str, end: int) -> None:
    assert ber.message_end(bytes.fromhex(data), 0) == end


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("31", "begin with the byte 30, not 31"),
        ("3080", "indefinite"),
        ("3085", "5 octets"),
        ("30847fffffff", "longer than"),
    ],
)
def test_a_message_that_cannot_be_is_refused_at_once(data: str, complaint: str) -> None:
    with pytest.raises(MalformedError, match=complaint):
        ber.message_end(bytes.fromhex(data), 0)


def test_the_limit_of_a_message_can_be_lower() -> None:
    with pytest.raises(MalformedError, match="256 bytes is longer than 255"):
        ber.message_end(b"\x30\x82\x01\x00", 0, 255)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("04", "should begin"),
        ("0405ab", "ends at 7, what surrounds it at 3"),
        ("0480", "indefinite"),
        ("0485", "5 octets"),
        ("0484ff", "cut off"),
        ("0281 01", "tag 04, not 02"),
    ],
)
def test_an_element_that_cannot_be_is_refused(data: str, complaint: str) -> None:
    raw = bytes.fromhex(data)
    with pytest.raises(MalformedError, match=complaint):
        ber.read_element(raw + (b"\x00" if "81" in data else b""), 0, len(raw) + ("81" in data), ber.OCTETS, "it")


@pytest.mark.parametrize("data", ["0200", "02050000000001"])
def test_numbers_have_one_to_four_octets(data: str) -> None:
    raw = bytes.fromhex(data)
    with pytest.raises(MalformedError, match="1 to 4 octets"):
        ber.read_integer(raw, 0, len(raw), "it")
