# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of job collections: order, failures, what is told of the whole and of each job, and neighbours side by side."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
import typing as t
from contextlib import closing

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.workflows import parse_workflow, workflow_definition
from ansible_collections.lockstep.sync.plugins.module_utils._running import collections
from ansible_collections.lockstep.sync.plugins.module_utils._running.collections import run_collection
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran, run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.progress import Board
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest, Runtime
from ansible_collections.lockstep.sync.plugins.module_utils._store.address import StoreAddress
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder
from ansible_collections.lockstep.sync.plugins.module_utils._store.runs import OfCollection
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store, open_store
from support.worlds import DEPT, KEY, NAME, TABLE, World

BAD = {"objects": [{"name": "people", "fields": [KEY, {"name": "nowhere", "source": "name"}]}]}


def declare(world: World, *members: str | tuple[str, str], **options: t.Any) -> None:
    """Declare the collection `c`; a member is a job, which aborts, or a job and what becomes of those after it."""
    jobs = [(each, "abort") if isinstance(each, str) else each for each in members]
    definition = {"jobs": [{"job": job, "on_failure": then} for job, then in jobs], **options}
    world.store.collections.save("c", definition)


def job(world: World, name: str, table: str = "people", **options: t.Any) -> None:
    """Declare a job into a table of its own."""
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute(TABLE.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS").replace("people", table, 1))
        connection.commit()
    world.job(name, **{"destination": {"provider": "db", "table": table}, **options})


def run(world: World, **options: t.Any) -> Ran:
    return run_collection(RunRequest(collection="c", **options), world.store, world.runtime)


def ends(ran: Ran) -> list[tuple[str, str]]:
    return [(part.result.job, part.result.status) for part in ran.parts]


def test_jobs_run_in_order_and_the_whole_is_their_sum(world: World) -> None:
    job(world, "b")
    job(world, "a", "copies", missing_at_source="skip")
    declare(world, "b", "a")
    ran = run(world)
    result = ran.result
    assert ends(ran) == [("b", "succeeded"), ("a", "succeeded")]
    assert (result.status, result.kind, result.collection, result.job) == ("succeeded", "collection", "c", "")
    assert (result.statistics.created, result.statistics.updated, result.statistics.deleted) == (5, 1, 1)
    assert [name for name, _counts in result.objects] == ["b", "a"]
    assert result.message == "Job collection 'c' made 7 changes in 2 jobs (b succeeded, a succeeded)."
    again = run(world)
    assert (again.result.statistics.changes, again.result.agreement) == (0, "equal")


def test_the_history_tells_of_the_whole_and_of_each_job(world: World) -> None:
    job(world, "a")
    declare(world, "a")
    ran = run(world, requester="ann", schedule="nightly")
    stored = world.store.runs.get(ran.result.id or 0)
    assert stored is not None
    assert (stored.kind, stored.collection, stored.status) == ("collection", "c", "succeeded")
    assert (stored.requester, stored.schedule, stored.job) == ("ann", "nightly", "")
    parts = world.store.runs.parts(stored.id)
    assert [(part.job, part.parent_id, part.kind) for part in parts] == [("a", stored.id, "run")]
    assert [each.id for each in world.store.runs.find(collection="c")] == [stored.id]
    (collection,) = world.store.collections.list()
    assert world.store.runs.last_of_collection(collection.id) == stored
    assert world.store.runs.times_run_of_collection(collection.id) == 1
    text = (world.runs / str(stored.id) / "run.log").read_text(encoding="utf-8")
    assert "a: starts" in text
    assert "a: succeeded: Job 'a' made 4 changes" in text


def test_a_failure_aborts_unless_the_job_says_otherwise(world: World) -> None:
    job(world, "bad", **BAD)
    job(world, "good")
    declare(world, "bad", "good")
    ran = run(world)
    assert ends(ran) == [("bad", "failed"), ("good", "skipped")]
    assert (ran.result.status, ran.failure_code) == ("failed", "config")
    assert "Not run: 'good', because job 'bad' failed before." in ran.result.message
    assert world.store.runs.last("good") is None
    declare(world, ("bad", "continue"), "good")
    ran = run(world)
    assert ends(ran) == [("bad", "failed"), ("good", "succeeded")]
    assert ran.result.status == "failed"


MAPPED = {**DEPT, "transform": [{"map": {"values": {"E": "x"}}}]}


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"limits": {"deletes": "0"}}, "held"),
        ({"objects": [{"name": "people", "fields": [KEY, NAME, MAPPED]}]}, "completed_with_errors"),
    ],
)
def test_what_did_not_fail_does_not_abort_and_the_worst_is_told(
    world: World, options: dict[str, t.Any], status: str
) -> None:
    job(world, "first", **options)
    job(world, "second", "copies")
    declare(world, "first", "second")
    ran = run(world)
    assert ends(ran) == [("first", status), ("second", "succeeded")]
    assert (ran.result.status, ran.result.agreement) == (status, "different")
    assert bool(ran.result.held) == (status == "held")


