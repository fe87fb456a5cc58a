# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that say how far they are while they run, and end when Ansible is ended.

The jobs here are held up by a function of their mapping, at a gate that the test opens when it has seen enough.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import typing as t
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import ansible_runner
import pytest
from integration.harness import FAILED, PROGRAMS, Database, Running, Workplace, fields, job, run, task, wait_until
from servers.fixtures import free_port

SCRIPT = Path(__file__).resolve().parent.parent / "servers" / "sshd.sh"
SIZE = 3_000
PATIENCE = 60
"""Seconds after which a gate opens by itself, so that a test that fails leaves no process behind."""
FUNCTION = f"""
import pathlib, time


def wait(source, context):
    gate, end = pathlib.Path(source["gate"]), time.monotonic() + {PATIENCE}
    gate.with_suffix(".reached").touch()
    while not gate.exists() and time.monotonic() < end:
        time.sleep(0.02)
    return source["name"]
"""


@dataclass(frozen=True, kw_only=True)
class Gated:
    """A job that waits at its gate in the middle of its source."""

    name: str
    gate: Path
    table: str

    def open(self) -> None:
        """Let it go on."""
        self.gate.touch()

    def wait_for(self) -> None:
        """Wait until it waits."""
        wait_until(self.gate.with_suffix(".reached").exists, f"job {self.name} has come to its gate")


