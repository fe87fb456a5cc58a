# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `controller`: what it makes in a stand-in of AWX, and that made job templates run as AWX runs them."""

from __future__ import annotations

import json
import sys
import typing as t
import uuid
from collections.abc import Iterator
from pathlib import Path

import ansible_runner
import pytest
import sqlalchemy as sa
from integration.harness import PROGRAMS, ROOT, Database, Done, Workplace, fields, job, task
from jinja2.sandbox import ImmutableSandboxedEnvironment
from servers.awx_stand_in import PASSWORD, TOKEN, USER, Awx, Refused, stand_in

URL = "postgresql://lockstep@db.example.com/lockstep"
STORE = {"store_url": URL, "store_password": "quite-secret-1", "store_key": "quite-secret-2"}
PYTHON = {"ansible_python_interpreter": sys.executable}
Variables = dict[str, t.Any]


@pytest.fixture
def awx() -> Iterator[tuple[Awx, str]]:
    """A controller with an organization, an inventory and a project."""
    with stand_in() as (awx, url):
        organization = awx.find("organizations", "Default")["id"]
        awx.create("inventories", {"name": "sync hosts", "organization": organization})
        awx.create("projects", {"name": "lockstep", "organization": organization})
        awx.writes = 0
        yield awx, url


def apply(place: Workplace, url: str, *arguments: str, fails: bool = False, **variables: t.Any) -> Done:
    """Apply the role with these variables, each without its prefix."""
    given = {"url": url, "token": TOKEN, "inventory": "sync hosts", "project": "lockstep", **variables}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {f"controller_{name}": value for name, value in given.items()},
        "roles": ["lockstep.sync.controller"],
    }
    path = place.folder / "controller.json"
    path.write_text(json.dumps([play]), encoding="utf-8")
    return place.playbook(path, *arguments, fails=fails)


def recap(done: Done) -> str:
    return done.output.rsplit("PLAY RECAP", 1)[1]


