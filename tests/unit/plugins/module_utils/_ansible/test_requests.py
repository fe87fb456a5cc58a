# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of tasks become typed requests: through the real argument specs, so that both agree."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import (
    declaring_arguments,
    provider_arguments,
    with_bulk,
)
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.job_arguments import job_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.requests import (
    entries,
    job_request,
    provider_request,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import (
    FIELD_OPTIONS,
    JOB_OPTIONS,
    LIMIT_OPTIONS,
    OBJECT_OPTIONS,
    effective_job,
    normalize_job,
    parse_job,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.providers import parse_provider
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._model.steps import STEP_NAMES

PROVIDER = with_bulk(
    "providers", {**declaring_arguments(), **provider_arguments()}, mutually_exclusive=[["csv", "excel", "sql"]]
)
JOB = with_bulk("jobs", {**declaring_arguments(), **job_arguments()})
KEY = {"name": "id", "source": "id", "key": True}


def validate(spec: dict[str, t.Any], **options: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    rules = dict(spec)
    result = ArgumentSpecValidator(rules.pop("argument_spec"), **rules).validate(options)
    return result.validated_parameters, result.error_messages


def take(spec: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    params, errors = validate(spec, **options)
    assert errors == []
    return params


def test_the_options_of_a_job_are_those_of_the_model() -> None:
    arguments = job_arguments()
    assert set(arguments) == {*JOB_OPTIONS, "copy_of", "quarantined"}
    item = arguments["objects"]["options"]
    assert set(item) == set(OBJECT_OPTIONS)
    assert set(item["fields"]["options"]) == set(FIELD_OPTIONS)
    assert set(item["fields"]["options"]["transform"]["options"]) == set(STEP_NAMES)
    assert set(arguments["limits"]["options"]) == set(LIMIT_OPTIONS)


def test_what_keeps_its_stored_value_has_no_default() -> None:
    assert [name for name, option in job_arguments().items() if "default" in option] == []
    assert [name for name, option in provider_arguments().items() if "default" in option] == []


def test_nested_defaults_are_those_of_the_model() -> None:
    steps = [
        {"join": {"fields": ["a"]}},
        {"replace": {"pattern": "x", "with": ""}},
        {"pad": {"length": 3}},
        {"unique": {}},
        {"password": {}},
    ]
    bare = {
        "source": {"provider": "a"},
        "destination": {"provider": "b"},
        "objects": [
            {"fields": [{**KEY}, *({"name": f"f{n}", "source": "a", "transform": [s]} for n, s in enumerate(steps))]}
        ],
        "limits": {},
        "on_error": {},
    }
    params = take(JOB, name="j", **bare)
    assert normalize_job("j", job_request(params).definition) == normalize_job("j", bare)
    assert effective_job("j", job_request(params).definition) == effective_job("j", bare)


def test_options_of_directories_pass_through_as_they_were_given() -> None:
    job = {
        "source": {"provider": "a", "container": "dc=y", "filter": "(a=b)"},
        "destination": {"provider": "b", "container": "ou=a,dc=x", "include_subcontainers": False, "filter": "(a=*)"},
        "missing_at_source": "disable",
        "on_disable": {"move_to": "ou=gone,dc=x", "stamp": {"manager": ""}, "delete_after_days": 0},
        "protect": "(adminCount=1)",
        "create_containers": True,
        "objects": [
            {
                "name": "people",
                "type": "inetOrgPerson",
                "object_classes": ["top", "person"],
                "create_in": {"field": "ou"},
                "move": True,
                "rdn": "uid",
                "fields": [
                    KEY,
                    {"name": "manager", "transform": [{"resolve": {"match": "uid", "field": "boss"}}]},
                ],
            },
            {"name": "guests", "type": "person", "on_disable": {}, "fields": [KEY]},
            {"name": "teams", "type": "group", "destination": {"include_subcontainers": True}, "fields": [KEY]},
        ],
    }
    params = take(JOB, name="j", **job)
    assert normalize_job("j", job_request(params).definition) == normalize_job("j", job)
    assert parse_job("j", job_request(params).definition) == parse_job("j", job)


@pytest.mark.parametrize(
    ("type_name", "options"),
    [
        ("ldap", {"url": "ldap://h", "bind_dn": "cn=a"}),
        ("ldap", {"url": ["ldap://h", "ldap://i"], "auth": "anonymous", "base_dn": "dc=x", "ca_cert": "/ca.pem"}),
        ("active_directory", {"url": "ldaps://dc", "username": "a@x", "page_size": 5, "timeout": 1.5}),
    ],
)
def test_defaults_of_directories_are_those_of_the_model(type_name: str, options: dict[str, t.Any]) -> None:
    request = provider_request(take(PROVIDER, name="d", **{type_name: options}))
    assert parse_provider("d", request.definition) == parse_provider("d", {type_name: options})
    assert request.secrets == {}
    secret = provider_request(take(PROVIDER, name="d", **{type_name: {**options, "password_from": {"env": "P"}}}))
    assert secret.secrets == {"password": SecretReference(kind="env", name="P")}
    assert "password" not in str(secret.definition)


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        (PROVIDER, {"ldap": {"bind_dn": "cn=a"}}),
        (PROVIDER, {"ldap": {"url": "ldap://h", "auth": "gssapi"}}),
        (PROVIDER, {"ldap": {"url": "ldap://h", "cert_validation": "never"}}),
        (PROVIDER, {"ldap": {"url": "ldap://h", "password": "a", "password_from": {"env": "P"}}}),
        (PROVIDER, {"active_directory": {"url": "ldaps://dc"}}),
        (JOB, {"missing_at_source": "archive"}),
        (JOB, {"objects": [{"fields": [KEY], "create_in": {}}]}),
        (JOB, {"objects": [{"fields": [KEY], "create_in": {"field": "a", "container": "dc=x"}}]}),
        (JOB, {"objects": [{"fields": [{**KEY, "transform": [{"resolve": {"field": "a"}}]}]}]}),
    ],
)
def test_ansible_itself_refuses_wrong_options_of_directories(spec: dict[str, t.Any], options: dict[str, t.Any]) -> None:
    _params, errors = validate(spec, name="x", **options)
    assert errors


@pytest.mark.parametrize("step", STEP_NAMES)
def test_two_steps_in_one_entry_are_refused(step: str) -> None:
    other = "static" if step != "static" else "default"
    some: dict[str, t.Any] = {
        "join": {"fields": ["a"]},
        "left": {"length": 1},
        "right": {"length": 1},
        "substring": {"start": 0, "length": 1},
        "case": "lower",
        "trim": True,
        "replace": {"pattern": "a", "with": "b"},
        "map": {"values": {"a": "b"}},
        "split": {"separator": ","},
        "date": {"from": "iso", "to": "iso"},
        "ascii": True,
        "pad": {"length": 3},
        "unique": {},
        "resolve": {"match": "uid"},
        "password": {},
    }
    value = some.get(step, "text")
    transform = [{other: "x", step: value}]
    params = take(
        JOB,
        name="j",
        source={"provider": "a"},
        destination={"provider": "b"},
        objects=[{"fields": [{**KEY, "transform": transform}]}],
    )
    with pytest.raises(ConfigError, match=r"field '.*', transform step 1"):
        parse_job("j", job_request(params).definition)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"name": "a", "jobs": [{"name": "b"}]},
        {"enabled": False, "jobs": [{"name": "b"}]},
        {"jobs": [{"enabled": True}]},
        {"name": "a", "source": {"provider": "x", "table": "t", "query": "q"}},
        {"name": "a", "objects": [{}]},
        {"name": "a", "objects": [{"fields": [{**KEY, "transform": [{"trim": False}]}]}]},
    ],
)
def test_ansible_itself_refuses_options_that_do_not_go_together(options: dict[str, t.Any]) -> None:
    assert validate(JOB, **options)[1]


