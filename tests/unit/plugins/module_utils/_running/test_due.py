# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ticks: what is due is run once, whatever clocks, processes and other tickers do."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.due import Target
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.schedules import parse_schedule, schedule_definition
from ansible_collections.lockstep.sync.plugins.module_utils._running.beating import beating
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran, run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.due import Ticked, run_schedule, tick
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest, Runtime
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store, StoreAddress, open_store
from support.worlds import World

Json = dict[str, t.Any]
UTC = dt.timezone.utc
NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
EVEN_MINUTES: Json = {"type": "daily", "at": "2026-01-01T00:00:00", "repeat": {"every": "2m", "for": "1d"}}
HOURLY: Json = {"type": "daily", "at": "2026-01-01T00:00:00", "repeat": {"every": "1h", "for": "1d"}}
SOMEBODY = Holder(host="sync02", pid=7, boot_id="elsewhere", label="a run by hand")


@dataclass(kw_only=True)
class Hall:
    """A world at half past eight with the job `j`, and tickers in it.

    Attributes:
        requests: every run that was started.
        during: called while a run goes on.
    """

    world: World
    requests: list[RunRequest] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def declare(self, name: str = "s", *triggers: Json, **options: t.Any) -> None:
        definition = {"triggers": list(triggers) or [HOURLY], "jobs": ["j"], **options}
        self.world.store.schedules.save(name, schedule_definition(parse_schedule(name, definition)))

    def at(self, moment: str) -> None:
        self.world.now = dt.datetime.fromisoformat(f"2026-11-{moment}+00:00")

    def run(self, request: RunRequest, store: Store, runtime: Runtime) -> Ran:
        self.requests.append(request)
        self.during()
        return run_job(request, store, runtime)

    def tick(self, moment: str = "", *, up: float = 1000.0, **options: t.Any) -> Ticked:
        if moment:
            self.at(moment)
        runners = {"job": self.run, "collection": self.run_collection}
        store = self.world.store
        return tick(RunRequest(**options), store, self.world.runtime, runners=runners, up_seconds=up)

    def run_collection(self, request: RunRequest, store: Store, runtime: Runtime) -> Ran:
        """Stand for what runs job collections: it runs the job `j`."""
        self.requests.append(request)
        return run_job(replace(request, job="j", collection=""), store, runtime)

    def ends(self, moment: str = "", **options: t.Any) -> list[str]:
        """Tick, and give each occurrence as `time status`."""
        return [f"{each.slot[11:16]} {each.status}" for each in self.tick(moment, **options).occurrences]

    def recorded(self, name: str = "s") -> list[str]:
        """Give what the store has of the schedule, the oldest slot first."""
        last = self.world.store.occurrences.last(name, 1000)
        return sorted(f"{each.slot[8:16]} {each.status}" for each in last)


@pytest.fixture
def hall(world: World) -> Hall:
    world.job()
    made = Hall(world=world)
    made.at("21T08:30")
    return made


def test_what_is_due_is_run_once(hall: Hall) -> None:
    hall.declare(max_duration="2h")
    assert hall.tick().occurrences == []

    ticked = hall.tick("21T09:00:05", requester="cron")

    assert [(each.schedule, each.slot, each.status) for each in ticked.occurrences] == [
        ("s", "2026-11-21T09:00:00.000000+00:00", "succeeded")
    ]
    assert ticked.occurrences[0].message == "job 'j' succeeded."
    assert ticked.next_due == ("s", "2026-11-21T10:00:00.000000+00:00")
    (request,) = hall.requests
    assert (request.job, request.schedule, request.scheduled, request.timeout) == ("j", "s", True, 7200)
    (run,) = hall.world.store.runs.find()
    assert (run.schedule, run.requester, run.status) == ("s", "cron", "succeeded")
    again = hall.tick()
    assert (again.occurrences, again.runs, hall.recorded()) == ([], [], ["21T09:00 succeeded"])


def test_only_what_comes_after_the_declaration_counts(hall: Hall) -> None:
    hall.declare()
    hall.at("21T09:30")
    hall.declare(description="said otherwise")
    assert hall.ends() == ["09:00 succeeded"], "a description changes nothing"
    hall.declare(enabled=False)
    assert hall.ends("21T10:30") == []
    hall.declare()
    assert hall.ends() == []
    assert hall.ends("21T11:00") == ["11:00 succeeded"]
    hall.declare(timezone="Asia/Kathmandu")
    assert hall.ends("21T11:15") == ["11:15 succeeded"]


