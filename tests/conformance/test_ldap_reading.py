# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading real directories: what servers call things by other names, and what must not be taken for nothing."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Directory, PasswordPolicy, Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import ContainerInfo
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Key, Row
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from servers.directories import OpenLdap, SambaAd
from servers.ldap_box import PERSON, USER, DirectoryBox

Open: t.TypeAlias = Callable[..., Directory]


@pytest.fixture(params=["openldap", "samba"])
def box(request: pytest.FixtureRequest) -> DirectoryBox:
    return DirectoryBox(request.getfixturevalue(request.param))


@pytest.fixture
def plain_box(openldap: OpenLdap) -> DirectoryBox:
    return DirectoryBox(openldap)


@pytest.fixture
def windows_box(samba: SambaAd) -> DirectoryBox:
    return DirectoryBox(samba)


@pytest.fixture
def open_provider() -> Iterator[Open]:
    opened: list[Directory] = []

    def open_one(box: DirectoryBox, **options: t.Any) -> Directory:
        opened.append(box.open(**options))
        return opened[-1]

    yield open_one
    for provider in opened:
        provider.close()


def rows(provider: Directory, query: Query, *fields: str) -> list[Row]:
    with provider.read(query, fields) as reading:
        found = [row for batch in reading.batches() for row in batch]
        assert reading.completeness.proven, reading.completeness.reason
    return found


def by_keys(provider: Directory, query: Query, field: str, *keys: str) -> list[str]:
    wanted: list[Key] = [(key,) for key in keys]
    with provider.read_keys(query, ("cn",), (field,), wanted) as reading:
        found = sorted(str(row[0]) for batch in reading.batches() for row in batch)
        assert reading.completeness.proven, reading.completeness.reason
    return found


def people(box: DirectoryBox, **more: t.Any) -> Query:
    return Query(container=box.base, object_classes=USER if box.is_ad else PERSON, **more)


def certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ann")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = builder.serial_number(1).not_valid_before(start).not_valid_after(start + dt.timedelta(days=36500))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_field_called_by_an_alias_is_not_empty(plain_box: DirectoryBox, open_provider: Open) -> None:
    plain_box.person("Ann", mail="ann@x.test", **{"cn;lang-de": "Anne"})
    names = ("surname", "commonName", "rfc822Mailbox", "SN", "sn", "cn;lang-DE", "CN;Lang-De")
    found = rows(open_provider(plain_box), people(plain_box), *names)
    assert found == [("Ann", "Ann", "ann@x.test", "Ann", "Ann", "Anne", "Anne")]


def test_keys_are_found_by_an_alias(plain_box: DirectoryBox, open_provider: Open) -> None:
    plain_box.person("Ann")
    plain_box.person("Bob")
    assert by_keys(open_provider(plain_box), people(plain_box), "surname", "bob", "nobody") == ["Bob"]


def test_a_certificate_is_not_empty(box: DirectoryBox, open_provider: Open) -> None:
    data = certificate()
    box.person("Ann", **{"userCertificate" if box.is_ad else "userCertificate;binary": data})
    names = ("userCertificate", "USERCERTIFICATE;bytes")
    assert rows(open_provider(box), people(box), *names) == [(data, data)]


def test_one_attribute_may_be_asked_for_in_several_spellings(box: DirectoryBox, open_provider: Open) -> None:
    place = box.person("Ann")
    names = ("cn", "CN", "cn;bytes", "dn", "DN")
    assert rows(open_provider(box), people(box), *names) == [("Ann", "Ann", b"Ann", place, place)]


def test_what_cannot_be_compared_is_not_absent(plain_box: DirectoryBox, open_provider: Open) -> None:
    # jpegPhoto has no equality rule: a filter on it is undefined, and finds nothing.
    plain_box.person("Ann", jpegPhoto=b"photo")
    assert by_keys(open_provider(plain_box), people(plain_box), "jpegPhoto", "photo") == ["Ann"]


def test_entries_are_found_by_any_anchor(box: DirectoryBox, open_provider: Open) -> None:
    places = {f"p{number:02}": box.person(f"p{number:02}") for number in range(60)}
    anchors = [box.anchor(place) for place in places.values()]
    provider = open_provider(box)
    anchor = provider.describe_container(people(box)).anchor
    assert anchor is not None
    assert by_keys(provider, people(box), anchor, *anchors) == sorted(places)


def test_newer_entries_are_those_that_are_not_older_and_those_that_do_not_say(
    plain_box: DirectoryBox, open_provider: Open
) -> None:
    unit = plain_box.unit("accounts")
    classes = (*PERSON, "posixAccount")
    for name, number in (("Old", "9"), ("Same", "10"), ("New", "11")):
        parts = {"sn": name, "uid": name, "gidNumber": "1", "homeDirectory": "/", "uidNumber": number}
        plain_box.add(f"cn={name},{unit}", classes, employeeNumber=number, **parts)
    plain_box.person("Silent", unit)
    provider = open_provider(plain_box)

    def newer(field: str, mark: str) -> list[str]:
        return sorted(str(row[0]) for row in rows(provider, people(plain_box, newer_than=(field, mark)), "cn"))

    assert newer("uidNumber", "10") == ["New", "Same", "Silent"]
    everybody = ["New", "Old", "Same", "Silent"]
    assert newer("employeeNumber", "10") == everybody  # a text: as such 9 comes after 10
    assert newer("modifyTimestamp", "2001-01-01T00:00:00+00:00") == everybody
    assert newer("modifyTimestamp", "77") == everybody  # a mark that was made when the field was another one


