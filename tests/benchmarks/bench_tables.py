# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs between tables: nothing to change beside the two raw reads, and a first load beside executemany."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

from benchmarks import engine, programs
from benchmarks.cases import Case, Peer

ROWS, LOADED = 1_000_000, 100_000
FIELDS = ("id", *(f"field{number}" for number in range(9)))
COLUMNS = ", ".join(FIELDS)
MARKS = ", ".join("?" for _field in FIELDS)


def make_rows(count: int) -> list[tuple[str, ...]]:
    return [
        (
            f"e{row:07}",
            f"First{row % 5000}",
            f"Last{row % 9000}",
            f"user{row}@example.com",
            f"+92-42-{row}",
            f"Department {row % 40}",
            "Berlin",
            "Germany",
            f"Title {row % 300}",
            f"{row % 9}",
        )
        for row in range(count)
    ]


def make_tables(folder: Path, source_rows: int, destination_rows: int) -> None:
    rows = make_rows(max(source_rows, destination_rows))
    with sqlite3.connect(folder / "data.db") as database:
        for name, count in (("source", source_rows), ("destination", destination_rows)):
            columns = ", ".join(f"{field} TEXT" for field in FIELDS[1:])
            database.execute(f"CREATE TABLE {name} (id TEXT PRIMARY KEY NOT NULL, {columns})")
            database.executemany(f"INSERT INTO {name} VALUES ({MARKS})", rows[:count])
    engine.declare(folder, {"data": {"sql": {"url": f"sqlite:///{folder}/data.db"}}}, table_definition())


def table_definition() -> dict[str, object]:
    """Give the job that keeps `destination` as `source` is."""
    return {
        "source": {"provider": "data", "table": "source"},
        "destination": {"provider": "data", "table": "destination"},
        "missing_at_destination": "create",
        "missing_at_source": "delete",
        "objects": [
            {"name": "rows", "fields": [{"name": name, "source": name, "key": name == "id"} for name in FIELDS]}
        ],
    }


def make_equal_tables(folder: Path) -> None:
    make_tables(folder, ROWS, ROWS)


def make_empty_destination(folder: Path) -> None:
    make_tables(folder, LOADED, 0)


def empty_destination(folder: Path) -> None:
    with sqlite3.connect(folder / "data.db") as database:
        database.execute("DELETE FROM destination")


def run_without_change(folder: Path) -> None:
    statistics = engine.run(folder).statistics
    if statistics.unchanged != ROWS:
        raise RuntimeError(f"not all unchanged: {statistics}")


def read_both_raw(folder: Path) -> None:
    for name in ("source", "destination"):
        cursor = sqlite3.connect(folder / "data.db").execute(f"SELECT {COLUMNS} FROM {name}")
        count = 0
        while batch := cursor.fetchmany(1000):
            count += len(batch)
        if count != ROWS:
            raise RuntimeError(f"read {count} rows of {name}")


def run_first_load(folder: Path) -> None:
    statistics = engine.run(folder).statistics
    if statistics.created != LOADED:
        raise RuntimeError(f"not all created: {statistics}")


def copy_raw(folder: Path) -> None:
    with sqlite3.connect(folder / "data.db") as database:
        rows = database.execute(f"SELECT {COLUMNS} FROM source").fetchall()
        database.executemany(f"INSERT INTO destination VALUES ({MARKS})", rows)


def copy_with(program: str, folder: Path) -> float:
    return programs.run_program(program, folder / "data.db", "source", folder / "copied", LOADED)


def bench_tables() -> list[Case]:
    return [
        Case(
            name=f"P4: SQLite to SQLite, {ROWS:,} x {len(FIELDS)}, nothing to change",
            prepare=make_equal_tables,
            ours=run_without_change,
            floor=read_both_raw,
            floor_name="both tables read with sqlite3",
            max_ratio=2,
            max_megabytes=1000,
        ),
        Case(
            name=f"P9: first load of {LOADED:,} x {len(FIELDS)}: plan, journal, write, history",
            prepare=make_empty_destination,
            before=empty_destination,
            ours=run_first_load,
            floor=copy_raw,
            floor_name="SELECT and executemany",
            peers=(
                Peer(name="dlt, append", work=partial(copy_with, "dlt_copy")),
                Peer(name="sling, full-refresh", work=partial(copy_with, "sling_copy")),
            ),
        ),
    ]