@pytest.mark.parametrize(
    "options",
    [
        {"name": "a", "csv": {"path": "/a"}, "excel": {"path": "/b"}},
        {"providers": [{"name": "a", "csv": {"path": "/a"}, "excel": {"path": "/b"}}]},
        {"name": "a", "sql": {"url": "sqlite:////a", "password": "long", "password_from": {"env": "X"}}},
        {"name": "a", "sql": {"url": "sqlite:////a", "password_from": {"env": "X", "file": "/x"}}},
        {"name": "a", "sql": {"url": "sqlite:////a", "password_from": {}}},
        {"name": "a", "csv": {}},
    ],
)
def test_ansible_itself_refuses_providers_that_are_two_things_at_once(options: dict[str, t.Any]) -> None:
    assert validate(PROVIDER, **options)[1]


def test_a_provider_request_has_options_and_secrets_apart() -> None:
    params = take(PROVIDER, name="crm", sql={"url": "postgresql://h/d", "username": "u", "password": "hush"})
    request = provider_request(params)
    assert (request.name, request.state, request.new_name, request.force) == ("crm", "present", None, False)
    assert request.definition == {"sql": {"url": "postgresql://h/d", "username": "u"}}
    assert request.secrets == {"password": Secret("hush")}


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        ({"env": "X"}, SecretReference(kind="env", name="X")),
        ({"file": "/a/b"}, SecretReference(kind="file", name="/a/b")),
    ],
)
def test_a_reference_to_a_secret(given: dict[str, str], reference: SecretReference) -> None:
    params = take(PROVIDER, name="crm", sql={"url": "postgresql://h/d", "password_from": given})
    assert provider_request(params).secrets == {"password": reference}


