# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distinguished names: read, written, compared, and what lies below what."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.dn import (
    canonical_dn,
    escape_value,
    first_rdn,
    fold_dn,
    format_dn,
    is_within,
    join_dn,
    parent_dn,
    parse_dn,
)
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
TYPES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,5}", fullmatch=True)
RDNS = st.lists(st.tuples(TYPES, VALUES), min_size=1, max_size=2).map(tuple)
DNS = st.lists(RDNS, min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("  ", ""),
        ("cn=Ann Able,dc=x", "cn=Ann Able,dc=x"),
        (" CN = Ann Able , dc = x ", "CN=Ann Able,dc=x"),
        ("cn=a;dc=x", "cn=a,dc=x"),
        ("cn=a+uid=b,dc=x", "cn=a+uid=b,dc=x"),
        ('cn="Able, Ann",dc=x', r"cn=Able\, Ann,dc=x"),
        (r'cn="a\"b" ,dc=x', r"cn=a\"b,dc=x"),
        (r"cn=Able\2c Ann", r"cn=Able\, Ann"),
        (r"cn=\20a\ ", r"cn=\ a\ "),
        (r"cn=\#1", r"cn=\#1"),
        ("cn=#04024869", "cn=Hi"),
        (r"cn=Lu\C4\8Di\C4\87", "cn=Lučić"),
        (r"cn=a\00b", r"cn=a\00b"),
        ("1.3.6.1=x", "1.3.6.1=x"),
    ],
)
def test_every_spelling_has_a_canonical_one(text: str, canonical: str) -> None:
    assert canonical_dn(text) == canonical
    assert canonical_dn(canonical) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("people", "at character 7 expected '=', got the end"),
        ("=x", "at character 1 expected an attribute type such as cn, got '='"),
        ("cn=,dc=x", "expected a value for cn"),
        ("cn=a,", "expected an attribute type such as cn, got the end"),
        ("cn=a<b", "expected '<' as"),
        ('cn="a', "expected the closing quote"),
        ('cn="a"b', "expected ',' or '\\+', got 'b'"),
        ("cn=a\\", "expected a special character or two hexadecimal digits after the backslash"),
        (r"cn=a\x", "expected a special character or two hexadecimal digits"),
        ("cn=#zz", "expected the hexadecimal form of a short BER string"),
        ("cn=#0405", "expected the hexadecimal form of a short BER string"),
        (r"cn=\ff", "its escapes are not UTF-8"),
    ],
)
def test_says_where_a_text_is_no_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        canonical_dn(text)


@given(DNS)
def test_any_name_is_read_back_as_it_was_written(rdns: tuple[tuple[tuple[str, str], ...], ...]) -> None:
    text = format_dn(rdns)
    assert parse_dn(text) == rdns
    assert canonical_dn(text) == text


@given(VALUES, DNS)
def test_no_value_can_leave_its_place_in_a_name(value: str, rdns: tuple[tuple[tuple[str, str], ...], ...]) -> None:
    container = format_dn(rdns)
    place = join_dn("cn", value, container)
    assert parse_dn(place) == ((("cn", value),), *rdns)
    assert first_rdn(place) == (("cn", value),)
    assert parent_dn(place) == container
    assert is_within(place, container)
    assert not is_within(container, place)


@given(DNS)
def test_case_blanks_and_order_within_a_part_do_not_make_another_entry(
    rdns: tuple[tuple[tuple[str, str], ...], ...],
) -> None:
    turned = tuple(tuple(reversed(rdn)) for rdn in rdns)
    assert fold_dn(format_dn(turned)) == fold_dn(format_dn(rdns))
    assert fold_dn(fold_dn(format_dn(rdns))) == fold_dn(format_dn(rdns))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("OU=People,DC=x", "ou=people, dc=X", True),
        ("cn=Ann  Able,dc=x", "cn=ann able,dc=x", True),
        (r"cn=Able\, Ann,dc=x", r"CN=able\2C ann,DC=x", True),
        ("cn=a+uid=b,dc=x", "UID=B+CN=A,dc=x", True),
        ("cn=a,dc=x", "cn=a,dc=y", False),
        ("no name", "No Name", True),
    ],
)
def test_two_spellings_of_one_entry_fold_to_one(one: str, other: str, same: bool) -> None:
    assert (fold_dn(one) == fold_dn(other)) is same


@pytest.mark.parametrize(
    ("text", "container", "within"),
    [
        ("cn=a,OU=People,dc=x", "ou=people,dc=x", True),
        ("ou=people,dc=x", "ou=people,dc=x", True),
        ("cn=a,dc=x", "", True),
        ("ou=mypeople,dc=x", "ou=people,dc=x", False),
        (r"cn=a\,ou=people,dc=x", "ou=people,dc=x", False),
        ("dc=x", "ou=people,dc=x", False),
    ],
)
def test_knows_what_lies_below_what(text: str, container: str, within: bool) -> None:
    assert is_within(text, container) is within


def test_the_top_has_no_container_and_no_part() -> None:
    assert parent_dn("dc=x") == ""
    assert parent_dn(r"cn=a\,b,dc=x") == "dc=x"
    assert join_dn("dc", "x", "") == "dc=x"
    with pytest.raises(ValueError, match="the empty DN has no RDN"):
        first_rdn("")


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("R&D, Berlin", r"R&D\, Berlin"),
        (" a ", r"\ a\ "),
        (" ", r"\ "),
        ("#1", r"\#1"),
        ('a"+,;<>\\=', r"a\"\+\,\;\<\>\\\="),
        ("a\0", r"a\00"),
    ],
)
def test_escapes_what_is_special(value: str, escaped: str) -> None:
    assert escape_value(value) == escaped
