# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases under test: one box each, and `box` for what all three must do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.sql_box import SqlBox


@pytest.fixture
def sqlite_box(tmp_path: Path) -> Iterator[SqlBox]:
    box = SqlBox(f"sqlite:///{tmp_path}/people.db", None, "people")
    box.make(("id", "name"), ())
    yield box
    box.close()


@pytest.fixture
def postgres_box(postgres_url: str) -> Iterator[SqlBox]:
    box = SqlBox(postgres_url, None, "people")
    box.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", "DROP SCHEMA IF EXISTS hr CASCADE")
    yield box
    box.close()


@pytest.fixture
def mariadb_box(mariadb_url: str) -> Iterator[SqlBox]:
    box = SqlBox(mariadb_url, None, "people")
    name = box.engine.url.database
    box.execute(f"DROP DATABASE {name}", f"CREATE DATABASE {name}")
    yield box
    box.close()


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def box(request: pytest.FixtureRequest) -> SqlBox:
    """Each database in turn."""
    found: SqlBox = request.getfixturevalue(f"{request.param}_box")
    return found
