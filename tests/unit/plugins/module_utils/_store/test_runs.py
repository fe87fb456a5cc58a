# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools
import typing as t
from collections.abc import Iterator, Sequence

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, Held, Outcome, ValueChanges
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import (
    AppliedChange,
    LogLine,
    Problem,
    RunResult,
    Statistics,
    Status,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._store.run_rows import StoredRun
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

STARTED = "2026-11-21T08:30:00.000000+00:00"
FINISHED = "2026-11-21T08:31:00.000000+00:00"


def start(store: Store, job: str = "people", started: str = STARTED) -> int:
    return store.runs.start(job, host="web1", pid=4711, boot_id="b00t", started=started, directory="/log/7")


def result(status: Status = "succeeded", *, read: int = 3, log: Sequence[LogLine] = ()) -> RunResult:
    return RunResult(
        id=None,
        job="people",
        status=status,
        agreement="equal",
        preview=False,
        message="done \x00",
        started=STARTED,
        finished=FINISHED,
        duration=60.25,
        statistics=Statistics(read=read, created=1),
        objects=(("people", Statistics(read=read)), ("groups", Statistics(created=1))),
        changes=(),
        changes_total=1,
        problems=(),
        held=(Held(object="people", guard="deletes", count=12, limit="10%", message="too many"),),
        log=log,
        changes_file="/log/7/changes.csv",
        log_file="/log/7/run.log",
        plan_digest="d1g3st",
        stands_on=41,
    )


def run(
    store: Store, job: str = "people", status: Status = "succeeded", *, read: int = 3, started: str = STARTED
) -> int:
    run_id = start(store, job, started)
    store.runs.finish(run_id, result(status, read=read))
    return run_id


def get(store: Store, run_id: int) -> StoredRun:
    found = store.runs.get(run_id)
    assert found is not None
    return found


def change(number: int, **options: t.Any) -> AppliedChange:
    outcome = options.pop("outcome", Outcome(status="done"))
    values = {
        "key": (str(number),),
        "before": {},
        "after": {"mail": f"u{number}@x"},
        "object": "people",
        "action": "create",
    }
    return AppliedChange(change=Change(number=number, **{**values, **options}), outcome=outcome)


# -- one run


def test_running_run_says_where_it_runs(store_with_job: Store) -> None:
    run_id = start(store_with_job, started="2026-11-21T10:30:00+02:00")
    found = get(store_with_job, run_id)
    assert (found.job, found.status, found.host, found.pid, found.boot_id) == (
        "people",
        "running",
        "web1",
        4711,
        "b00t",
    )
    assert (found.started, found.finished, found.duration, found.agreement) == (STARTED, None, None, None)
    assert (found.statistics, found.objects, found.directory) == (Statistics(), (), "/log/7")
    assert store_with_job.runs.unfinished("people") == [found]


def test_finished_run_tells_its_whole_result(store_with_job: Store) -> None:
    lines = [LogLine(time=STARTED, level="info", object="people", key=str(n), message="ü") for n in range(1005)]
    run_id = start(store_with_job)
    store_with_job.runs.finish(run_id, result(log=lines))
    found, given = get(store_with_job, run_id), result()
    assert (found.status, found.agreement, found.message) == ("succeeded", "equal", "done \\x00")
    assert (found.finished, found.duration, found.changes_total) == (FINISHED, 60.25, 1)
    assert (found.statistics, found.objects, found.held) == (given.statistics, given.objects, given.held)
    for name in ("changes_file", "log_file", "plan_digest", "stands_on"):
        assert getattr(found, name) == getattr(given, name)
    assert found.log == tuple(lines[5:])
    assert store_with_job.runs.unfinished("people") == []


def test_unknown_run_is_none_and_cannot_be_finished(store: Store) -> None:
    assert store.runs.get(1) is None
    with pytest.raises(StoreError, match="has no run 1"):
        store.runs.finish(1, result())


def test_run_of_a_dead_process_is_marked_once(store_with_job: Store) -> None:
    run_id = start(store_with_job)
    assert store_with_job.runs.mark_interrupted(run_id, "killed", FINISHED)
    assert not store_with_job.runs.mark_interrupted(run_id, "again", FINISHED)
    found = get(store_with_job, run_id)
    assert (found.status, found.message, found.finished) == ("interrupted", "killed", FINISHED)
    assert store_with_job.runs.unfinished("people") == []


def test_a_new_job_does_not_settle_the_runs_of_a_deleted_one_of_its_name(store_with_job: Store) -> None:
    left_running = start(store_with_job)
    stored = store_with_job.jobs.get("people")
    assert stored is not None
    store_with_job.jobs.delete("people")
    store_with_job.jobs.save("people", stored.definition)
    assert store_with_job.runs.unfinished("people") == []
    assert get(store_with_job, left_running).status == "running"


def test_ended_run_is_not_marked_as_interrupted(store_with_job: Store) -> None:
    run_id = run(store_with_job)
    assert not store_with_job.runs.mark_interrupted(run_id, "killed", FINISHED)
    assert get(store_with_job, run_id).status == "succeeded"


# -- changes and problems


def test_changes_come_back_with_every_kind_of_value(store_with_job: Store) -> None:
    run_id = start(store_with_job)
    values = {"none": None, "text": "a\x00\ud800ü🎉", "bytes": b"\x00\xff", "many": ("a", b"b"), "long": "x" * 70_000}
    changes = [
        change(1, action="update", key=("a", "b \x00"), target="row 7", before=values, after=values),
        change(2, outcome=Outcome(status="failed", code="constraint", message="no \x00")),
        change(3, action="delete", outcome=None),
    ]
    store_with_job.runs.add_changes(run_id, changes)
    found = store_with_job.runs.changes(run_id)
    assert (found[0], found[2]) == (changes[0], changes[2])
    assert found[1].outcome == Outcome(status="failed", code="constraint", message="no \\x00")


@pytest.mark.parametrize(
    "stored",
    [
        change(
            1,
            action="update",
            target="CN=g,DC=x",
            anchor="a1",
            before={"cn": "g"},
            after={"member": ValueChanges(added=("CN=a,DC=x", b"\xff"), removed=("CN=b \x00 \ud800,DC=x",))},
        ),
        change(1, action="membership", anchor="a1", after={"member": ValueChanges()}, outcome=None),
        change(1, action="move", anchor="a1", before={"dn": "CN=a,DC=x"}, after={"dn": "CN=a,OU=b,DC=x"}),
        change(1, action="delete", anchor="a1", after={}, outcome=Outcome(status="failed", code="c", message="m")),
        change(1, action="create", outcome=Outcome(status="done", anchor="a1")),
        change(1, action="create_container", target="OU=b,DC=x", outcome=Outcome(status="done", anchor="a1")),
        change(1, action="create", outcome=None),
    ],
    ids=["update", "membership", "move", "delete", "create", "create_container", "planned"],
)
def test_changes_of_directories_come_back_as_they_were(stored: AppliedChange, store_with_job: Store) -> None:
    run_id = start(store_with_job)
    store_with_job.runs.add_changes(run_id, [stored])
    assert store_with_job.runs.changes(run_id) == [stored]


def test_password_to_be_made_is_stored_as_the_mask(store_with_job: Store) -> None:
    run_id = start(store_with_job)
    store_with_job.runs.add_changes(run_id, [change(1, after={"password": GeneratedPassword(rule=PasswordRule())})])
    assert store_with_job.runs.changes(run_id)[0].change.after == {"password": "********"}


def test_changes_added_in_parts_are_paged_in_order(store_with_job: Store) -> None:
    first, second = start(store_with_job), start(store_with_job)
    store_with_job.runs.add_changes(first, (change(number) for number in range(1, 2501)))
    store_with_job.runs.add_changes(second, [change(1)])
    store_with_job.runs.add_changes(first, [change(1)])

    def numbers(**page: int) -> list[int]:
        return [applied.change.number for applied in store_with_job.runs.changes(first, **page)]

    assert numbers(limit=3000) == [*range(1, 2501), 1]
    assert numbers(offset=999, limit=3) == [1000, 1001, 1002]
    assert numbers(offset=2499) == [2500, 1]
    assert numbers() == list(range(1, 101))


def test_adding_nothing_is_fine(store_with_job: Store) -> None:
    run_id = start(store_with_job)
    store_with_job.runs.add_changes(run_id, [])
    assert store_with_job.runs.changes(run_id) == []


def test_others_can_write_while_changes_are_being_made(store_with_job: Store) -> None:
    run_id = start(store_with_job)

    def slow() -> Iterator[AppliedChange]:
        yield change(1)
        with store_with_job._session._engine.connect() as other:
            other.exec_driver_sql("UPDATE lockstep_jobs SET modified = 'x'")
            other.commit()
        yield change(2)

    store_with_job.runs.add_changes(run_id, slow())
    assert len(store_with_job.runs.changes(run_id)) == 2


def test_changes_of_an_unknown_run_are_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        store.runs.add_changes(7, [change(1)])


def test_problems_come_back_in_order(store_with_job: Store) -> None:
    run_id = start(store_with_job)
    problems = [
        Problem(level=level, object="people", key=(str(n), "\x00"), code="ambiguous", message="two ü")
        for n, level in enumerate(t.get_args(t.Literal["info", "warning", "error"]))
    ]
    store_with_job.runs.add_problems(run_id, problems)
    assert store_with_job.runs.problems(run_id) == problems
    assert store_with_job.runs.problems(run_id, offset=1, limit=1) == problems[1:2]


# -- finding


def test_runs_are_found_newest_first_by_job_status_and_time(store_with_job: Store) -> None:
    store_with_job.jobs.save("groups", {"source": {"provider": "hr"}, "destination": {"provider": "hr"}})
    days = (f"2026-11-{day}T08:00:00Z" for day in itertools.count(20))
    a, b, c, d = (
        run(store_with_job, job, status, started=day)
        for job, status, day in zip(
            ("people", "groups", "people", "people"), ("failed", "succeeded", "succeeded", "held"), days, strict=False
        )
    )

    def found(**filters: t.Any) -> list[int]:
        return [each.id for each in store_with_job.runs.find(**filters)]

    assert found() == [d, c, b, a]
    assert found(job="people") == [d, c, a]
    assert found(job="people", status="failed") == [a]
    assert found(since="2026-11-22") == [d, c]
    assert found(since="2026-11-22T10:00:00+02:00", limit=1, offset=1) == [c]
    assert found(job="nobody") == []


def test_bad_time_to_find_from_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match="since: 'yesterday' is not a time"):
        store.runs.find(since="yesterday")


