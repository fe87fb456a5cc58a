# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._store.jobs import StoredJob
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

DEFINITION = {
    "source": {"provider": "hr", "table": None},
    "destination": {"provider": "directory", "table": "people"},
    "objects": [{"name": "people", "fields": [{"name": "Größe \x00 \ud800", "key": True}]}],
    "on_error": {"delay": 0.5},
}


def get(store: Store, name: str) -> StoredJob:
    job = store.jobs.get(name)
    assert job is not None
    return job


def test_job_comes_back_as_it_was_saved(store_with_job: Store) -> None:
    store_with_job.jobs.save("groups", DEFINITION)
    job = get(store_with_job, "groups")
    assert (job.name, job.definition) == ("groups", DEFINITION)
    assert job.created == job.modified == "2026-11-21T08:30:00.000000+00:00"
    assert [each.name for each in store_with_job.jobs.list()] == ["groups", "people"]


def test_saving_again_replaces_the_definition_and_keeps_number_and_birthday(
    store_with_job: Store, clock: t.Any
) -> None:
    before = get(store_with_job, "people")
    clock.advance(60)
    store_with_job.jobs.save("people", DEFINITION)
    after = get(store_with_job, "people")
    assert after.definition == DEFINITION
    assert (after.id, after.created) == (before.id, before.created)
    assert after.modified[11:19] == "08:31:00"


def test_renamed_provider_is_renamed_in_its_jobs(store_with_job: Store) -> None:
    store_with_job.providers.rename("hr", "staff")
    store_with_job.providers.rename("directory", "hr")
    definition = get(store_with_job, "people").definition
    assert (definition["source"]["provider"], definition["destination"]["provider"]) == ("staff", "hr")


def test_job_may_use_one_provider_on_both_sides(store_with_job: Store) -> None:
    store_with_job.jobs.save("people", {"source": {"provider": "hr"}, "destination": {"provider": "hr"}})
    assert store_with_job.providers.used_by("hr") == ["people"]
    assert store_with_job.providers.used_by("directory") == []


def test_unknown_provider_is_named_with_job_and_option(store_with_job: Store) -> None:
    message = "option destination.provider: there is no provider 'dirctory'. Did you mean 'directory'? Valid: "
    with pytest.raises(ConfigError, match=re.escape(f"job 'x', {message}'directory', 'hr'.")):
        store_with_job.jobs.save("x", {"source": {"provider": "hr"}, "destination": {"provider": "dirctory"}})
    assert store_with_job.jobs.get("x") is None


@pytest.mark.parametrize("source", [None, {}, {"provider": None}])
def test_endpoint_without_provider_is_refused(source: object, store_with_job: Store) -> None:
    with pytest.raises(ConfigError, match=r"job 'x', option source\.provider: it is missing"):
        store_with_job.jobs.save("x", {"source": source, "destination": {"provider": "hr"}})


def test_impossible_names_are_refused(store_with_job: Store) -> None:
    with pytest.raises(ConfigError, match="job 'x ': a name is"):
        store_with_job.jobs.save("x ", DEFINITION)
    with pytest.raises(ConfigError, match="job '': a name is"):
        store_with_job.jobs.rename("people", "")


def test_renaming_keeps_the_number_and_frees_the_name(store_with_job: Store) -> None:
    number = get(store_with_job, "people").id
    store_with_job.jobs.rename("people", "staff")
    assert get(store_with_job, "staff").id == number
    assert store_with_job.jobs.get("people") is None


def test_renaming_to_a_taken_name_is_refused(store_with_job: Store) -> None:
    store_with_job.jobs.save("groups", DEFINITION)
    with pytest.raises(ConfigError, match="job 'people': it cannot be renamed, there is already a job 'groups'"):
        store_with_job.jobs.rename("people", "groups")
    store_with_job.jobs.rename("people", "people")


def test_number_of_a_deleted_job_is_not_given_again(store_with_job: Store) -> None:
    number = get(store_with_job, "people").id
    store_with_job.jobs.delete("people")
    store_with_job.jobs.save("people", DEFINITION)
    assert get(store_with_job, "people").id > number


def test_acting_on_an_unknown_job_proposes_the_nearest(store_with_job: Store) -> None:
    for act in (lambda: store_with_job.jobs.delete("peopel"), lambda: store_with_job.jobs.rename("peopel", "x")):
        with pytest.raises(ConfigError, match=re.escape("there is no job 'peopel'. Did you mean 'people'?")):
            act()
