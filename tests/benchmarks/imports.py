# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module imports when Ansible starts it: how many files of ours, and how long all imports take.

Ansible itself builds each module and keeps the file that it would run; that file is run again with
`python -X importtime`. As on a host that is managed, what the module brings along is compiled each time.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from benchmarks import engine
from benchmarks.bench_commands import ansible, make_small_job
from benchmarks.report import lay_table

TITLE = "imports of a module"
HEADINGS = ("module", "files of ours", "all imports, median ms", "min-max (rounds)", "x ping")
OURS = "ansible_collections.lockstep.sync."
ROUNDS = 5
_LINE = re.compile(r"^import time:\s*(\d+) \|\s*\d+ \|\s*(\S+)$", re.MULTILINE)


class Imports(t.NamedTuple):
    """One start of a module."""

    files: int
    milliseconds: float


def keep_module(folder: Path, module: str, arguments: str) -> Path:
    """Run a module with Ansible, and give the file that it made for that: of the second run, as the first one makes
    what is kept for all that follow.
    """
    kept = folder / module
    ansible(folder, module, arguments, {})
    ansible(folder, module, arguments, {"ANSIBLE_KEEP_REMOTE_FILES": "true", "ANSIBLE_REMOTE_TEMP": str(kept)})
    [file] = kept.rglob("AnsiballZ_*.py")
    return file


def start_module(folder: Path, file: Path) -> Imports:
    """Start a kept module once."""
    environment = {**os.environ, "LOCKSTEP_STORE": engine.store_url(folder)}
    command = [sys.executable, "-X", "importtime", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    imported = _LINE.findall(done.stderr)
    return Imports(
        files=len({name for _microseconds, name in imported if name.startswith(OURS)}),
        milliseconds=sum(int(microseconds) for microseconds, _name in imported) / 1000,
    )


def measure_imports(rounds: int | None) -> str:
    """Start each module in turns, after one start that is not counted, and give the table."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        make_small_job(folder)
        asked = {
            "lockstep.sync.provider": f"name=hr csv={{'path':'{folder}/hr.csv'}}",
            "lockstep.sync.job_info": "",
            "lockstep.sync.run": f"job={engine.JOB}",
            "ansible.builtin.ping": "",
        }
        files = {module: keep_module(folder, module, arguments) for module, arguments in asked.items()}
        starts: dict[str, list[Imports]] = {module: [] for module in files}
        for _turn in range(1 + (rounds or ROUNDS)):
            for module, file in files.items():
                starts[module].append(start_module(folder, file))
    counted = {module: [each.milliseconds for each in found[1:]] for module, found in starts.items()}
    [floor] = (statistics.median(found) for module, found in counted.items() if module.startswith("ansible."))
    lines = [
        (
            module if module.startswith("lockstep.") else f"{module} (floor)",
            str(starts[module][-1].files),
            f"{statistics.median(found):.0f}",
            f"{min(found):.0f}-{max(found):.0f} ({len(found)})" if len(found) > 1 else "once",
            f"{statistics.median(found) / floor:.2f}",
        )
        for module, found in counted.items()
    ]
    return lay_table(HEADINGS, lines)
