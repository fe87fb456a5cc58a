# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories from playbooks, on real servers: what people come for, each case as its guide tells it."""

from __future__ import annotations

import sqlite3
import typing as t
from collections.abc import Callable
from contextlib import closing

import pytest
from integration.directory_cases import (
    HEADER,
    PLAYBOOKS,
    play_hr_to_ad,
    play_hr_to_ldap,
    play_ldap_to_tables,
    secret_options,
    write,
)
from integration.harness import Workplace, counts, job, run, task, wait_until
from servers.directories import OpenLdap, SambaAd
from servers.ldap_box import PERSON, DirectoryBox

STAFF = [
    (100, "Ada", "Kingsley", "AKING", "1.515.555.0100", "2013-06-17", "PRES", "", "", "", 90),
    (101, "Björn", "Åberg", "BABERG", "1.515.555.0101", "2015-09-21", "VP", "", "", 100, 90),
    (102, "Chloé", "Dupont, Jr.", "CDUPONT", "1.515.555.0102", "2015-09-21", "VP", "", "", 101, 60),
    (103, "Dan", "O'Hara", "DOHARA", "", "2016-01-03", "DEV", "", "", 102, 60),
    (104, "Dan", "O'Hara", "DOHARA2", "", "2016-01-03", "DEV", "", "", 102, 60),
]
DEPARTMENTS = [(60, "IT"), (90, "Executive")]


def test_hr_files_become_people_and_groups_of_an_ldap_directory(place: Workplace, openldap: OpenLdap) -> None:
    write(place.folder / "employees.csv", HEADER, STAFF)
    write(place.folder / "departments.csv", ["department_id", "department_name"], DEPARTMENTS)
    box = play_hr_to_ldap(place, openldap, people=5, teams=2)
    people = f"ou=people,{box.base}"
    assert box.texts(f"cn=Björn Åberg,{people}", "manager") == [f"cn=Ada Kingsley,{people}"]
    assert box.texts(f"cn=Dan O'Hara 2,{people}", "uid") == ["dohara2"]
    assert len(box.texts(f"cn=IT,ou=teams,{box.base}", "member")) == 3


def test_hr_becomes_users_of_active_directory_who_move_leave_and_return(place: Workplace, samba: SambaAd) -> None:
    box = play_hr_to_ad(place, samba, STAFF)
    ada = f"CN=Ada Kingsley,OU=Dept 90,OU=Staff,{box.base}"
    dan = f"CN=Dan O'Hara 2,OU=Dept 60,OU=Staff,{box.base}"
    assert box.texts(ada, "userAccountControl") == ["512"]
    assert box.texts(dan, "userAccountControl") == ["512"]
    assert box.texts(dan, "description") == []
    assert box.texts(dan, "pwdLastSet") == ["0"]
    assert box.texts(dan, "manager") == [f"CN=Chloé Dupont\\, Jr.,OU=Dept 60,OU=Staff,{box.base}"]


def test_people_with_photos_become_a_table_and_a_sheet_and_come_back(place: Workplace, openldap: OpenLdap) -> None:
    box = DirectoryBox(openldap)
    photo = bytes(range(256)) * 40
    box.person("Ada", uid="ada", mail=["ada@x.test", "a@x.test"], employeeType=["Boss", "Pilot"], jpegPhoto=photo)
    box.person("Bob", uid="bob", jpegPhoto=photo[::-1], description='a "quoted", line')
    place_of_amy = f"cn=Amy+sn=Wong,{box.base}"
    box.add(place_of_amy, ("top", "person", "organizationalPerson", "inetOrgPerson"), uid="amy", cn="Amy", sn="Wong")
    play_ldap_to_tables(place, box, 3)
    with closing(sqlite3.connect(place.folder / "crew.db")) as connection:
        row = connection.execute("SELECT mail, employeeType, jpegPhoto FROM crew WHERE uid = 'ada'").fetchone()
    assert row == ("a@x.test;ada@x.test", "Boss;Pilot", photo)


