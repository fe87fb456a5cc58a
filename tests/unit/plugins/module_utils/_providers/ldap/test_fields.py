# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields by their names, and rows of them."""

from __future__ import annotations

import typing as t
import uuid

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import ContainerInfo
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.fields import Fields, RowMaker
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.flavours import (
    ACTIVE_DIRECTORY,
    LDAP,
    Flavour,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.schema import parse_schema

L = "1.3.6.1.4.1.1466.115.121.1."
TYPES = (
    f"( 2.5.4.3 NAME ( 'cn' 'commonName' ) EQUALITY caseIgnoreMatch SYNTAX {L}15 )",
    f"( 2.5.4.4 NAME ( 'sn' 'surname' ) EQUALITY caseIgnoreMatch SYNTAX {L}15 )",
    f"( 2.5.4.36 NAME 'userCertificate' EQUALITY certificateExactMatch SYNTAX {L}8 )",
    f"( 0.9.1 NAME ( 'mail' 'rfc822Mailbox' ) EQUALITY caseIgnoreIA5Match SYNTAX {L}26 )",
    f"( 1.2.1 NAME 'proxyAddresses' SYNTAX {L}15 )",
    f"( 0.9.2 NAME 'jpegPhoto' SYNTAX {L}28 )",
    "( 1.3.6.1.1.16.4 NAME 'entryUUID' EQUALITY UUIDMatch SYNTAX 1.3.6.1.1.16.1 SINGLE-VALUE NO-USER-MODIFICATION )",
    f"( 1.2.2 NAME 'objectGUID' SYNTAX {L}40 SINGLE-VALUE NO-USER-MODIFICATION )",
    f"( 1.2.3 NAME 'sAMAccountName' SYNTAX {L}15 SINGLE-VALUE )",
    f"( 1.2.4 NAME 'userAccountControl' SYNTAX {L}27 SINGLE-VALUE )",
    f"( 1.2.5 NAME 'pwdAccountLockedTime' EQUALITY generalizedTimeMatch SYNTAX {L}24 SINGLE-VALUE )",
    f"( 1.2.6 NAME 'whenever' EQUALITY generalizedTimeMatch SYNTAX {L}24 SINGLE-VALUE )",
    (
        f"( 1.2.8 NAME 'changed' EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX {L}24 "
        "SINGLE-VALUE NO-USER-MODIFICATION )"
    ),
    "( 1.2.9 NAME 'renewed' SUP changed SINGLE-VALUE )",
    f"( 1.2.10 NAME 'text' EQUALITY caseIgnoreMatch ORDERING caseIgnoreOrderingMatch SYNTAX {L}15 SINGLE-VALUE )",
    f"( 1.2.11 NAME 'several' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX {L}27 )",
    f"( 1.2.12 NAME 'short' EQUALITY utcTimeMatch ORDERING utcTimeOrderingMatch SYNTAX {L}53 SINGLE-VALUE )",
    f"( 1.2.13 NAME 'whenChanged' SYNTAX {L}24 SINGLE-VALUE NO-USER-MODIFICATION )",
    f"( 1.2.14 NAME 'modifyTimeStamp' SYNTAX {L}24 SINGLE-VALUE NO-USER-MODIFICATION )",
    f"( 1.2.7 NAME 'memberOf' SYNTAX {L}12 NO-USER-MODIFICATION )",
)
CLASSES = ("( 2.5.6.6 NAME 'person' MUST ( sn $ cn ) MAY userCertificate )",)


def fields(flavour: Flavour = LDAP) -> Fields:
    return Fields(parse_schema(TYPES, CLASSES), flavour)


def make(names: tuple[str, ...], *raw: t.Any, flavour: Flavour = LDAP) -> list[Row]:
    return RowMaker(fields(flavour), names, "provider 'p'").rows(raw)


def test_an_attribute_is_asked_for_by_its_first_name_whatever_the_field_is_called() -> None:
    # A server gives `sn` to whoever asks for `surname`: read under that name it would be empty.
    maker = RowMaker(fields(), ("surname", "SN", "sn", "commonname;LANG-de", "cn;lang-DE"), "p")
    assert maker.attributes == ("sn", "cn;lang-de")
    assert maker.rows([(b"cn=x", (b"Smith",), (b"Schmidt",))]) == [("Smith", "Smith", "Smith", "Schmidt", "Schmidt")]


def test_options_are_asked_for_in_order() -> None:
    assert RowMaker(fields(), ("cn;x-b;lang-a", "cn;lang-a;X-B"), "p").attributes == ("cn;lang-a;x-b",)


def test_a_certificate_is_found_with_and_without_the_option_binary() -> None:
    maker = RowMaker(fields(), ("userCertificate", "usercertificate;BINARY"), "p")
    assert maker.attributes == ("userCertificate", "userCertificate;binary")
    assert maker.rows([(b"cn=x", (), (b"DER",))]) == [(b"DER", b"DER")]
    assert maker.rows([(b"cn=x", (b"DER",), ())]) == [(b"DER", None)]
    assert RowMaker(fields(ACTIVE_DIRECTORY), ("userCertificate",), "p").attributes == ("userCertificate",)


def test_names_and_values() -> None:
    guid = uuid.uuid4()
    names = ("dn", "container", "objectGUID", "objectGUID;bytes", "enabled", "mail", "jpegPhoto")
    raw = (b"CN=a\\2Cb, DC = x", (guid.bytes_le,), (b"514",), (b"b@x", b"a@x", b"b@x"), (b"\0\1",))
    assert make(names, raw, flavour=ACTIVE_DIRECTORY) == [
        ("CN=a\\,b,DC=x", "DC=x", str(guid), guid.bytes_le, "false", ("a@x", "b@x"), b"\0\1")
    ]
    assert make(("cn", "dn"), (b"dc=x", (b"",))) == [(None, "dc=x")]
    assert make(("container",), (b"dc=x",)) == [(None,)]
    assert make((), (b"dc=x",), (b"dc=y",)) == [(), ()]
    assert make(("cn",)) == []


def test_the_entry_and_attribute_at_fault_are_named() -> None:
    good, bad = (b"cn=good", (b"20260101000000Z",)), (b"cn=bad\xff", (b"soon",))
    with pytest.raises(ProviderError, match="read the attribute as bytes by the name 'whenever;bytes'") as caught:
        make(("whenever",), good, bad)
    assert "provider 'p', entry 'cn=bad\\\\xff', attribute 'whenever': 'soon' is no generalized time" in str(
        caught.value
    )
    assert not caught.value.retriable
    assert make(("whenever;bytes",), bad) == [(b"soon",)]
    with pytest.raises(ProviderError, match=r"attribute 'dn': 'utf-8' codec .*Correct the entry\.$"):
        make(("dn",), good, bad)


def test_an_account_that_is_locked_for_good_can_be_read() -> None:
    locked = (b"cn=x", (b"000001010000Z",))
    assert make(("pwdAccountLockedTime", "enabled"), locked) == [("000001010000Z", "false")]
    assert make(("enabled",), (b"cn=x", ())) == [("true",)]


def test_raw_bytes_are_a_binary_field_that_is_only_read() -> None:
    container = ContainerInfo(name="x", kind="container", fields=fields().infos(), folds_names=True)
    for found in (container.field("CN;Bytes"), fields().info("CN;Bytes")):
        assert found is not None
        assert (found.name, found.kind, found.writable, found.multi_valued) == ("CN;Bytes", "binary", False, True)


def test_a_login_name_is_limited_for_people_only() -> None:
    def login(*classes: str) -> tuple[int | None, bool]:
        found = {info.name: info for info in fields(ACTIVE_DIRECTORY).infos(classes)}["sAMAccountName"]
        return found.max_length, "@" in found.forbidden

    assert login("top", "person", "organizationalPerson", "User") == (20, True)
    assert login("top", "group") == (None, False)
    assert login() == (None, False)


def test_fields_clash_with_those_that_the_directory_has() -> None:
    found = {info.name: info for info in fields().infos()}
    assert found["mail"].unique_with == ("proxyAddresses",)
    assert found["rfc822Mailbox"].unique_with == ("proxyAddresses",)
    assert found["proxyAddresses"].unique_with == ("mail",)
    assert found["cn"].unique_with == ()


def test_what_must_be_there_is_told_once() -> None:
    found = {info.name: info.nullable for info in fields().infos(("person",))}
    assert {name: found[name] for name in ("sn", "surname", "cn", "mail")} == {
        "sn": False,
        "surname": True,
        "cn": False,
        "mail": True,
    }


def test_what_a_server_can_compare() -> None:
    plain, windows = fields(), fields(ACTIVE_DIRECTORY)
    names = ("cn", "surname", "entryUUID", "jpegPhoto", "cn;bytes", "dn", "container", "enabled", "nothing")
    assert [name for name in names if plain.is_comparable(name)] == ["cn", "surname", "entryUUID"]
    names = ("cn", "objectGUID", "memberOf", "enabled", "dn")
    assert [name for name in names if windows.is_comparable(name)] == ["cn", "objectGUID"]


def test_what_a_server_can_order_as_times_and_numbers_are() -> None:
    # Of an attribute without the rule a server finds nothing; text in an order of its own finds the wrong ones.
    plain, windows = fields(), fields(ACTIVE_DIRECTORY)
    names = ("changed", "renewed", "whenever", "text", "several", "short", "changed;bytes", "dn", "enabled", "nothing")
    assert [name for name in names if plain.is_ordered(name)] == ["changed", "renewed"]
    names = ("whenChanged", "modifyTimeStamp", "whenever", "sAMAccountName", "enabled")
    assert [name for name in names if windows.is_ordered(name)] == ["whenChanged", "whenever"]


@pytest.mark.parametrize("name", ["nothing", "dn;bytes", "enabled;bytes", "nothing;bytes"])
def test_an_unknown_field_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"provider 'p': there is no field '{name}'") as caught:
        make((name,))
    assert str(caught.value).count("'cn'") == 1
    if name == "nothing":
        with pytest.raises(ConfigError, match="this directory: there is no field"):
            fields().encode(name)
