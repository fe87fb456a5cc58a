# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs between two tables of one PostgreSQL server, beside the two raw reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import SecretReference
from benchmarks import engine
from benchmarks.bench_tables import COLUMNS, FIELDS, ROWS, make_rows, table_definition
from benchmarks.cases import Case
from servers.fixtures import SCRIPTS, free_port

TABLES = ("source", "destination")


def server(folder: Path, *arguments: str) -> None:
    with (folder / "postgres.log").open("a") as log:
        # A file: what is started keeps a pipe open.
        command = [str(SCRIPTS / "postgres.sh"), arguments[0], str(folder / "pg"), *arguments[1:]]
        subprocess.run(command, check=True, stdout=log, stderr=log)


def url(folder: Path) -> str:
    lines = (folder / "pg" / "env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)["SA_URL"]


def connect(folder: Path) -> psycopg.Connection:
    return psycopg.connect(url(folder).replace("+psycopg", ""))


def make_equal_tables(folder: Path) -> None:
    folder.chmod(0o755)  # the server runs as another user
    server(folder, "start", str(free_port()))
    rows = make_rows(ROWS)
    with connect(folder) as connection:
        for name in TABLES:
            columns = ", ".join(f"{field} text" for field in FIELDS[1:])
            connection.execute(f"CREATE TABLE {name} (id text PRIMARY KEY, {columns})")
            with connection.cursor() as cursor, cursor.copy(f"COPY {name} ({COLUMNS}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
    with psycopg.connect(url(folder).replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    address = url(folder).replace("test:test@", "")
    password = folder / "password"
    password.write_text("test\n", encoding="utf-8")
    password.chmod(0o600)
    engine.declare(
        folder,
        {"data": {"sql": {"url": address, "username": "test"}}},
        table_definition(),
        {"password": SecretReference(kind="file", name=str(password))},
    )


def run_without_change(folder: Path) -> None:
    statistics = engine.run(folder).statistics
    if statistics.unchanged != ROWS:
        raise RuntimeError(f"not all unchanged: {statistics}")


def read_both_raw(folder: Path) -> None:
    with connect(folder) as connection:
        for name in TABLES:
            with connection.cursor(name="reading") as cursor:
                cursor.itersize = 10_000
                cursor.execute(f"SELECT {COLUMNS} FROM {name}")
                count = sum(1 for _row in cursor)
            if count != ROWS:
                raise RuntimeError(f"read {count} rows of {name}")


def bench_postgres() -> list[Case]:
    return [
        Case(
            name=f"P4: PostgreSQL to PostgreSQL, {ROWS:,} x {len(FIELDS)}, nothing to change",
            prepare=make_equal_tables,
            ours=run_without_change,
            floor=read_both_raw,
            floor_name="both tables read with psycopg",
            cleanup=lambda folder: server(folder, "stop"),
            max_ratio=2,
            max_megabytes=1000,
        )
    ]