def test_one_ldap_directory_follows_another(
    place: Workplace, openldap: OpenLdap, start_openldap: Callable[..., OpenLdap]
) -> None:
    a, b = DirectoryBox(openldap), DirectoryBox(start_openldap({"SLAPD_SUFFIX": "dc=branch,dc=test"}))
    for box in (a, b):
        for unit in ("people", "groups"):
            box.unit(unit)
    people, groups = f"ou=people,{a.base}", f"ou=groups,{a.base}"
    for unit in ("IT", "Sales"):
        a.unit(unit, people)
    ada = a.add(f"uid=ada,ou=IT,{people}", PERSON, employeeNumber="1", cn="Ada Lee", sn="Lee", jpegPhoto=b"\xff\xd8")
    bob = a.add(f"uid=bob,ou=IT,{people}", PERSON, employeeNumber="2", cn="Bob Roy", sn="Roy", manager=ada)
    cid = a.add(f"uid=cid,ou=Sales,{people}", PERSON, employeeNumber="3", cn=["Cid", "Cyd"], sn="Fox", manager=ada)
    a.add(f"cn=R&D\\, all,{groups}", ("top", "groupOfNames"), member=[ada, bob, cid])
    a.add(f"cn=it,{groups}", ("top", "groupOfNames"), member=[ada, bob])
    there_people, there_groups = f"ou=people,{b.base}", f"ou=groups,{b.base}"

    def play(*expected: str) -> None:
        place.playbook(
            PLAYBOOKS / "ldap_to_ldap.yml",
            variables={
                "directory_a": secret_options(a, place, "PASSWORD_A"),
                "directory_b": secret_options(b, place, "PASSWORD_B"),
                "base_a": a.base,
                "base_b": b.base,
                "expected": sorted(expected),
            },
        )

    play(*["create_container"] * 2, *["create"] * 5, *["link"] * 2)
    there = f"uid=cid,ou=Sales,{there_people}"
    assert b.texts(there, "cn") == ["Cid", "Cyd"]
    assert b.texts(there, "manager") == [f"uid=ada,ou=IT,{there_people}"]
    everybody = f"cn=R&D\\, all,{there_groups}"
    assert b.texts(everybody, "member") == [
        f"uid=ada,ou=IT,{there_people}",
        f"uid=bob,ou=IT,{there_people}",
        f"uid=cid,ou=Sales,{there_people}",
    ]
    anchors = {uid: b.anchor(f"uid={uid},ou=IT,{there_people}") for uid in ("ada", "bob")}

    # At the source Ada gets another name, Bob another unit; Ada leads a new group.
    # OpenLDAP's refint overlay mends references after its answer, and misses an entry that moves meanwhile.
    mended = [f"uid=ada.king,ou=IT,{people}", f"uid=bob,ou=Sales,{people}"]
    a.move(ada, "uid=ada.king")
    for place_of in (bob, cid):
        wait_until(lambda dn=place_of: a.texts(dn, "manager") == mended[:1], "the source has mended its references")
    a.move(bob, "uid=bob", f"ou=Sales,{people}")
    a.add(f"cn=leads,{groups}", ("top", "groupOfNames"), member=f"uid=ada.king,ou=IT,{people}")
    wait_until(lambda: a.texts(f"cn=it,{groups}", "member") == mended, "the source has mended its references")
    play("rename", "move", "create")
    assert b.anchor(f"uid=ada.king,ou=IT,{there_people}") == anchors["ada"]
    assert b.anchor(f"uid=bob,ou=Sales,{there_people}") == anchors["bob"]
    assert b.texts(f"cn=it,{there_groups}", "member") == [
        f"uid=ada.king,ou=IT,{there_people}",
        f"uid=bob,ou=Sales,{there_people}",
    ]
    assert b.texts(f"cn=leads,{there_groups}", "member") == [f"uid=ada.king,ou=IT,{there_people}"]

    # At the destination somebody renames and moves Bob by hand, and gives Ada another number.
    b.move(f"uid=bob,ou=Sales,{there_people}", "uid=bobby", f"ou=IT,{there_people}")
    b.modify(f"uid=ada.king,ou=IT,{there_people}", employeeNumber="77")
    by_hand = f"uid=bobby,ou=IT,{there_people}"
    for group in (everybody, f"cn=it,{there_groups}"):
        wait_until(lambda group=group: by_hand in b.texts(group, "member"), "the destination has mended references")
    play("update", "rename", "move")
    assert b.anchor(f"uid=bob,ou=Sales,{there_people}") == anchors["bob"]
    assert b.anchor(f"uid=ada.king,ou=IT,{there_people}") == anchors["ada"]
    assert len(b.texts(everybody, "member")) == 3

    # Cid leaves, and a group is gone.
    a.delete(f"uid=cid,ou=Sales,{people}")
    a.delete(f"cn=it,{groups}")
    a.modify(f"cn=R&D\\, all,{groups}", member=[f"uid=ada.king,ou=IT,{people}", f"uid=bob,ou=Sales,{people}"])
    play("create_container", "disable", "move", "update", "delete")
    assert b.texts(f"uid=cid,ou=leavers,{b.base}", "employeeNumber") == ["3"]
    assert len(b.texts(everybody, "member")) == 2

    # Cid returns, as another entry with the same number.
    a.add(cid, PERSON, employeeNumber="3", cn=["Cid", "Cyd"], sn="Fox", manager=f"uid=ada.king,ou=IT,{people}")
    play("update", "move")
    assert b.texts(there, "description") == []
    assert len(b.texts(everybody, "member")) == 2, "in groups that follow the source nobody gets back what it took away"


