# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs into real directories: OpenLDAP and Samba as Active Directory."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import Journal
from servers.ldap_box import DirectoryBox
from support.directory_worlds import STAFF, DirectoryWorld, actions, of, problems


@pytest.fixture(params=["openldap", "samba"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> DirectoryWorld:
    return DirectoryWorld(tmp_path, DirectoryBox(request.getfixturevalue(request.param)))


def test_people_are_made_with_their_managers_and_the_second_run_changes_nothing(world: DirectoryWorld) -> None:
    world.job()
    preview = world.world.preview().result
    made = world.run()
    assert actions(preview) == actions(made)
    assert (made.status, made.statistics.created, preview.statistics.created) == ("succeeded", 3, 3)
    assert world.box.texts(world.place("Bob Baker", "IT"), "manager") == [world.place("Ann Able", "IT")]
    assert world.box.texts(world.place("Cid Cook", "Sales"), "manager") == [world.place("Ann Able", "IT")]
    again = world.run()
    assert (again.statistics.changes, again.statistics.unchanged, again.agreement) == (0, 3, "equal")
    assert len(world.world.store.links.anchors("j", "people")) == 3


def test_a_manager_who_comes_later_in_the_file_or_in_a_circle_is_found(world: DirectoryWorld) -> None:
    world.staff("1,Ann,Able,IT,2", "2,Bob,Baker,IT,1", "3,Cid,Cook,IT,3", "4,Dan,Dow,IT,99")
    world.job()
    result = world.run()
    assert result.statistics.created == 4
    assert problems(result) == ["unresolved"]
    assert "no record has it" in result.problems[0].message
    for name, boss in (("Ann Able", "Bob Baker"), ("Bob Baker", "Ann Able"), ("Cid Cook", "Cid Cook")):
        assert world.box.texts(world.place(name, "IT"), "manager") == [world.place(boss, "IT")]
    assert world.box.texts(world.place("Dan Dow", "IT"), "manager") == []
    world.staff("1,Ann,Able,IT,99", "2,Bob,Baker,IT,", "3,Cid,Cook,IT,3", "4,Dan,Dow,IT,99")
    second = world.run()
    assert actions(second) == ["update"], "an unknown manager clears nobody's, an empty one does"
    assert world.box.texts(world.place("Ann Able", "IT"), "manager") == [world.place("Bob Baker", "IT")]
    assert world.box.texts(world.place("Bob Baker", "IT"), "manager") == []


def test_rename_move_and_change_of_one_person_in_one_run(world: DirectoryWorld) -> None:
    world.job()
    world.run()
    world.staff("1,Ann,Able,IT,", "2,Rob,Baker,Sales,1", "3,Cid,Cook,Sales,1")
    result = world.run()
    assert [each for each in actions(result) if each != "create_container"] == ["update", "rename", "move"]
    assert (result.statistics.updated, result.statistics.renamed, result.statistics.moved) == (1, 1, 1)
    assert world.box.texts(world.place("Rob Baker", "Sales"), "givenName") == ["Rob"]
    assert world.run().statistics.changes == 0


def test_a_leaver_is_disabled_stripped_moved_and_gets_everything_back(world: DirectoryWorld) -> None:
    box = world.box
    world.job()
    world.run()
    bob = world.place("Bob Baker", "IT")
    login = {"sAMAccountName": f"team{abs(hash(box.base)) % 10**8}"} if box.is_ad else {}
    team = box.add(
        f"{world.naming}=team,{box.base}",
        ("top", "group") if box.is_ad else ("top", "groupOfNames"),
        **login,
        member=[bob, world.place("Ann Able", "IT")],
    )
    world.staff(STAFF[0], STAFF[2])
    left = world.run()
    assert [each for each in actions(left) if each != "create_container"] == ["disable", "membership", "move"]
    assert left.statistics.disabled == 1
    gone = f"{world.naming}=Bob Baker,{world.leavers}"
    assert box.texts(gone, "description") == ["left 2026-11-21T03:00:00+00:00"]
    assert box.texts(team, "member") == [world.place("Ann Able", "IT")]
    assert world.run().statistics.changes == 0
    world.staff(*STAFF)
    back = world.run()
    assert actions(back) == ["update", "move", "membership"]
    assert box.texts(bob, "description") == []
    assert box.texts(team, "member") == sorted([bob, world.place("Ann Able", "IT")])
    if box.is_ad:
        assert box.texts(bob, "userAccountControl") == ["512"]
    else:
        assert box.read(bob, "pwdAccountLockedTime") == {"pwdAccountLockedTime": []}
    assert world.world.store.leavers.load("j", "people") == {}
    assert world.run().statistics.changes == 0


def test_a_leaver_is_deleted_when_the_time_is_over_and_not_before(world: DirectoryWorld) -> None:
    world.job(on_disable={"delete_after_days": 30})
    world.run()
    world.staff(*STAFF[:2])
    assert actions(world.run()) == ["disable"]
    world.world.now += dt.timedelta(days=29)
    assert actions(world.run()) == []
    world.world.now += dt.timedelta(days=1)
    result = world.run()
    assert actions(result) == ["delete"]
    assert world.box.read(world.place("Cid Cook", "Sales")) is None
    assert world.world.store.leavers.load("j", "people") == {}
    assert len(world.world.store.links.anchors("j", "people")) == 2


def test_too_many_leavers_are_held_and_everybody_else_is_served(world: DirectoryWorld) -> None:
    world.job(limits={"disables": "0"})
    world.run()
    world.staff("1,Ann,Able,Sales,", "4,New,Comer,IT,1")
    result = world.run()
    assert result.status == "held"
    assert [held.guard for held in result.held] == ["disables"]
    assert sorted(set(actions(result)) - {"create_container"}) == ["create", "move"]
    assert world.box.read(world.place("Bob Baker", "IT")) is not None
    assert world.world.store.leavers.load("j", "people") == {}


def test_the_protected_are_never_touched(world: DirectoryWorld) -> None:
    world.job(protect="(description=vip)")
    world.run()
    world.box.modify(world.place("Ann Able", "IT"), description="vip")
    world.box.modify(world.place("Bob Baker", "IT"), description="vip")
    world.staff("1,Anna,Able,Sales,", "3,Cid,Cook,Sales,1")
    result = world.run()
    assert actions(result) == []
    assert [problem.message for problem in result.problems if problem.key == ("1",)] == [
        f"protected: {world.place('Ann Able', 'IT')!r} matches `protect`."
    ]


def test_a_changed_key_finds_the_linked_record(world: DirectoryWorld) -> None:
    """lsc#180: a changed join attribute became delete and create."""
    world.job()
    world.run()
    bob = world.place("Bob Baker", "IT")
    anchor = world.box.anchor(bob)
    world.box.modify(bob, **{world.key: "77"})
    result = world.run()
    assert actions(result) == ["update"]
    assert world.box.texts(bob, world.key) == ["2"]
    assert world.box.anchor(bob) == anchor
    assert world.run().statistics.changes == 0


def test_somebody_whose_record_is_at_fault_is_not_taken_for_gone(world: DirectoryWorld) -> None:
    world.job()
    world.run()
    world.box.modify(world.place("Bob Baker", "IT"), **{world.key: "77"})
    world.job(
        item={
            "create_in": {"expression": "'ou=' ~ source.unit ~ (',' if source.unit else '') ~ '" + world.box.base + "'"}
        }
    )
    world.staff(STAFF[0], "2,Bob,Baker,=;bad,1", STAFF[2])
    result = world.run()
    assert result.statistics.errors == 1
    assert result.statistics.disabled == 0


def test_what_others_moved_or_renamed_is_followed(world: DirectoryWorld) -> None:
    world.job(item={"move": False})
    world.run()
    unit = world.box.unit("other")
    world.box.move(world.place("Bob Baker", "IT"), f"{world.naming}=Bobby", unit)
    result = world.run()
    assert actions(result) == ["rename"]
    assert world.box.read(f"{world.naming}=Bob Baker,{unit}") is not None


def test_containers_that_are_missing_are_an_error_unless_they_may_be_made(world: DirectoryWorld) -> None:
    world.job(create_containers=None)
    result = world.run()
    assert (result.status, problems(result)) == ("completed_with_errors", ["container"] * 3)
    assert "set `create_containers: true`" in result.problems[0].message
    assert world.box.places() == []


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("'no dn'", "create_in: 'no dn' is no distinguished name"),
        ("'ou=x,dc=elsewhere'", "is not below the destination's container"),
        ("''", "`create_in` gives no container"),
    ],
)
def test_a_bad_container_is_the_records_error(world: DirectoryWorld, expression: str, message: str) -> None:
    world.job(item={"create_in": {"expression": expression}})
    result = world.run()
    assert result.statistics.errors == 3
    assert message in result.problems[0].message