@pytest.mark.parametrize("value", ["a*b", "(x)", "back\\slash", "\\5c", "ß漢", "a)(cn=*", "trailing\\"])
def test_keys_are_never_filter_syntax(box: DirectoryBox, open_provider: Open, value: str) -> None:
    box.person("Ann", description=value)
    box.person("Bob", description="other")
    provider = open_provider(box)
    assert by_keys(provider, people(box), "description", value) == ["Ann"]
    assert rows(provider, people(box, filter="(cn=Ann)"), "description") == [(value,)]


def test_a_type_s_filter_narrows_its_class(box: DirectoryBox, open_provider: Open) -> None:
    box.person("Ann", description="yes")
    box.person("Bob")
    box.unit("described")
    box.modify(f"ou=described,{box.base}", description="yes")
    assert rows(open_provider(box), people(box, class_filter="(description=yes)"), "cn") == [("Ann",)]


def test_a_base_that_is_not_there_is_named_with_what_is(box: DirectoryBox, open_provider: Open) -> None:
    provider = open_provider(box, base_dn="dc=no,dc=such")
    with pytest.raises(ConfigError) as caught:
        provider.describe_container(Query())
    for part in ("there is no entry 'dc=no,dc=such', the base", box.server.base, "Correct `base_dn`"):
        assert part in str(caught.value)


# -- Active Directory -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["AD\\Administrator", "CN=Administrator,CN=Users,DC=ad,DC=test"])
def test_ways_to_log_in(windows_box: DirectoryBox, open_provider: Open, login: str) -> None:
    assert f"bound as {login}" in open_provider(windows_box, username=login).check().details


def test_a_reading_of_the_whole_domain_is_proven(windows_box: DirectoryBox, open_provider: Open) -> None:
    # The server refers to its configuration, which is another naming context and no part of the domain.
    assert ("Administrator",) in rows(open_provider(windows_box), Query(), "cn")


def test_the_policy_is_the_domain_s_wherever_the_base_is(windows_box: DirectoryBox, open_provider: Open) -> None:
    provider = open_provider(windows_box, base_dn=windows_box.base)
    assert provider.password_policy() == PasswordPolicy(min_length=7, complex=True)


def traits(info: ContainerInfo, name: str) -> tuple[str, bool, int | None]:
    found = info.field(name)
    assert found is not None, name
    return found.kind, found.writable, found.max_length


def test_what_only_the_schema_s_own_entries_say(windows_box: DirectoryBox, open_provider: Open) -> None:
    provider = open_provider(windows_box)
    info = provider.describe_container(people(windows_box))
    assert {name: traits(info, name) for name in ("sIDHistory", "mS-DS-CreatorSID", "msExchMasterAccountSid")} == {
        "sIDHistory": ("sid", True, None),
        "mS-DS-CreatorSID": ("sid", False, None),
        "msExchMasterAccountSid": ("sid", True, None),
    }
    for name in ("memberOf", "directReports", "msSFU30PosixMemberOf", "tokenGroups", "canonicalName", "objectGUID"):
        assert not traits(info, name)[1], name
    assert traits(info, "employeeID") == ("text", True, 16)
    assert traits(info, "sAMAccountName") == ("text", True, 20)
    groups = provider.describe_container(Query(object_classes=("top", "group")))
    assert traits(groups, "sAMAccountName") == ("text", True, 256)
    administrator = Query(container=f"CN=Administrator,CN=Users,{windows_box.server.base}", subtree=False)
    assert rows(provider, administrator, "cn") == []


def test_memberships_are_those_below_the_base_and_come_without_the_groups_members(
    windows_box: DirectoryBox, open_provider: Open
) -> None:
    members = [windows_box.person(f"m{number}") for number in range(3)]
    inside, outside = windows_box.unit("in"), windows_box.unit("out")
    groups = [
        windows_box.add(
            f"CN=G,{unit}", ("top", "group"), sAMAccountName=f"g{unit[3:5]}{windows_box.base[3:13]}", member=who
        )
        for unit, who in ((inside, members[:2]), (outside, members))
    ]
    found = open_provider(windows_box).memberships([*members, f"CN=gone,{windows_box.base}"])
    assert {place: sorted(each.group for each in each_of) for place, each_of in found.items()} == {
        members[0]: sorted(groups),
        members[1]: sorted(groups),
        members[2]: [groups[1]],
        f"CN=gone,{windows_box.base}": [],
    }
    assert {each.anchor for each in found[members[0]]} == {windows_box.anchor(group) for group in groups}
    assert {each.field for each in found[members[0]]} == {"member"}
    narrow = open_provider(windows_box, base_dn=inside).memberships(members)
    assert [[each.group for each in narrow[place]] for place in members] == [[groups[0]], [groups[0]], []]
