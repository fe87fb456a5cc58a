# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store


def spec(name: str) -> ProviderSpec:
    return ProviderSpec(name=name, type="csv", options={})


def names(store: Store) -> list[str]:
    return [provider.spec.name for provider in store.providers.list()]


def test_transaction_is_stored_as_a_whole(store: Store) -> None:
    with store.transaction():
        store.providers.save(spec("a"), {})
        with store.transaction():
            store.providers.save(spec("b"), {})
        assert names(store) == ["a", "b"]
    assert names(store) == ["a", "b"]


def test_transaction_left_by_an_exception_stores_nothing(store: Store) -> None:
    def fail_after_saving() -> None:
        with store.transaction():
            store.providers.save(spec("a"), {})
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail_after_saving()
    assert names(store) == []
    store.providers.save(spec("b"), {})
    assert names(store) == ["b"]


def test_other_threads_and_processes_see_a_transaction_only_when_it_has_ended(
    store: Store, open_at: Callable[..., Store], path: Path
) -> None:
    other = open_at(path)
    seen: list[list[str]] = []

    def look() -> None:
        seen.append(names(store))

    with store.transaction():
        store.providers.save(spec("a"), {})
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        seen.append(names(other))
    assert seen == [[], []]
    assert names(other) == ["a"]


def test_threads_take_turns_in_a_store_in_memory(open_at: Callable[..., Store], path: Path) -> None:
    store = open_at(path, create=False)
    done: list[str] = []

    def save() -> None:
        store.providers.save(spec("b"), {})
        done.append("b")

    with store.transaction():
        thread = threading.Thread(target=save)
        thread.start()
        store.providers.save(spec("a"), {})
        done.append("a")
    thread.join()
    assert done == ["a", "b"]
