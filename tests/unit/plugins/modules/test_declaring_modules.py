# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules provider, provider_info, job and job_info, called as Ansible calls them."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.modules import job, job_info, provider, provider_info

Run = Callable[..., dict[str, t.Any]]
KEY = {"name": "id", "source": "id", "key": True}
JOB: dict[str, t.Any] = {
    "source": {"provider": "hr"},
    "destination": {"provider": "crm", "table": "people"},
    "objects": [{"fields": [KEY]}],
}


@pytest.fixture
def declared(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "hr.csv").write_text("id,mail\n1,a@x\n", encoding="utf-8")
    both = [
        {"name": "hr", "csv": {"path": str(tmp_path / "hr.csv")}},
        {"name": "crm", "sql": {"url": f"sqlite:///{tmp_path / 'crm.db'}"}},
    ]
    assert run(provider.main, providers=both)["changed"]
    return run


def test_a_provider_is_made_once_and_shown(run: Run) -> None:
    options = {"name": "hr", "csv": {"path": "/hr.csv"}}
    planned = run(provider.main, check=True, diff=True, **options)
    assert (planned["changed"], planned["msg"]) == (True, "The provider 'hr' would be created.")
    made = run(provider.main, diff=True, **options)
    assert (made["changed"], made["msg"]) == (True, "The provider 'hr' was created.")
    assert made["diff"] == planned["diff"]
    assert made["diff"]["before"] == {}
    assert made["provider"]["csv"]["path"] == "/hr.csv"
    again = run(provider.main, diff=True, **options)
    assert (again["changed"], again["msg"]) == (False, "The provider 'hr' is as declared.")
    assert again["diff"]["before"] == again["diff"]["after"]
    gone = run(provider.main, name="hr", state="absent")
    assert (gone["changed"], gone["provider"], gone["msg"]) == (True, None, "The provider 'hr' was deleted.")
    assert run(provider.main, name="hr", state="absent")["msg"] == "The provider 'hr' does not exist, as declared."


