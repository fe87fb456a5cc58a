# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that dies in the middle of a run: nothing is believed gone, and the next run gives the right table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from integration.harness import FAILED, Database, Workplace, fields, job, run, task, wait_until
from servers.fixtures import Server

SIZE = 20_000
COLUMNS = "id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL"


def people(size: int = SIZE) -> list[tuple[int, str]]:
    return [(number, f"Name of number {number}") for number in range(1, size + 1)]


def test_the_source_dies_while_it_is_read(
    place: Workplace, sqlite: Database, start_postgres: Callable[[], Server]
) -> None:
    """The query stops at half of the records until it is told to go on, and there the server is killed."""
    server = start_postgres()
    source = Database(server.url)
    staff = source.make(COLUMNS, people())
    pause = source.make("seconds INTEGER", [(300,)], name="pause")
    query = (
        f"SELECT id, CASE WHEN id = {SIZE // 2} THEN name || pg_sleep((SELECT seconds FROM {pause}))::text "
        f"ELSE name END AS name FROM {staff} ORDER BY id"
    )
    before = [*people()[: SIZE // 4], (SIZE + 1, "gone")]
    table = sqlite.make(COLUMNS, before)
    place.declare(
        [{"name": "hr", **source.provider}, {"name": "db", **sqlite.provider}],
        [job("people", {"provider": "hr", "query": query}, {"provider": "db", "table": table}, fields("id", "name"))],
    )
    running = place.start_adhoc("run", job="people")
    asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    wait_until(lambda: source.rows(asleep), "half of the source was read")
    server.kill()

    done = running.wait()

    assert done.code == FAILED
    assert done.only["run"]["status"] == "failed"
    assert "provider 'hr'" in done.only["msg"]
    assert "Nothing was changed" in done.only["msg"]
    assert done.only["changed"] is False
    assert sqlite.content(table) == before

    server.restart_killed()
    source.execute(f"UPDATE {pause} SET seconds = 0")
    again = place.play(again=run("people", max_changes=1))["again"]

    assert (again["run"]["statistics"]["deleted"], again["run"]["status"]) == (1, "succeeded")
    assert sqlite.content(table) == people()


def test_the_destination_dies_while_it_is_written(place: Workplace, start_mariadb: Callable[[], Server]) -> None:
    server = start_mariadb()
    with closing(Database(server.url)) as database:
        before = [(number, "old") for number in range(1, 1001)] + [(SIZE + 1, "gone")]
        table = database.make(COLUMNS, before)
        source = place.write_csv("people.csv", ["id", "name"], people())
        ends = "hr", {"provider": "db", "table": table}
        place.declare(
            [{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **database.provider}],
            [job("people", *ends, fields("id", "name"))],
        )
        running = place.start_adhoc("run", job="people")
        journal = place.runs_folder / "1" / "journal-1.jsonl"
        wait_until(lambda: written(journal) >= 4, "some batches were written")
        server.kill()

        done = running.wait()

        assert done.code == FAILED
        assert done.only["run"]["status"] == "failed"
        statistics = done.only["run"]["statistics"]
        assert statistics["deleted"] == 0
        assert 0 < statistics["created"] < SIZE
        assert done.only["changed"] is True
        assert "provider 'db'" in done.only["msg"]
        assert "in_doubt" in {error["code"] for error in done.only["run"]["errors"]}

        server.restart_killed()
        rows = dict(database.content(table))
        assert rows[SIZE + 1] == "gone"
        assert set(rows.values()) <= {name for _number, name in people()} | {"old", "gone"}
        done = place.play(again=run("people", max_changes=1), history=task("run_info", job="people"))

        assert done["again"]["run"]["status"] == "succeeded"
        assert [each["status"] for each in done["history"]["runs"]] == ["succeeded", "failed"]
        assert database.content(table) == people()


def written(journal: Path) -> int:
    """Count the batches that were written."""
    return journal.read_text().count('"end"') if journal.exists() else 0
