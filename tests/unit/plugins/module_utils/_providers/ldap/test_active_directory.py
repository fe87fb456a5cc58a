# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only Active Directory has: accounts with passwords, bits, policies, tombstones, security identifiers."""

from __future__ import annotations

from collections.abc import Iterator

import ldap3
import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import (
    Directory,
    PasswordPolicy,
    Query,
    WriteTarget,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, Outcome, ValueChanges
from servers.directories import OpenLdap, SambaAd
from servers.ldap_box import PERSON, USER, DirectoryBox

GOOD = "Wx7!kk-92=qqZ"


@pytest.fixture
def box(samba: SambaAd) -> DirectoryBox:
    return DirectoryBox(samba)


@pytest.fixture
def provider(box: DirectoryBox) -> Iterator[Directory]:
    opened = box.open()
    yield opened
    opened.close()


def create(provider: Directory, box: DirectoryBox, *names: str, **attributes: object) -> list[Outcome]:
    changes = [
        Change(
            number=number,
            object="people",
            action="create",
            key=(name,),
            target=f"CN={name},{box.base}",
            before={},
            after={"cn": name, "sAMAccountName": f"{name}{abs(hash(box.base)) % 10**8}", **attributes},  # type: ignore[dict-item]
        )
        for number, name in enumerate(names, 1)
    ]
    target = WriteTarget(container=box.base, key_fields=("cn",), fields=(), object_classes=USER)
    with provider.writer(target) as writer:
        return writer.apply(changes)


def can_log_on(box: DirectoryBox, name: str, password: str) -> bool:
    login = box.texts(f"CN={name},{box.base}", "sAMAccountName")[0]
    server = ldap3.Server(box.server.url, get_info=ldap3.NONE)
    return ldap3.Connection(server, f"{login}@ad.test", password).bind()


def test_an_account_with_a_password_is_enabled_and_its_owner_can_log_on(box: DirectoryBox, provider: Directory) -> None:
    assert [each.status for each in create(provider, box, "ann", unicodePwd=GOOD)] == ["done"]
    assert box.texts(f"CN=ann,{box.base}", "userAccountControl") == ["512"]
    assert can_log_on(box, "ann", GOOD)


def test_an_account_without_a_password_stays_disabled(box: DirectoryBox, provider: Directory) -> None:
    create(provider, box, "bob")
    assert box.texts(f"CN=bob,{box.base}", "userAccountControl") == ["514"]


def test_flags_and_the_next_logon_are_as_planned(box: DirectoryBox, provider: Directory) -> None:
    create(provider, box, "cid", unicodePwd=GOOD, enabled="false", password_never_expires="true")
    create(provider, box, "dan", unicodePwd=GOOD, pwdLastSet="0")
    create(provider, box, "eve", userAccountControl="66048", unicodePwd=GOOD)
    assert box.texts(f"CN=cid,{box.base}", "userAccountControl") == ["66050"]
    assert box.texts(f"CN=dan,{box.base}", "pwdLastSet") == ["0"]
    assert box.texts(f"CN=eve,{box.base}", "userAccountControl") == ["66048"]


def test_a_refused_password_leaves_no_half_made_account(box: DirectoryBox, provider: Directory) -> None:
    bad, good = create(provider, box, "fay", unicodePwd="short")[0], create(provider, box, "gus", unicodePwd=GOOD)[0]
    assert (bad.status, bad.code, good.status) == ("failed", "password", "done")
    assert "does not meet the domain's policy" in bad.message
    assert "short" not in bad.message
    assert box.read(f"CN=fay,{box.base}") is None


def test_a_login_name_that_is_taken_is_reported(box: DirectoryBox, provider: Directory) -> None:
    create(provider, box, "hal")
    login = box.texts(f"CN=hal,{box.base}", "sAMAccountName")[0]
    outcome = create(provider, box, "ida", sAMAccountName=login)[0]
    assert (outcome.status, outcome.code) == ("failed", "exists")
    assert login in outcome.message


def test_policy_of_the_domain(provider: Directory) -> None:
    assert provider.password_policy() == PasswordPolicy(min_length=7, complex=True)


def test_security_identifiers_are_text_and_can_be_written(box: DirectoryBox, provider: Directory) -> None:
    create(provider, box, "jim")
    place = f"CN=jim,{box.base}"
    with provider.read(Query(container=place), ("objectSid",)) as reading:
        ((sid,),) = [row for batch in reading.batches() for row in batch]
    assert str(sid).startswith("S-1-5-21-")
    update = Change(
        number=1,
        object="people",
        action="update",
        key=("jim",),
        target=place,
        anchor=box.anchor(place),
        before={"msExchMasterAccountSid": None},
        after={"msExchMasterAccountSid": sid},
    )
    target = WriteTarget(container=box.base, key_fields=("cn",), fields=(), object_classes=USER)
    with provider.writer(target) as writer:
        assert writer.apply([update])[0].status == "done"
    assert box.read(place, "msExchMasterAccountSid", "objectSid") is not None
    raw = box.read(place, "msExchMasterAccountSid", "objectSid")
    assert raw is not None
    assert raw["msExchMasterAccountSid"] == raw["objectSid"]


def test_a_group_gets_the_usual_type(box: DirectoryBox, provider: Directory) -> None:
    target = WriteTarget(container=box.base, key_fields=("cn",), fields=(), object_classes=("top", "group"))
    place = f"CN=team,{box.base}"
    change = Change(
        number=1,
        object="groups",
        action="create",
        key=("team",),
        target=place,
        before={},
        after={"cn": "team", "sAMAccountName": f"team{abs(hash(box.base)) % 10**8}"},
    )
    with provider.writer(target) as writer:
        assert writer.apply([change])[0].status == "done"
    assert box.texts(place, "groupType") == ["-2147483646"]


def test_one_joins_and_one_leaves_a_group_of_many(box: DirectoryBox, provider: Directory) -> None:
    people = [box.person(f"m{number}") for number in range(60)]
    group = box.add(
        f"CN=big,{box.base}", ("top", "group"), sAMAccountName=f"big{abs(hash(box.base)) % 10**8}", member=people[:50]
    )
    change = Change(
        number=1,
        object="groups",
        action="update",
        key=("big",),
        target=group,
        anchor=box.anchor(group),
        before={},
        after={"member": ValueChanges(added=(people[55],), removed=(people[0],))},
    )
    target = WriteTarget(container=box.base, key_fields=("cn",), fields=(), object_classes=("top", "group"))
    with provider.writer(target) as writer:
        assert writer.apply([change, change])[0].status == "done"
    assert box.texts(group, "member") == sorted([*people[1:50], people[55]])


def test_no_password_goes_over_an_open_line(openldap: OpenLdap, box: DirectoryBox) -> None:
    provider = box.open()
    session = provider._session  # type: ignore[attr-defined]
    assert session.encrypted
    session._bound.encrypted = False
    with pytest.raises(ConfigError, match="a password is written over an encrypted connection only"):
        create(provider, box, "kim", unicodePwd=GOOD)
    assert box.read(f"CN=kim,{box.base}") is None
    provider.close()


def test_a_plain_directory_hashes_passwords_itself(openldap: OpenLdap) -> None:
    box = DirectoryBox(openldap)
    provider = box.open()
    place = f"cn=Ann,{box.base}"
    change = Change(
        number=1,
        object="people",
        action="create",
        key=("Ann",),
        target=place,
        before={},
        after={"cn": "Ann", "sn": "A", "userPassword": GOOD, "enabled": "false"},
    )
    target = WriteTarget(container=box.base, key_fields=("cn",), fields=(), object_classes=PERSON)
    with provider.writer(target) as writer:
        assert writer.apply([change])[0].status == "done"
    stored = box.read(place, "userPassword", "pwdAccountLockedTime")
    assert stored is not None
    assert stored["userPassword"][0].startswith(b"{SSHA}")
    assert stored["pwdAccountLockedTime"] == [b"000001010000Z"]
    assert provider.password_policy() == PasswordPolicy()
    provider.close()
