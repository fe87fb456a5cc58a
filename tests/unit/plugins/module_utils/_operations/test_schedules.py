# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declaring schedules, what they run, and who mentions them."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import effective_job, normalize_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_job import JobRequest, declare_jobs
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._operations.list_jobs import JobFilter, list_jobs
from ansible_collections.lockstep.sync.plugins.module_utils._operations.schedules import (
    ScheduleRequest,
    declare_schedules,
    list_schedules,
)
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder

if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

Json = dict[str, t.Any]
NOW = dt.datetime(2026, 11, 21, 8, 30, tzinfo=dt.timezone.utc)
DAILY: Json = {"type": "daily", "at": "2026-01-05T03:00:00"}
ANN = Holder(host="h", pid=1, boot_id="b", label="a task")
JOB: Json = {
    "source": {"provider": "hr"},
    "destination": {"provider": "hr"},
    "objects": [{"fields": [{"name": "id", "source": "id", "key": True}]}],
}


def declare(
    store: Store,
    name: str = "s",
    *,
    force: bool = False,
    state: t.Any = "present",
    new_name: str | None = None,
    **definition: t.Any,
) -> Declared:
    request = ScheduleRequest(name=name, state=state, new_name=new_name, definition=definition, force=force)
    return declare_schedules(store, [request], now=NOW)[0]


def declare_job(store: Store, name: str, **options: t.Any) -> Declared:
    kept = {each: options.pop(each) for each in ("state", "new_name", "force") if each in options}
    request = JobRequest(name=name, definition={} if "state" in kept else {**JOB, **options}, **kept)
    return declare_jobs(store, [request], holder=ANN, check_mapping=lambda _spec, _destination: None)[0]


@pytest.fixture
def with_jobs(store: Store) -> Store:
    store.providers.save(ProviderSpec(name="hr", type="csv", options={"path": "/hr.csv"}), {})
    for name in ("people", "rooms"):
        declare_job(store, name)
    return store


def test_a_schedule_is_made_changed_renamed_and_deleted(with_jobs: Store) -> None:
    made = declare(with_jobs, jobs=["people"], triggers=[DAILY], timezone="Europe/London")
    assert (made.changed, made.before, made.warnings) == (True, None, ())
    assert made.effective is not None
    assert made.effective["triggers"] == [{"type": "daily", "enabled": True, "at": "2026-01-05T03:00:00", "every": 1}]
    assert made.effective["targets"] == {"jobs": ["people"], "collections": []}
    assert made.effective["next_runs"][:2] == ["2026-11-22T03:00:00+00:00", "2026-11-23T03:00:00+00:00"]
    assert len(made.effective["next_runs"]) == 10
    assert made.effective["rrule"]["exact"]
    assert not declare(with_jobs, triggers=[DAILY]).changed
    changed = declare(with_jobs, overlap="queue")
    assert made.after is not None
    assert (changed.changed, changed.after) == (True, {**made.after, "overlap": "queue"})
    assert declare(with_jobs, new_name="t").changed
    assert not declare(with_jobs, new_name="t").changed
    assert with_jobs.schedules.next_due() == {"t": "2026-11-22T03:00:00.000000+00:00"}
    assert declare(with_jobs, "t", state="absent").changed
    assert not declare(with_jobs, "t", state="absent").changed
    assert list_schedules(with_jobs, None, now=NOW) == []


def test_what_it_runs_must_exist(with_jobs: Store) -> None:
    with pytest.raises(ConfigError, match=r"schedule 's', jobs: there is no job 'peopel'. Did you mean 'people'\?"):
        declare(with_jobs, jobs=["peopel"], triggers=[DAILY])
    with pytest.raises(ConfigError, match="schedule 's', collections: there is no job collection 'all'"):
        declare(with_jobs, collections=["all"], triggers=[DAILY])
    assert with_jobs.schedules.list() == []
    with_jobs.collections.save("all", {"jobs": [{"job": "people"}]})
    made = declare(with_jobs, collections=["all"], triggers=[DAILY])
    assert made.effective is not None
    assert made.effective["targets"] == {"jobs": [], "collections": ["all"]}


def test_a_schedule_that_runs_nothing_or_never_again_is_warned_of(with_jobs: Store) -> None:
    over = {**DAILY, "until": "2026-02-01T00:00:00"}
    nothing, never = declare(with_jobs, triggers=[over]).warnings
    assert nothing.startswith("Schedule 's' has nothing to run. Give `jobs`")
    assert never == "Schedule 's' is never due again: the times of all its triggers are over."
    declare_job(with_jobs, "people", schedule="s")
    assert declare(with_jobs, triggers=[DAILY]).warnings == ()
    assert declare(with_jobs, triggers=[over], enabled=False).warnings == ()


