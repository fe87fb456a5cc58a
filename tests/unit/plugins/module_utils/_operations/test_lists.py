# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List jobs and providers, and look at the systems behind providers."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult, Statistics
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import ContainerInfo, FieldInfo
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_provider import (
    ProviderRequest,
    declare_providers,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.list_jobs import JobFilter, list_jobs
from ansible_collections.lockstep.sync.plugins.module_utils._operations.list_providers import (
    ProviderFilter,
    Surroundings,
    list_providers,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store
from support.lists import ListProvider


@pytest.fixture
def filled(store: Store, tmp_path: Path) -> Store:
    file = tmp_path / "hr.csv"
    file.write_text("id,mail\n" + "".join(f"{number},m{number}@x\n" for number in range(3000)), encoding="utf-8")
    sql = {"sql": {"url": "sqlite:////nowhere/crm.db", "username": "sync"}}
    declare_providers(
        store,
        [
            ProviderRequest(name="hr", definition={"csv": {"path": str(file)}}),
            ProviderRequest(name="crm", definition=sql, secrets={"password": Secret("hush-hush")}),
            ProviderRequest(
                name="old", definition=sql, secrets={"password": SecretReference(kind="env", name="OLD_PASSWORD")}
            ),
        ],
    )
    for name, destination, owners in (("a", "crm", ["x", "y"]), ("b", "old", ["y"]), ("c", "crm", [])):
        store.jobs.save(
            name,
            {
                "source": {"provider": "hr"},
                "destination": {"provider": destination, "table": "t"},
                "owners": owners,
                "objects": [{"fields": [{"name": "id", "source": "id", "key": True}]}],
            },
        )
    return store


def run(store: Store, job: str) -> int:
    number = store.runs.start(job, host="h", pid=1, boot_id="b", started="2026-11-21T08:30:00+00:00")
    store.runs.finish(
        number,
        RunResult(
            id=number,
            job=job,
            status="succeeded",
            agreement="equal",
            preview=False,
            message="done",
            started="2026-11-21T08:30:00+00:00",
            finished="2026-11-21T08:30:02+00:00",
            duration=2.0,
            statistics=Statistics(read=7),
            objects=(),
            changes=(),
            changes_total=0,
            problems=(),
            held=(),
            log=(),
        ),
    )
    return number


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ({}, ["a", "b", "c"]),
        ({"name": "b"}, ["b"]),
        ({"name": "x"}, []),
        ({"source": "hr"}, ["a", "b", "c"]),
        ({"source": "crm"}, []),
        ({"destination": "crm"}, ["a", "c"]),
        ({"owner": "y"}, ["a", "b"]),
        ({"owner": "y", "destination": "crm"}, ["a"]),
        ({"last_status": "succeeded"}, ["a"]),
        ({"last_status": "running"}, ["b"]),
        ({"last_status": "failed"}, []),
    ],
)
def test_lists_the_jobs_that_meet_all_conditions(filled: Store, conditions: dict[str, t.Any], names: list[str]) -> None:
    run(filled, "a")
    filled.runs.start("b", host="h", pid=1, boot_id="b", started="2026-11-21T08:30:00+00:00")
    assert [job["name"] for job in list_jobs(filled, JobFilter(**conditions))] == names


def test_a_job_is_shown_with_its_defaults_its_providers_and_its_history(filled: Store) -> None:
    run(filled, "a")
    last = run(filled, "a")
    (job,) = list_jobs(filled, JobFilter(name="a"))
    assert job["limits"]["deletes"] == "10% above 10"
    assert job["dependencies"] == {"providers": ["crm", "hr"]}
    assert job["times_run"] == 2
    assert job["last_run"]["id"] == last
    assert (job["last_run"]["status"], job["last_run"]["outcome"]) == ("succeeded", "equal")
    assert job["last_run"]["statistics"]["read"] == 7
    assert job["created"] == job["modified"] == "2026-11-21T08:30:00.000000+00:00"
    (never,) = list_jobs(filled, JobFilter(name="c"))
    assert (never["last_run"], never["times_run"]) == (None, 0)


class World:
    """Everything that looking at a system needs, and what it was told."""

    def __init__(self, **environ: str) -> None:
        self.protected: list[Secret] = []
        self.surroundings = Surroundings(open_provider=open_provider, environ=environ, protect=self.protected.append)