def test_two_people_of_one_name_get_names_of_their_own_or_are_reported(world: DirectoryWorld) -> None:
    world.staff("1,Ann,Able,IT,", "2,Ann,Able,IT,")
    world.job()
    result = world.run()
    assert (result.statistics.created, problems(result)) == (1, ["exists"])
    named = world.fields()
    named[1] = {
        "name": "cn",
        "transform": [{"join": {"fields": ["first", "last"]}}, {"unique": {"pattern": "{value} {n}"}}],
    }
    world.job(fields=named)
    assert world.run().statistics.created == 1
    assert world.box.read(world.place("Ann Able 2", "IT")) is not None
    assert world.run().statistics.changes == 0


def test_what_is_taken_anywhere_is_not_given_again(world: DirectoryWorld) -> None:
    elsewhere = world.box.unit("elsewhere")
    staff = world.box.unit("staff")
    world.box.person("Other", elsewhere, mail="ann@x.org")
    fields = world.fields(
        {"name": "mail", "transform": [{"expression": "(source.first | lower) ~ '@x.org'"}, {"unique": {}}]}
    )
    where = {"provider": "dir", "container": staff}
    world.job(
        fields=fields,
        destination=where,
        item={"create_in": None, "move": False},
        on_disable=None,
        missing_at_source=None,
    )
    assert world.run().statistics.created == 3
    assert world.box.texts(f"{world.naming}=Ann Able,{staff}", "mail") == ["ann@x.org2"]
    assert world.run().statistics.changes == 0


