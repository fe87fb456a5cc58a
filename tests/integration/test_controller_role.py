# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `controller`: what it makes in AWX, against a stand-in of AWX's API."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

import pytest
from integration.harness import Done, Workplace, fields, job
from servers.awx_stand_in import TOKEN, Awx, stand_in

URL = "postgresql://lockstep@db.example.com/lockstep"
STORE = {"store_url": URL, "store_password": "quite-secret-1", "store_key": "quite-secret-2"}
Variables = dict[str, t.Any]


@pytest.fixture
def awx() -> Iterator[tuple[Awx, str]]:
    """A controller with an organization, an inventory and a project."""
    with stand_in() as (awx, url):
        organization = awx.find("organizations", "Default")["id"]
        awx.create("inventories", {"name": "sync hosts", "organization": organization})
        awx.create("projects", {"name": "lockstep"})
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
    wanted: Variables = {"jobs": ["hr-to-ad"], "collections": ["nightly"], **STORE}
    planned = apply(place, url, "--check", **wanted)
    assert there.writes == 0
    assert "Would make job template 'lockstep run hr-to-ad'." in planned.output

    first = apply(place, url, "-vvv", **wanted)
    assert "quite-secret" not in first.output
    assert TOKEN not in first.output
    assert sorted(each["name"] for each in there.objects["job_templates"].values()) == [
        "lockstep apply plan",
        "lockstep preview hr-to-ad",
        "lockstep run due",
        "lockstep run hr-to-ad",
        "lockstep run nightly",
    ]
    template = there.find("job_templates", "lockstep run hr-to-ad")
    assert json.loads(template["extra_vars"])["run_job"] == "hr-to-ad"
    assert json.loads(template["extra_vars"])["run_requester"] == "{{ awx_user_name | default('AWX') }}"
    assert (template["playbook"], template["job_type"]) == ("playbooks/run.yml", "run")
    credential = there.find("credentials", "lockstep state store")
    assert credential["inputs"] == {
        "store": URL,
        "store_password": "quite-secret-1",
        "store_key": "quite-secret-2",
    }
    kind = there.find("credential_types", "lockstep state store")
    assert kind["injectors"]["env"]["LOCKSTEP_STORE_KEY_FILE"] == "{{ tower.filename.key }}"
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

    # Somebody has changed one by hand; secrets are written only when they are asked for.
    there.change("job_templates", template["id"], {"playbook": "other.yml", "description": "by hand"})
    writes = there.writes
    apply(place, url, **wanted, update_secrets=True)
    assert there.writes == writes + 2
    assert (template["playbook"], template["description"]) == ("playbooks/run.yml", "by hand")

    apply(place, url, **wanted, state="absent")
    made = {kind for kind, objects in there.objects.items() if objects}
    assert made == {"organizations", "inventories", "projects", "workflow_approval_templates"}


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
                        {"name": "nightly", "timezone": "Europe/London", "jobs": ["people"], "triggers": [daily]},
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

    apply(place, url, tick=False, native_schedules=["nightly"])
    schedule = there.find("schedules", "lockstep nightly")
    assert schedule["extra_data"] == {"run_schedule": "nightly"}
    assert schedule["rrule"].startswith("DTSTART;TZID=Europe/London:20260105T030000 RRULE:FREQ=DAILY;INTERVAL=1")
    assert schedule["unified_job_template"] == there.find("job_templates", "lockstep run schedule")["id"]


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
        ({"native_schedules": ["nightly"]}, "a tick would run nightly, too"),
        ({"native_schedules": ["boot"], "tick": False}, "the controller cannot express the schedule 'boot'"),
        ({"native_schedules": ["nobody"], "tick": False}, "there is no schedule 'nobody'"),
    ]
    return [({f"controller_{name}": value for name, value in {**good, **each}.items()}, said) for each, said in cases]