def test_bad_options_change_nothing(with_jobs: Store) -> None:
    declare(with_jobs, jobs=["people"], triggers=[DAILY])
    before = with_jobs.schedules.list()
    for bad in ({"triggers": []}, {"timezone": "Mars"}, {"missed": {"policy": "x"}}):
        with pytest.raises(ConfigError, match="schedule 's'"):
            declare(with_jobs, **bad)
    with pytest.raises(ConfigError, match="`new_name` does not go with `state: absent`"):
        declare(with_jobs, state="absent", new_name="t")
    with pytest.raises(ConfigError, match="nothing can be renamed"):
        declare(with_jobs, "other", new_name="another")
    assert with_jobs.schedules.list() == before


# -- mentions -----------------------------------------------------------------------------------------------------


def test_a_job_names_a_schedule_that_exists(with_jobs: Store) -> None:
    declare(with_jobs, triggers=[DAILY])
    with pytest.raises(ConfigError, match=r"job 'people', schedule: there is no schedule 'nightly'\. Valid: 's'"):
        declare_job(with_jobs, "people", schedule="nightly")
    named = declare_job(with_jobs, "people", schedule="s")
    assert named.effective is not None
    assert (named.changed, named.effective["schedule"]) == (True, "s")
    assert effective_job("people", normalize_job("people", {**JOB, "schedule": "s"}))["schedule"] == "s"
    taken_out = declare_job(with_jobs, "people", schedule="")
    assert taken_out.effective is not None
    assert (taken_out.changed, "schedule" in taken_out.effective) == (True, False)


def test_everybody_follows_a_renaming(with_jobs: Store) -> None:
    with_jobs.collections.save("all", {"jobs": [], "schedule": "s"})
    declare(with_jobs, jobs=["rooms"], collections=["all"], triggers=[DAILY])
    declare_job(with_jobs, "people", schedule="s")
    declare(with_jobs, new_name="t")
    declare_job(with_jobs, "rooms", new_name="places")
    with_jobs.collections.rename("all", "both")

    (listed,) = list_schedules(with_jobs, "t", now=NOW)

    assert listed["targets"] == {"jobs": ["places", "people"], "collections": ["both"]}
    collection = with_jobs.collections.get("both")
    assert collection is not None
    assert collection.definition["schedule"] == "t"
    assert with_jobs.collections.used_by("both") == ["t"]


def test_a_schedule_that_is_named_stays_unless_forced(with_jobs: Store) -> None:
    with_jobs.collections.save("all", {"jobs": [], "schedule": "s"})
    declare(with_jobs, triggers=[DAILY])
    declare_job(with_jobs, "people", schedule="s")
    with pytest.raises(ConfigError, match="it cannot be deleted, it is named by job 'people', job collection 'all'"):
        declare(with_jobs, state="absent")
    assert declare(with_jobs, state="absent", force=True).changed
    people, collection = with_jobs.jobs.get("people"), with_jobs.collections.get("all")
    assert people is not None
    assert collection is not None
    assert ("schedule" in people.definition, collection.definition) == (False, {"jobs": []})


def test_a_job_that_a_schedule_lists_stays_unless_forced(with_jobs: Store) -> None:
    declare(with_jobs, jobs=["people", "rooms"], triggers=[DAILY])
    with pytest.raises(ConfigError, match="job 'people': it cannot be deleted, these schedules run it: 's'"):
        declare_job(with_jobs, "people", state="absent")
    assert declare_job(with_jobs, "people", state="absent", force=True).changed
    schedule = with_jobs.schedules.get("s")
    assert schedule is not None
    assert schedule.definition["jobs"] == ["rooms"]


# -- lists --------------------------------------------------------------------------------------------------------


def test_jobs_know_when_they_are_run_next(with_jobs: Store) -> None:
    declare_job(with_jobs, "desks")
    with_jobs.collections.save("all", {"jobs": [{"job": "rooms"}, {"job": "people"}]})
    declare(with_jobs, "late", collections=["all"], triggers=[{**DAILY, "at": "2026-01-05T23:00:00"}])
    declare(with_jobs, "soon", jobs=["people"], triggers=[DAILY])
    declare(with_jobs, "never", jobs=["people", "desks"], triggers=[DAILY], enabled=False)
    listed = {each["name"]: each["next_run"] for each in list_jobs(with_jobs, JobFilter())}
    assert listed == {
        "people": "2026-11-21T23:00:00.000000+00:00",
        "rooms": "2026-11-21T23:00:00.000000+00:00",
        "desks": None,
    }


def test_a_schedule_that_cannot_be_read_does_not_hide_the_others(with_jobs: Store) -> None:
    for name in ("a", "b"):
        declare(with_jobs, name, jobs=["people"], triggers=[DAILY])
    with with_jobs._session.write() as connection:
        connection.exec_driver_sql(
            "UPDATE lockstep_schedules SET definition = replace(definition, 'UTC', 'Old/Zone') WHERE name = 'a'"
        )
    bad, good = list_schedules(with_jobs, None, now=NOW)
    assert bad["problem"].startswith("schedule 'a', timezone: there is no time zone 'Old/Zone'")
    assert ("next_runs" in bad, "next_runs" in good, "problem" in good) == (False, True, False)
    assert (good["occurrences"], good["created"]) == ([], "2026-11-21T08:30:00.000000+00:00")
