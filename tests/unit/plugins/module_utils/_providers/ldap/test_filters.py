# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters: RFC 4515 in, RFC 4511 out, as ldap3 and pyasn1 read it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import filters
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.filters import escape_value, parse
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ldap_codec import decode_filter

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}(;[a-z][a-z0-9-]{0,5})?|[0-2](\.[0-9]{1,4}){1,4}", fullmatch=True)
RULES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}|[0-2](\.[0-9]{1,4}){1,4}", fullmatch=True).filter(
    lambda rule: rule.lower() != "dn"
)
SIGNS = {"equalityMatch": "=", "greaterOrEqual": ">=", "lessOrEqual": "<=", "approxMatch": "~="}


def pieces() -> st.SearchStrategy[list[tuple[str, bytes]]]:
    def join(initial: bytes, middle: list[bytes], final: bytes) -> list[tuple[str, bytes]]:
        found = [("initial", initial)] if initial else []
        return found + [("any", part) for part in middle] + ([("final", final)] if final else [])

    return st.builds(
        join, st.binary(max_size=5), st.lists(st.binary(min_size=1, max_size=5), max_size=3), st.binary(max_size=5)
    ).filter(bool)


def items() -> st.SearchStrategy[t.Any]:
    extensible = st.tuples(
        st.just("extensibleMatch"), st.none() | NAMES, st.none() | RULES, st.booleans(), st.binary(max_size=20)
    )
    return st.one_of(
        st.tuples(st.sampled_from(sorted(SIGNS)), NAMES, st.binary(max_size=150)),
        st.tuples(st.just("present"), NAMES),
        st.tuples(st.just("substringFilter"), NAMES, pieces()),
        extensible.filter(lambda tree: tree[1] is not None or tree[2] is not None),
    )


def trees() -> st.SearchStrategy[t.Any]:
    return st.recursive(
        items(),
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=4)),
            st.tuples(st.just("not"), inner),
        ),
        max_leaves=12,
    )


def write(tree: t.Any, space: str = "") -> str:
    """Give the text of a tree as RFC 4515 has it."""
    match tree:
        case ("and" | "or" as name, parts):
            inner = space.join(write(part, space) for part in parts)
            return f"({'&' if name == 'and' else '|'}{space}{inner}{space})"
        case ("not", part):
            return f"(!{space}{write(part, space)}{space})"
        case ("present", attribute):
            return f"({attribute}=*)"
        case ("substringFilter", attribute, parts):
            texts = [escape_value(value) for _kind, value in parts]
            first = "" if parts[0][0] == "initial" else "*"
            last = "" if parts[-1][0] == "final" else "*"
            return f"({attribute}={first}{'*'.join(texts)}{last})" if len(parts) > 1 or first or last else "(x=*)"
        case ("extensibleMatch", attribute, rule, dn, value):
            return f"({attribute or ''}{':dn' if dn else ''}{f':{rule}' if rule else ''}:={escape_value(value)})"
        case (name, attribute, value):
            return f"({attribute}{SIGNS[name]}{escape_value(value)})"
    raise AssertionError(tree)


@settings(max_examples=40)
@given(trees(), st.sampled_from(["", " ", "\n  "]))
def test_any_filter_is_read_as_it_was_meant(tree: t.Any, space: str) -> None:
    assert decode_filter(parse(write(tree, space))) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        # RFC 4515 section 4
        ("(cn=Babs Jensen)", ("equalityMatch", "cn", b"Babs Jensen")),
        ("(!(cn=Tim Howes))", ("not", ("equalityMatch", "cn", b"Tim Howes"))),
        (
            "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
            (
                "and",
                [
                    ("equalityMatch", "objectClass", b"Person"),
                    ("or", [("equalityMatch", "sn", b"Jensen"), ("substringFilter", "cn", [("initial", b"Babs J")])]),
                ],
            ),
        ),
        ("(o=univ*of*mich*)", ("substringFilter", "o", [("initial", b"univ"), ("any", b"of"), ("any", b"mich")])),
        ("(seeAlso=)", ("equalityMatch", "seeAlso", b"")),
        (
            "(cn:caseExactMatch:=Fred Flintstone)",
            ("extensibleMatch", "cn", "caseExactMatch", False, b"Fred Flintstone"),
        ),
        ("(cn:=Betty Rubble)", ("extensibleMatch", "cn", None, False, b"Betty Rubble")),
        ("(sn:dn:2.4.6.8.10:=Barney Rubble)", ("extensibleMatch", "sn", "2.4.6.8.10", True, b"Barney Rubble")),
        ("(o:dn:=Ace Industry)", ("extensibleMatch", "o", None, True, b"Ace Industry")),
        ("(:1.2.3:=Wilma Flintstone)", ("extensibleMatch", None, "1.2.3", False, b"Wilma Flintstone")),
        ("(:DN:2.4.6.8.10:=Dino)", ("extensibleMatch", None, "2.4.6.8.10", True, b"Dino")),
        (
            r"(o=Parens R Us \28for all your parenthetical needs\29)",
            ("equalityMatch", "o", b"Parens R Us (for all your parenthetical needs)"),
        ),
        (r"(cn=*\2A*)", ("substringFilter", "cn", [("any", b"*")])),
        (r"(filename=C:\5cMyFile)", ("equalityMatch", "filename", rb"C:\MyFile")),
        (r"(bin=\00\00\00\04)", ("equalityMatch", "bin", b"\0\0\0\4")),
        (r"(sn=Lu\c4\8di\c4\87)", ("equalityMatch", "sn", "Lučić".encode())),
        ("(1.3.6.1.4.1.1466.0=\\04\\02\\48\\69)", ("equalityMatch", "1.3.6.1.4.1.1466.0", b"\4\2Hi")),
        # MS-ADTS: rules by their number
        (
            "(userAccountControl:1.2.840.113556.1.4.803:=2)",
            ("extensibleMatch", "userAccountControl", "1.2.840.113556.1.4.803", False, b"2"),
        ),
        ("(sn=Müller)", ("equalityMatch", "sn", "Müller".encode())),
        (" ( & (a=1) \n (b=2) ) ", ("and", [("equalityMatch", "a", b"1"), ("equalityMatch", "b", b"2")])),
        ("(cn=*)", ("present", "cn")),
        ("(cn=*x)", ("substringFilter", "cn", [("final", b"x")])),
    ],
)
def test_examples_of_the_standards(text: str, tree: t.Any) -> None:
    assert decode_filter(parse(text)) == tree