def test_a_password_is_stored_and_never_shown(run: Run, tmp_path: Path) -> None:
    sql = {"url": "postgresql://db/people", "username": "people", "password": "people"}
    made = run(provider.main, diff=True, name="people", sql=sql)
    assert made["provider"]["sql"] == {"url": "postgresql://db/people", "username": "people", "password": "********"}
    assert made["invocation"]["module_args"]["sql"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert not run(provider.main, name="people", sql=sql)["changed"]
    changed = run(provider.main, diff=True, name="people", sql={**sql, "password": "other-one"})
    assert changed["diff"]["after"]["sql"]["password"] == "******** (changed)"
    assert "other-one" not in json.dumps(changed)
    assert b"other-one" not in (tmp_path / "store" / "state.db").read_bytes()


def test_several_providers_are_all_or_none(run: Run) -> None:
    good = {"name": "hr", "csv": {"path": "/hr.csv"}}
    failed = run(provider.main, providers=[good, {"name": "crm"}])
    assert failed["failed"]
    assert failed["msg"].startswith("providers, entry 2 ('crm'): ")
    assert run(provider_info.main)["providers"] == []
    done = run(provider.main, diff=True, providers=[good, {"name": "old", "state": "absent"}])
    assert done["msg"] == "1 of 2 providers were changed."
    assert done["providers"] == [
        {"name": "hr", "state": "present", "changed": True},
        {"name": "old", "state": "absent", "changed": False},
    ]
    assert [block["after_header"] for block in done["diff"]] == ["provider hr"]


def test_provider_info_tests_and_shows_data(declared: Run) -> None:
    found = declared(provider_info.main, name="hr", test=True, schema=True, sample=1)
    (hr,) = found["providers"]
    assert found["msg"] == "1 provider found."
    assert hr["test"]["reached"]
    assert hr["sample"] == [{"id": "1", "mail": "a@x"}]
    assert [field["name"] for field in hr["schema"][0]["fields"]] == ["id", "mail"]


@pytest.mark.parametrize(
    "options", [{"sample": 1}, {"table": "t"}, {"name": "crm", "sample": 1, "table": "t", "query": "q"}]
)
def test_provider_info_refuses_options_that_do_not_go_together(run: Run, options: dict[str, t.Any]) -> None:
    assert run(provider_info.main, **options)["failed"]


def test_a_job_is_made_once_changed_renamed_and_deleted(declared: Run) -> None:
    assert declared(job.main, check=True, name="j", **JOB)["msg"] == "The job 'j' would be created."
    made = declared(job.main, name="j", **JOB)
    assert made["changed"]
    assert made["job"]["limits"]["deletes"] == "10% above 10"
    assert not declared(job.main, name="j", **JOB)["changed"]
    changed = declared(job.main, diff=True, name="j", enabled=False)
    assert changed["msg"] == "The job 'j' was changed."
    assert changed["diff"]["after"]["enabled"] is False
    assert changed["diff"]["after"]["objects"] == changed["diff"]["before"]["objects"]
    assert declared(job.main, name="j", new_name="k")["job"]["name"] == "k"
    assert not declared(job.main, name="j", new_name="k")["changed"]
    assert declared(job.main, name="k", state="absent")["job"] is None


def test_a_bad_expression_is_found_when_the_job_is_declared(declared: Run) -> None:
    failed = declared(job.main, name="j", **{**JOB, "objects": [{"when": "source.a | nope", "fields": [KEY]}]})
    assert failed["error"] == {"code": "config"}
    assert "there is no filter 'nope'" in failed["msg"]


def test_circular_flows_are_warned_of(declared: Run) -> None:
    mail = {"name": "mail", "source": "mail"}
    forth = {**JOB, "name": "forth", "objects": [{"fields": [KEY, mail]}]}
    back = {"source": JOB["destination"], "destination": JOB["source"], "objects": [{"fields": [KEY, mail]}]}
    result = declared(job.main, jobs=[forth, {"name": "back", **back}])
    assert "Circular flow: job 'back'" in str(result["warnings"])
    assert result["jobs"] == [
        {"name": "forth", "state": "present", "changed": True},
        {"name": "back", "state": "present", "changed": True},
    ]


def test_job_info_lists_what_is_asked_for(declared: Run) -> None:
    declared(job.main, jobs=[{"name": name, **JOB, "owners": [name]} for name in ("a", "b")])
    found = declared(job_info.main, owner="b")
    assert (found["msg"], [item["name"] for item in found["jobs"]]) == ("1 job found.", ["b"])
    assert found["jobs"][0]["dependencies"] == {"providers": ["crm", "hr"]}
    assert declared(job_info.main, last_status="failed")["jobs"] == []


@pytest.mark.no_cover
def test_a_hundred_jobs_in_one_task_stay_small(declared: Run) -> None:
    fields = [KEY, *({"name": f"field{number}", "source": f"Field{number}"} for number in range(30))]
    jobs = [{"name": f"job{number}", **JOB, "objects": [{"fields": fields}]} for number in range(100)]
    made = declared(job.main, diff=True, jobs=jobs)
    assert made["msg"] == "100 of 100 jobs were changed."
    assert "more changed jobs are left out" in made["diff"][-1]["after"]
    assert len(json.dumps(made)) < 64_000
    found = declared(job_info.main)
    assert len(found["jobs"]) == 100
    assert "objects" not in found["jobs"][0]
    assert "the objects of its jobs are left out" in str(found["warnings"])
    assert len(json.dumps(found)) < 64_000
    assert len(declared(job_info.main, name="job7")["jobs"][0]["objects"][0]["fields"]) == 31


def test_a_directory_and_its_job_are_declared_once(declared: Run) -> None:
    ad = {"url": "ldaps://dc.example.com", "username": "sync@example.com", "password": "hush-hush"}
    made = declared(provider.main, name="ad", active_directory=ad)
    assert made["provider"]["active_directory"]["url"] == ["ldaps://dc.example.com"]
    assert "hush" not in json.dumps(made)
    options = {
        "name": "people",
        "source": {"provider": "hr"},
        "destination": {"provider": "ad", "container": "DC=example, DC=com", "filter": "(employeeID=*)"},
        "missing_at_source": "disable",
        "on_disable": {"move_to": "OU=Leavers,DC=example,DC=com", "stamp": {"description": "left %NOW%"}},
        "protect": "(adminCount=1)",
        "objects": [
            {
                "type": "user",
                "create_in": {"expression": "'OU=' ~ (source.unit | dn_value) ~ ',DC=example,DC=com'"},
                "fields": [{"name": "employeeID", "source": "id", "key": True}],
            }
        ],
    }
    planned = declared(job.main, check=True, diff=True, **options)
    first = declared(job.main, diff=True, **options)
    assert planned["diff"] == first["diff"]
    assert first["job"]["destination"]["container"] == "DC=example,DC=com"
    assert not declared(job.main, **options)["changed"]
    other = {**options, "on_disable": {"strip_groups": True}}
    assert declared(job.main, **other)["job"]["objects"][0]["on_disable"] == {"strip_groups": True}
    refused = declared(job.main, **{**options, "destination": {"provider": "crm", "table": "people"}})
    assert "`missing_at_source: disable`, `create_in` needs a directory as destination" in refused["msg"]