def test_a_provider_without_a_type_keeps_everything() -> None:
    request = provider_request(take(PROVIDER, name="crm", new_name="x"))
    assert (request.definition, request.secrets, request.new_name) == ({}, {}, "x")


def test_relative_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/x")
    assert provider_request(take(PROVIDER, name="a", csv={"path": "hr.csv"})).definition["csv"]["path"] == str(
        tmp_path / "hr.csv"
    )
    secret = provider_request(
        take(PROVIDER, name="a", sql={"url": "postgresql://h/d", "password_from": {"file": "p"}})
    ).secrets["password"]
    assert secret == SecretReference(kind="file", name=str(tmp_path / "p"))
    urls = {
        "sqlite:///crm.db": f"sqlite:///{tmp_path}/crm.db",
        "sqlite+pysqlite:///~/crm.db": "sqlite+pysqlite:////home/x/crm.db",
        "sqlite:////crm.db": "sqlite:////crm.db",
        "sqlite:///:memory:": "sqlite:///:memory:",
        "sqlite:///file:x?uri=true": "sqlite:///file:x?uri=true",
        "sqlite://": "sqlite://",
        "postgresql:///crm": "postgresql:///crm",
    }
    for given, stored in urls.items():
        request = provider_request(take(PROVIDER, name="a", sql={"url": given}))
        assert request.definition["sql"]["url"] == stored


def test_a_function_file_gets_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    steps = [{"function": "f.py:make"}, {"function": "/a/f.py:make"}, {"function": "bad"}, {"trim": True}]
    params = take(JOB, name="j", objects=[{"fields": [{**KEY, "transform": steps}]}])
    (field,) = job_request(params).definition["objects"][0]["fields"]
    assert [step["function"] for step in field["transform"]] == [
        f"{tmp_path}/f.py:make",
        "/a/f.py:make",
        "bad",
        None,
    ]


def test_a_list_gives_one_entry_each_and_single_options_one() -> None:
    several = take(JOB, jobs=[{"name": "a", "state": "absent"}, {"name": "b", "copy_of": "a", "force": True}])
    requests = [job_request(entry) for entry in entries(several, "jobs")]
    assert [(item.name, item.state, item.copy_of, item.force) for item in requests] == [
        ("a", "absent", None, False),
        ("b", "present", "a", True),
    ]
    single = take(JOB, name="a", enabled=False)
    (request,) = (job_request(entry) for entry in entries(single, "jobs"))
    assert {name: value for name, value in request.definition.items() if value is not None} == {"enabled": False}