def test_templates_workflow_and_tick_are_made_once(place: Workplace, awx: tuple[Awx, str]) -> None:
    there, url = awx
    # Another organization has things of the same names; they are not touched.
    other = there.create("organizations", {"name": "Other"})["id"]
    foreign = [
        there.create("inventories", {"name": "sync hosts", "organization": other}),
        there.create("projects", {"name": "lockstep", "organization": other}),
    ]
    names = {"name": "lockstep run hr-to-ad", "playbook": "theirs.yml", "organization": other}
    theirs = there.create("job_templates", {**names, "inventory": foreign[0]["id"], "project": foreign[1]["id"]})
    before = dict(theirs)
    there.writes = 0
    wanted: Variables = {"jobs": ["hr-to-ad"], "collections": ["nightly"], **STORE}
    planned = apply(place, url, "--check", **wanted)
    assert there.writes == 0
    assert "Would make job template 'lockstep run hr-to-ad'." in planned.output

    first = apply(place, url, "-vvv", **wanted)
    assert "quite-secret" not in first.output
    assert TOKEN not in first.output
    own = {each["name"]: each for each in there.objects["job_templates"].values() if each is not theirs}
    assert sorted(own) == [
        "lockstep apply plan",
        "lockstep preview hr-to-ad",
        "lockstep run due",
        "lockstep run hr-to-ad",
        "lockstep run nightly",
    ]
    template = own["lockstep run hr-to-ad"]
    assert template["project"] == there.find("projects", "lockstep")["id"] != foreign[1]["id"]
    assert json.loads(template["extra_vars"])["run_job"] == "hr-to-ad"
    assert json.loads(template["extra_vars"])["run_requester"] == "{{ awx_user_name | default('AWX') }}"
    assert (template["playbook"], template["job_type"]) == ("playbooks/run.yml", "run")
    # Check mode and what is asked can be chosen; who asks for the run, and which plan is applied, cannot.
    assert template["ask_job_type_on_launch"] is True
    there.check_launch(template["id"], {"run_accept": ["deletes"], "run_timeout": "30m"})
    for number, variables in (
        (template["id"], {"run_requester": "x"}),
        (own["lockstep apply plan"]["id"], {"run_plan": 1}),
    ):
        with pytest.raises(Refused):
            there.check_launch(number, variables)
    credential = there.find("credentials", "lockstep state store")
    assert credential["inputs"] == {
        "store": URL,
        "store_password": "quite-secret-1",
        "store_key": "quite-secret-2",
    }
    kind = there.find("credential_types", "lockstep state store")
    assert kind["injectors"]["env"]["LOCKSTEP_STORE"] == "{{ store }}"
    assert there.links["job_templates", template["id"], "credentials"] == [credential["id"]]
    tick = there.find("schedules", "lockstep run due")
    assert tick["rrule"] == "DTSTART;TZID=UTC:20260101T000000 RRULE:FREQ=MINUTELY;INTERVAL=5"

    nodes = {each["identifier"]: each for each in there.objects["workflow_job_template_nodes"].values()}
    assert list(nodes) == ["preview", "approve", "apply"]
    approval = there.find("workflow_approval_templates", "lockstep approve hr-to-ad")
    assert (nodes["approve"]["unified_job_template"], approval["timeout"]) == (approval["id"], 86400)
    assert nodes["apply"]["unified_job_template"] == there.find("job_templates", "lockstep apply plan")["id"]
    order = [
        there.links["workflow_job_template_nodes", nodes[name]["id"], "success_nodes"]
        for name in ("preview", "approve")
    ]
    assert order == [[nodes["approve"]["id"]], [nodes["apply"]["id"]]]

    writes = there.writes
    assert "changed=0" in recap(apply(place, url, **wanted))
    assert there.writes == writes

    # Somebody has changed some by hand; secrets are written only when they are asked for.
    there.change("job_templates", template["id"], {"playbook": "other.yml", "description": "by hand"})
    there.surveys[template["id"]] = {"name": "", "description": "", "spec": []}
    writes = there.writes
    apply(place, url, **wanted, update_secrets=True, approval_timeout=3600, token="", username=USER, password=PASSWORD)
    assert there.writes == writes + 4
    assert (template["playbook"], template["description"]) == ("playbooks/run.yml", "by hand")
    assert (approval["timeout"], len(there.surveys[template["id"]]["spec"])) == (3600, 2)

    writes = there.writes
    planned = apply(place, url, "--check", **wanted, state="absent")
    assert "Would remove workflow job template 'lockstep hr-to-ad with approval'." in planned.output
    assert there.writes == writes
    apply(place, url, **wanted, state="absent")
    assert {kind for kind, objects in there.objects.items() if objects} == {
        *("organizations", "inventories", "projects", "job_templates")
    }
    assert (list(there.objects["job_templates"].values()), theirs) == ([before], before)


