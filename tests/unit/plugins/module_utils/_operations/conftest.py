# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store on a fresh SQLite file, and the same store as check mode sees it."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store


@pytest.fixture
def open_again(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Give a function that opens the store; with `create=False` as in check mode."""
    from ansible_collections.lockstep.sync.plugins.module_utils._store.address import StoreAddress  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import open_store  # noqa: PLC0415
    from support.stores import lay_new_store  # noqa: PLC0415

    stores: list[Store] = []

    def open_it(*, create: bool = True) -> Store:
        path = tmp_path / "store" / "state.db"
        address = StoreAddress(url=f"sqlite:///{path}")
        if create:
            lay_new_store(path)
        stores.append(open_store(address, create=create, clock=lambda: datetime(2026, 11, 21, 8, 30, tzinfo=UTC)))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(open_again: Callable[..., Store]) -> Store:
    return open_again()