def test_members_come_and_go_one_by_one(world: DirectoryWorld) -> None:
    box = world.box
    world.job()
    world.run()
    groups = box.unit("groups")
    world.world.write("g1,1;2", header="name,members")
    login = [{"name": "sAMAccountName", "source": "name"}] if box.is_ad else []
    match = {"match": world.key, "container": box.base}
    member = {"name": "member", "source": "members", "delimiter": ";", "transform": [{"resolve": match}]}
    world.job(
        "groups",
        destination={"provider": "dir", "container": groups},
        missing_at_source=None,
        on_disable=None,
        limits={"member_removals": "1"},
        item={
            "name": "groups",
            "type": "group",
            "create_in": None,
            "move": False,
            "fields": [{"name": "cn", "source": "name", "key": True}, *login, member],
        },
    )
    assert world.run("groups").statistics.created == 1
    place = f"{world.naming}=g1,{groups}"
    ann, bob, cid = (world.place(*each) for each in (("Ann Able", "IT"), ("Bob Baker", "IT"), ("Cid Cook", "Sales")))
    assert box.texts(place, "member") == [ann, bob]
    world.world.write("g1,3;2;99", header="name,members")
    changed = world.run("groups")
    (update,) = of(changed, "update")
    after = update.change.after["member"]
    assert (after.added, after.removed) == ((cid,), (ann,))  # type: ignore[union-attr]
    assert problems(changed) == ["unresolved"]
    assert box.texts(place, "member") == sorted([bob, cid])
    world.world.write("g1,1", header="name,members")
    held = world.run("groups")
    assert (held.status, [each.guard for each in held.held]) == ("held", ["member_removals"])
    assert box.texts(place, "member") == sorted([ann, bob, cid]), "who joins still joins"