# -- missed -------------------------------------------------------------------------------------------------------


def test_of_several_missed_ones_the_latest_is_run(hall: Hall) -> None:
    hall.declare()
    assert hall.ends("21T12:30") == ["09:00 missed", "10:00 missed", "11:00 missed", "12:00 succeeded"]
    assert len(hall.requests) == 1
    first = hall.world.store.occurrences.last("s", 10)[-1]
    assert first.message == "A later one was due as well when somebody looked."


def test_what_is_older_than_the_grace_is_not_run(hall: Hall) -> None:
    hall.declare("s", {"type": "daily", "at": "2026-11-21T09:00:00"}, missed={"grace": "1h"})
    assert hall.ends("21T10:01") == ["09:00 missed"]
    assert hall.ends("22T10:00") == ["09:00 succeeded"]


def test_skipping_what_was_missed_still_runs_what_is_two_minutes_late(hall: Hall) -> None:
    hall.declare(missed={"policy": "skip"})
    assert hall.ends("21T09:02:01") == ["09:00 missed"]
    assert hall.ends("21T10:02:00") == ["10:00 succeeded"]
    assert "skips what it missed" in hall.world.store.occurrences.last("s", 10)[1].message


def test_a_long_absence_is_counted_not_listed(hall: Hall) -> None:
    hall.declare("s", {**HOURLY, "repeat": {"every": "1m", "for": "1d"}})
    ticked = hall.tick("21T18:30")
    assert len(ticked.occurrences) == 500
    assert ticked.occurrences[0].message.endswith("100 before it are not recorded one by one.")
    assert [each.status for each in ticked.occurrences[-2:]] == ["missed", "succeeded"]


def test_occurrences_are_forgotten_after_90_days(hall: Hall) -> None:
    hall.declare("s", {"type": "monthly", "at": "2026-11-21T09:00:00"}, {"type": "startup"})
    hall.tick("21T09:00")
    hall.world.now = dt.datetime(2027, 1, 21, 9, 0, tzinfo=UTC)
    hall.tick()
    slots = [each.slot[:7] for each in hall.world.store.occurrences.last("s", 10)]
    assert sorted(slots) == ["2026-11", "2026-12", "2027-01", "boot:sy"]
    hall.world.now = dt.datetime(2027, 2, 21, 9, 0, tzinfo=UTC)
    hall.tick()
    slots = [each.slot[:7] for each in hall.world.store.occurrences.last("s", 10)]
    assert sorted(slots) == ["2026-12", "2027-01", "2027-02", "boot:sy"]


# -- clocks -------------------------------------------------------------------------------------------------------


def test_a_clock_that_goes_back_doubles_nothing(hall: Hall) -> None:
    hall.declare()
    hall.tick("21T09:00")
    hall.tick("21T10:00")
    assert hall.ends("21T08:50") == []
    assert hall.ends("21T09:00") == []
    assert hall.ends("21T10:00:30") == []
    assert hall.ends("21T11:00") == ["11:00 succeeded"]
    assert len(hall.requests) == 3


def test_a_clock_that_was_ahead_loses_nothing(hall: Hall) -> None:
    hall.declare()
    assert hall.ends("21T12:10") == ["09:00 missed", "10:00 missed", "11:00 missed", "12:00 succeeded"]
    assert hall.ends("21T08:45") == []
    assert hall.ends("21T09:00") == ["09:00 succeeded"]
    assert hall.ends("21T10:00") == ["10:00 succeeded"]
    assert hall.ends("21T12:00:30") == ["11:00 succeeded"]
    assert hall.recorded() == [f"21T{hour}:00 succeeded" for hour in ("09", "10", "11", "12")]
    assert len(hall.requests) == 4


# -- overlaps -----------------------------------------------------------------------------------------------------


def test_what_overlaps_is_skipped(hall: Hall) -> None:
    hall.at("21T08:59")
    hall.declare("s", EVEN_MINUTES)
    inner: list[str] = []

    def tick_again() -> None:
        hall.during = lambda: None
        inner.extend(hall.ends("21T09:02"))

    hall.during = tick_again
    assert hall.ends("21T09:00") == ["09:00 succeeded"]
    assert inner == ["09:02 skipped"]
    (skipped, _run) = hall.world.store.occurrences.last("s", 10)
    assert skipped.message == (
        "The occurrence 2026-11-21T09:00:00.000000+00:00 is still running on sync01 (process 100); the schedule skips "
        "what overlaps."
    )
    assert len(hall.requests) == 1


