# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state store on real PostgreSQL and MariaDB servers: what differs from SQLite."""

from __future__ import annotations

import subprocess
import sys
import threading
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.approvals import Actor, Terms
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    CancelledError,
    ConfigError,
    LockedError,
    StoreError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.mails import Mail
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    Change,
    Leaver,
    Link,
    Outcome,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import (
    AppliedChange,
    Problem,
    RunResult,
    Statistics,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._store import faults, servers
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder
from ansible_collections.lockstep.sync.plugins.module_utils._store.migrations import MIGRATIONS
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store, StoreAddress, open_store
from ansible_collections.lockstep.sync.plugins.module_utils._store.tables import tables
from ansible_collections.lockstep.sync.plugins.module_utils._store.vault import StoredSecret

ANN = Holder(host="web1", pid=100, boot_id="b00t", label="run 41")
BOB = Holder(host="web2", pid=200, boot_id="0ther", label="run 42")
SIDES = {"source": {"provider": "hr"}, "destination": {"provider": "hr"}}


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Server:
    """An empty database: its address for the store, and an engine to look into it from outside."""

    address: StoreAddress
    outside: sa.Engine

    def table_names(self) -> list[str]:
        return sorted(sa.inspect(self.outside).get_table_names())


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    url = sa.make_url(request.getfixturevalue(request.param))
    assert url.password is not None
    address = StoreAddress(
        url=url._replace(password=None).render_as_string(),
        password=Secret(str(url.password)),
        key_file=str(tmp_path / "store.key"),
    )
    outside = sa.create_engine(url)
    yield Server(address, outside)
    tables().metadata.drop_all(outside)
    outside.dispose()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def open_it(server: Server, clock: SetClock) -> Iterator[Callable[..., Store]]:
    stores: list[Store] = []

    def open_one(*, create: bool = True, address: StoreAddress = server.address, **options: t.Any) -> Store:
        stores.append(open_store(address, create=create, clock=clock, **options))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(open_it: Callable[..., Store]) -> Store:
    return open_it()


def spec(name: str) -> ProviderSpec:
    return ProviderSpec(name=name, type="csv", options={"path": "ü🎉", "fields": ("a",)})


def result() -> RunResult:
    return RunResult(
        id=None,
        job="people",
        status="succeeded",
        agreement="equal",
        preview=False,
        message="\x00 🎉" + "x" * 100_000,
        started="2026-11-21T08:30:00Z",
        finished="2026-11-21T08:31:00Z",
        duration=60.123456789,
        statistics=Statistics(read=3),
        objects=(("people", Statistics(read=3)),),
        changes=(),
        changes_total=2,
        problems=(),
        held=(),
        log=(),
    )


# -- the repositories


def test_provider_with_secrets_comes_back(store: Store) -> None:
    environment = SecretReference(kind="env", name="X")
    store.providers.save(spec("hr"), {"password": Secret("s3cr3t"), "token": environment})
    provider = store.providers.get("hr")
    assert provider is not None
    assert (provider.spec, provider.secrets["token"]) == (spec("hr"), environment)
    secret = provider.secrets["password"]
    assert isinstance(secret, StoredSecret)
    assert secret.reveal() == Secret("s3cr3t")


def test_literal_needs_a_key_file(server: Server, open_it: Callable[..., Store]) -> None:
    for create in (True, False):
        store = open_it(create=create, address=StoreAddress(url=server.address.url, password=server.address.password))
        with pytest.raises(ConfigError, match=r"provider 'hr', option password: .* needs store_key_file"):
            store.providers.save(spec("hr"), {"password": Secret("s3cr3t")})
        assert store.providers.list() == []


def test_names_that_differ_in_case_or_accent_are_different(store: Store) -> None:
    for name in ("hr", "HR", "hŕ"):
        store.providers.save(spec(name), {})
    assert sorted(provider.spec.name for provider in store.providers.list()) == ["HR", "hr", "hŕ"]
    assert store.providers.get("Hr") is None


def test_longest_name_fits(store: Store) -> None:
    name = "🎉" * 200
    store.providers.save(spec(name), {})
    store.jobs.save(name, {"source": {"provider": name}, "destination": {"provider": name}})
    assert store.jobs.get(name) is not None


def test_job_follows_its_providers_and_keeps_them(store: Store) -> None:
    store.providers.save(spec("hr"), {})
    store.jobs.save("people", {**SIDES, "note": "\x00" + "x" * 100_000})
    store.providers.rename("hr", "staff")
    job = store.jobs.get("people")
    assert job is not None
    assert job.definition["source"]["provider"] == job.definition["destination"]["provider"] == "staff"
    assert job.definition["note"] == "\x00" + "x" * 100_000
    with pytest.raises(ConfigError, match=r"these jobs use it: 'people'"):
        store.providers.delete("staff")


def test_history_comes_back_and_survives_the_job(store: Store) -> None:
    store.providers.save(spec("hr"), {})
    store.jobs.save("people", SIDES)
    run_id = store.runs.start("people", host="web1", pid=1, boot_id="b", started="2026-11-21T08:30:00Z")
    changes = [
        AppliedChange(
            change=Change(
                number=n, object="people", action="create", key=("🎉\x00",), before={}, after={"a": b"\x00\xff"}
            ),
            outcome=Outcome(status="done"),
        )
        for n in range(1, 1502)
    ]
    problem = Problem(level="error", object="people", key=("\ud800",), code="x", message="y" * 70_000)
    store.runs.add_changes(run_id, changes)
    store.runs.add_problems(run_id, [problem])
    store.runs.finish(run_id, result())
    store.jobs.rename("people", "staff")
    store.jobs.delete("staff")
    assert store.runs.changes(run_id, offset=1, limit=5000) == changes[1:]
    assert store.runs.problems(run_id) == [problem]
    (run,) = store.runs.find(job="staff", status="succeeded", since="2026-11-21")
    assert (run.message, run.duration) == ("\\x00 🎉" + "x" * 100_000, 60.123456789)
    store.jobs.save("staff", SIDES)
    assert (store.runs.times_run("staff"), store.runs.last_read("staff", "people")) == (0, None)


def test_interrupted_run_is_marked_once(store: Store) -> None:
    run_id = store.runs.start("people", host="web1", pid=1, boot_id="b", started="2026-11-21T08:30:00Z")
    marked = [store.runs.mark_interrupted(run_id, "killed", "2026-11-21T08:31:00Z") for _each in range(2)]
    assert marked == [True, False]


def test_mark_is_replaced(store: Store) -> None:
    store.providers.save(spec("hr"), {})
    store.jobs.save("people", SIDES)
    store.marks.set("people", "users", "d1", "1")
    store.marks.set("people", "users", "d2", "2")
    assert (store.marks.get("people", "users", "d1"), store.marks.get("people", "users", "d2")) == (None, "2")


def test_links_are_replaced_forgotten_and_end_with_the_job(store: Store) -> None:
    store.providers.save(spec("hr"), {})
    store.jobs.save("people", SIDES)
    many = [Link(identity=f"{n}\x1f🎉" + "é" * 3000, anchor=f"a{n}", key=(str(n), "\x00🎉")) for n in range(1201)]
    store.links.put("people", "users", many)
    store.links.put("people", "users", [*many[1:], replace(many[0], anchor="A0")])
    store.links.put("people", "groups", many[:1])
    store.jobs.rename("people", "staff")
    loaded = store.links.anchors("staff", "users")
    assert loaded == {each.identity: each.anchor for each in many} | {many[0].identity: "A0"}
    # What the database holds for equal is not the same anchor.
    store.links.forget("staff", "users", ["a0", *(each.anchor for each in many[2:])])
    assert sorted(store.links.anchors("staff", "users").values()) == ["A0", "a1"]
    store.jobs.delete("staff")
    store.jobs.save("staff", SIDES)
    assert store.links.anchors("staff", "users") == store.links.anchors("staff", "groups") == {}


def test_leavers_come_back_with_all_they_had(store: Store) -> None:
    store.providers.save(spec("hr"), {})
    store.jobs.save("people", SIDES)
    ann = Leaver(
        anchor="a1",
        since="2026-11-20T03:00:00Z",
        container="OU=🎉,DC=x",
        groups=tuple((f"CN=group {n},DC=x", "member") for n in range(3000)),
        stamped={"photo": b"\x00\xff", "note": "\x00", "mail": ("a", "b"), "manager": None},
        was_enabled=False,
    )
    bob = Leaver(anchor="A1", since="2026-11-21T03:00:00Z", container="DC=x")
    store.leavers.put("people", "users", [ann, bob])
    store.leavers.put("people", "users", [ann])
    assert store.leavers.load("people", "users") == {"a1": ann, "A1": bob}
    store.leavers.forget("people", "users", ["a1"])
    assert store.leavers.load("people", "users") == {"A1": bob}


def test_smart_group_follows_its_provider_and_is_followed_by_jobs(store: Store) -> None:
    store.providers.save(spec("hr"), {})
    store.providers.save(spec("ad"), {})
    store.smart_groups.save("bonn", {"provider": "ad", "group": "CN=\x00🎉"})
    store.smart_groups.save("Bonn", {"provider": "ad"})
    store.jobs.save("people", {**SIDES, "smart_groups": ["Bonn", "bonn"]})
    store.providers.rename("ad", "directory")
    store.smart_groups.rename("bonn", "köln")
    group, job = store.smart_groups.get("köln"), store.jobs.get("people")
    assert group is not None
    assert job is not None
    assert group.definition == {"provider": "directory", "group": "CN=\x00🎉"}
    assert job.definition["smart_groups"] == ["Bonn", "köln"]
    with pytest.raises(ConfigError, match=r"it is refreshed by job 'people'"):
        store.smart_groups.delete("köln")
    with pytest.raises(ConfigError, match=r"these smart groups use it: 'Bonn', 'köln'"):
        store.providers.delete("directory")


def test_job_template_comes_back_and_is_followed_by_jobs(store: Store) -> None:
    store.providers.save(spec("hr"), {})
    definition = {"description": "\x00 🎉", "job": {"note": "x" * 100_000}}
    store.job_templates.save("leavers", definition)
    store.jobs.save("people", {**SIDES, "template": "leavers"})
    store.job_templates.rename("leavers", "gone")
    template = store.job_templates.get("gone")
    assert template is not None
    assert (template.definition, store.job_templates.used_by("gone")) == (definition, ["people"])
    store.job_templates.delete("gone")
    assert store.job_templates.list() == []


def test_changes_of_a_directory_come_back(store: Store) -> None:
    run_id = store.runs.start("people", host="web1", pid=1, boot_id="b", started="2026-11-21T08:30:00Z")
    members = ValueChanges(added=tuple(f"CN={n} 🎉,DC=x" for n in range(5000)), removed=(b"\x00",))
    update = Change(
        number=1,
        object="g",
        action="update",
        key=("1",),
        target="CN=g",
        anchor="a1",
        before={},
        after={"member": members},
    )
    create = Change(number=2, object="g", action="create", key=("2",), target="CN=h", before={}, after={"cn": "h"})
    changes = [
        AppliedChange(change=update, outcome=None),
        AppliedChange(change=create, outcome=Outcome(status="done", anchor="a2")),
    ]
    store.runs.add_changes(run_id, changes)
    assert store.runs.changes(run_id) == changes


def test_lock_is_held_renewed_lost_and_released(store: Store, clock: SetClock) -> None:
    first = store.locks.acquire("job 1", holder=ANN, lease_seconds=60)
    with pytest.raises(LockedError, match="run 41 on web1"):
        store.locks.acquire("job 1", holder=BOB, lease_seconds=60)
    # The same values again: a server may count no row as changed.
    assert store.locks.renew(store.locks.renew(first)) == first
    clock.advance(60)
    second = store.locks.acquire("job 1", holder=BOB, lease_seconds=60)
    with pytest.raises(CancelledError, match="taken over by run 42 on web2"):
        store.locks.renew(first)
    store.locks.release(first)
    store.locks.release(second)
    store.locks.acquire("job 1", holder=ANN, lease_seconds=60)


# -- transactions


def test_failed_transaction_stores_nothing(store: Store) -> None:
    def fail_after_saving() -> None:
        with store.transaction():
            store.providers.save(spec("a"), {})
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail_after_saving()
    assert store.providers.list() == []


def test_two_that_save_the_same_new_name_wait_for_each_other(store: Store, open_it: Callable[..., Store]) -> None:
    other = open_it()
    seen: list[list[str]] = []

    def save() -> None:
        with other.transaction():
            seen.append([provider.spec.name for provider in other.providers.list()])
            other.providers.save(spec("hr"), {})

    with store.transaction():
        store.providers.save(spec("hr"), {})
        thread = threading.Thread(target=save)
        thread.start()
        thread.join(timeout=0.5)
        assert seen == []
    thread.join()
    assert seen == [["hr"]]


def test_wait_for_a_lock_ends_with_an_error(
    store: Store, server: Server, open_it: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "BUSY_SECONDS", 1)
    impatient = open_it()
    with store.transaction(), pytest.raises(StoreError, match=r"(?i)lock.*timeout"):
        impatient.providers.save(spec("hr"), {})


def test_text_that_does_not_fit_is_an_error_and_not_a_shorter_text(store: Store) -> None:
    with pytest.raises(StoreError, match=r"(?i)too long"):
        store.runs.start("x" * 300, host="web1", pid=1, boot_id="b", started="2026-11-21T08:30:00Z")


CONTENDER = """
import os, sys
from datetime import UTC, datetime
sys.path.insert(0, sys.argv[1])
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import LockedError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import StoreAddress, open_store
address = StoreAddress(url=sys.argv[2], password=Secret(sys.argv[3]))
holder = Holder(host="here", pid=os.getpid(), boot_id="b", label="contender")
print("ready", flush=True)
sys.stdin.readline()
store = open_store(address, create=True, clock=lambda: datetime.now(UTC))
try:
    store.locks.acquire("job 1", holder=holder, lease_seconds=600)
    print("acquired", flush=True)
except LockedError:
    print("locked", flush=True)
sys.stdin.readline()
"""


def test_of_processes_that_make_the_store_at_once_exactly_one_gets_the_lock(server: Server) -> None:
    tree = next(entry for entry in sys.path if (Path(entry) / "ansible_collections" / "lockstep").exists())
    assert server.address.password is not None
    command = [sys.executable, "-c", CONTENDER, tree, server.address.url, server.address.password.reveal()]
    processes = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True, bufsize=1) for _each in range(4)]

    def answers() -> list[str]:
        return [process.stdout.readline() for process in processes if process.stdout is not None]

    assert answers() == ["ready\n"] * 4
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
    assert sorted(answers()) == ["acquired\n", "locked\n", "locked\n", "locked\n"]
    for process in processes:
        process.communicate("end\n", timeout=60)


