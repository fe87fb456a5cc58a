# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles `declare` and `runner`, the playbooks, and the inventory that is shipped with them."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import pwd
import re
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from contextlib import closing

import pytest
import yaml
from integration.harness import FAILED, ROOT, Database, Done, Workplace, fields, job, task

INVENTORY = ROOT / "playbooks" / "inventory.example"
KINDS = (
    *("providers", "notifications", "job_templates", "jobs", "workflows"),
    *("collection_templates", "collections", "schedules"),
)
SECRET = "correct-horse-battery"
Variables = dict[str, t.Any]


def configuration(place: Workplace) -> Variables:
    """Give variables with objects of all kinds that need no directory; many of them refer to each other."""
    source = place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    table = place.write_csv("table.csv", ["id", "name"], [(2, "Rob")])
    daily = [{"type": "daily", "at": "2026-01-05T03:00:00"}]
    return {
        "declare_providers": [
            {"name": "hr", "csv": {"path": str(source)}},
            {"name": "table", "csv": {"path": str(table)}},
            {"name": "erp", "sql": {"url": "postgresql://db.example.com/erp", "username": "u", "password": SECRET}},
        ],
        "declare_notifications": [
            {
                "name": "ops",
                "smtp": {"host": "mail.example.com", "sender": "l@example.com"},
                "recipients": ["a@example.com"],
            }
        ],
        "declare_job_templates": [
            {"name": "plain", "definition": {"objects": [{"fields": fields("id", "name")}]}},
            {"name": "taken", "from_job": "people"},
        ],
        "declare_jobs": [
            job("people", "hr", "table", fields("id", "name"), schedule="nightly", notification="ops"),
            {"name": "second", "template": "plain", "source": {"provider": "hr"}, "destination": {"provider": "table"}},
            {"name": "third", "copy_of": "second", "description": "A copy"},
        ],
        "declare_workflows": [{"name": "deletes", "jobs": ["second"], "actions": ["delete"]}],
        "declare_collection_templates": [
            {"name": "one-by-one", "definition": {"jobs": [{"job": "people"}]}},
            {"name": "like-all", "from_collection": "all"},
        ],
        "declare_job_collections": [
            {
                "name": "all",
                "jobs": [{"job": "people"}, {"job": "third", "on_failure": "continue"}],
                "schedule": "weekly",
            }
        ],
        "declare_schedules": [
            {"name": "nightly", "triggers": daily},
            {"name": "weekly", "triggers": [{**daily[0], "every": 7}], "jobs": ["third"]},
        ],
    }


def playbook(place: Workplace, name: str, *arguments: str, **variables: t.Any) -> Done:
    """Run a playbook of the collection; the exit status is for the caller to judge."""
    extra = place.folder / "extra.json"
    extra.write_text(json.dumps(variables), encoding="utf-8")
    return place.start("ansible-playbook", f"lockstep.sync.{name}", "-e", f"@{extra}", *arguments).wait()


def declare(place: Workplace, *arguments: str, **variables: t.Any) -> Done:
    return playbook(place, "declare", *arguments, **variables)


def changed(done: Done) -> int:
    """Give how many tasks changed something, as the recap says."""
    assert done.code == 0, done.output
    return int(re.findall(r"changed=(\d+)", done.output)[0])


