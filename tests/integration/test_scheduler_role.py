# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `scheduler`: units that systemd takes, and a file with which a real cron runs what is due."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest
from integration.harness import PROGRAMS, ROOT, Done, Workplace, fields, job, task, wait_until

CRON = ROOT / "tests" / "servers" / "cron.sh"
COMMON: dict[str, t.Any] = {"ansible": str(PROGRAMS / "ansible"), "user": "root", "enabled": False}
TICK_SECONDS = 150
"""How long the next tick of cron is waited for: it starts one each minute."""


def apply(place: Workplace, *arguments: str, fails: bool = False, **variables: t.Any) -> Done:
    """Apply the role with these variables, each without its prefix."""
    given = {f"scheduler_{name}": value for name, value in {**COMMON, **variables}.items()}
    # As variables of the play, which are templates where extra variables are, too.
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": given,
        "roles": ["lockstep.sync.scheduler"],
    }
    path = place.folder / "scheduler.json"
    path.write_text(json.dumps([play]), encoding="utf-8")
    return place.playbook(path, *arguments, fails=fails)


def changed(done: Done) -> list[str]:
    return [name for name, result in done.results.items() if result.get("changed")]


SYSTEMCTL = """#!/bin/sh
# Knows a unit from the time it was told to read its units again; notes all that changes something.
known={folder}/known
case $1 in
  show) if [ -e $known ]; then echo LoadState=loaded; else echo LoadState=not-found; fi
    if [ -e $known.active ]; then echo ActiveState=active; else echo ActiveState=inactive; fi ;;
  is-enabled) [ -e $known.enabled ] ;;
  *) echo "$@" >> {folder}/told
    case $1 in
      daemon-reload) if [ -e {units}/lockstep.timer ]; then touch $known; else rm $known; fi ;;
      start) touch $known.active ;;
      stop) rm $known.active ;;
      enable) touch $known.enabled ;;
      disable) rm $known.enabled ;;
    esac ;;
esac
"""


def pretend_systemd(place: Workplace, units: Path) -> Path:
    """Put a program in front of `systemctl`, as no systemd runs here; gives the file that has what it was told."""
    folder = place.folder / "systemctl"
    folder.mkdir()
    program = folder / "systemctl"
    program.write_text(SYSTEMCTL.format(folder=folder, units=units))
    program.chmod(0o755)
    place.variables["PATH"] = f"{folder}:{os.environ['PATH']}"
    return folder / "told"


def environment(place: Workplace) -> dict[str, str]:
    """Give what a tick needs to find store and collection."""
    return {
        "LOCKSTEP_STORE": place.store,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
        "ANSIBLE_HOME": str(place.home / "ticks"),
    }


def test_systemd_takes_the_units_and_the_second_time_changes_nothing(place: Workplace) -> None:
    units = place.folder / "units"
    units.mkdir()
    secrets = place.folder / "secrets"
    secrets.write_text("LOCKSTEP_STORE_PASSWORD=quite-secret\n")
    secrets.chmod(0o600)
    told = pretend_systemd(place, units)
    variables: dict[str, t.Any] = {
        "enabled": True,
        "unit_directory": str(units),
        "environment": {**environment(place), "RATE": "100%"},
        "environment_file": str(secrets),
        "writable": ["/srv/hr data"],
        "stop_after": "6h",
    }
    planned = apply(place, "--check", "--diff", **variables)
    assert "OnCalendar=*-*-* *:*:00" in planned.output
    assert (list(units.iterdir()), told.exists()) == ([], False)

    assert "lockstep.sync.scheduler : Write the units" in changed(apply(place, **variables))
    assert told.read_text().split() == ["daemon-reload", *("start", "lockstep.timer"), *("enable", "lockstep.timer")]
    assert changed(apply(place, **variables)) == []
    service, timer = units / "lockstep.service", units / "lockstep.timer"
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(service), str(timer)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    text = service.read_text()
    assert 'Environment="RATE=100%%"' in text
    assert f"EnvironmentFile={secrets}" in text
    assert "quite-secret" not in text
    assert 'ReadWritePaths="-/srv/hr data"' in text
    assert "TimeoutStartSec=6h" in text

    told.unlink()
    absent: dict[str, t.Any] = {"enabled": True, "state": "absent", "unit_directory": str(units)}
    apply(place, **absent)
    assert list(units.iterdir()) == []
    assert told.read_text().split() == [*("disable", "lockstep.timer"), *("stop", "lockstep.timer"), "daemon-reload"]
    assert changed(apply(place, **absent)) == []