def test_what_overlaps_is_queued_and_run_by_a_later_tick(hall: Hall) -> None:
    hall.at("21T08:59")
    hall.declare("s", EVEN_MINUTES, overlap="queue")
    inner: list[str] = []

    def tick_again() -> None:
        hall.during = lambda: None
        inner.extend(hall.ends("21T09:02"))
        inner.extend(hall.ends("21T09:03"))
        inner.extend(hall.ends("21T09:04"))

    hall.during = tick_again
    hall.tick("21T09:00")
    assert inner == ["09:02 queued", "09:02 missed", "09:04 queued"]
    assert hall.ends("21T09:05") == ["09:04 succeeded"]
    assert hall.ends("21T09:05:30") == []
    assert len(hall.requests) == 2


def test_a_job_that_somebody_else_runs_is_waited_for(hall: Hall) -> None:
    hall.declare(overlap="queue", missed={"grace": "30m"})
    hall.world.job("other")
    hall.declare("s", jobs=["j", "other"], overlap="queue", missed={"grace": "30m"})
    lock = hall.world.store.locks.acquire("job 1", holder=SOMEBODY, lease_seconds=7200)

    assert hall.ends("21T09:00") == ["09:00 queued"]
    assert [each.job for each in hall.requests] == ["j", "other"]
    assert hall.ends("21T09:01") == ["09:00 queued"]
    hall.world.store.locks.release(lock)
    assert hall.ends("21T09:02") == ["09:00 succeeded"]
    assert [each.job for each in hall.requests] == ["j", "other", "j", "j"], "only what remained is tried again"

    hall.world.store.locks.acquire("job 1", holder=SOMEBODY, lease_seconds=7200)
    assert hall.ends("21T10:00") == ["10:00 queued"]
    assert hall.ends("21T10:31") == ["10:00 missed"]
    assert hall.ends("21T11:00") == ["11:00 queued"]
    hall.declare(enabled=False)
    assert hall.ends("21T11:01") == ["11:00 missed"]
    assert hall.world.store.occurrences.last("s", 1)[0].message == "The schedule was disabled meanwhile."


def test_a_job_that_somebody_else_runs_is_skipped(hall: Hall) -> None:
    hall.declare()
    hall.world.store.locks.acquire("job 1", holder=SOMEBODY, lease_seconds=7200)
    ticked = hall.tick("21T09:00")
    assert [each.status for each in ticked.occurrences] == ["skipped"]
    assert ticked.runs[0].locked


# -- tickers that die ---------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


def die(hall: Hall, moment: str) -> None:
    """Let a ticker die in the middle of a run."""

    def kill() -> None:
        raise Killed

    hall.during = kill
    with pytest.raises(Killed):
        hall.tick(moment)
    hall.during = lambda: None


def take_over(hall: Hall, pid: int) -> None:
    """Let another process be the only one of this host."""
    hall.world.alive.clear()
    hall.world.alive.add(pid)
    hall.world.pid = pid


def test_what_a_dead_ticker_began_is_run_once_more(hall: Hall) -> None:
    hall.world.job("other")
    hall.declare(jobs=["other", "j"])
    hall.world.alive.add(200)
    first = hall.run

    def die_at_the_second(request: RunRequest, store: Store, runtime: Runtime) -> Ran:
        if request.job == "j":
            raise Killed
        return first(request, store, runtime)

    hall.run = die_at_the_second  # type: ignore[method-assign]
    with pytest.raises(Killed):
        hall.tick("21T09:00")
    hall.run = first  # type: ignore[method-assign]
    hall.world.pid = 200
    assert hall.ends("21T09:01") == [], "as long as its process lives it may go on"
    hall.world.alive.remove(100)

    ticked = hall.tick("21T09:02")

    assert [each.status for each in ticked.occurrences] == ["succeeded"]
    assert ticked.occurrences[0].message == (
        "Its ticker on sync01 (process 100) died. It is run once more. job 'j' succeeded."
    )
    assert [each.job for each in hall.requests] == ["other", "j"], "what was done is not done again"
    assert hall.ends("21T09:03") == []