def test_schedules_of_the_store_become_those_of_the_controller_when_it_can_express_them(
    place: Workplace, awx: tuple[Awx, str]
) -> None:
    there, url = awx
    source = place.write_csv("people.csv", ["id", "name"], [])
    place.declare([{"name": "hr", "csv": {"path": str(source)}}], [job("people", "hr", "hr", fields("id", "name"))])
    daily = {"type": "daily", "at": "2026-01-05T03:00:00"}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": [
            {
                "lockstep.sync.schedule": {
                    "schedules": [
                        {
                            "name": "nightly",
                            "timezone": "Europe/London",
                            "jobs": ["people"],
                            "triggers": [daily],
                            "enabled": False,
                        },
                        {"name": "boot", "jobs": ["people"], "triggers": [daily, {"type": "startup"}]},
                    ]
                }
            },
            *(
                {
                    "block": [
                        {"ansible.builtin.include_role": {"name": "lockstep.sync.controller"}, "vars": variables}
                    ],
                    "rescue": [{"name": f"told {number}", "ansible.builtin.debug": {"var": "ansible_failed_result"}}],
                }
                for number, (variables, _message) in enumerate(wrong(url))
            ),
        ],
    }
    path = place.folder / "wrong.json"
    path.write_text(json.dumps([play]), encoding="utf-8")
    done = place.playbook(path)
    told = [json.dumps(done[f"told {number}"]["ansible_failed_result"]) for number in range(len(wrong(url)))]
    expected = [message for _variables, message in wrong(url)]
    assert [message for message, text in zip(expected, told, strict=True) if message not in text] == []
    assert there.writes == 0

    apply(place, url)
    assert there.find("schedules", "lockstep run due")
    apply(place, url, tick=False, native_schedules=["nightly"])
    assert [each["name"] for each in there.objects["schedules"].values()] == ["lockstep nightly"]
    schedule = there.find("schedules", "lockstep nightly")
    assert schedule["extra_data"] == {"run_schedule": "nightly"}
    assert schedule["rrule"].startswith("DTSTART;TZID=Europe/London:20260105T030000 RRULE:FREQ=DAILY;INTERVAL=1")
    assert schedule["unified_job_template"] == there.find("job_templates", "lockstep run schedule")["id"]
    assert schedule["enabled"] is False


@pytest.fixture
def server(postgres_url: str) -> Iterator[sa.URL]:
    """An empty database for a state store."""
    name = f"store_{uuid.uuid4().hex}"
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield sa.make_url(postgres_url).set(database=name)
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def environment_of(awx: Awx, template: Variables, folder: Path) -> dict[str, str]:
    """Give what the credential of a job template injects, with its files in `folder`, as AWX renders it."""
    (number,) = awx.links["job_templates", template["id"], "credentials"]
    credential = awx.objects["credentials"][number]
    injectors = awx.objects["credential_types"][credential["credential_type"]]["injectors"]
    jinja = ImmutableSandboxedEnvironment()
    files: dict[str, str] = {}
    for label, text in injectors["file"].items():
        path = folder / uuid.uuid4().hex
        path.write_text(jinja.from_string(text).render(credential["inputs"]), encoding="utf-8")
        path.chmod(0o660)
        files[label.removeprefix("template.")] = str(path)
    known = {**credential["inputs"], "tower": {"filename": files}}
    return {name: jinja.from_string(text).render(known) for name, text in injectors["env"].items()}


def launch(place: Workplace, awx: Awx, template: Variables, artifacts: Variables, **options: t.Any) -> Variables:
    """Run a job template as AWX does, started by `ann`; gives its artifacts."""
    private = place.folder / uuid.uuid4().hex
    (private / "env").mkdir(parents=True)
    environment = place.environment(private / "results.jsonl")
    environment |= {"PATH": f"{PROGRAMS}:{environment['PATH']}", **environment_of(awx, template, private / "env")}
    ran = ansible_runner.run(
        private_data_dir=str(private),
        project_dir=str(ROOT),
        playbook=template["playbook"],
        inventory={"all": {"hosts": {"localhost": {"ansible_connection": "local", **PYTHON}}}},
        envvars=environment,
        # What comes from other jobs wins over what the template has, and what AWX says over both.
        extravars={**json.loads(template["extra_vars"]), **artifacts, "awx_job_id": 1, "awx_user_name": "ann"},
        quiet=True,
        **options,
    )
    assert ran.status == "successful", ran.stdout.read()
    (told,) = [each["event_data"] for each in ran.events if each["event"] == "playbook_on_stats"]
    return dict(told["artifact_data"])