def content(place: Workplace) -> str:
    """Give a digest of all that the SQLite store holds."""
    with closing(Database(place.store)) as store:
        tables = [name for (name,) in store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return hashlib.sha256(repr([store.rows(f"SELECT * FROM {name}") for name in tables]).encode()).hexdigest()


def names_in(place: Workplace) -> dict[str, list[str]]:
    """Give the names of all objects in the SQLite store, by kind."""
    with closing(Database(place.store)) as store:
        return {
            kind: [name for (name,) in store.rows(f"SELECT name FROM lockstep_{kind} ORDER BY name")] for kind in KINDS
        }


def test_a_whole_configuration_is_declared_once_and_pruned_exactly(place: Workplace) -> None:
    variables = configuration(place)

    planned = declare(place, "--check", "--diff", **variables)
    assert changed(planned) > 0
    assert not place.store_file.exists()
    assert "job 'people' names provider 'hr', provider 'table'" in planned.output

    first = declare(place, "--diff", **variables)
    assert changed(first) == 12
    everything = content(place)
    assert changed(declare(place, **variables)) == 0
    assert content(place) == everything
    assert SECRET not in planned.output + first.output
    schedules = place.play(listed=task("schedule_info"))["listed"]["schedules"]
    assert [each["targets"] for each in schedules] == [
        {"jobs": ["people"], "collections": []},
        {"jobs": ["third"], "collections": ["all"]},
    ]

    assert place.adhoc("run", job="people").code == 0
    kept: Variables = {
        "declare_prune": True,
        "declare_providers": variables["declare_providers"][:2],
        "declare_jobs": [job("second", "hr", "table", fields("id", "name"))],
        "declare_schedules": [variables["declare_schedules"][0], {"name": "weekly", "state": "absent"}],
    }
    everything = content(place)

    needed = declare(place, **kept | {"declare_providers": variables["declare_providers"][:1]})
    assert needed.code == FAILED
    assert "provider 'table' (used by job 'second', destination.provider)" in needed.output
    shown = declare(place, "--check", **kept)
    assert changed(shown) > 0
    would_go = set(re.findall(r"Would be removed: ([^\"]*)\.\"", shown.output))
    assert content(place) == everything

    assert changed(declare(place, **kept)) > 0
    assert names_in(place) == {
        "providers": ["hr", "table"],
        "notifications": [],
        "job_templates": [],
        "jobs": ["second"],
        "workflows": [],
        "collection_templates": [],
        "collections": [],
        "schedules": ["nightly"],
    }
    assert would_go == {
        *("provider 'erp'", "notification 'ops'", "job template 'plain'", "job template 'taken'", "job 'people'"),
        *("job 'third'", "workflow 'deletes'", "collection template 'one-by-one'", "collection template 'like-all'"),
        *("job collection 'all'", "schedule 'weekly'"),
    }
    history = place.adhoc("run_info", job="people").only["runs"]
    assert [run["status"] for run in history] == ["succeeded"]
    assert "Ann" in (place.folder / "table.csv").read_text(encoding="utf-8")


def test_wrong_variables_are_refused_before_anything_is_declared(place: Workplace) -> None:
    providers = [{"name": "hr", "csv": {"path": "/srv/hr.csv"}}]
    for told, variables in {
        "everything in the store would be removed": {"declare_prune": True},
        "has no variable declare_job. It has: ": {"declare_job": [], "declare_providers": providers},
        "'declare_providers' is of type dict": {"declare_providers": {"hr": {}}},
        "declare_jobs: an entry has no name": {"declare_jobs": [{"source": {}}], "declare_providers": providers},
        "filtr is no option of an entry": {
            "declare_smart_groups": [{"name": "x", "filtr": ""}],
            "declare_providers": providers,
        },
        "No variable says what to declare": {},
    }.items():
        done = declare(place, **variables)
        assert (done.code, told in done.output) == (FAILED, True), done.output
    assert not place.store_file.exists()


def test_the_store_is_that_of_the_variables_or_that_of_the_play(place: Workplace) -> None:
    path = place.folder / "stores.yml"
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"declare_providers": [{"name": "hr", "csv": {"path": "/srv/hr.csv"}}]},
        "module_defaults": {"group/lockstep.sync.all": {"store": f"sqlite:///{place.folder}/of-the-play.db"}},
        "tasks": [
            {"name": "Declare", "ansible.builtin.include_role": {"name": "lockstep.sync.declare"}},
            {
                "name": "Declare elsewhere",
                "ansible.builtin.include_role": {"name": "lockstep.sync.declare"},
                "vars": {"declare_store": f"sqlite:///{place.folder}/of-the-variable.db"},
            },
        ],
    }
    path.write_text(json.dumps([play]), encoding="utf-8")

    assert changed(place.playbook(path)) == 2
    assert sorted(path.name for path in place.folder.glob("of-the-*.db")) == ["of-the-play.db", "of-the-variable.db"]
    assert not place.store_file.exists()


