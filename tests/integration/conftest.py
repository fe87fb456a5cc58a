# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the integration tests share: a workplace each, and databases of three kinds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from integration.harness import HERE, Database, Workplace

REAL_DATA = HERE.parent.parent.parent / "shared" / "data"
"""Real data sets beside the project, where there are any."""
collect_ignore = [] if REAL_DATA.exists() else ["test_real_directories.py"]


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """A workplace of the test's own."""
    return Workplace(folder=tmp_path)


def make_sqlite(path: Path) -> Database:
    """Make an empty SQLite file."""
    path.touch()
    return Database(f"sqlite:///{path}")


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A SQLite file of the test's own."""
    with closing(make_sqlite(tmp_path / "data.db")) as database:
        yield database


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    """The PostgreSQL server; tables made through it are dropped with the test."""
    with closing(Database(postgres_url)) as database:
        yield database


@pytest.fixture
def mariadb(mariadb_url: str) -> Iterator[Database]:
    """The MariaDB server; tables made through it are dropped with the test."""
    with closing(Database(mariadb_url)) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each kind of database in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Database)
    return found


@pytest.fixture
def other_database(request: pytest.FixtureRequest, database: Database) -> Database:
    """A database of another kind than `database`."""
    others = {"sqlite": "postgres", "postgresql": "mariadb", "mysql": "sqlite"}
    found = request.getfixturevalue(others[database.kind])
    assert isinstance(found, Database)
    return found
