# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Smart groups of a job collection: refreshed when its jobs have run, by the run of the last one, on OpenLDAP."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.collections import (
    collection_definition,
    parse_collection,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.smart_groups import (
    parse_smart_group,
    smart_group_definition,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collections import (
    CollectionRequest,
    declare_collections,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.smart_groups import (
    SmartGroupRequest,
    declare_smart_groups,
)
from ansible_collections.lockstep.sync.plugins.module_utils._running.collections import run_collection
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest
from servers.ldap_box import DirectoryBox
from support.directory_worlds import DirectoryWorld

BAD_FIELDS = [{"name": "nowhere", "source": "id", "key": True}]


class Hall:
    """A directory world with the group `all` and the smart group `everybody` that fills it."""

    def __init__(self, world: DirectoryWorld) -> None:
        self.world = world
        self.store = world.world.store
        box = world.box
        boss = box.person("Boss", sn="Boss")
        self.group = box.add(f"cn=all,{box.base}", ("top", "groupOfNames"), member=boss)
        text = {"provider": "dir", "group": self.group, "filter": "(employeeNumber=*)", "container": box.base}
        definition = smart_group_definition(
            parse_smart_group("everybody", {**text, "limits": {"member_removals": "100%"}})
        )
        self.store.smart_groups.save("everybody", definition)

    def declare(self, *jobs: str, **options: t.Any) -> None:
        members = [{"job": job, "on_failure": "continue"} for job in jobs]
        given = {"jobs": members, "smart_groups": ["everybody"], **options}
        self.store.collections.save("c", collection_definition(parse_collection("c", given)))

    def run(self, **options: t.Any) -> Ran:
        self.world.box.come_to_rest()
        return run_collection(RunRequest(collection="c", **options), self.store, self.world.world.runtime)

    def members(self) -> int:
        return len(self.world.box.texts(self.group, "member"))


@pytest.fixture
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Hall:
    return Hall(DirectoryWorld(tmp_path, DirectoryBox(request.getfixturevalue("openldap"))))


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_last_job_that_is_enabled_refreshes_the_groups_of_the_collection(hall: Hall, parallel: int) -> None:
    hall.world.job("first")
    hall.world.job("second", missing_at_source="skip", on_disable=None)
    hall.world.job("off", enabled=False)
    hall.declare("first", "second", "off", parallel=parallel)
    preview = hall.run(preview=True)
    assert [part.result.objects[-1][0] for part in preview.parts] == ["people", "smart group everybody", "people"]
    assert hall.members() == 1
    ran = hall.run()
    assert [part.result.status for part in ran.parts] == ["succeeded", "succeeded", "skipped"]
    assert [part.result.objects[-1][0] for part in ran.parts[:2]] == ["people", "smart group everybody"]
    assert hall.members() == 3
    assert hall.run().result.statistics.changes == 0
    undo = hall.world.run(job="", undo=ran.parts[1].result.id)
    assert undo.statistics.updated == 1
    assert hall.members() == 1


def test_a_job_on_its_own_refreshes_its_own_groups_only(hall: Hall) -> None:
    hall.world.job("first")
    hall.declare("first")
    assert hall.world.run("first").statistics.created == 3
    assert hall.members() == 1


def test_a_group_that_job_and_collection_name_is_refreshed_once(hall: Hall) -> None:
    hall.world.job("first", smart_groups=["everybody"])
    hall.declare("first")
    (part,) = hall.run().parts
    assert [name for name, _counts in part.result.objects] == ["people", "smart group everybody"]


def test_when_the_last_job_fails_the_groups_stay(hall: Hall) -> None:
    hall.world.job("first")
    hall.world.job("bad", fields=BAD_FIELDS)
    hall.declare("first", "bad")
    assert [part.result.status for part in hall.run().parts] == ["succeeded", "failed"]
    assert hall.members() == 1


def test_an_unknown_group_is_refused_and_one_in_use_is_kept(hall: Hall) -> None:
    hall.world.job("first")
    jobs = [{"job": "first"}]
    with pytest.raises(ConfigError, match=r"job collection 'd', smart_groups: there is no smart group 'everbody'"):
        declare_collections(
            hall.store, [CollectionRequest(name="d", definition={"jobs": jobs, "smart_groups": ["everbody"]})]
        )
    hall.declare("first")
    hall.store.smart_groups.rename("everybody", "all of us")
    gone = SmartGroupRequest(name="all of us", state="absent")
    with pytest.raises(ConfigError, match=r"it is refreshed by job collection 'c'\. Take it out"):
        declare_smart_groups(hall.store, [gone])
    stored = hall.store.collections.get("c")
    assert stored is not None
    assert stored.definition["smart_groups"] == ["all of us"]
    declare_smart_groups(hall.store, [SmartGroupRequest(name="all of us", state="absent", force=True)])
    stored = hall.store.collections.get("c")
    assert stored is not None
    assert "smart_groups" not in stored.definition


def test_an_empty_list_takes_the_groups_out(hall: Hall) -> None:
    hall.world.job("first")
    hall.declare("first")
    (declared,) = declare_collections(hall.store, [CollectionRequest(name="c", definition={"smart_groups": []})])
    assert declared.changed
    assert declared.effective is not None
    assert "smart_groups" not in declared.effective
