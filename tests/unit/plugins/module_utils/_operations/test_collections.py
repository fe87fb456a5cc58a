# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declaring and listing job collections and their templates."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collection_templates import (
    CollectionTemplateRequest,
    declare_collection_templates,
    list_collection_templates,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collections import (
    CollectionFilter,
    CollectionRequest,
    declare_collections,
    list_collections,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_job import JobRequest, declare_jobs
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder
from ansible_collections.lockstep.sync.plugins.module_utils._store.runs import OfCollection
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

HERE = Holder(host="here", pid=1, boot_id="b", label="a test")
AB = [{"job": "a"}, {"job": "b", "on_failure": "continue"}]


@pytest.fixture(autouse=True)
def jobs(store: Store) -> None:
    for name in ("hr", "crm"):
        store.providers.save(ProviderSpec(name=name, type="csv", options={"path": f"/{name}.csv"}), {})
    for name in ("a", "b", "c"):
        key = {"name": "id", "source": "id", "key": True}
        sides = {"source": {"provider": "hr"}, "destination": {"provider": "crm"}}
        store.jobs.save(name, {**sides, "objects": [{"fields": [key]}]})


def declare(store: Store, name: str = "n", **options: t.Any) -> Declared:
    extra = {each: options.pop(each) for each in ("state", "new_name", "copy_of", "force", "whole") if each in options}
    (declared,) = declare_collections(store, [CollectionRequest(name=name, definition=options, **extra)])
    return declared


def delete_job(store: Store, name: str, *, force: bool = False) -> None:
    request = JobRequest(name=name, state="absent", force=force)
    declare_jobs(store, [request], holder=HERE, check_mapping=lambda _job, _destination: None)


def test_what_is_declared_once_is_not_changed_again(store: Store) -> None:
    made = declare(store, jobs=AB, owners=["ann"])
    assert made.effective == {
        "name": "n",
        "description": "",
        "owners": ["ann"],
        "enabled": True,
        "jobs": [{"job": "a", "on_failure": "abort"}, {"job": "b", "on_failure": "continue"}],
        "parallel": 1,
    }
    assert made.changed
    assert not declare(store, jobs=AB, owners=["ann"]).changed
    assert not declare(store).changed, "what is not given stays"
    assert declare(store, parallel=3).changed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "`jobs` is missing; name at least one job"),
        ({"jobs": []}, "`jobs` is missing"),
        ({"jobs": [{"job": "x"}]}, "job collection 'n', jobs: there is no job 'x'.*'a', 'b', 'c'"),
        ({"jobs": [{"job": ""}]}, "job 1: `job` is missing"),
        ({"jobs": [{"job": "a"}, {"job": "a"}]}, "jobs 1 and 2 are both 'a'"),
        ({"jobs": [{"job": "a", "on_failure": "stop"}]}, "'abort', 'continue'"),
        ({"jobs": AB, "parallel": 0}, "`parallel` must be"),
        ({"jobs": AB, "parallel": 33}, "`parallel` must be"),
        ({"jobs": AB, "schedule": "x"}, "schedule: there is no schedule 'x'"),
        ({"jobs": AB, "template": "x"}, "template: there is no collection template 'x'"),
        ({"jobs": AB, "nonsense": 1}, "nonsense"),
        ({"copy_of": "x"}, "copy_of: there is no job collection 'x'"),
        ({"new_name": "m"}, "nothing can be renamed"),
    ],
)
def test_refuses_what_makes_no_sense_and_keeps_nothing(store: Store, options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        declare(store, **options)
    assert store.collections.list() == []


def test_a_collection_in_a_collection_is_refused(store: Store) -> None:
    declare(store, jobs=AB)
    with pytest.raises(ConfigError, match=r"'n' is a job collection\. A collection holds jobs"):
        declare(store, "m", jobs=[{"job": "n"}])


def test_a_copy_and_a_renaming(store: Store) -> None:
    declare(store, jobs=AB, parallel=2)
    assert declare(store, "m", copy_of="n", enabled=False).effective == {
        **t.cast("t.Any", declare(store).effective),
        "name": "m",
        "enabled": False,
    }
    assert declare(store, "m", copy_of="n").changed is False, "it exists, so nothing is copied"
    renamed = declare(store, "m", new_name="k")
    assert (renamed.name, renamed.changed) == ("k", True)
    assert not declare(store, "m", new_name="k").changed


def test_jobs_are_followed_and_not_deleted_without_force(store: Store) -> None:
    declare(store, jobs=AB)
    store.jobs.rename("a", "z")
    assert declare(store).effective["jobs"][0] == {"job": "z", "on_failure": "abort"}  # type: ignore[index]
    with pytest.raises(ConfigError, match=r"'b': it cannot be deleted, these job collections run it: 'n'\. Take"):
        delete_job(store, "b")
    delete_job(store, "b", force=True)
    assert declare(store).effective["jobs"] == [{"job": "z", "on_failure": "abort"}]  # type: ignore[index]
    with pytest.raises(ConfigError, match="'n' would have no job left; delete it first"):
        delete_job(store, "z", force=True)
    delete_job(store, "c")


def test_a_collection_that_a_schedule_runs_is_deleted_by_force_only(store: Store) -> None:
    declare(store, jobs=AB)
    trigger = {"type": "daily", "at": "2026-01-01T03:00:00"}
    store.schedules.save("nightly", {"triggers": [trigger], "jobs": [], "collections": ["n"]})
    store.collections.rename("n", "m")
    assert store.schedules.list()[0].definition["collections"] == ["m"]
    with pytest.raises(ConfigError, match="collection 'm': it cannot be deleted, these schedules run it: 'nightly'"):
        declare(store, "m", state="absent")
    assert declare(store, "m", state="absent", force=True).changed
    assert store.schedules.list()[0].definition["collections"] == []
    assert not declare(store, "m", state="absent").changed


def test_lists_by_name_owner_job_and_last_status(store: Store) -> None:
    declare(store, jobs=AB, owners=["ann"])
    declare(store, "m", jobs=[{"job": "c"}])
    (stored,) = [each for each in store.collections.list() if each.name == "n"]
    store.runs.start(
        "", host="h", pid=1, boot_id="b", started="2026-11-21T03:00:00+00:00", kind="collection",
        collection=OfCollection(id=stored.id, name="n"),
    )  # fmt: skip

    def names(**wanted: t.Any) -> list[str]:
        return [each["name"] for each in list_collections(store, CollectionFilter(**wanted))]

    assert names() == ["m", "n"]
    assert names(name="m") == names(job="c") == ["m"]
    assert names(owner="ann") == names(last_status="running") == ["n"]
    assert names(last_status="failed") == []
    listed = list_collections(store, CollectionFilter(name="n"))[0]
    assert (listed["times_run"], listed["last_run"]["status"]) == (1, "running")
    assert list_collections(store, CollectionFilter(name="m"))[0]["last_run"] is None


# -- templates ----------------------------------------------------------------------------------------------------


def template(store: Store, name: str = "t", **options: t.Any) -> Declared:
    (declared,) = declare_collection_templates(store, [CollectionTemplateRequest(name=name, **options)])
    return declared


def test_a_template_is_taken_from_a_collection_or_written_down(store: Store) -> None:
    declare(store, jobs=AB, parallel=2)
    taken = template(store, from_collection="n", description="d")
    assert taken.effective == {
        "name": "t",
        "description": "d",
        "collection": {
            "description": "",
            "owners": [],
            "enabled": True,
            "jobs": [{"job": "a", "on_failure": "abort"}, {"job": "b", "on_failure": "continue"}],
            "parallel": 2,
        },
    }
    assert not template(store, from_collection="n").changed
    assert template(store, definition={"jobs": [{"job": "not there yet"}]}).changed
    listed = list_collection_templates(store, None)
    assert [(each["name"], each["description"]) for each in listed] == [("t", "d")]
    assert list_collection_templates(store, "x") == []


def test_a_collection_made_from_a_template_shows_its_origin_and_keeps_what_it_took(store: Store) -> None:
    template(store, definition={"jobs": AB, "parallel": 4})
    made = declare(store, template="t", parallel=2).effective
    assert made is not None
    assert (made["template"], made["parallel"], len(made["jobs"])) == ("t", 2, 2)
    template(store, new_name="u")
    assert store.collections.list()[0].definition["template"] == "u"
    assert template(store, "u", state="absent").changed
    assert len(store.collections.list()[0].definition["jobs"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give `from_collection` or `definition`"),
        ({"from_collection": "x"}, "from_collection: there is no job collection 'x'"),
        ({"definition": {}}, "`jobs` is missing"),
        ({"new_name": "u"}, "nothing can be renamed"),
        ({"state": "absent", "new_name": "u"}, "`new_name` does not go with `state: absent`"),
    ],
)
def test_refuses_a_template_that_says_nothing(store: Store, options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        template(store, **options)


def test_deleting_a_template_can_be_repeated(store: Store) -> None:
    assert not template(store, state="absent").changed
