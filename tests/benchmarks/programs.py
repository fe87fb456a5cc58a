# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a peer's program with the interpreter of its own environment, .cache/peers (made by `scripts/venv peers`)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks import directory

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = Path(__file__).resolve().parent / "peers"
BIN = ROOT / ".cache" / "peers" / "bin"


def run_program(name: str, *arguments: object) -> float:
    """Run peers/NAME.py; give the seconds that it says its work took, without its imports."""
    command = [str(BIN / "python"), str(PROGRAMS / f"{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return float(done.stdout.splitlines()[-1])


def run_on_server(name: str, folder: Path, *arguments: object, url: str = "LDAP_URI") -> float:
    """Run a program of a directory with the server's address and login before its other arguments."""
    server = directory.server_of(folder)
    return run_program(name, server[url], server["LDAP_BIND_DN"], server["LDAP_BIND_PW"], server["LDAP_CA"], *arguments)