def launch_workflow(place: Workplace, awx: Awx, name: str) -> list[Variables]:
    """Run the steps of a workflow, all of which succeed and are approved; gives the artifacts of each job."""
    workflow = awx.find("workflow_job_templates", name)["id"]
    nodes = {each["id"]: each for each in awx.objects["workflow_job_template_nodes"].values()}
    after = {each: awx.links.get(("workflow_job_template_nodes", each, "success_nodes"), []) for each in nodes}
    (number,) = set(nodes) - {each for following in after.values() for each in following}
    told: list[Variables] = []
    inherited: Variables = {}
    while number:
        assert nodes[number]["workflow_job_template"] == workflow
        template = awx.objects["job_templates"].get(nodes[number]["unified_job_template"])
        if template is not None:
            told.append(launch(place, awx, template, inherited))
            inherited |= told[-1]
        (number,) = after[number] or [0]
    return told


def test_job_templates_run_as_the_controller_runs_them(
    place: Workplace, awx: tuple[Awx, str], server: sa.URL, postgres: Database
) -> None:
    there, url = awx
    key = place.folder / "store.key"
    place.store = server._replace(password=None).render_as_string()
    place.variables |= {"LOCKSTEP_STORE_PASSWORD": str(server.password), "LOCKSTEP_STORE_KEY_FILE": str(key)}
    source = place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    table = postgres.make("id INTEGER PRIMARY KEY, name VARCHAR(20)")
    # The password is kept in the store, so each job needs the key.
    providers = [{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **postgres.provider}]
    people = job("hr-to-db", "hr", {"provider": "db", "table": table}, fields("id", "name"))
    place.declare(providers, [people])
    store = {"store_url": place.store, "store_password": str(server.password), "store_key": key.read_text()}
    apply(place, url, jobs=["hr-to-db"], **store)

    preview, applied = launch_workflow(place, there, "lockstep hr-to-db with approval")
    assert preview["lockstep_hr-to-db"]["created"] == 2
    assert (applied["lockstep_hr-to-db"]["status"], applied["lockstep_hr-to-db"]["created"]) == ("succeeded", 2)
    assert postgres.content(table) == [(1, "Ann"), (2, "Bob")]

    place.write_csv("people.csv", ["id", "name"], [(1, "Ann")])
    template = there.find("job_templates", "lockstep run hr-to-db")
    checked = launch(place, there, template, {}, cmdline="--check")["lockstep_hr-to-db"]
    assert (checked["deleted"], len(postgres.content(table))) == (1, 2)
    # As AWX hands over a survey whose questions were left empty.
    launch(place, there, template, {"run_accept": [], "run_timeout": ""})
    assert postgres.content(table) == [(1, "Ann")]
    assert launch(place, there, there.find("job_templates", "lockstep run due"), {}) == {}  # nothing is due
    runs = place.play(history=task("run_info", job="hr-to-db"))["history"]["runs"]
    assert {each["requester"] for each in runs} == {"ann"}


def wrong(url: str) -> list[tuple[Variables, str]]:
    """Give variables that are refused, and what is said of them."""
    good = {"url": url, "token": TOKEN, "inventory": "sync hosts", "project": "lockstep"}
    cases: list[tuple[Variables, str]] = [
        ({"tokn": "x"}, "has no variable controller_tokn"),
        ({"token": ""}, "Give controller_token, or controller_username and controller_password"),
        ({"token": "wrong"}, "Authentication credentials were not provided"),
        ({"inventory": ""}, "controller_inventory and controller_project are needed"),
        ({"project": "lokstep"}, "the controller has no project 'lokstep' that this user may see"),
        ({"url": "http://127.0.0.1:9"}, "did not answer the question for organization 'Default'"),
        ({"tick_minutes": 0}, "controller_tick_minutes is 0. Give 1 to 59."),
        ({"jobs": ["a", "b"], "collections": ["b"]}, "several job templates would be named 'lockstep run b'"),
        ({"native_schedules": ["nightly"]}, "a tick would run nightly, too"),
        ({"native_schedules": ["boot"], "tick": False}, "the controller cannot express the schedule 'boot'"),
        ({"native_schedules": ["nobody"], "tick": False}, "there is no schedule 'nobody'"),
    ]
    return [({f"controller_{name}": value for name, value in {**good, **each}.items()}, said) for each, said in cases]