def test_a_directory_can_be_the_source(world: DirectoryWorld) -> None:
    world.job()
    world.run()
    world.world.sql("CREATE TABLE staff (id TEXT PRIMARY KEY, cn TEXT, boss TEXT, classes TEXT)")
    world.world.job(
        "back",
        source={"provider": "dir", "container": world.box.base},
        destination={"provider": "db", "table": "staff"},
        objects=[
            {
                "name": "staff",
                "type": "user" if world.box.is_ad else "inetOrgPerson",
                "fields": [
                    {"name": "id", "source": world.key, "key": True},
                    {"name": "cn", "source": "cn"},
                    {"name": "boss", "source": "manager"},
                    {"name": "classes", "source": "objectClass", "delimiter": "|"},
                ],
            }
        ],
    )
    assert world.run("back").statistics.created == 3
    rows = world.world.sql("SELECT id, cn, boss FROM staff ORDER BY id")
    assert rows[1] == ("2", "Bob Baker", world.place("Ann Able", "IT"))
    assert world.run("back").statistics.changes == 0


def test_an_account_that_cannot_be_made_is_nobodys_manager(world: DirectoryWorld) -> None:
    name, bad, good = ("countryCode", "70000", "276") if world.box.is_ad else ("mail", "ä@x.org", "a@x.org")
    wrong = {"name": name, "transform": [{"expression": f"'{bad}' if source.id == '1' else '{good}'"}]}
    world.job(fields=world.fields(wrong))
    result = world.run()
    assert [problem.code for problem in result.problems if problem.level == "error"][1:] == ["reference"] * 2
    assert world.box.read(world.place("Bob Baker", "IT")) is not None
    assert world.box.texts(world.place("Bob Baker", "IT"), "manager") == []


def test_one_person_only_and_why(world: DirectoryWorld) -> None:
    world.job()
    assert world.run(keys=("2",)).statistics.created == 1
    ran = world.explain("3")
    assert ran.explanation is not None
    assert ran.explanation[0]["decision"] == "create"
    assert world.run(explain="3").statistics.created == 1


class Died(BaseException):
    """The process was killed."""


@pytest.mark.parametrize("batches", range(7))
def test_a_killed_run_is_settled_and_the_next_one_brings_the_rest(world: DirectoryWorld, batches: int) -> None:
    """Killed after the directory has taken a batch and before the journal knows: nothing twice, nothing lost."""
    world.job()
    world.run()
    box = world.box
    bob, team = world.place("Bob Baker", "IT"), f"{world.naming}=team,{box.base}"
    login = {"sAMAccountName": f"team{abs(hash(box.base)) % 10**8}"} if box.is_ad else {}
    box.add(
        team,
        ("top", "group") if box.is_ad else ("top", "groupOfNames"),
        **login,
        member=[bob, world.place("Ann Able", "IT")],
    )
    world.staff("1,Anna,Able,Sales,", "3,Cid,Cook,Sales,1", "4,Dan,Dow,IT,5", "5,Eve,Ember,IT,4")
    written = []

    def killed(journal: Journal, changes: object, outcomes: object) -> None:
        written.append(changes)
        if len(written) > batches:
            raise Died
        end(journal, changes, outcomes)  # type: ignore[arg-type]

    end = Journal.end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "end", killed)
        with pytest.raises(Died):
            world.run()
    world.world.pid = 101
    world.world.alive = {101}
    after = world.run()
    assert after.status == "succeeded", after.problems
    settled = world.world.store.runs.get(2)
    assert settled is not None
    done = sum(len(changes) for changes in written)  # type: ignore[arg-type]
    assert settled.message.startswith(f"interrupted after {done} of "), settled.message
    assert world.run().statistics.changes == 0
    assert box.texts(f"{world.naming}=Eve Ember,{world.unit_naming}=IT,{box.base}", "manager") == [
        world.place("Dan Dow", "IT")
    ]
    assert box.read(world.place("Anna Able", "Sales")) is not None
    assert box.read(f"{world.naming}=Bob Baker,{world.leavers}") is not None
    world.staff(*STAFF)
    world.run()
    assert bob in box.texts(team, "member"), "what was taken away is given back"