# -- opening


def add_colour(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE lockstep_providers ADD COLUMN colour VARCHAR(10) DEFAULT 'red'")


FUTURE = (*MIGRATIONS, add_colour)


def test_store_is_made_in_the_tables_of_this_release(store: Store, server: Server) -> None:
    assert server.table_names() == sorted(tables().metadata.tables)
    assert store.location == server.address.url


def test_older_store_is_migrated_and_a_newer_one_refused(store: Store, open_it: Callable[..., Store]) -> None:
    store.providers.save(spec("hr"), {})
    now, later = len(MIGRATIONS), len(FUTURE)
    with pytest.raises(
        StoreError, match=f"has version {now}, this release needs {later}, and check mode changes nothing"
    ):
        open_it(create=False, migrations=FUTURE)
    assert [provider.spec.name for provider in open_it(migrations=FUTURE).providers.list()] == ["hr"]
    for create in (True, False):
        with pytest.raises(StoreError, match=rf"has version {later}; .* up to {now}"):
            open_it(create=create)


def test_store_of_release_1_keeps_what_it_has(server: Server, open_it: Callable[..., Store]) -> None:
    old = open_it(migrations=MIGRATIONS[:1])
    assert "lockstep_links" not in server.table_names()
    old.providers.save(spec("hr"), {})
    old.jobs.save("people", SIDES)
    with server.outside.begin() as connection:
        run = {"job_name": "people", "status": "running", "message": "", "host": "web1", "pid": 1, "boot_id": "b"}
        run |= {"started": "2026-11-21T08:30:00.000000+00:00", "statistics": "{}", "objects": "[]", "held": "[]"}
        made = connection.execute(tables(1).runs.insert(), run | {"log": "[]", "changes_total": 0})
        run_id = made.inserted_primary_key[0]
        content = {"run_id": run_id, "position": 1, "object": "people", "key": '["🎉"]', "number": 1}
        content |= {"action": "update", "before": "{}", "after": '{"a":"é"}', "code": "", "message": ""}
        connection.execute(tables(1).changes.insert(), content)
    store = open_it()
    (change,) = store.runs.changes(run_id)
    assert (change.change.key, change.change.after, change.change.anchor) == (("🎉",), {"a": "é"}, None)
    moved = replace(change, change=replace(change.change, action="move", anchor="a1"))
    store.runs.add_changes(run_id, [moved])
    assert store.runs.changes(run_id, offset=1) == [moved]
    assert [job.name for job in store.jobs.list()] == ["people"]
    assert shape(server.outside) == made_at_once(server, open_it)


def shape(outside: sa.Engine) -> dict[str, t.Any]:
    """Give columns, indexes and references of every table; on MariaDB with their collations."""
    look = sa.inspect(outside)
    return {
        name: (
            sorted((each["name"], repr(each["type"]), each["nullable"]) for each in look.get_columns(name)),
            sorted((str(each["name"]), each["column_names"]) for each in look.get_indexes(name)),
            sorted((each["constrained_columns"], each["referred_table"]) for each in look.get_foreign_keys(name)),
        )
        for name in look.get_table_names()
    }


def made_at_once(server: Server, open_it: Callable[..., Store]) -> dict[str, t.Any]:
    tables().metadata.drop_all(server.outside)
    open_it()
    return shape(server.outside)


def test_links_keep_what_is_read_of_them(server: Server, open_it: Callable[..., Store]) -> None:
    old = open_it(migrations=MIGRATIONS[:6])
    old.providers.save(spec("hr"), {})
    old.jobs.save("people", SIDES)
    old.links.put("people", "users", [Link(identity="é", anchor="a1", key=("1",))])
    quote = server.outside.dialect.identifier_preparer.quote
    with server.outside.begin() as connection:
        # An interrupted try has dropped `fingerprint` already.
        for name in ("key", "mapping_digest"):
            connection.exec_driver_sql(f"ALTER TABLE lockstep_links ADD COLUMN {quote(name)} VARCHAR(128)")
    store = open_it()
    assert store.links.anchors("people", "users") == {"é": "a1"}
    present = sa.inspect(server.outside).get_columns("lockstep_links")
    assert [column["name"] for column in present] == [column.name for column in tables().links.columns]


def test_failed_migration_frees_the_turn_for_the_next(store: Store, open_it: Callable[..., Store]) -> None:
    def fail(connection: sa.Connection) -> None:
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        open_it(migrations=(*MIGRATIONS, fail))
    open_it(migrations=FUTURE)


def test_second_migration_waits_and_gives_up_in_time(
    store: Store, open_it: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def wait(connection: sa.Connection) -> None:
        started.set()
        go_on.wait(30)

    thread = threading.Thread(target=lambda: open_it(migrations=(*MIGRATIONS, wait)))
    thread.start()
    started.wait(30)
    for module in (servers, faults, sys.modules[MIGRATIONS[0].__module__]):
        monkeypatch.setattr(module, "BUSY_SECONDS", 1)
    try:
        with pytest.raises(StoreError, match=r"(?i)migrated by another process|lock timeout"):
            open_it(migrations=FUTURE)
    finally:
        go_on.set()
        thread.join()


def test_missing_store_is_one_in_memory_in_check_mode(server: Server, open_it: Callable[..., Store]) -> None:
    store = open_it(create=False)
    with store.transaction():
        store.providers.save(spec("hr"), {"password": Secret("s3cr3t")})
        assert [provider.spec.name for provider in store.providers.list()] == ["hr"]
    assert store.providers.list() == []
    assert server.table_names() == []
    assert not Path(str(server.address.key_file)).exists()


def test_check_mode_rehearses_on_an_existing_store(store: Store, open_it: Callable[..., Store]) -> None:
    store.providers.save(spec("hr"), {})
    rehearsal = open_it(create=False)
    with rehearsal.transaction():
        rehearsal.providers.rename("hr", "staff")
        assert rehearsal.providers.get("staff") is not None
    assert [provider.spec.name for provider in store.providers.list()] == ["hr"]


@pytest.mark.parametrize("create", [True, False])
def test_wrong_password_is_told_and_not_shown(create: bool, server: Server, open_it: Callable[..., Store]) -> None:
    address = StoreAddress(url=server.address.url, password=Secret("wr0ng-s3cr3t"))
    with pytest.raises(StoreError, match=r"cannot be used: .* store_password") as caught:
        open_it(create=create, address=address)
    assert "wr0ng-s3cr3t" not in caught.value.message


def test_unreachable_server_is_named(server: Server, open_it: Callable[..., Store]) -> None:
    address = StoreAddress(url=sa.make_url(server.address.url).set(port=1).render_as_string())
    with pytest.raises(StoreError, match=r":1/.* cannot be used: .*refused.* Check that the server runs"):
        open_it(address=address)


def test_lost_connections_are_replaced(store: Store, server: Server) -> None:
    assert store.providers.list() == []
    with server.outside.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).all()
        else:
            query = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            for number in connection.execute(sa.text(query)).scalars().all():
                connection.exec_driver_sql(f"KILL {number}")
    store.providers.save(spec("hr"), {})
    assert len(store.providers.list()) == 1


# -- approvals


def ask(store: Store) -> int:
    """Make a request of a plan of its own; give its number."""
    plan = store.plans.add(
        "people",
        ["x\n"],
        kind="run",
        origin_id=None,
        digest="d1",
        created="2026-11-21T08:30:00Z",
        host="h",
        requester="ann",
        changes_total=1,
        held_total=0,
        counts={},
    )
    terms = Terms(
        run_id=1,
        plan_id=plan,
        accepted=frozenset({"deletes"}),
        after_run_id=None,
        workflow="Wörter 🎉",
        approvers=("bob", "Zoë"),
        quorum=1,
        requester=Actor(person="ann", role=store.database_role()),
        created="2026-11-21T08:30:00.000000+00:00",
        expires="2026-11-28T08:30:00.000000+00:00",
    )
    return store.requests.add("people", terms, None).id


def test_a_request_comes_back_proven_and_with_the_database_role(store: Store) -> None:
    number = ask(store)
    store.requests.add_event(number, "approved", Actor(person="Zoë", role="other"), reason="x" * 100_000 + "🎉")
    stored = store.requests.get(number)
    assert stored is not None
    assert store.database_role().startswith("test")
    assert stored.request.terms.requester.role == store.database_role()
    assert (store.requests.fault(stored), stored.request.approvals()) == ("", ["Zoë"])
    assert [each.request.id for each in store.requests.find(status="approved")] == [number]


def test_events_that_are_added_at_once_stand_in_one_row(store: Store, open_it: Callable[..., Store]) -> None:
    number = ask(store)
    opened = [open_it() for _each in range(4)]

    def approve(mine: Store, name: str) -> None:
        for each in range(3):
            mine.requests.add_event(number, "approved", Actor(person=f"{name}{each}"))

    threads = [threading.Thread(target=approve, args=(mine, f"p{place}-")) for place, mine in enumerate(opened)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = store.requests.get(number)
    assert stored is not None
    assert (len(stored.request.events), store.requests.fault(stored)) == (13, "")


def test_approvals_need_a_key_that_is_given(server: Server, open_it: Callable[..., Store]) -> None:
    store = open_it(address=replace(server.address, key_file=None))
    with pytest.raises(ConfigError, match=r"approvals in a state store on a server need store_key_file"):
        ask(store)
    assert store.requests.find() == []


def test_no_mail_is_claimed_twice_and_one_as_long_as_attachments_get_is_kept(
    open_it: Callable[..., Store], store: Store
) -> None:
    store.notifications.save("ops", {"smtp": {}}, {"password": Secret("s3cr3t")})
    stored = store.notifications.get("ops")
    assert stored is not None
    content = "x" * 4_000_000
    first = store.outbox.add(stored.id, 1, Mail(subject="ü🎉", recipients=("ann@x.test",), content=content))
    for run in range(2, 21):
        store.outbox.add(stored.id, run, Mail(subject="s", recipients=("ann@x.test",), content="x"))
    kept = store.outbox.get(first or 0)
    assert kept is not None
    assert (kept.subject, kept.content) == ("ü🎉", content)
    taken: list[int] = []

    def take(own: Store) -> None:
        while (mail := own.outbox.claim()) is not None:
            taken.append(mail.id)

    threads = [threading.Thread(target=take, args=(open_it(),)) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 20
    store.notifications.delete("ops")
    assert store.outbox.get(first or 0) is None
