# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going on with a run that ended early: nothing twice, nothing lost."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution import applier
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import Journal
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from support.lists import ListProvider, info_of
from support.worlds import Failing, World

INFO = info_of("id", "name", "dept")
Put = Callable[..., None]
STEPS = ("begin", "written", "end")


class Died(BaseException):
    """The process was killed."""


def kill(world: World, batch: int, step: str, **options: t.Any) -> None:
    """Run the job and kill it at `step` of the batch number `batch` (from 1): before or after the journal knows of it,
    or between writing and the journal.
    """
    seen = {"begin": 0, "end": 0}

    def dying(name: str) -> Callable[..., None]:
        original = getattr(Journal, name)

        def patched(journal: Journal, *args: t.Any) -> None:
            seen[name] += 1
            if seen[name] == batch and step == name:
                raise Died
            if name == "end" and seen["end"] == batch and step == "written":
                raise Died
            original(journal, *args)
            if name == "begin" and seen["begin"] == batch and step == "begun":
                raise Died

        return patched

    with pytest.MonkeyPatch.context() as patch:
        for name in seen:
            patch.setattr(Journal, name, dying(name))
        with pytest.raises(Died):
            world.run(**options)


def resume(world: World, run: int = 1, **options: t.Any) -> RunResult:
    return world.run("", resume=run, **options).result


def lists(put: Put, world: World, **options: t.Any) -> ListProvider:
    """Put a list in the place of the destination; every change is a batch of its own."""
    records: list[dict[str, t.Any]] = [{"id": "2", "name": "Bob", "dept": "old"}, {"id": "9", "name": "G", "dept": "G"}]
    provider = ListProvider(info=INFO, records=records, write_batch=1, **options)
    put(db=provider)
    world.job()
    return provider


WANTED = [
    {"id": "1", "name": "Ann", "dept": "E"},
    {"id": "2", "name": "Bob", "dept": "F"},
    {"id": "3", "name": "Cy", "dept": None},
]


