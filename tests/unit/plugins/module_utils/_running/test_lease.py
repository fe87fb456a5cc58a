# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a job at a time: who holds the lock, who takes it over, and what a run does that lost it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.lease import LEASE_SECONDS
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder, Lock
from support.lists import ListProvider, info_of
from support.worlds import Failing, World

INFO = info_of("id", "name", "dept")


def take_lock(world: World, *, host: str = "sync02", pid: int = 7, seconds: float = LEASE_SECONDS) -> Lock:
    """Take the lock of the first job, as a run elsewhere does."""
    holder = Holder(host=host, pid=pid, boot_id="boot", label="a run of job 'j'")
    return world.store.locks.acquire("job 1", holder=holder, lease_seconds=seconds)


def steal_lock(world: World) -> None:
    """Let the lease end and somebody else take the lock."""
    world.now += dt.timedelta(seconds=LEASE_SECONDS + 1)
    world.seconds += LEASE_SECONDS + 1
    take_lock(world)


def run_elsewhere(world: World) -> str:
    """Try to run the job from another process; give the status of that."""
    with world.open_store() as store:
        return run_job(RunRequest(job="j"), store, world.runtime).result.status


def test_a_job_that_is_being_run_elsewhere_is_skipped_and_the_holder_named(world: World) -> None:
    world.job()
    before = world.people()
    take_lock(world)
    files, rows = world.photograph(), world.count_rows()
    ran = world.run()
    assert (ran.result.status, ran.result.agreement, ran.result.id) == ("skipped", "different", None)
    assert ran.result.message.startswith(
        "Job 'j' was not run: it is already being run by a run of job 'j' on sync02 (process 7, since "
    )
    assert (world.photograph(), world.count_rows(), world.people()) == (files, rows, before)
    assert ran.failure_code == ""


def test_a_preview_needs_no_lock(world: World) -> None:
    world.job()
    take_lock(world)
    assert world.preview().result.changes_total == 4


def test_the_lock_of_a_dead_process_of_this_machine_is_taken_at_once(world: World) -> None:
    world.job()
    take_lock(world, host="sync01", pid=7)
    assert world.run().result.status == "succeeded"
    world.alive.add(8)
    take_lock(world, host="sync01", pid=8)
    assert world.run().result.status == "skipped"


def test_the_lock_is_given_back_whatever_happened(world: World) -> None:
    world.job()
    world.run()
    assert world.count_rows()["lockstep_locks"] == 0
    world.source.unlink()
    assert world.run().result.status == "failed"
    assert world.count_rows()["lockstep_locks"] == 0


def test_a_run_longer_than_its_lease_keeps_the_lock(world: World, put_in_place: Callable[..., None]) -> None:
    world.job()
    seen: list[str] = []

    def take_long() -> None:
        world.now += dt.timedelta(seconds=LEASE_SECONDS * 0.4)
        world.seconds += LEASE_SECONDS * 0.4
        seen.append(run_elsewhere(world))

    records = [{"id": str(number), "name": "A", "dept": None} for number in range(9)]
    source = Failing(info=INFO, records=records, on_read=take_long)
    destination = ListProvider(info=INFO, records=[{**record, "name": "B"} for record in records], between=take_long)
    put_in_place(hr=source, db=destination)
    assert world.run().result.status == "succeeded"
    assert seen == ["skipped"] * 3
    assert world.seconds > LEASE_SECONDS


def test_the_lock_is_renewed_when_a_third_of_its_lease_has_passed(
    world: World, put_in_place: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.job()
    renew, renewals = world.store.locks.renew, []

    def count(lock: Lock) -> Lock:
        renewals.append(world.seconds)
        return renew(lock)

    monkeypatch.setattr(world.store.locks, "renew", count)
    source = Failing(info=INFO, records=[{"id": str(number), "name": "A", "dept": None} for number in range(30)])

    def pass_a_third() -> None:
        world.seconds += LEASE_SECONDS / 3 + 1

    source.on_read = pass_a_third
    put_in_place(hr=source, db=ListProvider(info=INFO, batch=1, write_batch=1))
    assert world.run().result.statistics.created == 30
    assert renewals == [LEASE_SECONDS / 3 + 1]


def test_a_run_that_lost_its_lock_writes_nothing_more(world: World, put_in_place: Callable[..., None]) -> None:
    world.job()
    source = Failing(info=INFO, records=[{"id": "1", "name": "Ann", "dept": "E"}])
    destination = ListProvider(info=INFO)
    source.on_read = lambda: steal_lock(world)
    put_in_place(hr=source, db=destination)
    ran = world.run()
    assert (ran.result.status, ran.failure_code) == ("failed", "cancelled")
    assert "The lock job 1 was lost: it was taken over by a run of job 'j' on sync02" in ran.result.message
    assert ran.result.message.endswith("Nothing was changed.")
    assert (destination.records, destination.writers) == ([], [])
    assert world.count_rows()["lockstep_locks"] == 1, "the lock of the other is left alone"
    stored = world.store.runs.get(1)
    assert stored is not None
    assert stored.status == "failed"


def test_a_lock_lost_between_batches_stops_the_next_one(world: World, put_in_place: Callable[..., None]) -> None:
    world.job()
    source = Failing(info=INFO, records=[{"id": str(number), "name": "A", "dept": None} for number in range(4)])
    destination = ListProvider(info=INFO, write_batch=2)
    destination.write_failures = [ProviderError("it was busy.", retriable=True)]
    put_in_place(hr=source, db=destination)
    world.on_sleep = lambda: steal_lock(world)
    ran = world.run()
    assert ran.failure_code == "cancelled"
    assert destination.records == []
    assert [item.outcome.code for item in ran.result.changes if item.outcome] == ["in_doubt", "in_doubt"]
    assert ran.result.message.endswith("Whether 2 changes came through is not known; the next run compares anew.")


def test_waiting_long_for_the_next_try_keeps_the_lock(world: World) -> None:
    world.job(on_error={"retries": 1, "delay": 900})
    world.source.unlink()
    seen: list[str] = []

    def try_from_elsewhere() -> None:
        seen.append(run_elsewhere(world))
        if len(seen) == 15:
            world.write()

    world.on_sleep = try_from_elsewhere
    assert world.run().result.status == "succeeded"
    assert world.slept == [60.0] * 15
    assert set(seen) == {"skipped"}


def test_a_lock_lost_while_waiting_ends_the_run(world: World) -> None:
    world.job(on_error={"retries": 3, "delay": 60})
    world.source.unlink()
    world.on_sleep = lambda: steal_lock(world)
    ran = world.run()
    assert (ran.result.status, ran.failure_code, world.slept) == ("failed", "cancelled", [60.0])