def test_a_job_that_needs_approval_asks_for_it_and_the_others_run(world: World) -> None:
    job(world, "asks")
    job(world, "free", "copies")
    rule = workflow_definition(parse_workflow("deletes", {"jobs": ["asks"], "actions": ["delete"]}))
    world.store.workflows.save("deletes", rule)
    declare(world, "asks", "free")
    ran = run(world, requester="ann")
    assert ends(ran) == [("asks", "awaiting_approval"), ("free", "succeeded")]
    assert (ran.result.status, ran.result.request_ids) == ("awaiting_approval", [1])
    assert world.sql("SELECT count(*) FROM copies") == [(3,)]
    assert (9, "Gone", "G") in world.people()
    assert run(world, requester="ann").result.request_ids == [1], "while one is pending, there is no other"


def test_a_disabled_job_is_passed_over(world: World) -> None:
    job(world, "off", enabled=False)
    job(world, "on")
    declare(world, "off", "on")
    ran = run(world)
    assert ends(ran) == [("off", "skipped"), ("on", "succeeded")]
    assert ran.result.status == "succeeded"


def test_a_job_that_somebody_else_runs_counts_as_failed(world: World) -> None:
    job(world, "a")
    job(world, "b", "copies")
    declare(world, "a", "b")
    number = world.store.jobs.list()[0].id
    world.alive.add(7)
    other = Holder(host=world.host, pid=7, boot_id="boot", label="another run")
    world.store.locks.acquire(f"job {number}", holder=other, lease_seconds=600)
    ran = run(world)
    assert ends(ran) == [("a", "skipped"), ("b", "skipped")]
    assert ran.result.status == "completed_with_errors"
    declare(world, ("a", "continue"), "b")
    assert ends(run(world)) == [("a", "skipped"), ("b", "succeeded")]


def test_a_preview_writes_nothing_and_remembers_nothing(world: World) -> None:
    job(world, "a")
    job(world, "b", "copies")
    declare(world, "a", "b", enabled=False, parallel=2)
    before, rows = world.photograph(), world.count_rows()
    ran = run(world, preview=True)
    assert (ran.result.preview, ran.result.id, ran.result.statistics.changes) == (True, None, 7)
    assert [len(part.result.changes) for part in ran.parts] == [4, 3]
    assert ran.result.message.endswith("what earlier ones would write, later ones do not see.")
    assert (world.photograph(), world.count_rows()) == (before, rows)


def test_check_mode_previews_an_older_store_which_is_then_a_copy_in_memory(world: World) -> None:
    job(world, "a")
    declare(world, "a", parallel=4)
    world.store.close()
    path = world.folder / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        # A part of the last version is not there yet, as after a migration that was cut off.
        connection.execute("UPDATE lockstep_meta SET value = '5' WHERE name = 'version'")
        connection.commit()
    with open_store(StoreAddress(url=f"sqlite:///{path}"), create=False, clock=world.clock) as rehearsal:
        ran = run_collection(RunRequest(collection="c", preview=True), rehearsal, world.runtime)
    assert (ran.result.status, ran.result.statistics.changes) == ("succeeded", 4), ran.result.message


def test_a_disabled_or_running_collection_is_skipped(world: World) -> None:
    job(world, "a")
    declare(world, "a", enabled=False)
    assert "is disabled; enable it" in run(world).result.message
    declare(world, "a")
    number = world.store.collections.list()[0].id
    world.alive.add(7)
    other = Holder(host=world.host, pid=7, boot_id="boot", label="a run of job collection 'c'")
    world.store.locks.acquire(f"collection {number}", holder=other, lease_seconds=600)
    ran = run(world)
    assert (ran.result.status, ran.locked) == ("skipped", True)
    assert "already being run by a run of job collection 'c' on sync01 (process 7" in ran.result.message
    assert world.store.runs.find() == []


def test_a_name_that_nobody_has_is_told(world: World) -> None:
    job(world, "a")
    declare(world, "a")
    with pytest.raises(ConfigError, match=r"there is no job collection 'd'.*'c'"):
        run_collection(RunRequest(collection="d"), world.store, world.runtime)


def test_its_time_is_over_for_all_jobs_together(world: World) -> None:
    job(world, "slow", on_error={"retries": 1, "delay": 100}, **BAD)
    job(world, "after", "copies")
    declare(world, ("slow", "continue"), "after")
    world.source.rename(world.folder / "gone.csv")
    ran = run(world, timeout=30)
    assert ends(ran) == [("slow", "failed"), ("after", "skipped")]
    assert "because the `timeout` of 30 s was over" in ran.result.message


def test_a_quarantined_job_fails_with_its_reason(world: World) -> None:
    job(world, "a")
    declare(world, "a")
    world.store.jobs.quarantine("a", "too many errors.")
    ran = run(world)
    assert (ends(ran), ran.failure_code) == ([("a", "failed")], "quarantined")
    assert "Job 'a' was not run: Job 'a' is paused: too many errors." in ran.result.message


