# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store on a fresh SQLite file, a clock that tests move, and an ordinary user when the tests run as root."""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

if t.TYPE_CHECKING:
    # At run time they are imported inside: this file may be read before pytest-ansible has set up its importer.
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

NOBODY = 65534


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "state.db"


@pytest.fixture
def open_at(clock: SetClock) -> Iterator[Callable[..., Store]]:
    """Give a function that opens the store in a SQLite file; all are closed at the end."""
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import StoreAddress, open_store  # noqa: PLC0415

    stores: list[Store] = []

    def open_it(path: Path, *, create: bool = True, key_file: Path | None = None, **options: t.Any) -> Store:
        address = StoreAddress(url=f"sqlite:///{path}", key_file=None if key_file is None else str(key_file))
        stores.append(open_store(address, create=create, clock=clock, **options))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(open_at: Callable[..., Store], path: Path) -> Store:
    return open_at(path)


@pytest.fixture
def store_with_job(store: Store) -> Store:
    """A store with the providers `hr` and `directory` and the job `people`."""
    from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec  # noqa: PLC0415

    store.providers.save(ProviderSpec(name="hr", type="csv", options={"path": "/data/hr.csv"}), {})
    store.providers.save(ProviderSpec(name="directory", type="sql", options={"url": "sqlite:////x"}), {})
    store.jobs.save("people", {"source": {"provider": "hr"}, "destination": {"provider": "directory"}})
    return store


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user may enter."""
    directory = Path(tempfile.mkdtemp(prefix="lockstep-store-"))
    directory.chmod(0o755)
    yield directory
    for place in (directory, *directory.iterdir()):
        place.chmod(0o700)
    shutil.rmtree(directory)


@pytest.fixture
def as_ordinary_user() -> Callable[[], AbstractContextManager[None]]:
    """Give a context in which rights count: root becomes nobody for its time, others stay who they are."""

    @contextmanager
    def be_ordinary() -> Iterator[None]:
        if os.getuid() != 0:
            yield
            return
        os.setresgid(NOBODY, NOBODY, 0)
        os.setresuid(NOBODY, NOBODY, 0)
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)
            os.setresgid(0, 0, 0)

    return be_ordinary
