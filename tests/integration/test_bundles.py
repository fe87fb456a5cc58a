# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle from one store to another by playbook: the job runs there as it did here, on a real directory."""

from __future__ import annotations

import json

from integration.harness import Task, Workplace, counts, run, task
from servers.directories import OpenLdap
from servers.ldap_box import DirectoryBox

PASSPHRASE = "correct horse"  # not a secret
OBJECTS = ["provider hr", "provider tree", "smart_group all", "job_template joiners", "job people"]


def test_a_job_moves_to_another_store_and_runs_there(place: Workplace, openldap: OpenLdap) -> None:
    box = DirectoryBox(openldap)
    people = box.unit("people")
    group = box.add(f"cn=all,{box.base}", ("top", "groupOfNames"), member=[people])
    hr = place.write_csv("hr.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    path = place.folder / "bundle.yml"
    other = {"store": f"sqlite:///{place.folder / 'other' / 'state.db'}"}
    fields = [
        {"name": "employeeNumber", "source": "id", "key": True},
        {"name": "cn", "source": "name", "transform": [{"case": "upper"}]},
        {"name": "sn", "source": "name"},
    ]
    objects = [{"type": "inetOrgPerson", "create_in": {"container": people}, "fields": fields}]
    definition = {"missing_at_destination": "create", "objects": objects}
    job = {
        "name": "people",
        "template": "joiners",
        "source": {"provider": "hr"},
        "destination": {"provider": "tree", "container": people},
        "smart_groups": ["all"],
    }
    providers = [
        {"name": "hr", "csv": {"path": str(hr)}},
        {"name": "tree", "ldap": {**box.options(), "password": openldap.password}},
    ]
    smart_group = {"provider": "tree", "group": group, "filter": "(objectClass=inetOrgPerson)", "container": people}
    exported = {"path": str(path), "jobs": ["people"], "passphrase": PASSPHRASE}
    imported = {"path": str(path), "passphrase": PASSPHRASE, **other}
    another_base = f"{{{{ lookup('ansible.builtin.file', '{path}') | replace('dc=', 'DC=', 1) }}}}"
    damaged = {"content": another_base, "passphrase": PASSPHRASE, **other}
    tasks: dict[str, Task] = {
        "providers": task("provider", providers=providers),
        "smart group": task("smart_group", name="all", **smart_group),
        "template": task("job_template", name="joiners", definition=definition),
        "job": task("job", **job),
        "would export": task("bundle_export", check=True, **exported),
        "export": task("bundle_export", diff=True, **exported),
        "export again": task("bundle_export", **exported),
        "too short": task("bundle_export", may_fail=True, **{**exported, "passphrase": "short"}),
        "nothing there": task("job_info", **other),
        "damaged": task("bundle_import", may_fail=True, **damaged),
        "wrong passphrase": task("bundle_import", may_fail=True, **{**imported, "passphrase": "wrong horse"}),
        "still nothing there": task("job_info", **other),
        "would import": task("bundle_import", check=True, diff=True, **imported),
        "import": task("bundle_import", diff=True, **imported),
        "import again": task("bundle_import", **imported),
        "run there": run("people", **other),
        "run here": run("people"),
        "both": task("job_info", name="people"),
        "both there": task("job_info", name="people", **other),
        "change": task("provider", name="hr", csv={"path": "/nowhere.csv"}, **other),
        "clash": task("bundle_import", may_fail=True, **imported),
        "rename": task("bundle_import", on_conflict="rename", **imported),
        "replace": task("bundle_import", on_conflict="replace", **imported),
        "run again": run("people", **other),
    }
    done = place.play(**tasks)

    assert done["would export"]["changed"]
    assert [f"{each['noun']} {each['name']}" for each in done["export"]["objects"]] == OBJECTS
    assert (done["export"]["changed"], done["export again"]["changed"]) == (True, False)
    assert "at least 8 characters" in done["too short"]["msg"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert (done["damaged"]["error"]["code"], done["wrong passphrase"]["error"]["code"]) == ("bundle", "bundle")
    assert "it is damaged" in done["damaged"]["msg"]
    assert "the passphrase is not the one" in done["wrong passphrase"]["msg"]
    assert (done["nothing there"]["jobs"], done["still nothing there"]["jobs"]) == ([], [])
    assert done["would import"]["diff"] == done["import"]["diff"]
    assert {each["state"] for each in done["import"]["objects"]} == {"created"}
    assert not done["import again"]["changed"]
    keys = [(place.folder / folder / "state.key").read_bytes() for folder in ("state", "other")]
    assert keys[0] != keys[1]

    assert counts(done["run there"])["created"] == 2
    assert sorted(box.texts(group, "member")) == [f"cn=ANN,{people}", f"cn=BOB,{people}"]
    assert not done["run here"]["changed"]
    here, there = (
        {
            name: value
            for name, value in done[task_name]["jobs"][0].items()
            if name not in ("last_run", "created", "modified")
        }
        for task_name in ("both", "both there")
    )
    assert here == there

    assert "provider 'hr'" in done["clash"]["msg"]
    renamed = [each["imported_as"] for each in done["rename"]["objects"] if each["changed"]]
    assert renamed == ["hr (2)", "people (2)"]
    assert [each["name"] for each in done["replace"]["objects"] if each["changed"]] == ["hr"]
    assert not done["run again"]["changed"]
    shown = json.dumps(done.results) + done.output
    assert f'"{openldap.password}"' not in shown
    assert PASSPHRASE not in shown
    assert f": {openldap.password}\n" not in path.read_text(encoding="utf-8")
