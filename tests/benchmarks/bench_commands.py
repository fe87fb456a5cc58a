# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole `ansible` commands: a small job beside ping, and a hundred jobs in one task."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import engine
from benchmarks.cases import Case

ROOT = Path(__file__).resolve().parent.parent.parent
JOBS = 100


def ansible(folder: Path, module: str, arguments: str = "", settings: Mapping[str, str] | None = None) -> str:
    command = [str(Path(sys.executable).with_name("ansible")), "localhost", "-m", module, "-a", arguments]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "LOCKSTEP_STORE": engine.store_url(folder),
        **(settings or {}),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def job_definition(table: str = "people") -> dict[str, object]:
    return {
        "source": {"provider": "hr"},
        "destination": {"provider": "directory", "table": table},
        "missing_at_destination": "create",
        "missing_at_source": "delete",
        "objects": [
            {
                "name": "people",
                "fields": [{"name": "id", "source": "id", "key": True}, {"name": "name", "source": "name"}],
            }
        ],
    }


def make_small_job(folder: Path) -> None:
    lines = ["id,name", *(f"{row},Name {row}" for row in range(10))]
    (folder / "hr.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with sqlite3.connect(folder / "directory.db") as database:
        database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
    providers = {
        "hr": {"csv": {"path": str(folder / "hr.csv")}},
        "directory": {"sql": {"url": f"sqlite:///{folder}/directory.db"}},
    }
    engine.declare(folder, providers, job_definition())
    engine.run(folder)


def run_small_job(folder: Path) -> None:
    ansible(folder, "lockstep.sync.run", f"job={engine.JOB}")


def ping(folder: Path) -> None:
    ansible(folder, "ansible.builtin.ping")


def declare_hundred_jobs(folder: Path) -> None:
    for leftover in folder.glob("state.db*"):
        leftover.unlink()
    engine.declare(
        folder,
        {"hr": {"csv": {"path": "/hr.csv"}}, "directory": {"sql": {"url": "sqlite:////directory.db"}}},
        job_definition(),
    )


def declare_in_one_task(folder: Path) -> None:
    jobs = [{"name": f"job {number}", **job_definition(f"table{number}")} for number in range(JOBS)]
    ansible(folder, "lockstep.sync.job", json.dumps({"jobs": jobs}))


def bench_commands() -> list[Case]:
    return [
        Case(
            name="P8: ad hoc run of a job of 10 records",
            prepare=make_small_job,
            ours=run_small_job,
            floor=ping,
            floor_name="ansible -m ping",
            max_extra=1.5,
        ),
        Case(
            name=f"declare {JOBS} jobs in one task",
            before=declare_hundred_jobs,
            ours=declare_in_one_task,
            floor=ping,
            floor_name="ansible -m ping",
            max_extra=2,
        ),
    ]
