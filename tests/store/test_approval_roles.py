# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles of the guide on approvals, on a real PostgreSQL server: the database itself keeps to the rules."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.approvals import Actor, Decision
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._operations.approvals import (
    DecisionRequest,
    decide,
    describe_request,
    need_request,
)
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store, StoreAddress, open_store
from ansible_collections.lockstep.sync.plugins.module_utils._store.tables import tables
from support.worlds import World

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "approvals.md"
GROUPS = ("lockstep_runner", "lockstep_approver")
PEOPLE = {"lockstep_awx": "lockstep_runner", "ann": "lockstep_approver", "bob": "lockstep_approver", "zoe": "both"}
PASSWORD = "only-of-this-test"


def sql_of_the_guide() -> str:
    """Give the first block of SQL, which makes the roles and the triggers."""
    return re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[0]


@dataclass
class Site:
    """A store on PostgreSQL with the roles of the guide; each account opens it for itself."""

    url: sa.URL
    key_file: Path
    world: World
    owner: sa.Engine

    def __post_init__(self) -> None:
        self._stores: list[Store] = []

    def open(self, account: str | None = None) -> Store:
        url = self.url if account is None else self.url.set(username=account, password=PASSWORD)
        address = StoreAddress(
            url=url._replace(password=None).render_as_string(),
            password=Secret(str(url.password)),
            key_file=str(self.key_file),
        )
        self._stores.append(open_store(address, create=True, clock=self.world.clock))
        return self._stores[-1]

    def run(self, account: str, **options: t.Any) -> RunResult:
        store = self.open(account)
        self.world.store, kept = store, self.world.store
        try:
            return self.world.run(options.pop("job", "j"), requester=account, **options).result
        finally:
            self.world.store = kept

    def decide(self, account: str, request: int, decision: Decision = "approved", person: str | None = None) -> str:
        store = self.open(account)
        actor = Actor(person=person or account, role=store.database_role())
        return decide(
            store, DecisionRequest(id=request, decision=decision, actor=actor, reason="seen", now=self.world.now)
        ).status

    def sql(self, account: str, statement: str) -> None:
        engine = sa.create_engine(self.url.set(username=account, password=PASSWORD), poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def close(self) -> None:
        for store in self._stores:
            store.close()


def drop_roles(owner: sa.Engine) -> None:
    with owner.begin() as connection:
        for role in (*PEOPLE, *GROUPS):
            if connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
                connection.exec_driver_sql(f"DROP OWNED BY {role}")
                connection.exec_driver_sql(f"DROP ROLE {role}")


@pytest.fixture
def site(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    owner = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    world = World(folder=tmp_path)
    made = Site(url=sa.make_url(postgres_url), key_file=tmp_path / "store.key", world=world, owner=owner)
    own_store, world.store = world.store, made.open()
    try:
        with owner.begin() as connection:
            # As psql does: the text has per cent signs, and no parameters.
            connection.connection.cursor().execute(sql_of_the_guide())
            for account, group in PEOPLE.items():
                groups = ", ".join(GROUPS) if group == "both" else group
                connection.exec_driver_sql(f"CREATE ROLE {account} LOGIN PASSWORD '{PASSWORD}' IN ROLE {groups}")
        world.store.workflows.save("w", {"approvers": ["ann", "bob", "zoe"], "quorum": 2})
        yield made
    finally:
        made.close()
        own_store.close()
        tables().metadata.drop_all(owner)
        with owner.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION IF EXISTS lockstep_guard_events(), lockstep_guard_requests()")
        drop_roles(owner)


@pytest.fixture
def asked(site: Site) -> Site:
    """A site where the runner has declared a job, run it, and asked for approval by request 1."""
    runner = site.open("lockstep_awx")
    site.world.store, owner = runner, site.world.store
    site.world.provider("hr", "csv", path=str(site.world.source))
    site.world.provider("db", "sql", url=f"sqlite:///{site.world.database}")
    site.world.job()
    site.world.store = owner
    assert site.run("lockstep_awx").status == "awaiting_approval"
    return site


def test_the_ordinary_way_works_with_separate_roles(asked: Site) -> None:
    assert list(asked.run("lockstep_awx").request_ids) == [1]
    assert asked.decide("ann", 1) == "pending"
    assert asked.run("lockstep_awx", job="", request=1).status == "failed"
    assert asked.decide("bob", 1) == "approved"
    result = asked.run("lockstep_awx", job="", request=1)
    assert (result.status, result.statistics.changes) == ("succeeded", 4)
    store = asked.open("ann")
    shown = describe_request(store, need_request(store, 1), asked.world.now)
    assert (shown["verified"], shown["status"], shown["requester_role"]) == (True, "executed", "lockstep_awx")
    assert [(event["event"], event["role"]) for event in shown["events"]] == [
        ("created", "lockstep_awx"),
        ("approved", "ann"),
        ("approved", "bob"),
        ("executed", "lockstep_awx"),
    ]
    assert asked.run("lockstep_awx").status == "succeeded"


def test_a_denial_and_a_renamed_job_work_with_separate_roles(asked: Site) -> None:
    assert asked.decide("ann", 1, "denied") == "denied"
    runner = asked.open("lockstep_awx")
    runner.jobs.rename("j", "people")
    assert list(asked.run("lockstep_awx", job="people").request_ids) == [2]


def insert(event: str, role: str, actor: str) -> str:
    return (
        "INSERT INTO lockstep_request_events (request_id, time, event, actor, role, reason, mac) "
        f"VALUES (1, '2026-11-21T03:00:00.000000+00:00', '{event}', '{actor}', '{role}', '', 'x')"
    )


@pytest.mark.parametrize(
    ("account", "statement", "said"),
    [
        ("lockstep_awx", insert("approved", "lockstep_awx", "lockstep_awx"), "role lockstep_awx is no approver"),
        ("lockstep_awx", insert("denied", "lockstep_awx", "ann"), "role lockstep_awx is no approver"),
        ("lockstep_awx", insert("approved", "ann", "ann"), "role lockstep_awx cannot add an event of ann"),
        ("lockstep_awx", "SET ROLE lockstep_approver", "permission denied to set role"),
        ("ann", insert("approved", "ann", "bob"), "role ann cannot decide for bob"),
        ("ann", insert("executed", "ann", "ann"), "role ann is no runner"),
        ("ann", insert("created", "ann", "ann"), "role ann is no runner"),
        ("lockstep_awx", "UPDATE lockstep_request_events SET event = 'approved'", "permission denied"),
        ("lockstep_awx", "DELETE FROM lockstep_request_events", "permission denied"),
        ("ann", "UPDATE lockstep_request_events SET actor = 'bob'", "permission denied"),
        ("lockstep_awx", "UPDATE lockstep_requests SET quorum = 0", "permission denied"),
        ("lockstep_awx", "UPDATE lockstep_requests SET requester_role = 'x'", "permission denied"),
        ("lockstep_awx", "DELETE FROM lockstep_requests", "permission denied"),
        ("lockstep_awx", "UPDATE lockstep_plan_lines SET line = ''", "permission denied"),
        ("lockstep_awx", "UPDATE lockstep_plans SET digest = ''", "permission denied"),
        ("lockstep_awx", "DELETE FROM lockstep_workflows", "permission denied"),
        ("ann", "SELECT * FROM lockstep_provider_secrets", "permission denied"),
        ("ann", "INSERT INTO lockstep_locks VALUES ('a', 'b', 'c', 1, 'd', 'e', 'f', 'g')", "permission denied"),
    ],
)
def test_the_database_refuses_what_a_role_may_not_do(asked: Site, account: str, statement: str, said: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=said):
        asked.sql(account, statement)


@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_even_the_owner_changes_no_event(asked: Site, statement: str) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError, match="events of requests are added, never changed"),
        asked.owner.begin() as c,
    ):
        c.exec_driver_sql(statement.format("lockstep_request_events"))