def test_last_run_and_count_leave_out_what_did_not_run(store_with_job: Store) -> None:
    runs = store_with_job.runs
    assert (runs.last("people"), runs.times_run("people")) == (None, 0)
    run(store_with_job)
    last = run(store_with_job, status="skipped")
    found = runs.last("people")
    assert found is not None
    assert (found.id, runs.times_run("people")) == (last, 1)


def test_records_read_are_those_of_the_last_succeeded_run(store_with_job: Store) -> None:
    runs = store_with_job.runs
    assert runs.last_read("people", "people") is None
    run(store_with_job, read=7)
    run(store_with_job, read=9)
    run(store_with_job, status="failed", read=1)
    assert (runs.last_read("people", "people"), runs.last_read("people", "groups")) == (9, 0)
    assert runs.last_read("people", "new object") is None


# -- the life of a job


def test_history_follows_the_renaming_of_the_job(store_with_job: Store) -> None:
    run_id = run(store_with_job)
    store_with_job.jobs.rename("people", "staff")
    assert [each.id for each in store_with_job.runs.find(job="staff")] == [run_id]
    assert store_with_job.runs.find(job="people") == []
    assert (store_with_job.runs.times_run("staff"), store_with_job.runs.times_run("people")) == (1, 0)
    assert store_with_job.runs.last_read("staff", "people") == 3


