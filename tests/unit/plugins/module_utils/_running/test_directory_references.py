# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People and groups in one job, at OpenLDAP and Samba: members who in the same run come, move, or get another name."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from pathlib import Path

import pytest
from servers.ldap_box import DirectoryBox
from support.directory_worlds import DirectoryWorld, actions, of, problems


class Staff:
    """Two tables, people and groups, and one job with an object for each. Members are known by their `uid`."""

    def __init__(self, folder: Path, box: DirectoryBox) -> None:
        self.world = DirectoryWorld(folder, box)
        self.box = box
        self.groups = box.unit("groups")
        self.staff = box.unit("staff")
        self.sql = self.world.world.sql
        self.sql("CREATE TABLE staff (id TEXT PRIMARY KEY, uid TEXT, name TEXT, unit TEXT)")
        self.sql("CREATE TABLE teams (name TEXT PRIMARY KEY, members TEXT)")
        for row in (
            ("1", "ann", "Ann", "IT"),
            ("2", "bob", "Bob", "IT"),
            ("3", "cid", "Cid", "Sales"),
        ):
            self.person(*row)
        self.team("all", "ann;bob;cid")
        self.team("it", "ann;bob")
        self._declare()

    def person(self, *row: str) -> None:
        self.sql(f"INSERT OR REPLACE INTO staff VALUES {row}")

    def team(self, name: str, members: str) -> None:
        self.sql(f"INSERT OR REPLACE INTO teams VALUES ('{name}', '{members}')")

    def place(self, name: str, unit: str) -> str:
        return f"{self.world.naming}={name},{self.world.unit_naming}={unit},{self.staff}"

    def members(self, team: str) -> list[str]:
        return self.box.texts(f"{self.world.naming}={team},{self.groups}", "member")

    def _declare(self) -> None:
        box, unit = self.box, self.world.unit_naming
        login = [{"name": "sAMAccountName", "source": "name", "transform": [{"unique": {}}]}] if box.is_ad else []
        match = [{"resolve": {"match": "uid", "container": self.staff}}]
        people = {
            "name": "people",
            "type": "user" if box.is_ad else "inetOrgPerson",
            "source": {"table": "staff"},
            "destination": {"container": self.staff},
            "create_in": {"expression": f"'{unit}=' ~ source.unit ~ ',{self.staff}'"},
            "move": True,
            "missing_at_source": "delete",
            "fields": [
                {"name": self.world.key, "source": "id", "key": True},
                {"name": "uid", "source": "uid"},
                {"name": "cn", "source": "name"},
                {"name": "sn", "source": "name"},
                *login,
            ],
        }
        teams = {
            "name": "teams",
            "type": "group",
            "source": {"table": "teams"},
            "destination": {"container": self.groups},
            "fields": [
                {"name": "cn", "source": "name", "key": True},
                {"name": "member", "source": "members", "delimiter": ";", "transform": match},
                *login,
            ],
        }
        self.world.job(
            source={"provider": "db"},
            destination={"provider": "dir", "container": box.base},
            missing_at_source=None,
            on_disable=None,
            objects=[people, teams],
        )

    def run(self) -> t.Any:
        return self.world.run()


@pytest.fixture(params=["openldap", "samba"])
def staff(request: pytest.FixtureRequest, tmp_path: Path) -> Staff:
    return Staff(tmp_path, DirectoryBox(request.getfixturevalue(request.param)))


def did(result: t.Any) -> Sequence[str]:
    assert (result.status, problems(result)) == ("succeeded", [])
    return [each for each in actions(result) if each != "create_container"]


def test_members_that_the_same_run_makes_are_found(staff: Staff) -> None:
    assert set(did(staff.run())) <= {"create", "link"}
    assert staff.members("it") == [staff.place("Ann", "IT"), staff.place("Bob", "IT")]
    assert did(staff.run()) == []


def test_a_member_whose_own_number_changes_stays_in_its_groups(staff: Staff) -> None:
    staff.run()
    staff.person("1", "ann.king", "Ann", "IT")
    staff.team("all", "ann.king;bob;cid")
    staff.team("it", "ann.king;bob")
    assert did(staff.run()) == ["update"]
    assert staff.members("it") == [staff.place("Ann", "IT"), staff.place("Bob", "IT")]
    assert did(staff.run()) == []


def test_a_member_whose_number_somebody_spoiled_stays_in_its_groups(staff: Staff) -> None:
    staff.run()
    staff.box.modify(staff.place("Bob", "IT"), uid="spoiled")
    assert did(staff.run()) == ["update"]
    assert len(staff.members("all")) == 3
    assert did(staff.run()) == []


def test_who_moves_and_joins_in_one_run_is_a_member(staff: Staff) -> None:
    staff.run()
    staff.person("3", "cid", "Cyd", "IT")
    staff.team("it", "ann;bob;cid")
    result = staff.run()
    assert did(result) == ["update", "rename", "move", "update"]
    joined = of(result, "update")[1]
    assert joined.change.after["member"].added == (staff.place("Cyd", "IT"),)
    assert len(staff.members("all")) == len(staff.members("it")) == 3
    assert did(staff.run()) == []


def test_who_moves_and_leaves_a_group_in_one_run_is_no_member(staff: Staff) -> None:
    staff.run()
    staff.person("2", "bob", "Bob", "Sales")
    staff.team("it", "ann")
    result = staff.run()
    assert did(result) == ["move", "update"]
    assert staff.members("it") == [staff.place("Ann", "IT")]
    assert did(staff.run()) == []


def test_a_member_whose_number_somebody_else_has_too_stays_in_its_groups(staff: Staff) -> None:
    """Nobody is taken out of a group because a look-up failed for one of its members (Alfresco#1149)."""
    staff.run()
    staff.box.person("Double", above=staff.staff, uid="bob")
    staff.team("it", "ann;bob;cid")
    result = staff.run()
    assert result.status == "succeeded"
    assert set(problems(result)) == {"unresolved", "empty_key"}
    ann, bob, cid = staff.place("Ann", "IT"), staff.place("Bob", "IT"), staff.place("Cid", "Sales")
    assert staff.members("it") == [ann, bob, cid], "who is there stays, who joins still joins"
    assert staff.members("all") == [ann, bob, cid]
