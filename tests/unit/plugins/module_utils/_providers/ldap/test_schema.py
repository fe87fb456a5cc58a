# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parser of schemas (RFC 4512 section 4.1), and what attribute types mean for fields."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.flavours import ACTIVE_DIRECTORY, LDAP
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.schema import (
    SID_SYNTAX,
    UTC_TIME,
    Detail,
    Schema,
    Traits,
    field_of,
    parse_schema,
    refine,
)

TEXT, DN, OCTETS = (f"1.3.6.1.4.1.1466.115.121.1.{number}" for number in (15, 12, 40))
NAME = (
    f"( 2.5.4.41 NAME 'name' DESC 'RFC4519: common supertype' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch"
    f" SYNTAX {TEXT}{{32768}} )"
)


def schema(*types: str, classes: tuple[str, ...] = ()) -> Schema:
    return parse_schema([NAME, *types], classes)


def kind_of(syntax: str) -> str:
    item = parse_schema([f"( 1.2.3 NAME 'x' SYNTAX {syntax} )"], []).attributes["x"]
    return field_of(item, Traits()).kind


def test_an_attribute_type_is_read_with_all_its_names() -> None:
    found = schema(
        "( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'with ( brackets $ and NAME words' SUP name X-ORIGIN ( 'a' 'b' ) )"
    )
    sn = found.attribute("SURNAME;lang-de")
    assert sn is found.attributes["sn"]
    assert sn is not None
    assert (sn.name, sn.names) == ("sn", ("sn", "surname"))
    assert (sn.syntax, sn.equality, sn.single, sn.writable) == (TEXT, "caseIgnoreMatch", False, True)


@pytest.mark.parametrize("superior", ["name", "NAME", "alias", "2.5.4.41"])
def test_what_is_inherited_is_found_by_any_name_of_the_superior(superior: str) -> None:
    types = [NAME.replace("NAME 'name'", "NAME ( 'name' 'alias' )"), f"( 2.5.4.3 NAME 'cn' SUP {superior} )"]
    cn = parse_schema(types, []).attributes["cn"]
    assert (cn.syntax, cn.equality) == (TEXT, "caseIgnoreMatch")


def test_a_circle_of_superiors_ends() -> None:
    found = parse_schema(["( 1.1 NAME 'a' SUP b )", "( 1.2 NAME 'b' SUP a )"], ["( 1.3 NAME 'c' SUP c MUST a )"])
    assert found.attributes["a"].syntax == ""
    assert [item.name for item in found.chain("C")] == ["c"]


def test_flags_and_usage() -> None:
    item = schema(
        f"( 1.2 NAME 'stamp' SYNTAX {TEXT} SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )"
    ).attributes["stamp"]
    assert (item.single, item.writable, item.operational) == (True, False, True)


def test_active_directory_writes_syntaxes_in_quotes() -> None:
    item = parse_schema([f"( 1.2.840.113556.1.2.102 NAME 'memberOf' SYNTAX '{DN}' NO-USER-MODIFICATION )"], [])
    assert field_of(item.attributes["memberof"], ACTIVE_DIRECTORY.traits).kind == "dn"


def test_classes_know_what_lies_above_them() -> None:
    found = schema(
        classes=(
            "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
            "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( description $ seeAlso ) )",
            "( 2.16.1 NAME 'inetOrgPerson' SUP person STRUCTURAL MAY mail )",
            "( 1.9 NAME 'extra' SUP top AUXILIARY MAY nothing )",
        )
    )
    assert [item.name for item in found.chain("INETORGPERSON")] == ["top", "person", "inetOrgPerson"]
    assert found.mandatory(["inetOrgPerson"]) == {"sn", "cn"}
    assert [found.classes[name].kind for name in ("top", "person", "extra")] == ["ABSTRACT", "STRUCTURAL", "AUXILIARY"]
    assert found.chain("unknown") == ()


@pytest.mark.parametrize(
    "text", ["", "(", "()", "( 1.2 )", "( 1.2 NAME )", "( 1.2 NAME ( ) )", "nonsense", "( 1.2 NAME 'x"]
)
def test_what_is_no_description_is_left_out(text: str) -> None:
    assert set(parse_schema([text, NAME], [text]).attributes) - {"x"} == {"name"}


