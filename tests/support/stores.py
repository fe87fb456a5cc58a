# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New state stores without waiting: the first of a process is made as always, further ones are copies of it."""

from __future__ import annotations

import atexit
import datetime as dt
import functools
import shutil
import tempfile
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._store.address import StoreAddress
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import open_store


def lay_new_store(path: Path) -> None:
    """Put an empty store of the newest version to `path`, unless there is one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_template(), path)
        path.chmod(0o600)


@functools.cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="lockstep-store-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "state.db"
    with open_store(
        StoreAddress(url=f"sqlite:///{path}"), create=True, clock=lambda: dt.datetime.now(dt.timezone.utc)
    ) as store:
        # What is in the write-ahead log comes into the file when the last connection ends.
        assert store.jobs.list() == []
    assert not path.with_name("state.db-wal").exists()
    return path