def test_who_is_both_cannot_approve_what_they_asked_for(asked: Site) -> None:
    assert asked.decide("ann", 1, "denied") == "denied"
    assert list(asked.run("zoe").request_ids) == [2]
    with pytest.raises(ConfigError, match="'zoe' asked for it"):
        asked.decide("zoe", 2)
    with pytest.raises(ConfigError, match="with which 'zoe' asked for it"):
        asked.decide("zoe", 2, person="ann")
    with pytest.raises(sa.exc.DBAPIError, match="role zoe asked for request 2"):
        asked.sql("zoe", insert("approved", "zoe", "zoe").replace("(1,", "(2,"))


def test_a_runner_cannot_ask_as_somebody_else(asked: Site) -> None:
    statement = (
        "INSERT INTO lockstep_requests (run_id, plan_id, job_name, workflow, approvers, quorum, expires, accepted, "
        "requester, requester_role, created, status, head) SELECT run_id, plan_id, job_name, workflow, approvers, "
        "quorum, expires, accepted, requester, 'ann', created, status, head FROM lockstep_requests"
    )
    with pytest.raises(sa.exc.DBAPIError, match="role lockstep_awx cannot ask as ann"):
        asked.sql("lockstep_awx", statement)


def test_a_runner_that_forges_an_approval_with_the_key_is_refused(asked: Site) -> None:
    store = asked.open("lockstep_awx")
    for actor in (Actor(person="ann", role="ann"), Actor(person="ann", role="lockstep_awx")):
        with pytest.raises(StoreError, match=r"cannot add an event of ann|is no approver"):
            store.requests.add_event(1, "approved", actor)
    assert need_request(store, 1).request.status(asked.world.now) == "pending"


@pytest.mark.parametrize(
    "attempt",
    [
        lambda store: store.workflows.save("w", {"quorum": 1}),
        lambda store: store.workflows.delete("w"),
    ],
)
def test_a_runner_changes_no_workflow(asked: Site, attempt: Callable[[Store], None]) -> None:
    with pytest.raises(StoreError, match="permission denied"):
        attempt(asked.open("lockstep_awx"))
