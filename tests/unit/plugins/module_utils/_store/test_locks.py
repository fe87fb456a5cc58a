# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import CancelledError, LockedError
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder, process_exists
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

ANN = Holder(host="web1", pid=100, boot_id="b00t", label="run 41 of people")
BOB = Holder(host="web2", pid=200, boot_id="0ther", label="run 42 of people")


@pytest.fixture
def alive() -> set[int]:
    """The processes of this host that exist."""
    return {100, 200}


@pytest.fixture
def store(open_at: Callable[..., Store], path: Path, alive: set[int]) -> Store:
    return open_at(path, pid_alive=alive.__contains__)


def can_take(store: Store, holder: Holder = BOB) -> bool:
    with suppress(LockedError):
        store.locks.acquire("job 1", holder=holder, lease_seconds=60)
        return True
    return False


def test_held_lock_is_refused_with_the_holder(store: Store) -> None:
    store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    with pytest.raises(LockedError) as caught:
        store.locks.acquire("job 1", holder=BOB, lease_seconds=60)
    assert caught.value.holder == (
        "run 41 of people on web1 (process 100, since 2026-11-21T08:30:00.000000+00:00, "
        "lease until 2026-11-21T08:31:00.000000+00:00)"
    )
    assert caught.value.holder in caught.value.message


def test_different_names_are_different_locks(store: Store) -> None:
    store.locks.acquire("job 2", holder=ANN, lease_seconds=60)
    assert can_take(store)


def test_released_lock_is_free(store: Store) -> None:
    lock = store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    store.locks.release(lock)
    assert can_take(store)


def test_lease_that_ended_is_taken_over_and_its_holder_finds_out(store: Store, clock: Callable[[], None]) -> None:
    lock = store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    clock.advance(59)
    assert not can_take(store)
    clock.advance(1)
    assert can_take(store)
    with pytest.raises(CancelledError, match="lock job 1 was lost: it was taken over by run 42 of people on web2"):
        store.locks.renew(lock)


def test_late_holder_does_not_release_the_lock_of_the_next(store: Store, clock: Callable[[], None]) -> None:
    lock = store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    clock.advance(60)
    assert can_take(store)
    store.locks.release(lock)
    assert not can_take(store, ANN)


def test_renewed_lease_lasts_from_now(store: Store, clock: Callable[[], None]) -> None:
    lock = store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    clock.advance(50)
    renewed = store.locks.renew(lock)
    assert renewed == replace(lock, expires="2026-11-21T08:31:50.000000+00:00")
    clock.advance(50)
    assert not can_take(store)


def test_late_renewal_is_fine_while_nobody_took_the_lock(store: Store, clock: Callable[[], None]) -> None:
    lock = store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    clock.advance(600)
    store.locks.renew(lock)
    assert not can_take(store)


def test_released_lock_cannot_be_renewed(store: Store) -> None:
    lock = store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    store.locks.release(lock)
    with pytest.raises(CancelledError, match="it was released"):
        store.locks.renew(lock)


@pytest.mark.parametrize(
    ("asking", "taken"),
    [
        (replace(ANN, pid=101), True),
        (replace(ANN, pid=101, boot_id="0ther"), False),
        (replace(ANN, pid=101, host="web2"), False),
    ],
)
def test_dead_process_loses_its_lock_to_its_own_host_and_boot_only(
    asking: Holder, taken: bool, store: Store, alive: set[int]
) -> None:
    store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    assert not can_take(store, asking)
    alive.clear()
    assert can_take(store, asking) == taken


def test_processes_are_told_from_numbers_without_one() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_exists(os.getpid())
    assert not process_exists(child.pid)


def test_process_of_another_user_exists(as_ordinary_user: Callable[..., object]) -> None:
    with as_ordinary_user():
        assert process_exists(1)


CONTENDER = """
import os, sys
from datetime import UTC, datetime
sys.path.insert(0, sys.argv[1])
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import LockedError
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import StoreAddress, open_store
store = open_store(StoreAddress(url=sys.argv[2]), create=True, clock=lambda: datetime.now(UTC))
holder = Holder(host="here", pid=os.getpid(), boot_id="b", label="contender")
print("ready", flush=True)
sys.stdin.readline()
try:
    store.locks.acquire("job 1", holder=holder, lease_seconds=600)
    print("acquired", flush=True)
except LockedError:
    print("locked", flush=True)
sys.stdin.readline()
"""


def test_of_eight_processes_exactly_one_gets_the_lock(path: Path) -> None:
    tree = next(entry for entry in sys.path if (Path(entry) / "ansible_collections" / "lockstep").exists())
    command = [sys.executable, "-c", CONTENDER, tree, f"sqlite:///{path}"]
    processes = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True, bufsize=1) for _each in range(8)]
    answers = []
    for expected in ("ready\n", None):
        lines = [process.stdout.readline() for process in processes if process.stdout is not None]
        if expected:
            assert lines == [expected] * 8
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
        answers = lines
    for process in processes:
        process.communicate("end\n", timeout=60)
    assert sorted(answers) == ["acquired\n", *["locked\n"] * 7]