def declare_gated(place: Workplace, database: Database, *names: str) -> list[Gated]:
    """Declare jobs of that name, each with a gate of its own."""
    function = place.folder / "rules.py"
    function.write_text(FUNCTION)
    function.chmod(0o600)
    field = {"source": "name", "transform": [{"function": f"{function}:wait"}]}
    jobs, providers, gated = [], [], []
    for name in names:
        gate = place.folder / f"{name}.gate"
        # Everything but one record of the second batch passes through a gate that is open.
        always = place.folder / "always.gate"
        always.touch()
        rows = ((number, f"Name {number}", gate if number == SIZE // 2 else always) for number in range(SIZE))
        source = place.write_csv(f"{name}.csv", ["id", "name", "gate"], rows)
        table = database.make("id INTEGER PRIMARY KEY, name VARCHAR(40)", name=name)
        providers.append({"name": f"{name}-file", "csv": {"path": str(source)}})
        target = {"provider": "db", "table": table}
        jobs.append(job(name, f"{name}-file", target, fields("id", name=field)))
        gated.append(Gated(name=name, gate=gate, table=table))
    place.declare([*providers, {"name": "db", **database.provider}], jobs)
    place.variables["LOCKSTEP_RECORD_RESULTS"] = ""  # what Ansible says of a module that it stopped is not ours
    place.variables["ANSIBLE_SYSTEM_TMPDIRS"] = str(place.folder / "shared")
    (place.folder / "shared").mkdir(exist_ok=True)
    return gated


def output(running: Running) -> str:
    """Give what was printed until now."""
    return running.output.read_text(encoding="utf-8", errors="replace")


def line(prefix: str, gated: Gated) -> str:
    """Give what a job at its gate says."""
    return f"{prefix} {gated.name}: reading row, "


def see_and_open(running: Running, prefix: str, gated: Gated) -> None:
    """Wait until the job at its gate has said so, and let it go on."""
    gated.wait_for()
    wait_until(lambda: line(prefix, gated) in output(running), f"job {gated.name} says how far it is")
    gated.open()


def left_behind(place: Workplace) -> list[str]:
    """Give what is left of the folders through which plugin and module meet."""
    return [path.name for path in (place.folder / "shared").iterdir()]


def told_to_stop(place: Workplace) -> bool:
    """Whether the module knows that it is to stop."""
    return any("it stops" in path.read_text() for path in (place.folder / "shared").glob("lockstep-*/status"))


def end_of_run(place: Workplace) -> tuple[str, str] | None:
    """Give status and message of the only run once it has ended, read here without the code that is tested."""
    with closing(sqlite3.connect(place.store_file)) as store:
        rows = store.execute("SELECT status, message FROM lockstep_runs").fetchall()
    assert len(rows) <= 1
    return rows[0] if rows and rows[0][0] != "running" else None


def stop_and_see(place: Workplace, database: Database, gated: Gated) -> str:
    """Open the gate of a run that was told to stop, wait for its end, and give its message; nothing is written."""
    wait_until(lambda: told_to_stop(place), "the module is told to stop")
    gated.open()
    wait_until(lambda: end_of_run(place) is not None, "the run is in the history")
    end = end_of_run(place)
    assert end is not None
    status, message = end
    assert status == "failed"
    assert database.content(gated.table) == []
    wait_until(lambda: left_behind(place) == [], "the module has ended")
    return message


def test_each_run_of_a_loop_says_how_far_it_is(place: Workplace, sqlite: Database) -> None:
    one, two, delegated, silent, secret, late = declare_gated(
        place, sqlite, "one", "two", "delegated", "silent", "secret", "late"
    )
    (place.folder / "hosts").write_text("far ansible_connection=local\n")
    for quiet in (silent, secret):
        quiet.open()
    tasks: list[dict[str, t.Any]] = [
        {
            "name": "loop",
            **task("run", job="{{ item }}"),
            "loop": ["one", "two"],
            "register": "looped",
            "environment": {"A": "b"},
        },
        {"name": "delegated", **run("delegated"), "delegate_to": "far", "check_mode": True},
        {"name": "silent", **run("silent", progress_interval=0)},
        {"name": "secret", **run("secret"), "no_log": True},
        {"name": "refused", **run("silent", progress_interval=-1), "ignore_errors": True},
        {"name": "late", **run("late"), "timeout": 4, "ignore_errors": True},
        {
            "name": "facts",
            "ansible.builtin.assert": {"that": ["looped.results | map(attribute='run.job') == ['one', 'two']"]},
        },
    ]
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "module_defaults": {"group/lockstep.sync.all": {"progress_interval": 1}},
        "tasks": tasks,
    }
    path = place.folder / "play.json"
    path.write_text(json.dumps([play]))

    running = place.start("ansible-playbook", str(path), "-i", "localhost,", "-i", str(place.folder / "hosts"))
    see_and_open(running, "[localhost]", one)
    see_and_open(running, "[localhost]", two)
    see_and_open(running, "[localhost -> far]", delegated)
    wait_until(lambda: told_to_stop(place), "the module is told that its task is over", seconds=120)
    late.open()
    done = running.wait()

    assert done.code == 0, done.output
    assert "silent: " not in done.output
    assert "secret: " not in done.output
    assert "progress_interval: got -1, it takes 0 or more" in done["refused"]["msg"]
    assert done["late"]["failed"]
    assert len(sqlite.content(one.table)) == len(sqlite.content(two.table)) == SIZE
    assert sqlite.content(delegated.table) == []
    wait_until(lambda: left_behind(place) == [], "the module whose task was over has ended")
    assert sqlite.content(late.table) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_run_stops_when_ansible_is_stopped(place: Workplace, sqlite: Database, number: signal.Signals) -> None:
    (gated,) = declare_gated(place, sqlite, "people")
    # A shell lets what it starts in the background ignore SIGINT.
    place.wrapper = ("env", "--default-signal=INT")
    running = place.start_adhoc("run", job="people", progress_interval=1)
    gated.wait_for()
    wait_until(lambda: line("[localhost]", gated) in output(running), "the run says how far it is")
    os.kill(running.process.pid, number)
    assert running.wait().code not in (0, FAILED)
    message = stop_and_see(place, sqlite, gated)
    assert message.startswith("Job 'people' failed: it was stopped: ")
    assert message.endswith("Nothing was changed.")

    again = place.adhoc("run", job="people")
    assert again.only["run"]["statistics"]["created"] == SIZE


@pytest.fixture
def ssh(place: Workplace) -> Iterator[list[str]]:
    """An SSH server; gives the arguments with which Ansible reaches it as the host `far`."""
    # The path of a socket must be short.
    folder, port = Path(tempfile.mkdtemp(prefix="ls-")), free_port()
    place.variables["ANSIBLE_SSH_CONTROL_PATH_DIR"] = str(folder)
    subprocess.run([str(SCRIPT), "start", str(folder), str(port)], check=True, timeout=60)
    inventory = folder / "hosts"
    inventory.write_text(
        f"far ansible_host=127.0.0.1 ansible_port={port} ansible_ssh_private_key_file={folder / 'key'} "
        f"ansible_ssh_common_args='-o UserKnownHostsFile={folder / 'known_hosts'}'\n"
    )
    try:
        yield ["-i", str(inventory)]
    finally:
        subprocess.run([str(SCRIPT), "stop", str(folder)], check=True, timeout=60)
        shutil.rmtree(folder)


def test_a_run_on_another_host_says_how_far_it_is_and_stops_with_ansible(
    place: Workplace, sqlite: Database, ssh: list[str]
) -> None:
    first, second = declare_gated(place, sqlite, "first", "second")
    first.open()
    store = {"store": place.store, "progress_interval": 1}
    tasks = [{"name": name, **run(name, **store)} for name in ("first", "second")]
    path = place.folder / "play.json"
    path.write_text(json.dumps([{"hosts": "far", "gather_facts": False, "tasks": tasks}]))

    running = place.start("ansible-playbook", str(path), *ssh)
    second.wait_for()
    wait_until(lambda: line("[far]", second) in output(running), "the run says how far it is")
    running.process.terminate()
    wait_until(lambda: told_to_stop(place), "the module is told to stop")
    second.open()
    assert running.wait().code not in (0, FAILED)
    wait_until(lambda: left_behind(place) == [], "the module has ended")
    assert (len(sqlite.content(first.table)), sqlite.content(second.table)) == (SIZE, [])


def test_ansible_runner_hears_how_far_the_run_is(place: Workplace, sqlite: Database) -> None:
    (gated,) = declare_gated(place, sqlite, "people")
    lines: list[str] = []
    private = place.folder / "private"
    private.mkdir()

    def hear(event: dict[str, t.Any]) -> bool:
        if event["event"] == "verbose" and line("[localhost]", gated) in event["stdout"]:
            lines.append(event["stdout"])
            gated.open()
        return True

    environment = place.environment(place.folder / "results.jsonl")
    environment["PATH"] = f"{PROGRAMS}:{environment['PATH']}"
    running = ansible_runner.run(
        private_data_dir=str(private),
        host_pattern="localhost",
        module="lockstep.sync.run",
        module_args="job=people progress_interval=1",
        envvars=environment,
        extravars={"ansible_python_interpreter": sys.executable},
        event_handler=hear,
        quiet=True,
    )
    assert running.status == "successful"
    assert lines
    assert len(sqlite.content(gated.table)) == SIZE
