# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back what runs did to real directories, and going on with runs that died."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import Journal
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.writing import LdapWriter
from servers.directories import SambaAd
from servers.ldap_box import DirectoryBox
from support.directory_worlds import STAFF, DirectoryWorld, actions, problems


@pytest.fixture(params=["openldap", "samba"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> DirectoryWorld:
    return DirectoryWorld(tmp_path, DirectoryBox(request.getfixturevalue(request.param)))


def undo(world: DirectoryWorld, **options: object) -> RunResult:
    last = world.world.store.runs.last("j")
    assert last is not None
    return world.run("", undo=last.id, **options)


def looks_like(world: DirectoryWorld, wanted: t.Any, *, without: str = "") -> t.Any:
    """Give what the box holds, but for one entry, once it is as wanted: OpenLDAP mends references after its answer."""
    for _look in range(100):
        found = world.box.photograph()
        found.pop(without.lower(), None)
        if found == wanted:
            break
        time.sleep(0.1)
    return found


def without(names: t.Collection[str], entries: t.Any) -> t.Any:
    """Give entries without some attributes."""
    return {
        place: {name: values for name, values in entry.items() if name not in names} for place, entry in entries.items()
    }


def add_team(world: DirectoryWorld, *names: str) -> str:
    box = world.box
    login = {"sAMAccountName": f"team{abs(hash(box.base)) % 10**8}"} if box.is_ad else {}
    classes = ("top", "group") if box.is_ad else ("top", "groupOfNames")
    return box.add(f"{world.naming}=team,{box.base}", classes, **login, member=list(names))


def test_new_people_and_their_containers_go_again(world: DirectoryWorld) -> None:
    before = world.box.photograph()
    world.job()
    made = world.run()
    assert (made.statistics.created, actions(made).count("create_container")) == (3, 2)
    held = undo(world)
    assert [each.guard for each in held.held] == ["deletes"], "three of three people are too many"
    undone = world.run("", plan=held.plan_id, accept=frozenset({"deletes"}))
    assert (undone.status, undone.statistics.deleted) == ("succeeded", 5)
    assert looks_like(world, before) == before
    assert world.run().statistics.created == 3


def test_who_was_changed_renamed_and_moved_goes_back(world: DirectoryWorld) -> None:
    world.job()
    world.run()
    before = world.box.photograph()
    anchor = world.box.anchor(world.place("Bob Baker", "IT"))
    world.staff("1,Ann,Able,Sales,", "2,Rob,Baxter,Sales,3", "3,Cid,Cook,IT,1")
    changed = world.run()
    assert {"update", "rename", "move"} <= set(actions(changed))
    result = undo(world)
    assert (result.status, problems(result)) == ("succeeded", [])
    # OpenLDAP's refint overlay mends references after the answer, and misses entries that move meanwhile.
    names = () if world.box.is_ad else ("manager",)
    assert without(names, looks_like(world, before)) == without(names, before)
    assert world.box.anchor(world.place("Bob Baker", "IT")) == anchor
    again = undo(world)
    assert (again.status, again.statistics.moved) == ("succeeded", 3)
    assert world.run().statistics.changes == 0


def test_a_leaver_gets_account_groups_and_place_back(world: DirectoryWorld) -> None:
    world.job()
    world.run()
    bob = world.place("Bob Baker", "IT")
    team = add_team(world, bob, world.place("Ann Able", "IT"))
    before = world.box.photograph()
    control = world.box.texts(bob, "userAccountControl") if world.box.is_ad else []
    world.staff(STAFF[0], STAFF[2])
    left = world.run()
    assert [each for each in actions(left) if each != "create_container"] == ["disable", "membership", "move"]
    result = undo(world)
    assert (result.status, problems(result)) == ("succeeded", [])
    assert looks_like(world, before, without=world.leavers) == before
    assert bob in world.box.texts(team, "member")
    assert not world.box.is_ad or world.box.texts(bob, "userAccountControl") == control
    assert world.world.store.leavers.load("j", "people") == {}
    again = world.run()
    assert [each for each in actions(again) if each != "create_container"] == ["disable", "membership", "move"]


def test_who_was_deleted_comes_back_with_unmapped_attributes_and_groups(world: DirectoryWorld) -> None:
    world.job(missing_at_source="delete", on_disable=None, create_containers=None, move=None)
    world.job(missing_at_source="delete", on_disable=None)
    world.run()
    bob, cid = world.place("Bob Baker", "IT"), world.place("Cid Cook", "Sales")
    world.box.modify(bob, description="by hand", **{"url" if world.box.is_ad else "labeledURI": ["x:1", "x:2"]})
    world.box.modify(cid, manager=bob, jpegPhoto=bytes(range(256)))
    add_team(world, bob, cid, world.place("Ann Able", "IT"))
    before = world.box.photograph()
    world.staff(STAFF[0])
    gone = world.run(accept=frozenset({"deletes"}))
    assert gone.statistics.deleted == 2
    result = undo(world)
    assert (result.status, result.statistics.created) == ("succeeded", 2), result.problems
    assert looks_like(world, before) == before
    if world.box.is_ad:
        (control,) = world.box.texts(bob, "userAccountControl")
        assert int(control) & 2, "an account without a password is locked"


def test_what_somebody_did_since_stays(world: DirectoryWorld) -> None:
    world.job()
    world.run()
    world.staff("1,Ann,Able,IT,", "2,Bob,Baker,Sales,1", "3,Cid,Cook,IT,1")
    world.run()
    cid = world.place("Cid Cook", "IT")
    away = world.box.unit("elsewhere")
    world.box.move(cid, f"{world.naming}=Cid Cook", away)
    result = undo(world)
    assert problems(result) == ["moved_on"]
    assert f"{world.naming}=Cid Cook,{away}" in world.box.places()
    assert world.place("Bob Baker", "IT") in world.box.places()


@pytest.mark.parametrize("kind", ["plan", "undo"])
def test_who_is_protected_by_now_is_left_alone(world: DirectoryWorld, kind: str) -> None:
    world.job(protect="(description=vip)")
    world.run()
    world.staff("1,Anna,Able,Sales,", "2,Bob,Baker,Sales,1", "3,Cid,Cook,IT,1")
    if kind == "plan":
        result = world.run(preview=True, keep_plan=True)
        ann, bob = world.place("Ann Able", "IT"), world.place("Bob Baker", "IT")
    else:
        result = world.run()
        ann, bob = world.place("Anna Able", "Sales"), world.place("Bob Baker", "Sales")
    assert result.statistics.moved == 3
    world.box.modify(ann, description="vip")
    option = {"plan": result.plan_id} if kind == "plan" else {"undo": result.id}
    done = world.run(job="", **option)
    assert done.statistics.moved == 2
    assert {(problem.code, problem.key) for problem in done.problems} == {("protected", ("1",))}
    assert ann in world.box.places()
    assert bob not in world.box.places()


class Died(BaseException):
    """The process was killed."""


def die_before_passwords(world: DirectoryWorld) -> None:
    """Let a run die when its new accounts are there and have no password yet."""
    original = LdapWriter._send

    def dying(writer: LdapWriter, tasks: t.Any, window: int) -> t.Any:
        # What comes as a list has been sent in part.
        if isinstance(tasks, list) and any(task.step for task in tasks):
            raise Died
        return original(writer, tasks, window)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LdapWriter, "_send", dying)
        with pytest.raises(Died):
            world.run()


def die_after_writing(world: DirectoryWorld) -> None:
    """Let a run die when its new accounts are finished, and the journal does not know it."""
    with pytest.MonkeyPatch.context() as patch:
        original = Journal.end

        def dying(journal: Journal, *args: t.Any) -> None:
            if any(change.action == "create" for change in args[0]):
                raise Died
            original(journal, *args)

        patch.setattr(Journal, "end", dying)
        with pytest.raises(Died):
            world.run()


@pytest.mark.parametrize("goes_on", [True, False], ids=["resumed", "run again"])
def test_accounts_that_a_killed_run_left_without_a_password_are_finished(
    tmp_path: Path, samba: SambaAd, goes_on: bool
) -> None:
    world = DirectoryWorld(tmp_path, DirectoryBox(samba))
    world.job()
    die_before_passwords(world)
    ann = world.place("Ann Able", "IT")
    assert world.box.texts(ann, "userAccountControl") == ["546"]
    result = world.run("", resume=1) if goes_on else world.run()
    assert result.status == "succeeded"
    assert world.box.texts(ann, "userAccountControl") == ["512"]
    assert any(line.message == "3 of 3 accounts that were half made are finished." for line in result.log)
    assert world.run().statistics.changes == 0


def test_half_made_accounts_of_another_definition_are_not_touched(tmp_path: Path, samba: SambaAd) -> None:
    world = DirectoryWorld(tmp_path, DirectoryBox(samba))
    world.job()
    die_before_passwords(world)
    world.job(protect="(adminCount=1)")
    world.run()
    assert world.box.texts(world.place("Ann Able", "IT"), "userAccountControl") == ["546"]


@pytest.mark.parametrize("goes_on", [True, False], ids=["resumed", "run again"])
def test_a_finished_account_that_somebody_disabled_since_stays_disabled(
    tmp_path: Path, samba: SambaAd, goes_on: bool
) -> None:
    world = DirectoryWorld(tmp_path, DirectoryBox(samba))
    world.job()
    die_after_writing(world)
    ann, bob = world.place("Ann Able", "IT"), world.place("Bob Baker", "IT")
    assert world.box.texts(ann, "userAccountControl") == ["512"]
    world.box.modify(ann, userAccountControl="514")
    result = world.run("", resume=1) if goes_on else world.run()
    assert result.status == "succeeded"
    assert world.box.texts(ann, "userAccountControl") == ["514"]
    assert world.box.texts(bob, "userAccountControl") == ["512"]