@pytest.mark.parametrize(
    ("syntax", "kind"),
    [
        (TEXT, "text"),
        ("1.3.6.1.4.1.1466.115.121.1.7", "boolean"),
        ("1.3.6.1.4.1.1466.115.121.1.27", "integer"),
        ("1.3.6.1.4.1.1466.115.121.1.24", "datetime"),
        ("1.3.6.1.4.1.1466.115.121.1.53", "datetime"),
        (DN, "dn"),
        ("1.3.6.1.4.1.1466.115.121.1.34", "dn"),
        (OCTETS, "binary"),
        ("1.3.6.1.4.1.1466.115.121.1.28", "binary"),
        ("1.3.6.1.4.1.1466.115.121.1.8", "binary"),
        ("1.3.6.1.1.16.1", "uuid"),
        ("1.2.840.113556.1.4.906", "integer"),
        ("1.2.840.113556.1.4.907", "binary"),
        (SID_SYNTAX, "sid"),
        ("1.2.3.4.5", "text"),
    ],
)
def test_kinds_by_syntax(syntax: str, kind: str) -> None:
    assert kind_of(syntax) == kind


def test_utc_time_is_told_from_generalized_time() -> None:
    item = parse_schema([f"( 1.2 NAME 'meetingStartTime' SYNTAX '{TEXT.removesuffix('15')}53' )"], [])
    assert field_of(item.attributes["meetingstarttime"], ACTIVE_DIRECTORY.traits).type_name == UTC_TIME


def test_keys_are_compared_as_the_server_does() -> None:
    found = schema(
        "( 2.5.4.3 NAME 'cn' SUP name )",
        "( 1.1 NAME 'exact' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )",
    )
    assert not field_of(found.attributes["cn"], LDAP.traits).case_sensitive
    assert field_of(found.attributes["exact"], LDAP.traits).case_sensitive
    assert field_of(found.attributes["cn"], LDAP.traits).accent_sensitive
    everything = field_of(found.attributes["exact"], ACTIVE_DIRECTORY.traits)
    assert (everything.case_sensitive, everything.accent_sensitive) == (False, False)


def test_details_of_active_directory() -> None:
    found = parse_schema(
        [
            f"( 1.1 NAME 'msExchMasterAccountSid' SYNTAX '{OCTETS}' SINGLE-VALUE )",
            f"( 1.2 NAME 'someBL' SYNTAX '{DN}' )",
            f"( 1.3 NAME 'employeeID' SYNTAX '{TEXT}' SINGLE-VALUE )",
            "( 1.4 NAME 'number' SYNTAX '1.3.6.1.4.1.1466.115.121.1.27' SINGLE-VALUE )",
        ],
        [],
    )
    refine(
        found,
        [
            Detail(name="msExchMasterAccountSid", is_sid=True, max_length=28),
            Detail(name="someBL", is_made_up=True),
            Detail(name="employeeID", max_length=16),
            Detail(name="number", max_length=5),
            Detail(name="notThere", is_sid=True),
        ],
    )
    fields = {name: field_of(item, ACTIVE_DIRECTORY.traits) for name, item in found.attributes.items()}
    # The length of an identifier is that of its bytes, and a number's is its greatest value.
    assert (fields["msexchmasteraccountsid"].kind, fields["msexchmasteraccountsid"].max_length) == ("sid", None)
    assert not fields["somebl"].writable
    assert (fields["employeeid"].max_length, fields["employeeid"].writable) == (16, True)
    assert fields["number"].max_length is None
    assert "notthere" not in found.attributes


@pytest.mark.parametrize("name", ["userPassword", "UNICODEPWD", "dBCSPwd", "sambaNTPassword"])
def test_passwords_are_secret(name: str) -> None:
    item = parse_schema([f"( 1.1 NAME '{name}' SYNTAX {OCTETS} )"], []).attributes[name.casefold()]
    assert field_of(item, LDAP.traits).secret