def test_what_two_tickers_died_of_is_left_alone(hall: Hall) -> None:
    hall.declare()
    die(hall, "21T09:00")
    take_over(hall, 200)
    die(hall, "21T09:01")
    take_over(hall, 300)
    assert hall.ends("21T09:02") == ["09:00 interrupted"]
    assert hall.ends("21T09:03") == []
    assert len(hall.requests) == 2


def test_on_another_host_only_the_lease_tells(hall: Hall) -> None:
    hall.declare(missed={"grace": "10m"})
    die(hall, "21T09:00")
    hall.world.host = "sync02"
    hall.world.alive.clear()
    assert hall.ends("21T09:04:59") == []
    assert hall.ends("21T09:05") == ["09:00 succeeded"]
    die(hall, "21T10:00")
    hall.world.host = "sync03"
    assert hall.ends("21T10:15") == ["10:00 interrupted"]


def test_a_ticker_that_hung_changes_nothing_of_what_another_took_over(hall: Hall) -> None:
    hall.declare()
    store = hall.world.store
    late = Holder(host="sync02", pid=1, boot_id="b", label="a ticker")
    claimed = store.claims.claim(late, now=NINE)
    assert claimed is not None
    (occurrence,) = claimed.occurrences
    assert hall.ends("21T09:06") == ["09:00 succeeded"]
    store.occurrences.finish(occurrence, "failed", "too late")
    store.occurrences.renew(occurrence)
    assert hall.recorded() == ["21T09:00 succeeded"]


def test_a_ticker_says_that_it_lives(hall: Hall) -> None:
    hall.declare()
    beats: list[int] = []
    hall.at("21T09:00")
    store = hall.world.store
    claimed = store.claims.claim(Holder(host="sync02", pid=1, boot_id="b", label="a ticker"), now=NINE)
    assert claimed is not None

    def beat() -> None:
        beats.append(1)
        if len(beats) == 1:
            raise StoreError("gone for a moment")
        store.occurrences.renew(claimed.occurrences[0])

    hall.at("21T09:04")
    with beating(beat, 0.001):
        while len(beats) < 3:
            pass
    assert hall.ends("21T09:08:59") == []
    assert hall.ends("21T09:09") == ["09:00 succeeded"]


# -- the start of a host ------------------------------------------------------------------------------------------


def test_each_start_of_each_host_is_due_once(hall: Hall) -> None:
    hall.declare("s", {"type": "startup", "delay": "2m"})
    assert hall.tick(up=119).occurrences == []
    (occurrence,) = hall.tick(up=120).occurrences
    assert (occurrence.slot, occurrence.status) == ("boot:sync01:boot", "succeeded")
    assert hall.tick(up=500).occurrences == []
    hall.world.host = "sync02"
    assert len(hall.tick().occurrences) == 1
    hall.declare("s", {"type": "startup"}, enabled=False)
    hall.world.host = "sync03"
    assert hall.tick().occurrences == []


def test_a_system_without_boot_ids_has_no_starts(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    hall.declare("s", {"type": "startup"})
    without = replace(hall.world.runtime, boot_id="")
    ticked = tick(RunRequest(), hall.world.store, without, runners={"job": hall.run}, up_seconds=1.0)
    assert ticked.occurrences == []


# -- what is wrong with one must not keep others ------------------------------------------------------------------


def test_targets_are_its_own_and_those_that_name_it_once_each(hall: Hall) -> None:
    hall.world.job("a", schedule="s")
    hall.declare(jobs=["j"], collections=["c"])
    hall.world.store.collections.save("c", {"jobs": [], "schedule": "s"})
    hall.world.store.collections.save("b", {"jobs": [], "schedule": "s"})
    hall.tick("21T09:00")
    assert [each.job or each.collection for each in hall.requests] == ["j", "c", "a", "b"]


def test_a_target_that_fails_does_not_keep_the_others(hall: Hall) -> None:
    hall.world.job("broken")
    hall.world.store.jobs.quarantine("broken", "too many errors")
    hall.declare(jobs=["broken", "gone", "j"])
    ticked = hall.tick("21T09:00")
    assert [each.status for each in ticked.occurrences] == ["failed"]
    assert [each.result.job for each in ticked.runs] == ["j"]
    assert "schedule 's': job 'broken' was not run: " in ticked.failures[0]
    assert "schedule 's': job 'gone' was not run: there is no job 'gone'" in ticked.failures[1]
    assert ticked.occurrences[0].message.endswith("; job 'j' succeeded.")


def test_a_schedule_without_targets_fails_where_it_is_due(hall: Hall) -> None:
    hall.declare(jobs=[])
    ticked = hall.tick("21T09:00")
    assert [each.status for each in ticked.occurrences] == ["failed"]
    assert "schedule 's' has nothing to run. Give `jobs`" in ticked.failures[0]


def test_a_schedule_that_cannot_be_read_does_not_keep_the_others(hall: Hall) -> None:
    hall.declare("a", {"type": "startup"}, HOURLY)
    hall.declare("s")
    die(hall, "21T09:00")
    take_over(hall, 200)
    spoil(hall, "a")
    ticked = hall.tick("21T10:00")
    assert [(each.schedule, each.status) for each in ticked.occurrences] == [("s", "missed"), ("s", "succeeded")]
    assert len(ticked.failures) == 1
    assert ticked.failures[0].startswith("schedule 'a', timezone: there is no time zone 'Europe/Old'.")
    hall.world.host = "sync02"
    assert len(hall.tick("21T11:00").failures) == 2, "its start and its time"
    assert len(hall.tick("21T08:00").failures) == 1, "its start"


def spoil(hall: Hall, name: str) -> None:
    """Let a schedule name a zone that this host does not know."""
    with hall.world.store._session.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE lockstep_schedules SET definition = replace(definition, 'UTC', 'Europe/Old') WHERE name = '{name}'"
        )