def test_what_was_renamed_by_hand_in_another_forest_is_renamed_back(
    place: Workplace, samba: SambaAd, other_samba: SambaAd
) -> None:
    """Known by the source's objectGUID: nobody is deleted and made anew, so that rights and groups stay."""
    a, b = DirectoryBox(samba), DirectoryBox(other_samba)
    berlin, paris = (a.unit(unit) for unit in ("Berlin", "Paris"))
    ada = a.person("Ada Lee", berlin, sn="Lee")
    bob = a.person("Bob Roy\\, Jr.", berlin, sn="Roy", manager=ada)
    login = f"t{abs(hash(a.base)) % 10**8}"
    team = a.add(f"CN=team,{paris}", ("top", "group"), sAMAccountName=login, member=[ada, bob])

    def play(*expected: str) -> None:
        place.playbook(
            PLAYBOOKS / "forest_to_forest.yml",
            variables={
                "forest_a": secret_options(a, place, "FOREST_A_PASSWORD"),
                "forest_b": secret_options(b, place, "FOREST_B_PASSWORD"),
                "base_a": a.base,
                "base_b": b.base,
                "expected": sorted(expected),
            },
        )

    def there(dn: str) -> str:
        return dn.replace(a.base, b.base)

    play(*["create_container"] * 2, *["create"] * 3, *["link"] * 2)
    assert b.texts(there(bob), "manager") == [there(ada)]
    assert b.texts(there(team), "member") == [there(ada), there(bob)]
    assert b.texts(there(bob), "userAccountControl") == ["512"]
    guid, local = b.anchor(there(bob)), b.unit("by hand")
    b.add(f"CN=local,{b.base}", ("top", "group"), sAMAccountName=f"l{login}", member=there(bob))

    # Somebody renames and moves Bob at the destination, and spoils the field by which he is known.
    b.move(there(bob), "CN=Bobby", local)
    b.modify(f"CN=Bobby,{local}", employeeNumber="77")
    play("update", "rename", "move")
    assert b.anchor(there(bob)) == guid
    assert b.texts(f"CN=local,{b.base}", "member") == [there(bob)]
    assert b.texts(there(team), "member") == [there(ada), there(bob)]

    # At the source Bob marries and changes office, and the group is renamed: the same objects follow.
    a.move(bob, "CN=Bob Lee", paris)
    a.move(team, "CN=Team of Ada")
    play("update", "rename", "move", "rename")
    assert b.anchor(there(f"CN=Bob Lee,{paris}")) == guid
    assert b.texts(there(f"CN=Team of Ada,{paris}"), "member") == [there(ada), there(f"CN=Bob Lee,{paris}")]

    a.delete(f"CN=Bob Lee,{paris}")
    play("disable", "update")
    assert b.texts(there(f"CN=Bob Lee,{paris}"), "userAccountControl") == ["514"]


