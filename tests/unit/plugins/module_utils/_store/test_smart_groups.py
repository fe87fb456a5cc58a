# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._store.smart_groups import StoredSmartGroup
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

DEFINITION = {"provider": "directory", "group": "CN=Größe \x00,DC=x", "filter": "(l=Bonn)", "limits": {"deletes": "5"}}
SIDES = {"source": {"provider": "hr"}, "destination": {"provider": "directory"}}


def get(store: Store, name: str = "bonn") -> StoredSmartGroup:
    group = store.smart_groups.get(name)
    assert group is not None
    return group


def groups_of(store: Store, job: str) -> object:
    stored = store.jobs.get(job)
    assert stored is not None
    return stored.definition.get("smart_groups")


@pytest.fixture
def store_with_group(store_with_job: Store) -> Store:
    """A store with the smart group `bonn`, which the jobs `people` and `guests` refresh."""
    store_with_job.smart_groups.save("bonn", DEFINITION)
    store_with_job.jobs.save("people", {**SIDES, "smart_groups": ["bonn", "rome"]})
    store_with_job.jobs.save("guests", {**SIDES, "smart_groups": ["bonn"]})
    store_with_job.jobs.save("rooms", {**SIDES, "smart_groups": ["rome"], "description": "bonn"})
    return store_with_job


def test_smart_group_comes_back_as_it_was_saved(store_with_job: Store) -> None:
    store_with_job.smart_groups.save("rome", {**DEFINITION, "provider": "hr"})
    store_with_job.smart_groups.save("bonn", DEFINITION)
    group = get(store_with_job)
    assert (group.name, group.definition) == ("bonn", DEFINITION)
    assert group.created == group.modified == "2026-11-21T08:30:00.000000+00:00"
    assert [(each.name, each.definition["provider"]) for each in store_with_job.smart_groups.list()] == [
        ("bonn", "directory"),
        ("rome", "hr"),
    ]


def test_unknown_smart_group_is_none_and_used_by_nobody(store: Store) -> None:
    assert store.smart_groups.get("x") is None
    assert store.smart_groups.used_by("x") == []


def test_saving_again_replaces_the_definition_and_keeps_the_birthday(store_with_job: Store, clock: t.Any) -> None:
    store_with_job.smart_groups.save("bonn", DEFINITION)
    clock.advance(60)
    store_with_job.smart_groups.save("bonn", {**DEFINITION, "provider": "hr"})
    group = get(store_with_job)
    assert group.definition == {**DEFINITION, "provider": "hr"}
    assert (group.created[11:19], group.modified[11:19]) == ("08:30:00", "08:31:00")


@pytest.mark.parametrize("definition", [{}, {"provider": None}])
def test_smart_group_without_provider_is_refused(definition: dict[str, t.Any], store: Store) -> None:
    with pytest.raises(ConfigError, match="smart group 'bonn', option provider: it is missing"):
        store.smart_groups.save("bonn", definition)


def test_unknown_provider_is_named_with_the_smart_group(store_with_job: Store) -> None:
    message = "smart group 'bonn', option provider: there is no provider 'dirctory'. Did you mean 'directory'?"
    with pytest.raises(ConfigError, match=re.escape(message)):
        store_with_job.smart_groups.save("bonn", {**DEFINITION, "provider": "dirctory"})


def test_impossible_names_are_refused(store_with_group: Store) -> None:
    with pytest.raises(ConfigError, match="smart group 'x ': a name is"):
        store_with_group.smart_groups.save("x ", DEFINITION)
    with pytest.raises(ConfigError, match="smart group '': a name is"):
        store_with_group.smart_groups.rename("bonn", "")


# -- use by jobs


def test_jobs_follow_a_renamed_smart_group_and_do_not_count_as_modified(store_with_group: Store, clock: t.Any) -> None:
    before = {job.name: job.modified for job in store_with_group.jobs.list()}
    clock.advance(60)
    store_with_group.smart_groups.rename("bonn", "bonn-2")
    assert get(store_with_group, "bonn-2").modified[11:19] == "08:31:00"
    assert (groups_of(store_with_group, "people"), groups_of(store_with_group, "guests")) == (
        ["bonn-2", "rome"],
        ["bonn-2"],
    )
    assert groups_of(store_with_group, "rooms") == ["rome"]
    assert store_with_group.smart_groups.used_by("bonn-2") == ["guests", "people"]
    assert {job.name: job.modified for job in store_with_group.jobs.list()} == before


