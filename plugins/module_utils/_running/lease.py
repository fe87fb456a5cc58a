# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of what is running: taken before reading, renewed between batches, given back at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .._model.errors import StoreError
from .._store.locks import Holder
from .._store.store import Store
from .account import RunLog
from .runtime import Runtime

LEASE_SECONDS = 300.0
"""How long a lock outlives its last renewal. A dead process on the same machine is seen at once."""


@contextmanager
def hold_lock(name: str, label: str, store: Store, runtime: Runtime, log: RunLog) -> Iterator[Callable[[], None]]:
    """Hold the lock `name`, known to people as `label`, and give the checkpoint that keeps it.

    The checkpoint costs nothing most of the time and renews the lock when a third of the lease has passed. It raises
    CancelledError when the lock was lost, StoreError when the store is gone. Raises LockedError when somebody else
    holds the lock.

    A lock that cannot be given back is noted in the log only: what the run did must still be told, and the lock ends by
    itself.
    """
    holder = Holder(host=runtime.host, pid=runtime.pid, boot_id=runtime.boot_id, label=label)
    lock = store.locks.acquire(name, holder=holder, lease_seconds=LEASE_SECONDS)
    renewed = runtime.monotonic()

    def checkpoint() -> None:
        nonlocal lock, renewed
        if runtime.monotonic() - renewed > LEASE_SECONDS / 3:
            lock = store.locks.renew(lock)
            renewed = runtime.monotonic()

    try:
        yield checkpoint
    finally:
        try:
            store.locks.release(lock)
        except StoreError as error:
            log.add("warning", f"the lock could not be given back and ends by itself: {error.message}")