def test_two_forests_share_their_address_lists_without_an_echo(
    place: Workplace, samba: SambaAd, other_samba: SambaAd
) -> None:
    a, b = DirectoryBox(samba), DirectoryBox(other_samba)
    b.unit("linked")
    for box, letter in ((a, "a"), (b, "b")):
        for number in range(3):
            box.person(
                f"Person {letter}{number}",
                displayName=f"Person {letter}{number}",
                mail=f"p{number}@{letter}.test",
                mailNickname=f"p{letter}{number}{abs(hash(box.base)) % 10**6}",
                proxyAddresses=[f"SMTP:p{number}@{letter}.test", f"smtp:old{number}@{letter}.test"],
                legacyExchangeDN=f"/o={letter}/cn=p{number}",
                title="Boss",
                userAccountControl="544",
            )
        box.person(
            f"Hidden {letter}", mail=f"h@{letter}.test", mailNickname=f"h{letter}", msExchHideFromAddressLists="TRUE"
        )
    a.add(f"CN=bosses,{a.base}", ("top", "group"), sAMAccountName=f"bosses{abs(hash(a.base)) % 10**8}")
    place.variables["LOCKSTEP_HOME_MDB"] = "CN=DB1,CN=Databases,DC=corp,DC=example"
    place.playbook(
        PLAYBOOKS / "two_forests.yml",
        variables={
            "forest_a": secret_options(a, place, "FOREST_A_PASSWORD"),
            "forest_b": secret_options(b, place, "FOREST_B_PASSWORD"),
            "base_a": a.base,
            "base_b": b.base,
            "people": 3,
            "bosses": 6,
        },
    )
    contact = f"CN=Person a1,{b.base}"
    assert b.texts(contact, "targetAddress") == ["SMTP:p1@a.test"]
    assert b.texts(contact, "proxyAddresses") == ["SMTP:p1@a.test", "X500:/o=a/cn=p1", "smtp:old1@a.test"]
    linked = [each for each in b.places("(msExchMasterAccountSid=*)") if each.endswith(f"OU=linked,{b.base}")]
    assert len(linked) == 3
    sids = {(a.read(f"CN=Person a{number},{a.base}", "objectSid") or {})["objectSid"][0] for number in range(3)}
    assert {(b.read(each, "msExchMasterAccountSid") or {})["msExchMasterAccountSid"][0] for each in linked} == sids
    assert {b.texts(each, "userAccountControl")[0] for each in linked} == {"514"}


def test_one_joins_and_one_leaves_a_group_of_5000(place: Workplace, openldap: OpenLdap) -> None:
    """adobe user-sync.py#423, pg-ldap-sync#32: all members were revoked when a group grew."""
    box = DirectoryBox(openldap)
    extra = box.person("new", employeeNumber="n5000")
    real = [box.person(f"p{number}", employeeNumber=f"n{number}") for number in range(5000)]
    group = box.add(f"cn=everybody,{box.base}", ("top", "groupOfNames"), member=real)
    rows = ";".join(f"n{number}" for number in range(1, 5001))
    write(place.folder / "groups.csv", ["name", "members"], [("everybody", rows)])
    place.declare(
        [
            {"name": "csv", "csv": {"path": str(place.folder / "groups.csv")}},
            {"name": "dir", "ldap": secret_options(box, place)},
        ],
        [
            {
                "name": "groups",
                "source": {"provider": "csv"},
                "destination": {"provider": "dir", "container": box.base},
                "objects": [
                    {
                        "name": "groups",
                        "type": "group",
                        "fields": [
                            {"name": "cn", "source": "name", "key": True},
                            {
                                "name": "member",
                                "source": "members",
                                "delimiter": ";",
                                "transform": [{"resolve": {"match": "employeeNumber", "container": box.base}}],
                            },
                        ],
                    }
                ],
            }
        ],
    )
    done = place.play(run=run("groups"), again=run("groups"))
    (change,) = done["run"]["run"]["changes"]
    assert change["fields"]["member"] == {"before": {"removed": [real[0]]}, "after": {"added": [extra]}}
    assert not done["again"]["changed"]
    assert box.texts(group, "member") == sorted([*real[1:], extra])
    assert counts(done["run"]) == {"read": 1, "in_scope": 1, "matched": 1, "updated": 1}