WRONG: list[tuple[dict[str, t.Any], str]] = [
    ({"knd": "cron"}, "has no variable scheduler_knd"),
    ({"kind": "at"}, "value of scheduler_kind must be one of: systemd, cron, got: at"),
    ({"ansible": "/nowhere/ansible"}, "there is no program '/nowhere/ansible' on localhost"),
    ({"user": "nobody-at-all"}, "there is no user 'nobody-at-all' on localhost"),
    ({"environment": {"LOCKSTEP_STORE_PASSWORD": "x"}}, "everybody can read units and crontabs"),
    ({"environment": {"A": 'b"'}}, "scheduler_environment: A cannot be written into a unit or crontab"),
    ({"environment_file": "/etc/passwd"}, "must be on localhost and readable by its owner only"),
    ({"kind": "cron", "log_file": "/nowhere/tick.log"}, "there is no directory '/nowhere' on localhost"),
    ({"playbook": "run due.yml"}, "scheduler_playbook is 'run due.yml'"),
    ({"stop_after": "6 hours"}, "scheduler_stop_after is '6 hours'. Give a number with s, m, h or d"),
    ({"name": "a.b"}, "scheduler_name is 'a.b'"),
]


def test_wrong_variables_are_named_before_anything_is_written(place: Workplace) -> None:
    common = {"unit_directory": str(place.folder), "cron_directory": str(place.folder), **COMMON}
    tasks = [
        {
            "block": [
                {
                    "ansible.builtin.include_role": {"name": "lockstep.sync.scheduler"},
                    "vars": {f"scheduler_{name}": value for name, value in {**common, **variables}.items()},
                }
            ],
            "rescue": [{"name": f"told {number}", "ansible.builtin.debug": {"var": "ansible_failed_result"}}],
        }
        for number, (variables, _message) in enumerate(WRONG)
    ]
    path = place.folder / "wrong.json"
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    path.write_text(json.dumps([play]), encoding="utf-8")
    done = place.playbook(path)
    told = [json.dumps(done[f"told {number}"]["ansible_failed_result"]) for number in range(len(WRONG))]
    missing = [(message, text) for (_variables, message), text in zip(WRONG, told, strict=True) if message not in text]
    assert missing == []
    assert list(place.folder.glob("lockstep*")) == []


@pytest.fixture
def cron(place: Workplace) -> t.Iterator[Path]:
    """A cron of the test's own; gives the folder that is its /etc/cron.d."""
    folder = place.folder / "cron"
    (folder / "cron.d").mkdir(parents=True)
    subprocess.run([str(CRON), "start", str(folder)], check=True, timeout=60)
    yield folder / "cron.d"
    subprocess.run([str(CRON), "stop", str(folder)], check=True, timeout=60)


def test_cron_runs_what_is_due(place: Workplace, cron: Path) -> None:
    source = place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    target = place.write_csv("table.csv", ["id", "name"], [])
    providers = [{"name": "hr", "csv": {"path": str(source)}}, {"name": "table", "csv": {"path": str(target)}}]
    place.declare(providers, [job("people", "hr", "table", fields("id", "name"))])
    secrets = place.folder / "secrets"
    secrets.write_text(f"LOCKSTEP_STORE={place.store}\n")
    secrets.chmod(0o600)
    place.play(due=task("schedule", name="boot", jobs=["people"], triggers=[{"type": "startup"}]))
    log = place.folder / "tick.log"
    variables: dict[str, t.Any] = {
        "kind": "cron",
        "cron_directory": str(cron),
        "environment": {**environment(place), "LOCKSTEP_STORE": "sqlite:////nowhere/state.db"},
        # What stands in the file wins, as with systemd.
        "environment_file": str(secrets),
        "log_file": str(log),
        "stop_after": "10m",
        "playbook": "lockstep.sync.run_due",
    }
    assert changed(apply(place, **variables)) == ["lockstep.sync.scheduler : Write the file"]
    wait_until(lambda: "Bob" in target.read_text(encoding="utf-8"), "cron has run what is due", seconds=TICK_SECONDS)
    wait_until(lambda: "1 occurrence of 'boot' started 1 run" in log.read_text(), "the tick has told what it did")
    assert "TASK [Run what schedules say is due]" in log.read_text()
    told = place.play(runs=task("run_info", job="people"))["runs"]["runs"]
    assert [(run["status"], run["schedule"]) for run in told] == [("succeeded", "boot")]

    assert changed(apply(place, **variables)) == []
    apply(place, kind="cron", state="absent", cron_directory=str(cron))
    assert list(cron.iterdir()) == []
