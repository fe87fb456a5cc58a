# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that do not answer; real ones are in tests/store."""

from __future__ import annotations

import socket
import sys
from datetime import UTC, datetime

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import DependencyError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import StoreAddress, open_store


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_at(url: str, *, create: bool, password: str | None = None) -> None:
    address = StoreAddress(url=url, password=None if password is None else Secret(password))
    open_store(address, create=create, clock=lambda: datetime.now(UTC))


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_server_that_does_not_answer_is_named_without_the_password(
    dialect: str, create: bool, closed_port: int
) -> None:
    url = f"{dialect}://ann@127.0.0.1:{closed_port}/sync"
    with pytest.raises(StoreError, match="Check that the server runs") as caught:
        open_at(url, create=create, password="s3cr3t")
    assert caught.value.message.startswith(f"The state store {url} cannot be used: ")
    assert "s3cr3t" not in caught.value.message


@pytest.mark.parametrize(("dialect", "driver"), [("postgresql", "psycopg"), ("mariadb", "pymysql")])
def test_missing_driver_is_named(dialect: str, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(DependencyError, match=f"(?i){driver}"):
        open_at(f"{dialect}://db/sync", create=True)


def test_option_in_the_url_wins_over_ours(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, object]] = []

    def connect(**options: object) -> None:
        seen.append(options)
        raise ConnectionError

    monkeypatch.setattr("pymysql.connect", connect)
    with pytest.raises(ConnectionError):
        open_at(f"mariadb://127.0.0.1:{closed_port}/sync?connect_timeout=3", create=True)
    assert (seen[0]["connect_timeout"], seen[0]["read_timeout"]) == (3, 60)