def test_lists_providers_without_secrets(filled: Store) -> None:
    world = World()
    listed = list_providers(filled, ProviderFilter(), world.surroundings)
    assert [(item["name"], item["type"], item["used_by"]) for item in listed] == [
        ("crm", "sql", ["a", "c"]),
        ("hr", "csv", ["a", "b", "c"]),
        ("old", "sql", ["b"]),
    ]
    assert listed[0]["sql"]["password"] == "********"
    assert listed[2]["sql"]["password_from"] == {"env": "OLD_PASSWORD"}
    assert "hush" not in str(listed)
    assert world.protected == []
    assert list_providers(filled, ProviderFilter(name="nobody"), world.surroundings) == []


def test_tests_shows_schema_and_samples(filled: Store) -> None:
    wanted = ProviderFilter(name="hr", test=True, schema=True, sample=2)
    (found,) = list_providers(filled, wanted, World().surroundings)
    assert found["test"]["reached"] is True
    (file,) = found["schema"]
    assert (file["kind"], [field["name"] for field in file["fields"]]) == ("file", ["id", "mail"])
    assert found["sample"] == [{"id": "0", "mail": "m0@x"}, {"id": "1", "mail": "m1@x"}]


def test_a_sample_may_be_longer_than_one_batch_and_than_the_data(filled: Store) -> None:
    (found,) = list_providers(filled, ProviderFilter(name="hr", sample=5000), World().surroundings)
    assert [record["id"] for record in found["sample"]] == [str(number) for number in range(3000)]


def test_a_system_that_cannot_be_reached_is_an_answer(filled: Store) -> None:
    world = World()
    (found,) = list_providers(filled, ProviderFilter(name="crm", test=True), world.surroundings)
    assert found["test"]["reached"] is False
    assert found["test"]["error"]["code"] == "config"
    assert world.protected == [Secret("hush-hush")]
    (old,) = list_providers(filled, ProviderFilter(name="old", test=True), world.surroundings)
    assert "OLD_PASSWORD is not set" in old["test"]["error"]["message"]


def test_a_secret_is_found_where_the_reference_says(filled: Store) -> None:
    world = World(OLD_PASSWORD="from-outside")
    list_providers(filled, ProviderFilter(name="old", test=True), world.surroundings)
    assert world.protected == [Secret("from-outside")]


def test_the_place_of_a_sample_must_fit_the_provider(filled: Store) -> None:
    with pytest.raises(ConfigError, match="sample, source: `table` does not fit provider 'hr'"):
        list_providers(filled, ProviderFilter(name="hr", sample=1, table="t"), World().surroundings)
    with pytest.raises(ConfigError, match="`table` or `query` is missing"):
        list_providers(filled, ProviderFilter(name="crm", sample=1), World().surroundings)


def test_a_sample_of_a_directory_has_a_container_and_a_filter_and_shows_what_entries_have(store: Store) -> None:
    options = {"url": "ldap://dir", "auth": "anonymous"}
    declare_providers(store, [ProviderRequest(name="dir", definition={"ldap": options})])
    fields = (FieldInfo(name="uid"), FieldInfo(name="mail"), FieldInfo(name="userPassword", secret=True))
    info = ContainerInfo(name="ou=people,dc=x", kind="container", fields=fields, place="dn")
    people = ListProvider(info=info, records=[{"uid": "a", "mail": "a@x"}, {"uid": "b", "mail": None}])
    surroundings = Surroundings(open_provider=lambda _spec, _secrets: people, environ={}, protect=lambda _secret: None)
    wanted = ProviderFilter(sample=5, container="ou=people,dc=x", filter="(uid=*)", schema=True)
    (found,) = list_providers(store, wanted, surroundings)
    assert found["sample"] == [{"uid": "a", "mail": "a@x"}, {"uid": "b"}]
    ((_how, read, query),) = people.reads
    assert read == ("uid", "mail"), "what is secret is not read"
    assert query == Query(container="ou=people,dc=x", filter="(uid=*)")
    assert (found["schema"][0]["name"], found["schema"][0]["kind"]) == ("ou=people,dc=x", "container")
    with pytest.raises(
        ConfigError, match=r"`table` does not fit provider 'dir', which is of type ldap. Valid: `container`"
    ):
        list_providers(store, ProviderFilter(sample=1, table="people"), surroundings)
