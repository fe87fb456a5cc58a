# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare providers on a real store: idempotence, secrets, renaming, deleting, several at once."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_provider import (
    ProviderRequest,
    declare_providers,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store
from ansible_collections.lockstep.sync.plugins.module_utils._store.vault import StoredSecret

CSV = {"csv": {"path": "/hr.csv"}}
SQL = {"sql": {"url": "postgresql://db/crm", "username": "sync"}}


def declare(store: Store, name: str = "crm", **options: t.Any) -> Declared:
    (declared,) = declare_providers(store, [ProviderRequest(name=name, **options)])
    return declared


def add_job(store: Store, name: str = "job", **options: t.Any) -> None:
    job: dict[str, t.Any] = {
        "source": {"provider": "hr"},
        "destination": {"provider": "crm", "table": "people"},
        "objects": [{"fields": [{"name": "id", "source": "id", "key": True}]}],
    }
    store.jobs.save(name, {**job, **options})


@pytest.fixture
def used(store: Store) -> Store:
    declare(store, "hr", definition=CSV)
    declare(store, "crm", definition=SQL)
    add_job(store)
    return store


def test_makes_a_provider_once(store: Store) -> None:
    first = declare(store, "hr", definition=CSV)
    assert (first.changed, first.before) == (True, None)
    assert first.after == first.effective
    assert first.after == {
        "name": "hr",
        "type": "csv",
        "csv": {"path": "/hr.csv", "delimiter": ",", "quote": '"', "encoding": "utf-8", "header": True},
    }
    second = declare(store, "hr", definition={"csv": {"path": "/hr.csv", "encoding": "utf-8", "fields": None}})
    assert (second.changed, second.before) == (False, second.after)


def test_options_not_given_keep_what_is_stored(store: Store) -> None:
    declare(store, "hr", definition=CSV)
    assert not declare(store, "hr").changed


def test_a_given_type_replaces_its_options_but_not_its_secrets(store: Store) -> None:
    declare(store, definition=SQL, secrets={"password": Secret("hush-hush")})
    changed = declare(store, definition={"sql": {"url": "postgresql://db2/crm"}})
    assert changed.after == {
        "name": "crm",
        "type": "sql",
        "sql": {"url": "postgresql://db2/crm", "password": "********"},
    }
    stored = store.providers.get("crm")
    assert stored is not None
    secret = stored.secrets["password"]
    assert isinstance(secret, StoredSecret)
    assert secret.reveal() == Secret("hush-hush")


def test_the_same_literal_is_no_change_and_another_one_is_without_being_shown(store: Store) -> None:
    made = declare(store, definition=SQL, secrets={"password": Secret("hush-hush")})
    assert made.after is not None
    assert made.after["sql"]["password"] == "********"
    assert not declare(store, definition=SQL, secrets={"password": Secret("hush-hush")}).changed
    changed = declare(store, definition=SQL, secrets={"password": Secret("other-one")})
    assert changed.changed
    assert changed.before is not None
    assert changed.after is not None
    assert changed.effective is not None
    assert changed.before["sql"]["password"] == "********"
    assert changed.after["sql"]["password"] == "******** (changed)"
    assert changed.effective["sql"]["password"] == "********"
    assert "hush" not in str(changed)
    assert "other" not in str(changed)


def test_a_reference_takes_the_place_of_a_literal_and_an_empty_text_removes_it(store: Store) -> None:
    declare(store, definition=SQL, secrets={"password": Secret("hush-hush")})
    reference = SecretReference(kind="env", name="CRM_PASSWORD")
    changed = declare(store, definition=SQL, secrets={"password": reference})
    assert changed.changed
    assert changed.after is not None
    assert changed.after["sql"]["password_from"] == {"env": "CRM_PASSWORD"}
    assert "password" not in changed.after["sql"]
    assert not declare(store, definition=SQL, secrets={"password": reference}).changed
    removed = declare(store, definition=SQL, secrets={"password": Secret("")})
    assert removed.changed
    assert removed.after is not None
    assert set(removed.after["sql"]) == {"url", "username"}


def test_another_type_of_provider_keeps_no_secret(store: Store) -> None:
    declare(store, definition=SQL, secrets={"password": Secret("hush-hush")})
    assert declare(store, definition=CSV).changed
    stored = store.providers.get("crm")
    assert stored is not None
    assert stored.secrets == {}


def test_a_provider_that_does_not_exist_needs_a_type(store: Store) -> None:
    with pytest.raises(ConfigError, match=r"provider 'crm': it does not exist yet. .* one of `csv`, `excel`, `sql`"):
        declare(store)
    with pytest.raises(ConfigError, match="neither a provider of this name nor one called 'new'"):
        declare(store, new_name="new")


def test_renaming_takes_the_jobs_along_and_can_be_repeated(used: Store) -> None:
    first = declare(used, "crm", new_name="customers", secrets={})
    assert (first.changed, first.name) == (True, "customers")
    job = used.jobs.get("job")
    assert job is not None
    assert job.definition["destination"]["provider"] == "customers"
    assert not declare(used, "crm", new_name="customers").changed
    assert not declare(used, "customers", new_name="customers").changed