def test_failed_transaction_renames_nothing(store_with_group: Store) -> None:
    def fail_after_renaming() -> None:
        with store_with_group.transaction():
            store_with_group.smart_groups.rename("bonn", "bonn-2")
            assert groups_of(store_with_group, "guests") == ["bonn-2"]
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail_after_renaming()
    assert groups_of(store_with_group, "guests") == ["bonn"]
    assert get(store_with_group).name == "bonn"


def test_renaming_to_its_own_name_is_fine_and_to_a_taken_one_refused(store_with_group: Store) -> None:
    store_with_group.smart_groups.save("rome", DEFINITION)
    store_with_group.smart_groups.rename("bonn", "bonn")
    message = "smart group 'bonn': it cannot be renamed, there is already a smart group 'rome'"
    with pytest.raises(ConfigError, match=message):
        store_with_group.smart_groups.rename("bonn", "rome")


def test_smart_group_in_use_cannot_be_deleted_and_its_jobs_are_named(store_with_group: Store) -> None:
    message = "smart group 'bonn': it cannot be deleted, it is refreshed by job 'guests', job 'people'"
    with pytest.raises(ConfigError, match=message):
        store_with_group.smart_groups.delete("bonn")
    for job in ("people", "guests"):
        store_with_group.jobs.save(job, SIDES)
    store_with_group.smart_groups.delete("bonn")
    assert store_with_group.smart_groups.list() == []


@pytest.mark.parametrize(
    "act", [lambda store: store.smart_groups.delete("bon"), lambda store: store.smart_groups.rename("bon", "x")]
)
def test_unknown_smart_group_is_refused_with_the_valid_ones(
    act: t.Callable[[Store], None], store_with_group: Store
) -> None:
    with pytest.raises(ConfigError, match=re.escape("there is no smart group 'bon'. Did you mean 'bonn'?")):
        act(store_with_group)


# -- its provider


def test_smart_group_follows_its_provider_and_keeps_it(store_with_group: Store) -> None:
    for job in ("people", "guests", "rooms"):
        store_with_group.jobs.delete(job)
    store_with_group.providers.rename("directory", "ad")
    assert get(store_with_group).definition["provider"] == "ad"
    assert (store_with_group.providers.used_by("ad"), store_with_group.providers.used_by_smart_groups("ad")) == (
        [],
        ["bonn"],
    )
    assert store_with_group.providers.used_by_smart_groups("hr") == []
    assert store_with_group.providers.used_by_smart_groups("x") == []
    with pytest.raises(ConfigError, match="'ad': it cannot be deleted, these smart groups use it: 'bonn'"):
        store_with_group.providers.delete("ad")
    store_with_group.smart_groups.delete("bonn")
    store_with_group.providers.delete("ad")


def test_provider_names_jobs_and_smart_groups_that_use_it(store_with_group: Store) -> None:
    message = "these jobs use it: 'guests', 'people', 'rooms'; these smart groups use it: 'bonn'"
    with pytest.raises(ConfigError, match=message):
        store_with_group.providers.delete("directory")


def test_database_itself_refuses_to_delete_the_provider_of_a_smart_group(store_with_group: Store) -> None:
    for job in ("people", "guests", "rooms"):
        store_with_group.jobs.delete(job)
    with pytest.raises(StoreError, match="FOREIGN KEY"), store_with_group._session.write() as connection:
        connection.exec_driver_sql("DELETE FROM lockstep_providers WHERE name = 'directory'")


def test_check_mode_renames_nothing(store_with_group: Store, open_at: t.Callable[..., Store], path: t.Any) -> None:
    rehearsal = open_at(path, create=False)
    with rehearsal.transaction():
        rehearsal.smart_groups.rename("bonn", "bonn-2")
        assert groups_of(rehearsal, "guests") == ["bonn-2"]
    assert groups_of(store_with_group, "guests") == ["bonn"]
