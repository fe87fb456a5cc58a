# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world of its own for each test, and a way to put lists in the place of its systems."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if t.TYPE_CHECKING:
    # At run time they are imported inside: this file may be read before pytest-ansible has set up its importer.
    from support.lists import ListProvider
    from support.worlds import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    from support.worlds import World  # noqa: PLC0415

    made = World(folder=tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def put_in_place(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give a function that puts lists in the place of providers: `put_in_place(hr=source, db=destination)`."""
    from ansible_collections.lockstep.sync.plugins.module_utils._running import sides  # noqa: PLC0415

    really_open = sides.open_provider

    def put(**providers: ListProvider) -> None:
        monkeypatch.setattr(
            sides, "open_provider", lambda spec, secrets: providers.get(spec.name) or really_open(spec, secrets)
        )

    return put
