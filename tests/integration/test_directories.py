# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories from playbooks, on real servers: what people come for, each case as its guide tells it."""

from __future__ import annotations

import base64
import csv
import sqlite3
import typing as t
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from integration.harness import HERE, Workplace, counts, job, run, task
from servers.directories import OpenLdap, SambaAd
from servers.ldap_box import DirectoryBox

PLAYBOOKS = HERE / "playbooks" / "directories"
REAL_DATA = HERE.parent.parent.parent / "shared" / "data"
HEADER = ["employee_id", "first_name", "last_name", "email", "phone_number", "hire_date", "job_id", "salary"]
HEADER += ["commission_pct", "manager_id", "department_id"]
STAFF = [
    (100, "Ada", "Kingsley", "AKING", "1.515.555.0100", "2013-06-17", "PRES", "", "", "", 90),
    (101, "Björn", "Åberg", "BABERG", "1.515.555.0101", "2015-09-21", "VP", "", "", 100, 90),
    (102, "Chloé", "Dupont, Jr.", "CDUPONT", "1.515.555.0102", "2015-09-21", "VP", "", "", 101, 60),
    (103, "Dan", "O'Hara", "DOHARA", "", "2016-01-03", "DEV", "", "", 102, 60),
    (104, "Dan", "O'Hara", "DOHARA2", "", "2016-01-03", "DEV", "", "", 102, 60),
]
DEPARTMENTS = [(60, "IT"), (90, "Executive")]


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def secret_options(box: DirectoryBox, place: Workplace, name: str = "DIRECTORY_PASSWORD") -> dict[str, t.Any]:
    """Give the options of a provider whose password is in the environment."""
    place.variables[name] = box.server.password
    return {**box.options(), "password_from": {"env": name}}


def make_staging(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE employees (employee_id INTEGER PRIMARY KEY, department_id INTEGER)")
        connection.execute("CREATE TABLE departments (department_id INTEGER PRIMARY KEY, department_name TEXT)")
        connection.commit()


def play_hr_to_ldap(place: Workplace, openldap: OpenLdap, *, people: int, teams: int) -> DirectoryBox:
    box = DirectoryBox(openldap)
    box.unit("teams")
    make_staging(place.folder / "staging.db")
    place.playbook(
        PLAYBOOKS / "hr_to_ldap.yml",
        variables={
            "folder": str(place.folder),
            "directory": secret_options(box, place),
            "base": box.base,
            "people": people,
            "teams": teams,
        },
    )
    return box


def test_hr_files_become_people_and_groups_of_an_ldap_directory(place: Workplace, openldap: OpenLdap) -> None:
    write(place.folder / "employees.csv", HEADER, STAFF)
    write(place.folder / "departments.csv", ["department_id", "department_name"], DEPARTMENTS)
    box = play_hr_to_ldap(place, openldap, people=5, teams=2)
    people = f"ou=people,{box.base}"
    assert box.texts(f"cn=Björn Åberg,{people}", "manager") == [f"cn=Ada Kingsley,{people}"]
    assert box.texts(f"cn=Dan O'Hara 2,{people}", "uid") == ["dohara2"]
    assert len(box.texts(f"cn=IT,ou=teams,{box.base}", "member")) == 3


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the real data sets are not part of the project")
def test_oracles_hr_sample_becomes_an_ldap_directory(place: Workplace, openldap: OpenLdap) -> None:
    for name in ("employees.csv", "departments.csv"):
        (place.folder / name).write_bytes((REAL_DATA / "hr" / name).read_bytes())
    box = play_hr_to_ldap(place, openldap, people=107, teams=11)
    assert len(box.places("(objectClass=inetOrgPerson)")) == 107
    assert len(box.places("(manager=*)")) == 106


def play_hr_to_ad(place: Workplace, samba: SambaAd, rows: Sequence[Sequence[t.Any]]) -> DirectoryBox:
    box = DirectoryBox(samba)
    later = [row for row in rows if str(row[0]) != "104"]
    later = [(row[0], "Adele", *row[2:-1], 80) if str(row[0]) == "100" else row for row in later]
    for name, content in (("first.csv", rows), ("employees.csv", rows), ("later.csv", later)):
        write(place.folder / name, HEADER, content)
    place.playbook(
        PLAYBOOKS / "hr_to_active_directory.yml",
        variables={
            "folder": str(place.folder),
            "domain": secret_options(box, place),
            "base": box.base,
            "people": len(rows),
        },
    )
    return box


def test_hr_becomes_users_of_active_directory_who_move_leave_and_return(place: Workplace, samba: SambaAd) -> None:
    box = play_hr_to_ad(place, samba, STAFF)
    ada = f"CN=Ada Kingsley,OU=Dept 90,OU=Staff,{box.base}"
    dan = f"CN=Dan O'Hara 2,OU=Dept 60,OU=Staff,{box.base}"
    assert box.texts(ada, "userAccountControl") == ["512"]
    assert box.texts(dan, "userAccountControl") == ["512"]
    assert box.texts(dan, "description") == []
    assert box.texts(dan, "pwdLastSet") == ["0"]
    assert box.texts(dan, "manager") == [f"CN=Chloé Dupont\\, Jr.,OU=Dept 60,OU=Staff,{box.base}"]


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the real data sets are not part of the project")
def test_oracles_hr_sample_becomes_an_active_directory(place: Workplace, samba: SambaAd) -> None:
    with (REAL_DATA / "hr" / "employees.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    box = play_hr_to_ad(place, samba, rows)
    assert len(box.places("(&(objectClass=user)(userAccountControl=512))")) == 107


CREW_COLUMNS = (
    "uid TEXT PRIMARY KEY, cn TEXT, sn TEXT, givenName TEXT, description TEXT, mail TEXT, employeeType TEXT, "
    "jpegPhoto BLOB"
)


def play_ldap_to_tables(place: Workplace, box: DirectoryBox, people: int) -> None:
    with closing(sqlite3.connect(place.folder / "crew.db")) as connection:
        connection.execute(f"CREATE TABLE crew ({CREW_COLUMNS})")
        connection.commit()
    place.playbook(
        PLAYBOOKS / "ldap_to_tables.yml",
        variables={
            "folder": str(place.folder),
            "directory": secret_options(box, place),
            "base": box.base,
            "people": people,
        },
    )


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


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the real data sets are not part of the project")
def test_planet_express_becomes_a_table_and_a_sheet_and_comes_back(place: Workplace, openldap: OpenLdap) -> None:
    box = DirectoryBox(openldap)
    for path in sorted((REAL_DATA / "planetexpress").glob("10_*.ldif")):
        _add_ldif(box, path.read_text(encoding="utf-8"))
    play_ldap_to_tables(place, box, 7)


def _add_ldif(box: DirectoryBox, text: str) -> None:
    """Add one entry in LDIF (RFC 2849), moved below the box."""
    attributes: dict[str, list[t.Any]] = {}
    dn = ""
    for line in text.replace("\n ", "").splitlines():
        name, _colon, value = line.partition(":")
        if not value:
            continue
        parsed: t.Any = base64.b64decode(value[1:]) if value.startswith(":") else value.strip()
        if name == "dn":
            dn = str(parsed).replace("ou=people,dc=planetexpress,dc=com", box.base)
        else:
            attributes.setdefault(name, []).append(parsed)
    classes = attributes.pop("objectClass")
    box.add(dn, classes, **attributes)


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
        ({"on_disable": {"strip_groups": True}}, "Set `missing_at_source: disable`, or leave `on_disable` out"),
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