def test_pruning_sees_more_jobs_than_a_list_shows(place: Workplace) -> None:
    variables = configuration(place)
    other = {"name": "other", "csv": {"path": str(place.folder / "other.csv")}}
    providers = [*variables["declare_providers"][:2], other]
    jobs = [
        job(f"job-{number:03}", "hr", ("table", "other")[number % 2], fields("id", "name")) for number in range(150)
    ]
    place.declare(providers, jobs)

    kept = {"declare_providers": providers, "declare_jobs": jobs[:120], "declare_prune": True}
    assert changed(declare(place, **kept)) == 1
    found = {
        name for each in place.play(listed=task("provider_info"))["listed"]["providers"] for name in each["used_by"]
    }
    assert found == {each["name"] for each in jobs[:120]}


def test_the_example_of_the_role_runs_as_it_stands(place: Workplace) -> None:
    text = (ROOT / "roles" / "declare" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(- name: Keep a table.*?)```", text, re.DOTALL)
    path = place.folder / "example.yml"
    path.write_text(example, encoding="utf-8")

    done = place.playbook(path, variables={"folder": str(place.folder / "example")})

    assert yaml.safe_load(example)[0]["vars"]["folder"] == "/tmp/lockstep-declare"
    assert done["Run the job"]["run"]["statistics"]["created"] == 2


def test_the_playbooks_tell_the_truth_by_their_exit_status_on_the_example_inventory(place: Workplace) -> None:
    folder = place.folder / "example"
    options = {"example_directory": str(folder)}
    inventory = ("-i", str(INVENTORY))

    def start(name: str, **variables: t.Any) -> Done:
        return playbook(place, name, *inventory, **options, **variables)

    prepared = start("prepare_example")
    assert prepared.code == 0, prepared.output
    declared = start("declare")
    assert changed(declared) > 0
    assert "Unable to parse" not in declared.output

    preview = start("preview", run_job="hr-to-directory", run_keep_plan=True)
    plan = preview["Show what a run would do, and write nothing"]["run"]["plan"]
    assert (preview.code, 'full_name: "Ann Lee"' in preview.output) == (0, True), preview.output
    for target in ({"run_job": "hr-to-directory"}, {"run_collection": "nightly"}):
        apart = start("verify", **target)
        assert apart.code == FAILED
        assert "The task fails because of `fail_on: changes`" in apart.output
    with closing(Database(f"sqlite:///{folder}/directory.db")) as directory:
        assert directory.content("people") == []
        ran = start("run", run_plan=plan)
        assert ran.code == 0, ran.output
        assert directory.content("people", "full_name") == [("Ann Lee",), ("Chiara Rossi",), ("Maya Silva",)]
    for target in ({"run_job": "hr-to-directory"}, {"run_collection": "nightly"}):
        assert start("verify", **target).code == 0
    assert start("verify", run_job="nobody").code == FAILED
    tick = start("run_due")
    assert (tick.code, "Nothing is due; next: " in tick.output) == (0, True), tick.output
    for wrong in ({}, {"run_job": "hr-to-directory", "run_collection": "nightly"}):
        refused = start("run", **wrong)
        assert refused.code == FAILED
        assert "Give exactly one of run_job, run_collection and run_schedule" in refused.output
    assert not place.store_file.exists()


@pytest.fixture
def user() -> Iterator[str]:
    """The name of a user who does not exist, and is removed afterwards."""
    name = f"lockstep-{os.getpid()}"
    yield name
    subprocess.run(["userdel", name], check=False, capture_output=True)
    subprocess.run(["groupdel", name], check=False, capture_output=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a user")
def test_a_host_is_prepared_once_and_the_store_is_its_users(place: Workplace, user: str) -> None:
    path = place.folder / "runner.yml"
    use = {
        "name": "Use the store",
        "lockstep.sync.provider": {
            "name": "erp",
            "sql": {"url": "mysql://db/erp", "username": "u", "password": SECRET},
        },
        "environment": "{{ runner_environment }}",
        "when": "not ansible_check_mode",
    }
    play = {"hosts": "localhost", "gather_facts": False, "roles": ["lockstep.sync.runner"], "post_tasks": [use]}
    path.write_text(json.dumps([play]), encoding="utf-8")
    prefix = place.folder / "host"
    state, logs, key = prefix / "state", prefix / "log" / "lockstep", prefix / "state" / "state.key"
    variables: Variables = {
        "runner_python": sys.executable,
        "runner_virtualenv": str(prefix / "venv"),
        "runner_extras": ["ldap"],
        "runner_user": user,
        "runner_state_directory": str(state),
        "runner_log_directory": str(logs),
    }

    planned = place.playbook(path, "--check", "--diff", variables=variables)
    assert changed(planned) > 0
    assert "ldap3" in planned.output
    assert not prefix.exists()
    with pytest.raises(KeyError):
        pwd.getpwnam(user)

    first = place.playbook(path, variables=variables)
    account = pwd.getpwnam(user)
    assert (account.pw_dir, account.pw_shell) == (str(state), "/usr/sbin/nologin")
    assert [(each.stat().st_uid, oct(each.stat().st_mode & 0o777)) for each in (state, logs, key)] == [
        (account.pw_uid, "0o700"),
        (account.pw_uid, "0o700"),
        (account.pw_uid, "0o600"),
    ]
    secret = key.read_bytes()
    assert len(base64.urlsafe_b64decode(secret)) == 32
    assert secret.decode().strip() not in first.output
    libraries = "import cryptography, ldap3, sqlalchemy"
    subprocess.run([prefix / "venv" / "bin" / "python", "-c", libraries], check=True)
    assert first["Use the store"]["changed"]
    assert (state / "state.db").stat().st_uid == account.pw_uid

    assert changed(place.playbook(path, variables=variables)) == 0
    assert key.read_bytes() == secret
    for told, wrong in {
        "has no variable runner_extra. It has: ": {"runner_extra": []},
        "value of runner_extras must be one or more of: excel, ldap": {"runner_extras": ["oracel"]},
        "there is no user 'nobody-here'": {"runner_user": "nobody-here", "runner_create_user": False},
        "cannot be used": {"runner_python": "/usr/bin/no-python"},
    }.items():
        refused = place.playbook(path, variables=variables | wrong, fails=True)
        assert told in refused.output


def test_the_libraries_of_the_runner_are_those_of_the_execution_environment() -> None:
    text = (ROOT / "roles" / "runner" / "vars" / "main.yml").read_text(encoding="utf-8")
    variables = yaml.safe_load(text)
    offered = {*variables["__runner_libraries"], *itertools.chain(*variables["__runner_libraries_of"].values())}
    lines = (ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    spec = yaml.safe_load((ROOT / "roles" / "runner" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))

    assert {line for line in lines if not line.startswith("#")} - offered == set()
    assert spec["argument_specs"]["main"]["options"]["runner_extras"]["choices"] == list(
        variables["__runner_libraries_of"]
    )


def test_the_defaults_of_the_roles_are_documented() -> None:
    for role in ("controller", "declare", "runner", "scheduler"):
        folder = ROOT / "roles" / role
        options = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))[
            "argument_specs"
        ]["main"]["options"]
        defaults = yaml.safe_load((folder / "defaults" / "main.yml").read_text(encoding="utf-8"))
        documented = {name: option["default"] for name, option in options.items() if "default" in option}
        plain = {name: value for name, value in defaults.items() if "{{" not in str(value)}
        readme = (folder / "README.md").read_text(encoding="utf-8")

        assert documented == plain
        assert [name for name in options if f"`{name}`" not in readme] == []