def test_true_and_false_of_rfc_4526() -> None:
    assert parse("(&)") == filters.all_of([]) == b"\xa0\x00"
    assert parse("(|)") == filters.any_of([]) == b"\xa1\x00"


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 1, r"'\('"),
        ("cn=x", 1, r"got 'c', expected '\('"),
        ("(cn=x", 6, r"got the end, expected '\)'"),
        ("(cn=x))", 7, "expected the end"),
        ("(a=1)(b=2)", 6, "to combine filters"),
        ("(cn=a(b)", 6, r"write \( as \\28"),
        ("(!(a=1)(b=2))", 8, r"'\)'"),
        ("()", 2, "an attribute name"),
        ("(=x)", 2, "an attribute name"),
        ("(cn)", 4, "'=', '>='"),
        ("(cn =x)", 4, "'=', '>='"),
        ("(cn=a**b)", 7, "between two asterisks"),
        ("(cn=**)", 6, "between two asterisks"),
        ("(cn>=a*)", 7, r"'\)'"),
        (r"(cn=\zz)", 6, "two hexadecimal digits"),
        (r"(cn=a\2)", 7, "two hexadecimal digits"),
        ("(cn=a\0b)", 6, r"'\)'"),
        ("(cn:=a*b)", 7, r"'\)'"),
        ("(cn:dn=x)", 7, "':='"),
        ("(:=x)", 2, "a matching rule, for no attribute"),
        ("(:dn:=x)", 5, "a matching rule, for no attribute"),
        ("(cn:!:=x)", 5, "a matching rule or '='"),
        ("(&(a=1)x)", 8, r"'\)'"),
        ("(cn=\udcff)", 5, "valid Unicode"),
        ("(cn<x)", 4, "'=', '>='"),
    ],
)
def test_a_wrong_filter_is_named_with_the_position(text: str, position: int, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        parse(text)
    assert f"the filter {text!r} is not valid at position {position}: got " in str(caught.value)


def test_deep_filters_are_refused_and_not_a_recursion_error() -> None:
    deep = "(!" * filters.MAX_DEPTH + "(a=1)" + ")" * filters.MAX_DEPTH
    assert parse(deep)
    with pytest.raises(ConfigError, match="at most 100 levels"):
        parse("(!" * 100_000 + "(a=1)" + ")" * 100_000)


@given(st.text(max_size=40) | st.text(alphabet="()&|!=*:<>~\\ab1.; ", max_size=40))
def test_any_text_is_a_filter_or_a_config_error(text: str) -> None:
    try:
        encoded = parse(text)
    except ConfigError:
        return
    decode_filter(encoded)


@settings(max_examples=40)
@given(NAMES, st.binary(max_size=300))
def test_filters_of_bytes_are_those_of_escaped_text(attribute: str, value: bytes) -> None:
    shown = escape_value(value)
    assert filters.equals(attribute, value) == parse(f"({attribute}={shown})")
    assert filters.at_least(attribute, value) == parse(f"({attribute}>={shown})")
    assert filters.at_most(attribute, value) == parse(f"({attribute}<={shown})")
    assert filters.present(attribute) == parse(f"({attribute}=*)")
    both = [filters.equals(attribute, value), filters.negate(filters.present(attribute))]
    assert filters.all_of(both) == parse(f"(&({attribute}={shown})(!({attribute}=*)))")
    assert filters.any_of(both) == parse(f"(|({attribute}={shown})(!({attribute}=*)))")


@given(st.text(max_size=50))
def test_escaped_text_is_the_value_again(value: str) -> None:
    assert decode_filter(parse(f"(cn={escape_value(value)})")) == ("equalityMatch", "cn", value.encode())


def test_what_would_be_syntax_is_escaped() -> None:
    assert escape_value("Müller (*)\\\0") == r"Müller \28\2a\29\5c\00"
    assert escape_value(b"a\xff(*") == r"a\ff\28\2a"