@pytest.mark.parametrize("step", ["begin", "begun", "written"])
@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_a_run_killed_anywhere_is_brought_to_its_end(
    world: World, put_in_place: Put, batch: int, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = lists(put_in_place, world)
    kill(world, batch, step)
    result = resume(world)
    assert (result.status, result.kind, result.origin_id) == ("succeeded", "resume", 1)
    assert sorted(destination.records, key=lambda record: str(record["id"])) == WANTED
    made = [change.number for writer in destination.writers for call in writer.calls for change in call]
    done_before = batch if step == "written" else batch - 1
    assert len(result.changes) == 4 - done_before
    assert sorted(set(made)) == [1, 2, 3, 4]
    assert len(made) == 4, "no change is sent twice"
    first = world.store.runs.get(1)
    assert first is not None
    assert first.status == "interrupted"
    assert world.run().result.statistics.changes == 0


def test_what_is_left_is_shown_first(world: World, put_in_place: Put) -> None:
    destination = lists(put_in_place, world)
    kill(world, 3, "begin")
    before = [dict(record) for record in destination.records]
    result = resume(world, preview=True)
    assert [item.change.action for item in result.changes] == ["update", "delete"]
    assert (result.preview, destination.records) == (True, before)


def test_a_run_stopped_by_its_time_limit_is_gone_on_with(world: World, put_in_place: Put) -> None:
    destination = lists(put_in_place, world)
    original = applier._apply_object

    def slow(*args: t.Any) -> t.Iterator[t.Any]:
        for each in original(*args):
            world.seconds += 40
            yield each

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(applier, "_apply_object", slow)
        ran = world.run(timeout=60.0)
    assert (ran.result.status, ran.failure_code, ran.result.statistics.created) == ("failed", "timeout", 2)
    assert ran.result.message == (
        "Job 'j' failed: it took longer than its `timeout` of 60 s, and stopped. 2 changes had been made before. "
        "`resume: 1` goes on from there; running the job again compares both sides anew."
    )
    assert resume(world).statistics.updated == 1
    assert sorted(destination.records, key=lambda record: str(record["id"])) == WANTED


def test_the_time_limit_counts_while_reading_too(world: World, put_in_place: Put) -> None:
    destination = lists(put_in_place, world)

    def take_long() -> None:
        world.seconds += 100

    records: list[dict[str, t.Any]] = [{"id": "1", "name": "Ann", "dept": "E"}]
    put_in_place(hr=Failing(info=INFO, records=records, on_read=take_long), db=destination)
    ran = world.run(timeout=60.0)
    assert (ran.failure_code, len(destination.records)) == ("timeout", 2)
    assert "run 1 cannot be gone on with: it ended before it had a plan" in resume(world).message


def test_a_failed_destination_is_gone_on_with_once_it_is_back(world: World, put_in_place: Put) -> None:
    destination = lists(put_in_place, world)
    destination.write_failures = [ProviderError("the disk is on fire.")]
    ran = world.run()
    assert ran.result.status == "failed"
    result = resume(world)
    assert (result.status, result.statistics.changes) == ("succeeded", 4)
    assert sorted(destination.records, key=lambda record: str(record["id"])) == WANTED


def test_a_resumed_run_that_dies_is_resumed_itself(world: World, put_in_place: Put) -> None:
    destination = lists(put_in_place, world)
    kill(world, 2, "begun")

    with pytest.MonkeyPatch.context() as patch:

        def killed(*_arguments: object) -> None:
            raise Died

        patch.setattr(Journal, "end", killed)
        with pytest.raises(Died):
            resume(world)
    with pytest.raises(
        ConfigError, match=r"run 1 of job 'j' was gone on with by run 2, which did not end either\. Resu"
    ):
        resume(world)
    assert resume(world, 2).status == "succeeded"
    assert sorted(destination.records, key=lambda record: str(record["id"])) == WANTED
    with pytest.raises(ConfigError, match="run 2 of job 'j' was gone on with by run 3, which has ended as succeeded"):
        resume(world, 2)


def test_records_that_moved_on_meanwhile_are_left_alone(world: World, put_in_place: Put) -> None:
    destination = lists(put_in_place, world)
    kill(world, 3, "begin")
    destination.records[0]["dept"] = "by hand"
    result = resume(world)
    assert [problem.code for problem in result.problems] == ["moved_on"]
    assert destination.records[0]["dept"] == "by hand"


def test_runs_that_cannot_be_gone_on_with(world: World) -> None:
    with pytest.raises(ConfigError, match="resume: there is no run 7"):
        resume(world, 7)
    world.job()
    world.run()
    with pytest.raises(ConfigError, match=r"run 1 of job 'j' has ended as succeeded; there is nothing to go on with\."):
        resume(world)


def test_a_run_that_another_has_followed_is_over(world: World, put_in_place: Put) -> None:
    lists(put_in_place, world)
    kill(world, 2, "begin")
    world.run()
    with pytest.raises(ConfigError, match="cannot be gone on with: run 2 came after it and compared both sides anew"):
        resume(world)


def test_a_job_that_changed_meanwhile_is_not_gone_on_with(world: World, put_in_place: Put) -> None:
    destination = lists(put_in_place, world)
    kill(world, 3, "begin")
    before = [dict(record) for record in destination.records]
    world.job(missing_at_source="skip")
    assert "the plan of run 1 cannot be applied: the definition of job 'j'" in resume(world).message
    assert destination.records == before


def test_files_that_are_gone_or_damaged_are_named(world: World, put_in_place: Put) -> None:
    lists(put_in_place, world)
    kill(world, 3, "begin")
    plan = world.runs / "1" / "plan-1.jsonl"
    plan.write_text(plan.read_text(encoding="utf-8").replace("Ann", "Eve"), encoding="utf-8")
    assert "was changed after it was sealed. Nothing of it is used." in resume(world, preview=True).message
    plan.unlink()
    message = resume(world, preview=True).message
    assert "it ended before it had a plan, or its folder" in message
    assert "is not on this host (it ran on sync01)" in message


def test_what_a_resumed_run_did_can_be_taken_back(world: World) -> None:
    world.job()
    before = world.people()
    kill(world, 1, "begin")
    resumed = resume(world)
    assert world.run("", undo=resumed.id).result.status == "succeeded"
    assert world.people() == before


def test_a_kept_plan_that_died_half_way_is_resumed_and_not_applied_again(world: World, put_in_place: Put) -> None:
    lists(put_in_place, world)
    plan = world.preview(keep_plan=True).result.plan_id
    kill(world, 3, "begun", job="", plan=plan)
    assert "a plan is applied once" in world.run("", plan=plan).result.message


def test_a_resumed_run_leaves_out_who_is_protected_by_now(world: World) -> None:
    world.job(protect="destination.note == 'vip'")
    kill(world, 1, "begin")
    world.sql("UPDATE people SET note = 'vip' WHERE id IN (2, 9)")
    result = world.run("", resume=1).result
    assert (result.statistics.created, result.statistics.changes) == (2, 2)
    assert sorted((each.code, each.key) for each in result.problems) == [("protected", ("2",)), ("protected", ("9",))]
