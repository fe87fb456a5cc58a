# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of directory objects: what a name stands for, and what a new object still lacks."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import (
    Endpoint,
    FieldSpec,
    ObjectSpec,
    ProviderType,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.object_types import (
    find_type,
    type_of,
    unmapped_mandatory,
)

AD_TYPES = ("user", "mail_user", "mailbox_user", "linked_mailbox", "contact", "mail_contact", "group")


def make(*fields: str, **options: t.Any) -> ObjectSpec:
    side = Endpoint(provider="p")
    mapped = tuple(FieldSpec(name=name, source=name) for name in fields)
    return ObjectSpec(name="o", source=side, destination=side, fields=mapped, **options)


@pytest.mark.parametrize("name", AD_TYPES)
def test_the_types_of_active_directory_know_their_classes_and_attributes(name: str) -> None:
    found = find_type("active_directory", name, "here")
    assert (found.object_classes[0], found.rdn) == ("top", "cn")
    assert "cn" in unmapped_mandatory(make(), found)


def test_an_unknown_type_of_active_directory_is_refused_by_name() -> None:
    with pytest.raises(
        ConfigError, match=r"^here: there is no object type of Active Directory 'usr'. Did you mean 'user'"
    ):
        find_type("active_directory", "usr", "here")
    with pytest.raises(ConfigError, match=r"^job 'j', object 'o', type: there is no object type"):
        type_of(make(type="inetOrgPerson"), "active_directory", "job 'j', object 'o'")
    with pytest.raises(ConfigError, match=r"^object 'o', type: "):
        type_of(make(type="inetOrgPerson"), "active_directory")


def test_any_class_is_a_type_of_a_plain_directory() -> None:
    assert find_type("ldap", "INETORGPERSON", "here").object_classes[-1] == "inetOrgPerson"
    printer = find_type("ldap", "ippPrinter", "here")
    assert (printer.object_classes, printer.rdn, printer.mandatory) == (("ippPrinter",), "cn", ())


@pytest.mark.parametrize(
    ("type_name", "structural"), [("ldap", "inetOrgPerson"), ("active_directory", "user"), ("sql", None), ("csv", None)]
)
def test_a_row_is_the_default_type_of_a_directory_and_has_none_elsewhere(
    type_name: ProviderType, structural: str | None
) -> None:
    found = type_of(make(), type_name)
    assert (None if found is None else found.object_classes[-1]) == structural


def test_what_the_object_says_of_itself_wins() -> None:
    found = type_of(make(type="inetOrgPerson", object_classes=("top", "person", "employee"), rdn="uid"), "ldap")
    assert found is not None
    assert (found.object_classes, found.rdn) == (("top", "person", "employee"), "uid")
    assert unmapped_mandatory(make("CN", "sn"), found) == ("uid",)


@pytest.mark.parametrize(
    ("type_name", "spec", "missing"),
    [
        ("active_directory", make("cn", "sAMAccountName", type="user"), ()),
        ("active_directory", make("cn", "samaccountname", type="group"), ()),
        (
            "active_directory",
            make("cn", type="linked_mailbox"),
            ("sAMAccountName", "mailNickname", "homeMDB", "msExchMasterAccountSid"),
        ),
        ("ldap", make(type="inetOrgPerson"), ("cn", "sn")),
        ("ldap", make("cn", type="group"), ("member",)),
        ("ldap", make("ou", type="organizationalUnit"), ()),
        ("ldap", make("cn", type="ippPrinter"), ()),
        ("ldap", make(type="ippPrinter", rdn="printer-name"), ("printer-name",)),
    ],
)  # fmt: skip
def test_lists_what_no_field_gives(type_name: ProviderType, spec: ObjectSpec, missing: tuple[str, ...]) -> None:
    found = type_of(spec, type_name)
    assert found is not None
    assert unmapped_mandatory(spec, found) == missing