def test_a_run_without_changes_makes_a_constant_number_of_searches(place: Workplace, openldap: OpenLdap) -> None:
    def searches(people: int) -> dict[str, int]:
        box = DirectoryBox(openldap)
        rows = [
            (number, f"F{number}", "L", f"u{people}x{number}", *[""] * 5, number - 1 or "", 1)
            for number in range(1, people + 1)
        ]
        write(place.folder / "employees.csv", HEADER, rows)
        resolve = {"resolve": {"match": "employeeNumber", "container": box.base}}
        place.declare(
            [
                {"name": "csv", "csv": {"path": str(place.folder / "employees.csv")}},
                {"name": "dir", "ldap": secret_options(box, place)},
            ],
            [
                {
                    "name": f"people-{people}",
                    "source": {"provider": "csv"},
                    "destination": {"provider": "dir", "container": box.base},
                    "missing_at_destination": "create",
                    "objects": [
                        {
                            "name": "people",
                            "type": "inetOrgPerson",
                            "fields": [
                                {"name": "employeeNumber", "source": "employee_id", "key": True},
                                {"name": "cn", "source": "first_name"},
                                {"name": "sn", "source": "last_name"},
                                {"name": "uid", "source": "email", "transform": [{"unique": {}}]},
                                {"name": "manager", "source": "manager_id", "transform": [resolve]},
                            ],
                        }
                    ],
                }
            ],
        )
        place.play(first=run(f"people-{people}"))
        with openldap.counting() as counted:
            done = place.play(second=run(f"people-{people}"))
        assert not done["second"]["changed"]
        return counted

    few, many = searches(10), searches(400)
    assert few == many
    assert set(few) == {"SRCH"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"destination": {"provider": "dir", "container": "no dn"}}, "`container` must be a distinguished name"),
        ({"destination": {"provider": "dir", "filter": "mail=*"}}, "`filter` must be an LDAP filter in brackets"),
        ({"destination": {"provider": "dir", "table": "t"}}, "`table` does not fit provider 'dir'"),
        ({"on_disable": {"strip_groups": True}}, "no object has `missing_at_source: disable`. Set it"),
        ({"template": "sync_gall"}, "there is no job template 'sync_gall'. Did you mean 'sync_gal'"),
        ({"smart_groups": ["x"]}, "there is no smart group 'x'"),
    ],
)
def test_bad_declarations_say_what_is_valid(place: Workplace, options: dict[str, t.Any], message: str) -> None:
    directory = {"url": ["ldap://127.0.0.1:1"], "auth": "anonymous"}
    place.play(
        provider=task(
            "provider", providers=[{"name": "dir", "ldap": directory}, {"name": "csv", "csv": {"path": "x.csv"}}]
        )
    )
    given = job(
        "j",
        "csv",
        "dir",
        [{"name": "cn", "source": "a", "key": True}, {"name": "sn", "source": "b"}],
        missing_at_source="skip",
    )
    done = place.play(fails=True, bad=task("job", **{**given, **options}))
    assert message in done["bad"]["msg"], done["bad"]["msg"]


def test_a_missing_mandatory_attribute_is_told_at_once(place: Workplace) -> None:
    directory = {"url": ["ldap://127.0.0.1:1"], "auth": "anonymous"}
    place.play(
        provider=task(
            "provider", providers=[{"name": "dir", "ldap": directory}, {"name": "csv", "csv": {"path": "x.csv"}}]
        )
    )
    done = place.play(
        fails=True, bad=task("job", **job("j", "csv", "dir", [{"name": "cn", "source": "a", "key": True}]))
    )
    assert "a new inetOrgPerson needs 'sn', and no field is mapped to it" in done["bad"]["msg"]
