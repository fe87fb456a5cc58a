# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random runs on real directories are taken back, and what was taken back is made again.

A few each time; `make prove` makes hundreds. `LOCKSTEP_SEED` repeats one that failed.
"""

from __future__ import annotations

import os
import random
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from servers.ldap_box import DirectoryBox
from support.directory_worlds import DirectoryWorld

TRIPS = int(os.environ.get("LOCKSTEP_ROUND_TRIPS", "3"))
SEED = int(os.environ.get("LOCKSTEP_SEED", "0"))
PEOPLE = range(1, 8)
ALL: t.Any = {"limits": dict.fromkeys(("deletes", "disables", "member_removals"), "100%") | {"min_source_records": "0"}}


@pytest.mark.parametrize("missing", ["delete", "disable"])
@pytest.mark.parametrize("server", ["openldap", "samba"])
def test_any_run_is_taken_back_and_made_again(
    request: pytest.FixtureRequest, tmp_path: Path, server: str, missing: str
) -> None:
    seed = SEED or random.SystemRandom().randrange(1, 2**31)
    dice = random.Random(seed)
    world = DirectoryWorld(tmp_path, DirectoryBox(request.getfixturevalue(server)))
    world.job(missing_at_source=missing, **ALL, **({} if missing == "disable" else {"on_disable": None}))
    world.staff(*hire(dice))
    world.run()
    for trip in range(TRIPS):
        add_teams(world, dice)
        before = world.box.photograph()
        world.staff(*hire(dice))
        ran = world.run()
        where = f"trip {trip} of seed {seed}, {server}, {missing}"
        assert told(ran) == [], where
        after = looks_like(world, None)
        undone = world.run("", undo=ran.id)
        assert told(undone) == [], where
        assert looks_like(world, before) == before, where
        again = world.run("", undo=undone.id)
        assert told(again) == [], where
        assert looks_like(world, after) == after, where


def hire(dice: random.Random) -> list[str]:
    """Give the rows of some people with names, places and managers by chance."""
    here = [number for number in PEOPLE if dice.random() < 0.7]
    return [
        f"{number},{dice.choice('AB')}{number},{dice.choice(['Able', 'Baker'])},{dice.choice(['IT', 'Sales', 'HR'])},"
        f"{dice.choice([*here, '', ''])}"
        for number in here
    ]


def add_teams(world: DirectoryWorld, dice: random.Random) -> None:
    """Put people into teams by hand, as somebody may have between two runs."""
    box = world.box
    people = box.places(f"({world.key}=*)")
    for number in range(2):
        place = f"{world.naming}=team{number},{box.base}"
        members = sorted(dice.sample(people, dice.randint(0, len(people)))) or [box.base]
        if box.read(place) is not None:
            box.modify(place, member=members)
            continue
        login = {"sAMAccountName": f"t{number}{abs(hash(box.base)) % 10**8}"} if box.is_ad else {}
        box.add(place, ("top", "group") if box.is_ad else ("top", "groupOfNames"), **login, member=members)


def told(result: RunResult) -> list[str]:
    """Give what did not go as planned."""
    wrong = [problem.message for problem in result.problems if problem.level != "info"]
    return wrong if result.status == "succeeded" else [result.message, *wrong]


def looks_like(world: DirectoryWorld, wanted: t.Any) -> t.Any:
    """Give what the box holds once it is as wanted, or has come to rest: OpenLDAP mends references after its answer."""
    found = world.box.photograph()
    for _look in range(50):
        time.sleep(0.1)
        last, found = found, world.box.photograph()
        if found == wanted or (wanted is None and found == last):
            break
    return found
