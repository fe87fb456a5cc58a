# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole Ansible commands that keep a few directory entries: a job beside a task in a loop."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from benchmarks import directory, engine, programs
from benchmarks.bench_commands import ping, run_small_job
from benchmarks.bench_directories import declare, write_csv
from benchmarks.cases import Case, Peer

KEPT = 200
PLAYBOOK = programs.PROGRAMS / "ldap_entry.yml"


def prepare(folder: Path) -> None:
    directory.start_with_people(folder, KEPT)
    write_csv(folder, KEPT)
    declare(folder)
    if engine.run(folder).statistics.unchanged != KEPT:
        raise RuntimeError("not all unchanged")
    server = directory.server_of(folder)
    variables = {
        "server": server["LDAP_URI"],
        "bind_dn": server["LDAP_BIND_DN"],
        "bind_password": server["LDAP_BIND_PW"],
        "object_classes": directory.CLASSES,
        "entries": [
            {"dn": directory.place_of(number), "attributes": directory.person(number)} for number in range(KEPT)
        ],
    }
    (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")


def keep_in_a_loop(folder: Path) -> None:
    """Run the playbook with the Ansible of the peers, away from this checkout's collections and settings."""
    command = [str(programs.BIN / "ansible-playbook"), str(PLAYBOOK), "-e", f"@{folder}/variables.json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {"ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_LOCALHOST_WARNING": "false"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    kept = len(re.findall(r"^ok: \[localhost\] => \(item=", done.stdout, re.MULTILINE))
    if done.returncode != 0 or kept != KEPT:
        raise RuntimeError(f"kept {kept} of {KEPT}:\n{done.stdout[-2000:]}{done.stderr}")


def bench_keep_entries() -> list[Case]:
    return [
        Case(
            name=f"keep {KEPT} LDAP entries, nothing to change, whole command",
            size=KEPT,
            prepare=prepare,
            ours=run_small_job,
            floor=ping,
            floor_name="ansible -m ping",
            peers=(Peer(name="community.general.ldap_entry in a loop", work=keep_in_a_loop, once=True),),
            cleanup=directory.stop,
        )
    ]
