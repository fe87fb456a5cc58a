# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declaring smart groups, and what becomes of them when their provider goes."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_provider import (
    ProviderRequest,
    declare_providers,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._operations.smart_groups import (
    SmartGroupRequest,
    declare_smart_groups,
    list_smart_groups,
)

if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

BERN = {"provider": "tree", "group": "cn=bern,dc=example", "filter": "(l=Bern)"}
TREE = {"ldap": {"url": ["ldap://directory"], "base_dn": "dc=example", "auth": "anonymous"}}


@pytest.fixture
def directory(store: Store) -> Store:
    """A store with a directory, two tables and a job between these that refreshes `bern` and `all`."""
    declare_providers(
        store,
        [
            ProviderRequest(name="tree", definition=TREE),
            ProviderRequest(name="hr", definition={"csv": {"path": "/hr.csv"}}),
            ProviderRequest(name="crm", definition={"csv": {"path": "/crm.csv"}}),
        ],
    )
    declare(store, "bern")
    declare(store, "all", definition={**BERN, "group": "cn=all,dc=example", "filter": "(cn=*)"})
    refreshing(store, "job", ["bern", "all"])
    refreshing(store, "other", ["bern"])
    return store


def declare(store: Store, name: str, **more: t.Any) -> Declared:
    request = SmartGroupRequest(name=name, **{"definition": {} if "state" in more else BERN, **more})
    return declare_smart_groups(store, [request])[0]


def refreshing(store: Store, name: str, groups: list[str]) -> None:
    definition = {
        "source": {"provider": "hr"},
        "destination": {"provider": "crm"},
        "objects": [{"fields": [{"name": "id", "source": "id", "key": True}]}],
        "smart_groups": groups,
    }
    store.jobs.save(name, definition)


def groups_of(store: Store, name: str) -> object:
    stored = store.jobs.get(name)
    assert stored is not None
    return stored.definition.get("smart_groups")


def test_a_smart_group_is_made_once_and_gets_its_defaults(directory: Store) -> None:
    again = declare(directory, "bern")
    assert not again.changed
    assert again.after == {"name": "bern", **BERN, "limits": {"member_removals": "50% above 10", "min_members": 1}}


def test_what_is_not_given_stays(directory: Store) -> None:
    changed = declare(directory, "bern", definition={"limits": {"min_members": 3}, "filter": None})
    assert changed.changed
    assert changed.before is not None
    assert changed.after is not None
    assert changed.after["limits"] == {"member_removals": "50% above 10", "min_members": 3}
    assert {**changed.after, "limits": None} == {**changed.before, "limits": None}


def test_jobs_follow_a_renaming(directory: Store) -> None:
    declare(directory, "bern", new_name="berne", definition={})
    assert groups_of(directory, "job") == ["berne", "all"]
    assert groups_of(directory, "other") == ["berne"]
    assert [(each["name"], each["used_by"]) for each in list_smart_groups(directory, "berne")] == [
        ("berne", ["job", "other"])
    ]


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({**BERN, "provider": "hr"}, "smart group 'new': provider 'hr' is of type csv; groups are in"),
        ({**BERN, "provider": "tre"}, "smart group 'new'.*'tre'.*Did you mean 'tree'"),
        ({"provider": "tree"}, "smart group 'new': `group`, `filter` is missing"),
        ({**BERN, "filter": "(l=Bern"}, "smart group 'new': `filter` must be an LDAP filter"),
        ({**BERN, "limits": {"member_removals": "half"}}, "smart group 'new'.*member_removals: .*'half'"),
    ],
)
def test_a_wrong_smart_group_is_refused_and_not_stored(
    directory: Store, definition: dict[str, t.Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        declare(directory, "new", definition=definition)
    assert list_smart_groups(directory, "new") == []


def test_a_smart_group_in_use_is_deleted_only_by_force_and_the_jobs_stay(directory: Store) -> None:
    with pytest.raises(
        ConfigError, match=r"smart group 'bern': it cannot be deleted, it is refreshed by job 'job', job 'other'"
    ):
        declare(directory, "bern", state="absent")
    assert declare(directory, "bern", state="absent", force=True).changed
    assert (groups_of(directory, "job"), groups_of(directory, "other")) == (["all"], None)
    assert not declare(directory, "bern", state="absent").changed


def test_check_mode_keeps_the_smart_group_and_its_jobs(directory: Store, open_again: Callable[..., Store]) -> None:
    rehearsed = open_again(create=False)
    assert declare(rehearsed, "bern", state="absent", force=True).changed
    assert groups_of(open_again(), "job") == ["bern", "all"]


def test_a_provider_with_smart_groups_goes_only_by_force_and_takes_them_along(directory: Store) -> None:
    with pytest.raises(ConfigError, match=r"'tree': it is used by 2 smart group\(s\): 'all', 'bern'\. .*`force: true`"):
        declare_providers(directory, [ProviderRequest(name="tree", state="absent")])
    assert len(list_smart_groups(directory, None)) == 2
    deleted = declare_providers(directory, [ProviderRequest(name="tree", state="absent", force=True)])[0]
    assert [text.split("'")[1] for text in deleted.warnings] == ["all", "bern"]
    assert list_smart_groups(directory, None) == []
    assert (groups_of(directory, "job"), groups_of(directory, "other")) == (None, None)


def test_a_directory_with_smart_groups_stays_a_directory(directory: Store) -> None:
    with pytest.raises(ConfigError, match="'tree' cannot become csv, because smart groups are in it: 'all', 'bern'"):
        declare_providers(directory, [ProviderRequest(name="tree", definition={"csv": {"path": "/tree.csv"}})])
    became = {"active_directory": {"url": ["ldaps://dc1.example"], "username": "sync@example"}}
    assert declare_providers(directory, [ProviderRequest(name="tree", definition=became)])[0].changed