# -- check mode and runs by hand ----------------------------------------------------------------------------------


def test_check_mode_says_what_would_be_run_and_claims_nothing(hall: Hall) -> None:
    hall.declare()
    hall.declare("starts", {"type": "startup"})
    hall.at("21T10:30")
    before = hall.world.count_rows()
    address = StoreAddress(url=f"sqlite:///{hall.world.folder / 'state.db'}")
    with open_store(address, create=False, clock=hall.world.clock) as rehearsal:
        ticked = tick(
            RunRequest(preview=True), rehearsal, hall.world.runtime, runners={"job": hall.run}, up_seconds=1.0
        )
    assert [(each.schedule, each.status) for each in ticked.occurrences] == [
        ("starts", "due"),
        ("s", "missed"),
        ("s", "due"),
    ]
    assert [each.result.preview for each in ticked.runs] == [True, True]
    assert hall.world.count_rows() == before
    assert hall.ends() == [":boot succeeded", "09:00 missed", "10:00 succeeded"]


def test_all_targets_of_a_schedule_are_run_by_hand(hall: Hall) -> None:
    hall.declare("s", {"type": "daily", "at": "2026-11-21T23:00:00"}, max_duration="2h", enabled=False)
    ticked = run_schedule("s", RunRequest(timeout=60), hall.world.store, hall.world.runtime, runners={"job": hall.run})
    assert [each.result.status for each in ticked.runs] == ["succeeded"]
    (request,) = hall.requests
    assert (request.schedule, request.scheduled, request.timeout) == ("s", False, 60)
    assert hall.recorded() == []


def test_a_schedule_that_has_nothing_to_run_is_refused_by_hand(hall: Hall) -> None:
    hall.declare(jobs=[])
    for name, message in (("s", "schedule 's' has nothing to run"), ("t", "schedule: there is no schedule 't'")):
        with pytest.raises(ConfigError, match=message):
            run_schedule(name, RunRequest(), hall.world.store, hall.world.runtime, runners={"job": hall.run})


def test_a_target_is_known_by_its_kind_and_name() -> None:
    assert str(Target(kind="collection", name="all")) == "collection 'all'"


def test_a_tick_that_is_stopped_claims_nothing_more(hall: Hall) -> None:
    hall.declare("s", jobs=["j", "k"])
    hall.declare("t")
    hall.world.job("k")
    hall.at("21T08:30:00")
    hall.tick()
    runtime = hall.world.runtime
    hall.during = lambda: setattr(runtime.board, "stop", "enough")
    hall.at("21T09:00:00")
    runners = {"job": hall.run, "collection": hall.run_collection}
    ticked = tick(RunRequest(), hall.world.store, runtime, runners=runners, up_seconds=1000.0)
    assert [each.status for each in ticked.occurrences] == ["failed"]
    assert "job 'k' was not run: it was stopped before" in ticked.occurrences[0].message
    assert ticked.failures[-1] == "nothing more was claimed: the tick was stopped: enough"
    hall.during = lambda: None
    assert len(hall.tick().occurrences) == 1
