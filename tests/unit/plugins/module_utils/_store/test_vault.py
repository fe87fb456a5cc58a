# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._store import vault as vault_module
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store
from ansible_collections.lockstep.sync.plugins.module_utils._store.vault import Place, StoredSecret, Vault

SECRET = Secret("s3cr3t")


def save(store: Store, provider: str = "hr", secret: Secret = SECRET) -> None:
    store.providers.save(ProviderSpec(name=provider, type="csv", options={}), {"password": secret})


def reveal(store: Store, provider: str = "hr") -> str:
    stored = store.providers.get(provider)
    assert stored is not None
    secret = stored.secrets["password"]
    assert isinstance(secret, StoredSecret)
    return secret.reveal().reveal()


@pytest.fixture
def key(path: Path) -> Path:
    return path.with_name("state.key")


def test_key_is_made_beside_the_store_with_the_first_literal(store: Store, key: Path) -> None:
    assert not key.exists()
    save(store)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(base64.urlsafe_b64decode(key.read_bytes())) == 32
    before = key.read_bytes()
    save(store, "other")
    assert key.read_bytes() == before


def test_given_key_file_is_used(open_at: Callable[..., Store], path: Path, key: Path, tmp_path: Path) -> None:
    given = tmp_path / "my.key"
    given.write_text(base64.b64encode(bytes(range(32))).decode())
    given.chmod(0o400)
    store = open_at(path, key_file=given)
    save(store)
    assert reveal(store) == "s3cr3t"
    assert not key.exists()


def test_each_place_has_a_key_of_its_own(store: Store) -> None:
    save(store, "hr")
    save(store, "other", Secret("another"))
    with store._session.write() as connection:
        connection.exec_driver_sql(
            "UPDATE lockstep_provider_secrets"
            " SET value = (SELECT value FROM lockstep_provider_secrets ORDER BY provider_id)"
        )
    assert reveal(store, "hr") == "s3cr3t"
    with pytest.raises(StoreError, match="provider 'other', option password: the secret cannot be decrypted"):
        reveal(store, "other")


def test_wrong_key_is_told_with_provider_and_option(store: Store, key: Path) -> None:
    save(store)
    key.write_bytes(base64.urlsafe_b64encode(b"x" * 32))
    with pytest.raises(StoreError, match=f"provider 'hr', option password: .* with the key file {key}"):
        reveal(store)
    with pytest.raises(StoreError, match=f"provider 'other', option password: the key file {key} is not the one"):
        save(store, "other")


def test_lost_key_is_never_replaced_while_secrets_depend_on_it(store: Store, key: Path) -> None:
    save(store)
    key.unlink()
    with pytest.raises(StoreError, match=f"provider 'hr', option password: the key file {key} does not exist"):
        reveal(store)
    with pytest.raises(StoreError, match=r"does not exist.* Encrypted secrets have: provider 'hr'\."):
        save(store, "other")
    assert not key.exists()


def test_secret_that_stays_keeps_a_lost_key_from_being_replaced(store: Store, key: Path) -> None:
    save(store)
    key.unlink()
    provider = store.providers.get("hr")
    assert provider is not None
    with pytest.raises(StoreError, match="Encrypted secrets have: provider 'hr'"):
        store.providers.save(provider.spec, {"access": Secret("another"), **provider.secrets})
    assert not key.exists()


def test_lost_key_is_made_anew_when_all_literals_are_given_again(store: Store, key: Path) -> None:
    save(store)
    key.unlink()
    save(store, secret=Secret("again"))
    assert reveal(store) == "again"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_key_that_others_may_use_is_refused(mode: int, store: Store, key: Path) -> None:
    save(store)
    key.chmod(mode)
    with pytest.raises(StoreError, match=f"{key} has mode {mode:04o}: others may use it. Run: chmod 600"):
        reveal(store)


@pytest.mark.parametrize("content", [b"", b"#", b"abcd", b"x" * 2000])
def test_file_that_holds_no_key_is_refused(content: bytes, store: Store, key: Path) -> None:
    key.write_bytes(content)
    key.chmod(0o600)
    with pytest.raises(StoreError, match=f"{key} does not hold a key"):
        save(store)
    assert key.read_bytes() == content


def test_key_that_may_not_be_read_is_told(
    open_directory: Path, open_at: Callable[..., Store], as_ordinary_user: Callable[[], AbstractContextManager[None]]
) -> None:
    store = open_at(open_directory / "state.db")
    save(store)
    (open_directory / "state.key").chmod(0o000)
    with as_ordinary_user(), pytest.raises(StoreError, match="key cannot be read: Permission denied"):
        reveal(store)


def test_key_made_by_another_process_meanwhile_is_used(
    store: Store, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def come_second(path: Path, content: bytes) -> bool:
        path.write_bytes(base64.urlsafe_b64encode(b"y" * 32))
        path.chmod(0o600)
        return False

    monkeypatch.setattr(vault_module, "create_private_file", come_second)
    save(store)
    assert reveal(store) == "s3cr3t"
    assert base64.urlsafe_b64decode(key.read_bytes()) == b"y" * 32


def test_check_mode_keeps_literals_in_memory_only(open_at: Callable[..., Store], path: Path, key: Path) -> None:
    store = open_at(path, create=False)
    with store.transaction():
        save(store)
        save(store, "other", Secret("another"))
        assert (reveal(store), reveal(store, "other")) == ("s3cr3t", "another")
        with store._session.read() as connection:
            values = connection.exec_driver_sql("SELECT value FROM lockstep_provider_secrets").scalars().all()
    assert values == ["rehearsed:0", "rehearsed:1"]
    assert not path.parent.exists()


def test_check_mode_reads_literals_of_an_existing_store(open_at: Callable[..., Store], path: Path) -> None:
    with open_at(path) as store:
        save(store)
    assert reveal(open_at(path, create=False)) == "s3cr3t"


def test_store_without_any_key_file_asks_for_one(store: Store) -> None:
    place = Place(noun="provider", number=1, name="hr", option="password")
    vault = Vault(None, location="postgresql://db/x", rehearsal=False)
    with store._session.write() as connection, pytest.raises(ConfigError, match="needs store_key_file"):
        vault.seal(connection, place, SECRET, others=())
    with pytest.raises(StoreError, match=r"provider 'hr', option password: .* no key is given\. Set store_key_file"):
        vault.open(place, "token")


def test_keys_are_derived_as_rfc_5869_says() -> None:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    info = b'["lockstep.sync","provider",7,"password"]'
    expected = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(bytes(range(32)))
    assert vault_module._derive(bytes(range(32)), "provider", 7, "password") == expected


def test_approvals_on_a_server_need_a_key(store: Store) -> None:
    without = Vault(None, location="postgresql://x/y", rehearsal=False)
    with store._session.write() as connection, pytest.raises(ConfigError, match=r"approvals .* need store_key_file"):
        without.sign(connection, b"x")
    with pytest.raises(StoreError, match="no key is given"):
        without.is_signed(b"x", "y")