def test_renaming_and_changing_in_one_go(store: Store) -> None:
    declare(store, definition=SQL, secrets={"password": Secret("hush-hush")})
    declare(store, "crm", new_name="new", definition={"sql": {"url": "postgresql://db2/crm"}})
    stored = store.providers.get("new")
    assert stored is not None
    assert store.providers.get("crm") is None
    assert stored.spec.options["url"] == "postgresql://db2/crm"
    secret = stored.secrets["password"]
    assert isinstance(secret, StoredSecret)
    assert secret.reveal() == Secret("hush-hush")


def test_a_new_name_without_an_old_provider_makes_one_of_the_new_name(store: Store) -> None:
    assert declare(store, "old", new_name="new", definition=CSV).changed
    assert [stored.spec.name for stored in store.providers.list()] == ["new"]


def test_renaming_onto_another_provider_is_refused(used: Store) -> None:
    with pytest.raises(ConfigError, match="provider 'hr': it cannot be renamed to 'crm', there is a provider of that"):
        declare(used, "hr", new_name="crm")
    with pytest.raises(ConfigError, match="`new_name` does not go with `state: absent`"):
        declare(used, "hr", new_name="x", state="absent")


def test_a_name_that_cannot_be_stored_is_refused_when_renaming(used: Store) -> None:
    with pytest.raises(ConfigError, match="provider ' x': a name is"):
        declare(used, "hr", new_name=" x")


def test_a_provider_in_use_is_deleted_only_by_force_together_with_its_jobs(used: Store) -> None:
    add_job(used, "other")
    with pytest.raises(ConfigError, match=r"provider 'hr': it is used by 2 job\(s\): 'job', 'other'"):
        declare(used, "hr", state="absent")
    deleted = declare(used, "hr", state="absent", force=True)
    assert (deleted.changed, deleted.after, deleted.effective) == (True, None, None)
    assert [text.split("'")[1] for text in deleted.warnings] == ["job", "other"]
    assert used.jobs.list() == []
    assert not declare(used, "hr", state="absent").changed


def test_another_type_must_fit_the_jobs_that_use_the_provider(used: Store) -> None:
    with pytest.raises(
        ConfigError, match=r"provider 'crm' cannot become excel, .* job 'job', object 'row', destination"
    ):
        declare(used, "crm", definition={"excel": {"path": "/a.xlsx"}})
    add_job(used, destination={"provider": "crm"}, objects=[{"destination": {"sheet": "s"}, "fields": FIELDS}])
    assert declare(used, "crm", definition={"excel": {"path": "/a.xlsx"}}).changed


FIELDS = [{"name": "id", "source": "id", "key": True}]


def test_several_are_all_or_none_and_the_message_names_the_entry(store: Store) -> None:
    good = ProviderRequest(name="hr", definition=CSV)
    with pytest.raises(ConfigError, match=r"providers, entry 2 \('crm'\): provider 'crm': .* Nothing was changed\.$"):
        declare_providers(store, [good, ProviderRequest(name="crm")])
    assert store.providers.list() == []
    done = declare_providers(store, [good, ProviderRequest(name="gone", state="absent")])
    assert [(item.name, item.state, item.changed) for item in done] == [
        ("hr", "present", True),
        ("gone", "absent", False),
    ]


def test_the_same_name_twice_is_refused(store: Store) -> None:
    request = ProviderRequest(name="hr", definition=CSV)
    with pytest.raises(ConfigError, match="providers, entries 1 and 2: both declare 'hr'"):
        declare_providers(store, [request, request])


def test_check_mode_says_the_same_and_keeps_nothing(open_again: Callable[..., Store], tmp_path: t.Any) -> None:
    rehearsal = open_again(create=False)
    planned = declare(rehearsal, definition=SQL, secrets={"password": Secret("hush-hush")})
    assert planned.changed
    assert not (tmp_path / "store").exists()
    store = open_again()
    assert declare(store, definition=SQL, secrets={"password": Secret("hush-hush")}) == planned
    again = open_again(create=False)
    assert declare(again, state="absent").changed
    assert store.providers.get("crm") is not None


# -- directories --------------------------------------------------------------------------------------------------


def test_a_password_goes_with_a_simple_log_in_only(store: Store) -> None:
    simple = {"ldap": {"url": "ldap://dir", "bind_dn": "cn=sync,dc=x"}}
    hush = {"password": Secret("hush-hush")}
    declare_providers(store, [ProviderRequest(name="dir", definition=simple, secrets=hush)])
    for auth in ("anonymous", "external"):
        other = {"ldap": {"url": "ldap://dir", "auth": auth}}
        with pytest.raises(
            ConfigError, match=f"provider 'dir', ldap: `password` does not go with `auth: {auth}`"
        ) as no:
            declare_providers(store, [ProviderRequest(name="dir", definition=other, secrets=hush)])
        assert "hush" not in no.value.message
    (changed,) = declare_providers(store, [ProviderRequest(name="dir", definition=other)])
    assert changed.changed
    assert changed.after is not None
    assert "password" not in changed.after["ldap"]
    kept = store.providers.get("dir")
    assert kept is not None
    assert kept.secrets == {}, "a password that nobody uses is not kept"
    empty = {"password": Secret("")}
    (again,) = declare_providers(store, [ProviderRequest(name="dir", definition=other, secrets=empty)])
    assert not again.changed