def test_history_survives_the_job_under_its_last_name(store_with_job: Store) -> None:
    run_id = run(store_with_job)
    store_with_job.runs.add_changes(run_id, [change(1)])
    store_with_job.jobs.rename("people", "staff")
    store_with_job.jobs.delete("staff")
    assert [each.job for each in store_with_job.runs.find(job="staff")] == ["staff"]
    assert len(store_with_job.runs.changes(run_id)) == 1
    last = store_with_job.runs.last("staff")
    assert last is not None
    assert (last.id, store_with_job.runs.times_run("staff")) == (run_id, 1)


def test_new_job_of_an_old_name_inherits_nothing(store_with_job: Store) -> None:
    old = run(store_with_job)
    definition = {"source": {"provider": "hr"}, "destination": {"provider": "hr"}}
    store_with_job.jobs.delete("people")
    store_with_job.jobs.save("people", definition)
    runs = store_with_job.runs
    assert (runs.times_run("people"), runs.last("people"), runs.last_read("people", "people")) == (0, None, None)
    new = run(store_with_job)
    assert runs.times_run("people") == 1
    assert [each.id for each in runs.find(job="people")] == [new, old]


def test_job_deleted_while_it_runs_can_still_be_finished(store_with_job: Store) -> None:
    run_id = start(store_with_job)
    store_with_job.jobs.delete("people")
    store_with_job.runs.finish(run_id, result())
    assert get(store_with_job, run_id).status == "succeeded"
