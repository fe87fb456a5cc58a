# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._store.providers import StoredProvider
from ansible_collections.lockstep.sync.plugins.module_utils._store.secrets import resolve
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store
from ansible_collections.lockstep.sync.plugins.module_utils._store.vault import StoredSecret

SPEC = ProviderSpec(name="hr", type="csv", options={"path": "/data/hr.csv", "fields": ("a", "b"), "header": False})
ENV = SecretReference(kind="env", name="HR_PASSWORD")


def get(store: Store, name: str = "hr") -> StoredProvider:
    provider = store.providers.get(name)
    assert provider is not None
    return provider


def stored(store: Store, name: str = "hr", option: str = "password") -> StoredSecret:
    secret = get(store, name).secrets[option]
    assert isinstance(secret, StoredSecret)
    return secret


def named(name: str) -> ProviderSpec:
    return ProviderSpec(name=name, type="csv", options={})


def test_provider_comes_back_as_it_was_saved(store: Store) -> None:
    file = SecretReference(kind="file", name="/etc/secret")
    store.providers.save(SPEC, {"password": ENV, "token": file})
    provider = get(store)
    assert provider.spec == SPEC
    assert provider.secrets == {"password": ENV, "token": file}
    assert provider.created == provider.modified == "2026-11-21T08:30:00.000000+00:00"


def test_unknown_provider_is_none_and_used_by_nobody(store: Store) -> None:
    assert store.providers.get("x") is None
    assert store.providers.used_by("x") == []


def test_saving_again_replaces_options_and_secrets_and_keeps_the_birthday(
    store: Store, clock: Callable[[], None]
) -> None:
    store.providers.save(SPEC, {"password": ENV, "token": ENV})
    clock.advance(60)
    store.providers.save(ProviderSpec(name="hr", type="excel", options={"path": "/x"}), {"token": ENV})
    provider = get(store)
    assert (provider.spec.type, provider.spec.options, provider.secrets) == ("excel", {"path": "/x"}, {"token": ENV})
    assert (provider.created[11:19], provider.modified[11:19]) == ("08:30:00", "08:31:00")


def test_names_that_differ_in_case_or_accent_are_different(store: Store) -> None:
    for name in ("hr", "HR", "hŕ"):
        store.providers.save(named(name), {"password": SecretReference(kind="env", name=name)})
    assert [(p.spec.name, p.secrets["password"].name) for p in store.providers.list()] == [
        ("HR", "HR"),
        ("hr", "hr"),
        ("hŕ", "hŕ"),
    ]


def test_impossible_name_is_refused(store: Store) -> None:
    for act in (lambda: store.providers.save(named(" hr"), {}), lambda: store.providers.rename("hr", "")):
        with pytest.raises(ConfigError, match="a name is"):
            act()


# -- literal secrets


def test_literal_secret_is_encrypted_and_comes_back(store: Store, path: Path) -> None:
    store.providers.save(SPEC, {"password": Secret("s3cr3t \ud800")})
    secret = stored(store)
    assert resolve(secret, "x", {}) == Secret("s3cr3t \ud800")
    assert "s3cr3t" not in f"{secret} {secret!r} {get(store)!r}"
    store.close()
    assert b"s3cr3t" not in path.read_bytes()


def test_renamed_provider_keeps_its_secret(store: Store) -> None:
    store.providers.save(SPEC, {"password": Secret("s3cr3t")})
    store.providers.rename("hr", "people")
    assert stored(store, "people").reveal() == Secret("s3cr3t")


def test_stored_secret_is_kept_without_the_key(store: Store, path: Path) -> None:
    store.providers.save(SPEC, {"password": Secret("s3cr3t")})
    key = path.with_name("state.key")
    key.rename(key.with_suffix(".away"))
    store.providers.save(named("hr"), get(store).secrets)
    key.with_suffix(".away").rename(key)
    assert stored(store).reveal() == Secret("s3cr3t")


def test_stored_secret_can_be_copied_to_another_provider_and_option(store: Store) -> None:
    store.providers.save(SPEC, {"password": Secret("s3cr3t")})
    store.providers.save(named("copy"), {"token": stored(store)})
    store.providers.save(SPEC, {"token": stored(store)})
    assert stored(store, "copy", "token").reveal() == stored(store, "hr", "token").reveal() == Secret("s3cr3t")


def test_short_literal_stores_nothing(store: Store) -> None:
    with pytest.raises(ConfigError, match="provider 'hr', option password: a literal secret must have at least 4"):
        store.providers.save(SPEC, {"password": Secret("abc")})
    assert store.providers.list() == []


def test_providers_without_literals_need_neither_key_nor_cryptography(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    store.providers.save(SPEC, {"password": ENV})
    assert get(store).secrets == {"password": ENV}
    assert not path.with_name("state.key").exists()


# -- use by jobs


def test_provider_in_use_cannot_be_deleted_and_its_jobs_are_named(store_with_job: Store) -> None:
    store_with_job.jobs.save("back", {"source": {"provider": "directory"}, "destination": {"provider": "hr"}})
    assert store_with_job.providers.used_by("hr") == ["back", "people"]
    with pytest.raises(ConfigError, match="provider 'hr': it cannot be deleted, these jobs use it: 'back', 'people'"):
        store_with_job.providers.delete("hr")
    store_with_job.jobs.delete("back")
    store_with_job.jobs.delete("people")
    store_with_job.providers.delete("hr")
    assert [provider.spec.name for provider in store_with_job.providers.list()] == ["directory"]


def test_database_itself_refuses_to_delete_a_provider_in_use(store_with_job: Store) -> None:
    from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError  # noqa: PLC0415

    with pytest.raises(StoreError, match="FOREIGN KEY"), store_with_job._session.write() as connection:
        connection.exec_driver_sql("DELETE FROM lockstep_providers")


def test_deleted_provider_takes_its_secrets_along(store: Store) -> None:
    store.providers.save(SPEC, {"password": ENV})
    store.providers.delete("hr")
    store.providers.save(SPEC, {})
    assert get(store).secrets == {}


@pytest.mark.parametrize(
    "act", [lambda store: store.providers.delete("hrr"), lambda store: store.providers.rename("hrr", "x")]
)
def test_acting_on_an_unknown_provider_proposes_the_nearest(act: Callable[[Store], None], store: Store) -> None:
    store.providers.save(SPEC, {})
    with pytest.raises(ConfigError, match=re.escape("there is no provider 'hrr'. Did you mean 'hr'?")):
        act(store)


def test_renaming_to_a_taken_name_is_refused(store_with_job: Store) -> None:
    with pytest.raises(ConfigError, match="'hr': it cannot be renamed, there is already a provider 'directory'"):
        store_with_job.providers.rename("hr", "directory")
    store_with_job.providers.rename("hr", "hr")
    assert store_with_job.providers.get("hr") is not None
