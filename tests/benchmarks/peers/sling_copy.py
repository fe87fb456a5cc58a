# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy a table of a SQLite file into a new one with sling.

usage: sling_copy.py SOURCE_FILE TABLE FOLDER COUNT      prints the seconds it took; FOLDER is emptied first
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from sling_linux_amd64 import SLING_BIN


def main() -> None:
    source, table, name, count = sys.argv[1:]
    folder = Path(name).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tool = shutil.which("sqlite3")
    if tool is None:
        raise SystemExit("sling loads through the sqlite3 command, which is missing")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "SLING_HOME_DIR": str(folder),
        "SLING_DISABLE_TELEMETRY": "TRUE",
        # Otherwise it asks the internet for one, and inserts row by row when there is none.
        "SQLITE_PATH": tool,
        "FROM": f"sqlite://{Path(source).resolve()}",
        "TO": f"sqlite://{folder}/copy.db",
    }
    command = [SLING_BIN, "run", "--src-conn", "FROM", "--src-stream", f"main.{table}", "--tgt-conn", "TO"]
    start = time.perf_counter()
    subprocess.run([*command, "--tgt-object", f"main.{table}"], env=environment, check=True, stderr=subprocess.STDOUT)
    seconds = time.perf_counter() - start
    with closing(sqlite3.connect(folder / "copy.db")) as database:
        [found] = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    if found != int(count):
        raise SystemExit(f"copied {found} of {count}")
    print(seconds)


main()
