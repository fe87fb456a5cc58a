# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy a table of a SQLite file into a new one with dlt.

usage: dlt_copy.py SOURCE_FILE TABLE FOLDER COUNT      prints the seconds it took; FOLDER is emptied first
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
from dlt.sources.sql_database import sql_table


def main() -> None:
    source, table, name, count = sys.argv[1:]
    folder = Path(name).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    start = time.perf_counter()
    pipeline = dlt.pipeline(
        "copy",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.sqlalchemy(f"sqlite:///{folder}/copy.db"),
        dataset_name="main",
    )
    rows = sql_table(f"sqlite:///{source}", table, chunk_size=10_000)
    pipeline.run(rows, write_disposition="append")
    seconds = time.perf_counter() - start
    with closing(sqlite3.connect(folder / "copy.db")) as database:
        [found] = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    if found != int(count):
        raise SystemExit(f"copied {found} of {count}")
    print(seconds)


main()
