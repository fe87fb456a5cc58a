# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server is asked grows with pages and batches, never with records: its own log says so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.reading import FETCH_SIZE
from servers.directories import OpenLdap
from servers.fixtures import Server
from servers.ldap_box import DirectoryBox
from servers.sql_box import SqlBox
from support.directory_worlds import DirectoryWorld
from support.worlds import DEPT, KEY, NAME, World

PAGE = 1000
# The first word of a statement; what follows is of this table or of these records.
_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (\w+)")


# -- directories


class Staff:
    """People, and a group with all of them, whose members are resolved by their `uid`."""

    def __init__(self, folder: Path, box: DirectoryBox, count: int) -> None:
        self._world = DirectoryWorld(folder, box)
        self.sql = self._world.world.sql
        self.sql("CREATE TABLE staff (id INTEGER PRIMARY KEY, uid TEXT, name TEXT)")
        self.sql("CREATE TABLE teams (name TEXT, members TEXT)")
        people, teams = box.unit("people"), box.unit("teams")
        rows = ", ".join(f"({number}, 'u{number}', 'Person {number}')" for number in range(1, count + 1))
        self.sql(f"INSERT INTO staff VALUES {rows}")
        self.sql("INSERT INTO teams SELECT 'all', group_concat(uid, ';') FROM staff")
        members = [{"resolve": {"match": "uid", "container": people}}]
        self._world.job(
            source={"provider": "db"},
            destination={"provider": "dir", "container": box.base},
            missing_at_source=None,
            on_disable=None,
            create_containers=None,
            objects=[
                {
                    "name": "people",
                    "type": "inetOrgPerson",
                    "source": {"table": "staff"},
                    "destination": {"container": people},
                    "fields": [
                        {"name": "employeeNumber", "source": "id", "key": True},
                        {"name": "uid", "source": "uid"},
                        {"name": "cn", "source": "name"},
                        {"name": "sn", "source": "name"},
                    ],
                },
                {
                    "name": "teams",
                    "type": "group",
                    "source": {"table": "teams"},
                    "destination": {"container": teams},
                    "fields": [
                        {"name": "cn", "source": "name", "key": True},
                        {"name": "member", "source": "members", "delimiter": ";", "transform": members},
                    ],
                },
            ],
        )
        assert self._world.run().statistics.created == count + 1

    def changes(self) -> int:
        result = self._world.run()
        assert result.status == "succeeded"
        return result.statistics.changes


@pytest.fixture
def searches(tmp_path: Path, openldap: OpenLdap) -> Callable[[int], dict[str, int]]:
    """Give a function that counts what a run without change asks about so many people, all members of a group."""

    def count(people: int) -> dict[str, int]:
        folder = tmp_path / str(people)
        folder.mkdir()
        staff = Staff(folder, DirectoryBox(openldap), people)
        with openldap.counting() as counted:
            assert staff.changes() == 0
        return counted

    return count


def test_people_and_members_without_change_cost_the_same_searches(
    searches: Callable[[int], dict[str, int]],
) -> None:
    few, many = searches(20), searches(PAGE - 100)
    assert set(few) == {"SRCH"}
    assert few == many


def test_only_pages_are_added_when_there_are_more_people(searches: Callable[[int], dict[str, int]]) -> None:
    one, three = searches(20), searches(2 * PAGE + 100)
    # One sweep for what is there, one for whom the members are.
    assert three["SRCH"] - one["SRCH"] <= 2 * 2


# -- databases


class Tables:
    """Two tables of a PostgreSQL server that logs each statement, and a job from one to the other."""

    def __init__(self, folder: Path, server: Server, count: int) -> None:
        self._log = server.log
        self._box = SqlBox(server.url, None)
        self._names = f"source{count}", f"people{count}"
        for name in self._names:
            self._box.execute(
                f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, dept TEXT)",
                f"INSERT INTO {name} SELECT n, 'name ' || n, 'dept ' || n % 7 FROM generate_series(1, {count}) AS n",
            )
        self._world = World(folder=folder)
        self._world.environ["DB_PASSWORD"] = "test"
        self._declare(server)

    def _declare(self, server: Server) -> None:
        url = server.url.replace("test:test@", "test@")
        reference = {"password": SecretReference(kind="env", name="DB_PASSWORD")}
        self._world.provider("pg", "sql", secrets=reference, url=url)
        source, destination = self._names
        self._world.job(
            source={"provider": "pg", "table": source},
            destination={"provider": "pg", "table": destination},
            objects=[{"name": "people", "fields": [KEY, NAME, DEPT]}],
        )

    def change(self, statement: str) -> None:
        self._box.execute(statement.format(source=self._names[0], people=self._names[1]))

    def run(self) -> tuple[int, Counter[str]]:
        """Run the job; give how many changes it made and how often the server got each kind of statement."""
        start = len(self._log.read_text())
        result = self._world.run().result
        assert result.status == "succeeded"
        return result.statistics.changes, Counter(_STATEMENT.findall(self._log.read_text()[start:]))


@pytest.fixture
def tables(tmp_path: Path, start_postgres: Callable[[], Server]) -> Callable[[int], Tables]:
    """Give a function that makes tables with so many rows."""
    server = start_postgres()
    SqlBox(server.url, None).engine.execution_options(isolation_level="AUTOCOMMIT").connect().exec_driver_sql(
        "ALTER SYSTEM SET log_statement = 'all'"
    )
    server.stop()
    server.start()

    def make(count: int) -> Tables:
        folder = tmp_path / str(count)
        folder.mkdir()
        return Tables(folder, server, count)

    return make


def split(counted: Counter[str], name: str) -> tuple[int, Counter[str]]:
    """Give how often the statement `name` came, and all others."""
    return counted[name], Counter({other: number for other, number in counted.items() if other != name})


def test_tables_without_change_cost_the_same_statements(tables: Callable[[int], Tables]) -> None:
    few, many = tables(100).run(), tables(2000).run()
    assert (few[0], many[0]) == (0, 0)
    (few_fetches, others), (fetches, more) = split(few[1], "FETCH"), split(many[1], "FETCH")
    assert others == more
    assert few_fetches <= 2 * 2
    # Both sides are swept once; the last fetch of each finds the end.
    assert fetches <= 2 * (2000 // FETCH_SIZE + 1)
    assert more.total() < 100


def test_rows_that_changed_are_looked_at_together_and_written_once(tables: Callable[[int], Tables]) -> None:
    few, many = tables(100), tables(2000)
    found = []
    for each, last in ((few, 10), (few, 100), (many, 400)):
        each.change(f"UPDATE {{source}} SET dept = 'changed {last}' WHERE id <= {last}")
        changes, counted = each.run()
        # One statement a row, but all of a batch on their way at once: the driver sends them as a pipeline.
        updates, others = split(counted, "UPDATE")
        assert (changes, updates) == (last, last)
        found.append(split(others, "FETCH")[1])
    assert found[0] == found[1] == found[2]
