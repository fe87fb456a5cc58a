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

TRIPS = int(os.environ.get("LOCKSTEP_ROUND_TRIPS", "2"))
SEED = int(os.environ.get("LOCKSTEP_SEED", "0"))
PEOPLE = range(1, 8)
Photograph: t.TypeAlias = dict[str, dict[str, list[bytes]]]
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
    # OpenLDAP's refint overlay mends references after the answer, and misses entries that move meanwhile.
    left_out = () if world.box.is_ad else ("manager", "member")
    for trip in range(TRIPS):
        add_teams(world, dice)
        before = world.box.photograph()
        world.staff(*hire(dice))
        ran = world.run()
        where = f"trip {trip} of seed {seed}, {server}, {missing}"
        assert not told(ran), f"{where}: {told(ran)}"
        after = looks_like(world, None)
        undone = world.run("", undo=ran.id)
        assert not told(undone), f"{where}: {told(undone)}"
        wrong = differences(looks_like(world, before), before, left_out)
        assert not wrong, f"{where}: {wrong}"
        again = world.run("", undo=undone.id)
        assert not told(again), f"{where}: {told(again)}"
        wrong = differences(looks_like(world, after), after, left_out)
        assert not wrong, f"{where}: {wrong}"


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
        members = [box.base, *sorted(dice.sample(people, dice.randint(0, len(people))))]
        if box.read(place) is not None:
            box.modify(place, member=members)
            continue
        login = {"sAMAccountName": f"t{number}{abs(hash(box.base)) % 10**8}"} if box.is_ad else {}
        box.add(place, ("top", "group") if box.is_ad else ("top", "groupOfNames"), **login, member=members)


def told(result: RunResult) -> list[str]:
    """Give what did not go as planned."""
    wrong = [problem.message for problem in result.problems if problem.level != "info"]
    return wrong if result.status == "succeeded" else [result.message, *wrong]


def differences(found: Photograph, wanted: Photograph, left_out: t.Collection[str]) -> dict[str, t.Any]:
    """Give what is not as wanted: by DN, or by DN and attribute, what was found and what was wanted."""
    wrong: dict[str, t.Any] = {}
    for place in sorted(found.keys() | wanted.keys()):
        one, other = found.get(place), wanted.get(place)
        if one is None or other is None:
            wrong[place] = "is there" if other is None else "is not there"
            continue
        names = [
            name
            for name in sorted(one.keys() | other.keys())
            if name not in left_out and one.get(name) != other.get(name)
        ]
        wrong |= {f"{place} {name}": (one.get(name), other.get(name)) for name in names}
    return wrong


def looks_like(world: DirectoryWorld, wanted: Photograph | None) -> Photograph:
    """Give what the box holds once it is as wanted, or has come to rest: OpenLDAP mends references after its answer."""
    found = world.box.photograph()
    for _look in range(50):
        time.sleep(0.1)
        last, found = found, world.box.photograph()
        if found == wanted or (wanted is None and found == last):
            break
    return found