def test_a_killed_run_of_a_collection_is_closed_by_the_next(world: World) -> None:
    job(world, "a")
    declare(world, "a")
    (collection,) = world.store.collections.list()
    dead = world.store.runs.start(
        "",
        host=world.host,
        pid=99,
        boot_id="boot",
        started=world.now.isoformat(),
        kind="collection",
        collection=OfCollection(id=collection.id, name="c"),
    )
    assert run(world).result.status == "succeeded"
    closed = world.store.runs.get(dead)
    assert closed is not None
    assert (closed.status, closed.message[:12]) == ("interrupted", "interrupted;")


@pytest.mark.parametrize("option", ["undo", "resume"])
def test_its_run_is_not_taken_back_or_gone_on_with_as_a_whole(world: World, option: str) -> None:
    job(world, "a")
    declare(world, "a")
    ran = run(world)
    wanted = rf"{option}: run {ran.result.id} is that of a job collection. Give the run of one of its jobs: 2."
    with pytest.raises(ConfigError, match=wanted):
        world.run("", **{option: ran.result.id})


def test_when_the_history_cannot_be_written_it_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job(world, "a")
    declare(world, "a")
    finish = world.store.runs.finish

    def fail(run_id: int, result: t.Any) -> None:
        if result.kind == "collection":
            raise StoreError("the disk is full.")
        finish(run_id, result)

    monkeypatch.setattr(world.store.runs, "finish", fail)
    ran = run(world)
    assert ran.result.status == "failed"
    assert "made 4 changes" in ran.result.message
    assert ran.result.message.endswith("The history of the collection could not be written: the disk is full.")


def test_neighbours_run_side_by_side_only_when_they_touch_nothing_of_one_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job(world, "a", "one")
    job(world, "b", "two")
    job(world, "after a", "three", source={"provider": "db", "table": "one"})
    job(world, "c", "four")
    declare(world, "a", "b", "after a", "c", parallel=3)
    together = threading.Barrier(3, timeout=30)
    begun: list[str] = []

    def meet(request: RunRequest, store: Store, runtime: Runtime) -> Ran:
        begun.append(request.job)
        if request.job != "after a":
            # Nobody gets past this unless all three are here at the same time.
            together.wait()
        return run_job(request, store, runtime)

    monkeypatch.setattr(collections, "run_job", meet)
    ran = run(world)
    assert ends(ran) == [(name, "succeeded") for name in ("a", "b", "after a", "c")]
    assert begun[-1] == "after a"
    assert world.sql("SELECT count(*) FROM three") == [(3,)]


def test_an_abort_lets_running_neighbours_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job(world, "bad", "one", **BAD)
    job(world, "slow", "two")
    job(world, "late", "three")
    declare(world, "bad", "slow", "late", parallel=2)
    failed = threading.Event()

    def wait(request: RunRequest, store: Store, runtime: Runtime) -> Ran:
        if request.job == "slow":
            assert failed.wait(30)
        ran = run_job(request, store, runtime)
        if request.job == "bad":
            failed.set()
        return ran

    monkeypatch.setattr(collections, "run_job", wait)
    assert ends(run(world)) == [("bad", "failed"), ("slow", "succeeded"), ("late", "skipped")]


def test_a_lock_that_was_lost_ends_the_run_after_the_present_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job(world, "a", "one")
    job(world, "b", "two")
    declare(world, "a", "b")
    monkeypatch.setattr(collections, "LEASE_SECONDS", 0.06)

    def steal(request: RunRequest, store: Store, runtime: Runtime) -> Ran:
        ran = run_job(request, store, runtime)
        number = world.store.collections.list()[0].id
        taken = threading.Event()
        world.now = world.now.replace(year=2027)
        other = Holder(host="elsewhere", pid=1, boot_id="x", label="somebody")
        world.store.locks.acquire(f"collection {number}", holder=other, lease_seconds=600)
        world.seconds += 1000  # the next beat renews the lock, or finds that it cannot
        taken.wait(0.5)
        return ran

    monkeypatch.setattr(collections, "run_job", steal)
    ran = run(world)
    assert ends(ran) == [("a", "succeeded"), ("b", "skipped")]
    assert "taken over by somebody on elsewhere" in ran.result.message


def test_a_collection_that_is_stopped_starts_no_more_jobs(world: World) -> None:
    job(world, "a")
    job(world, "b", "copies")
    declare(world, ("a", "continue"), ("b", "continue"))
    board = Board()
    runtime = dataclasses.replace(world.runtime, board=board, clock=lambda: stop_at_the_first_job(world, board))
    ran = run_collection(RunRequest(collection="c"), world.store, runtime)
    assert ends(ran) == [("a", "failed"), ("b", "skipped")]
    assert "Not run: 'b', because it was stopped: enough." in ran.result.message


def stop_at_the_first_job(world: World, board: Board) -> t.Any:
    if board.meters:
        board.stop = "enough"
    return world.clock()
