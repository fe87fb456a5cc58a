# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
import typing as t
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution.applier import (
    RETRY_DELAYS,
    Applied,
    Applying,
    apply_plan,
)
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import Journal, read_journal
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    CancelledError,
    ProviderError,
    StoreError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change, ObjectPlan, Plan
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import Statistics
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from support.lists import ListProvider, Record, info_of

TARGET = WriteTarget(container=None, key_fields=("id",), fields=("id", "name"))


def create(number: int, **after: t.Any) -> Change:
    return change(number, "create", {}, {"id": str(number)} | after)


def update(number: int) -> Change:
    return change(number, "update", {"id": str(number), "name": None}, {"name": "new"})


def delete(number: int) -> Change:
    return change(number, "delete", {"id": str(number), "name": None}, {})


def change(number: int, action: Action, before: dict[str, t.Any], after: dict[str, t.Any]) -> Change:
    return Change(number=number, object="person", action=action, key=(str(number),), before=before, after=after)


def plan_of(*parts: list[Change]) -> Plan:
    return Plan(
        job="hr",
        definition_digest="",
        objects=tuple(
            ObjectPlan(
                name="person",
                target=TARGET,
                changes=changes,
                held_changes=(),
                held=(),
                problems=(),
                statistics=Statistics(),
            )
            for changes in parts
        ),
    )


class Workshop:
    """A destination with everything around it, and what came out of applying."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.destination = ListProvider(info=info_of("id", "name"), write_batch=2)
        self.journal = Journal(path)
        self.slept: list[float] = []
        self.notes: list[str] = []
        self.checkpoints = 0
        self.stop_at: int | None = None
        self.applied: list[Applied] = []

    def checkpoint(self) -> None:
        self.checkpoints += 1
        if self.checkpoints == self.stop_at:
            raise CancelledError("stop")

    def apply(self, plan: Plan, journal: Journal | None = None) -> None:
        applying = Applying(
            open_writer=lambda part: self.destination.writer(part.target),
            journal=journal or self.journal,
            checkpoint=self.checkpoint,
            sleep=self.slept.append,
            note=self.notes.append,
            randomness=random.Random(1),
        )
        self.applied.extend(apply_plan(plan, applying))

    def apply_collecting(self, plan: Plan, journal: Journal | None = None) -> None:
        """Apply and keep what was yielded even when it ends in an error."""
        applying = Applying(
            open_writer=lambda part: self.destination.writer(part.target),
            journal=journal or self.journal,
            checkpoint=self.checkpoint,
            sleep=self.slept.append,
            note=self.notes.append,
            randomness=random.Random(1),
        )
        for each in apply_plan(plan, applying):
            self.applied.append(each)

    @property
    def statuses(self) -> list[tuple[int, str, str]]:
        return [(each.number, outcome.status, outcome.code) for each, outcome in self.applied]

    @property
    def calls(self) -> list[list[int]]:
        return [[each.number for each in call] for writer in self.destination.writers for call in writer.calls]

    @property
    def all_closed(self) -> bool:
        return all(writer.closed == 1 for writer in self.destination.writers)


@pytest.fixture
def shop(tmp_path: Path) -> t.Iterator[Workshop]:
    workshop = Workshop(tmp_path / "journal")
    yield workshop
    workshop.journal.close()


def busy() -> ProviderError:
    return ProviderError("the database is busy.", retriable=True)


def test_changes_are_written_in_order_and_each_has_its_outcome(shop: Workshop) -> None:
    shop.destination.records = [{"id": "2", "name": None}, {"id": "3", "name": None}]
    shop.apply(plan_of([create(1, name="Ann"), update(2), delete(3)]))
    assert shop.statuses == [(1, "done", ""), (2, "done", ""), (3, "done", "")]
    assert sorted(map(str, shop.destination.records)) == sorted(
        map(str, [{"id": "2", "name": "new"}, {"id": "1", "name": "Ann"}])
    )
    assert shop.all_closed


def test_a_batch_is_of_one_action_and_not_longer_than_the_writer_takes(shop: Workshop) -> None:
    changes = [create(1), create(2), create(3), update(4), delete(5), delete(6), delete(7)]
    shop.apply(plan_of(changes))
    assert shop.calls == [[1, 2], [3], [4], [5, 6], [7]]
    assert shop.checkpoints == 5


def test_a_writer_that_takes_everything_gets_it_in_one_call(shop: Workshop) -> None:
    shop.destination.write_batch = None
    shop.apply(plan_of([create(1), update(2), delete(3)]))
    assert shop.calls == [[1, 2, 3]]


def test_an_object_without_changes_opens_no_writer(shop: Workshop) -> None:
    shop.apply(plan_of([], [create(1)]))
    assert len(shop.destination.writers) == 1
    assert shop.calls == [[1]]


def test_a_record_that_moved_on_is_left_alone_and_reported(shop: Workshop) -> None:
    shop.destination.records = [{"id": "2", "name": "other"}, {"id": "3", "name": "other"}]
    shop.apply(plan_of([update(2), delete(3)]))
    assert shop.statuses == [(2, "skipped", "moved_on"), (3, "skipped", "moved_on")]
    assert len(shop.destination.records) == 2
    assert read_journal(shop.path).settled[2].code == "moved_on"


def test_the_journal_knows_of_a_batch_before_it_is_written(shop: Workshop) -> None:
    seen: list[set[int]] = []
    original = shop.destination.writer

    def watched(target: WriteTarget) -> t.Any:
        writer = t.cast("t.Any", original(target))
        apply = writer.apply

        def record_and_apply(changes: t.Any) -> t.Any:
            seen.append(set(read_journal(shop.path).in_doubt))
            return apply(changes)

        writer.apply = record_and_apply
        return writer

    shop.destination.writer = watched  # type: ignore[method-assign]
    shop.apply(plan_of([create(1), create(2), create(3)]))
    assert seen == [{1, 2}, {3}]
    assert read_journal(shop.path).in_doubt == set()


# -- failures -------------------------------------------------------------------------------------------------------


def test_a_passing_failure_is_tried_again_with_a_new_writer(shop: Workshop) -> None:
    shop.destination.write_failures = [busy(), busy()]
    shop.apply(plan_of([create(1)]))
    assert shop.statuses == [(1, "done", "")]
    assert shop.slept == [1, 2]
    assert shop.notes == ["the database is busy. Trying again in 1 s.", "the database is busy. Trying again in 2 s."]
    assert shop.calls == [[1], [1], [1]]
    assert shop.all_closed


def test_a_system_that_stays_away_for_a_while_is_opened_again_until_it_answers(shop: Workshop) -> None:
    original = shop.destination.writer
    broken = iter([False, True, True])

    def away(target: WriteTarget) -> t.Any:
        if next(broken, False):
            raise busy()
        return original(target)

    shop.destination.writer = away  # type: ignore[method-assign]
    shop.destination.write_failures = [busy()]
    shop.apply(plan_of([create(1)]))
    assert shop.statuses == [(1, "done", "")]
    assert shop.slept == list(RETRY_DELAYS)
    assert shop.all_closed


def test_a_writer_that_cannot_be_opened_at_first_is_tried_again(shop: Workshop) -> None:
    shop.destination.open_failures = [busy()]
    shop.apply(plan_of([create(1)]))
    assert shop.statuses == [(1, "done", "")]


def test_a_writer_that_can_never_be_opened_ends_the_run_with_nothing_in_doubt(shop: Workshop) -> None:
    shop.destination.open_failures = [ProviderError("no such table")]
    with pytest.raises(ProviderError, match="no such table"):
        shop.apply_collecting(plan_of([create(1)]))
    assert shop.statuses == []
    assert read_journal(shop.path).in_doubt == set()


def test_what_was_done_before_a_passing_failure_is_found_done_and_not_done_twice(shop: Workshop) -> None:
    def write_and_fail(records: list[Record]) -> None:
        records.append({"id": "1"})

    shop.destination.write_failures = [busy()]
    write_and_fail(shop.destination.records)
    shop.apply(plan_of([create(1)]))
    assert shop.statuses == [(1, "done", "")]
    assert shop.destination.records == [{"id": "1"}]


def test_a_failure_that_does_not_pass_ends_the_run_with_its_batch_in_doubt(shop: Workshop) -> None:
    shop.destination.write_failures = [busy() for _each in range(len(RETRY_DELAYS) + 1)]
    with pytest.raises(ProviderError, match="busy"):
        shop.apply_collecting(plan_of([create(1), create(2), create(3)]))
    assert shop.slept == list(RETRY_DELAYS)
    assert shop.statuses == [(1, "failed", "in_doubt"), (2, "failed", "in_doubt")]
    assert read_journal(shop.path).in_doubt == {1, 2}
    assert shop.all_closed


def test_a_final_failure_is_not_tried_again_and_what_was_written_before_stands(shop: Workshop) -> None:
    original = shop.destination.writer
    calls = iter([None, None, ProviderError("the disk is gone")])

    def failing(target: WriteTarget) -> t.Any:
        writer = t.cast("t.Any", original(target))
        apply = writer.apply

        def third_fails(changes: t.Any) -> t.Any:
            error = next(calls, None)
            if error is not None:
                raise error
            return apply(changes)

        writer.apply = third_fails
        return writer

    shop.destination.writer = failing  # type: ignore[method-assign]
    with pytest.raises(ProviderError, match="the disk is gone"):
        shop.apply_collecting(plan_of([create(number) for number in range(1, 8)]))
    assert shop.slept == []
    assert [status for _number, status, _code in shop.statuses] == ["done"] * 4 + ["failed"] * 2
    assert set(read_journal(shop.path).settled) == {1, 2, 3, 4}
    assert read_journal(shop.path).in_doubt == {5, 6}


@pytest.mark.parametrize("error", [ValueError("a bug"), RuntimeError("a driver's own error")])
def test_a_failure_nobody_foresaw_leaves_its_batch_in_doubt_too(shop: Workshop, error: Exception) -> None:
    shop.destination.write_failures = [error]
    with pytest.raises(type(error)):
        shop.apply_collecting(plan_of([create(1)]))
    assert shop.statuses == [(1, "failed", "in_doubt")]
    assert shop.all_closed


# -- stopping -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_a_stopped_run_writes_nothing_more(shop: Workshop, stop_at: int) -> None:
    shop.stop_at = stop_at
    with pytest.raises(CancelledError):
        shop.apply_collecting(plan_of([create(number) for number in range(1, 7)]))
    written = 2 * (stop_at - 1)
    assert len(shop.destination.records) == len(shop.applied) == written
    assert read_journal(shop.path).in_doubt == set()
    assert shop.all_closed


def test_a_run_stopped_while_it_waits_to_try_again_leaves_the_batch_in_doubt(shop: Workshop) -> None:
    shop.destination.write_failures = [busy()]
    shop.stop_at = 2
    with pytest.raises(CancelledError):
        shop.apply_collecting(plan_of([create(1), create(2), create(3)]))
    assert shop.statuses == [(1, "failed", "in_doubt"), (2, "failed", "in_doubt")]
    assert len(shop.calls) == 1


class FullJournal(Journal):
    """A journal whose disk is full from one event on."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__(path)
        self.room = room

    def _write(self, event: dict[str, t.Any]) -> None:
        self.room -= 1
        if self.room < 0:
            raise StoreError("the disk is full")
        super()._write(event)


@pytest.mark.parametrize(("room", "written", "told"), [(0, 0, 0), (1, 2, 2), (2, 2, 2), (3, 4, 4)])
def test_a_journal_that_takes_no_more_stops_before_the_next_write_and_what_was_written_is_told(
    shop: Workshop, tmp_path: Path, room: int, written: int, told: int
) -> None:
    journal = FullJournal(tmp_path / "full", room)
    with pytest.raises(StoreError, match="the disk is full"):
        shop.apply_collecting(plan_of([create(number) for number in range(1, 7)]), journal)
    journal.close()
    assert len(shop.destination.records) == written
    assert [status for _number, status, _code in shop.statuses] == ["done"] * told
    assert shop.all_closed


# -- passwords ------------------------------------------------------------------------------------------------------


def written_passwords(shop: Workshop) -> list[str]:
    return [str(record["pw"]) for record in shop.destination.records]


def with_password(number: int, **rule: t.Any) -> Change:
    return create(number, pw=GeneratedPassword(rule=PasswordRule(**rule)))


def test_each_object_gets_a_password_of_its_own(shop: Workshop) -> None:
    shop.apply(plan_of([with_password(number, length=12) for number in range(1, 5)]))
    passwords = written_passwords(shop)
    assert len(set(passwords)) == 4
    assert {len(each) for each in passwords} == {12}


def test_a_password_of_the_job_is_the_same_for_all_objects_of_one_rule(shop: Workshop) -> None:
    shop.apply(
        plan_of(
            [with_password(1, per="job"), with_password(2, per="job")],
            [with_password(3, per="job"), with_password(4, per="job", length=20)],
        )
    )
    one, two, three, other = written_passwords(shop)
    assert one == two == three != other


def test_a_password_is_the_same_in_every_try(shop: Workshop) -> None:
    shop.destination.write_failures = [busy()]
    shop.apply(plan_of([with_password(1)]))
    (writer, again) = shop.destination.writers
    assert writer.calls[0][0].after["pw"] == again.calls[0][0].after["pw"]


def test_no_password_is_in_what_is_told_or_journalled(shop: Workshop) -> None:
    shop.apply(plan_of([with_password(1)]))
    (password,) = written_passwords(shop)
    assert isinstance(shop.applied[0][0].after["pw"], GeneratedPassword)
    assert password not in repr(shop.applied)
    assert password not in shop.path.read_text(encoding="utf-8")


def test_changes_without_a_password_are_written_as_planned(shop: Workshop) -> None:
    planned = create(1, name="Ann")
    shop.apply(plan_of([planned]))
    assert shop.destination.writers[0].calls == [[planned]]


def test_nothing_is_written_before_it_is_asked_for(shop: Workshop) -> None:
    run: Callable[[], t.Any] = lambda: apply_plan(  # noqa: E731 - a generator that nobody starts
        plan_of([create(1)]),
        Applying(
            open_writer=shop.destination.writer,
            journal=shop.journal,
            checkpoint=shop.checkpoint,
            sleep=shop.slept.append,
            note=shop.notes.append,
            randomness=random.Random(1),
        ),
    )
    run()
    assert shop.destination.writers == []


@pytest.mark.parametrize(
    ("loose_keys", "present", "deletion"),
    [(True, "1", "skipped"), (True, "9", "done"), (False, "1", "done")],
)
def test_nothing_is_deleted_when_a_key_the_system_holds_for_equal_kept_a_record_from_being_created(
    shop: Workshop, loose_keys: bool, present: str, deletion: str
) -> None:
    shop.destination.records = [{"id": present, "name": "there"}, {"id": "2", "name": None}]
    plan = plan_of([create(1, name="new"), delete(2)])
    target = replace(TARGET, loose_keys=loose_keys)
    shop.apply(replace(plan, objects=(replace(plan.objects[0], target=target),)))
    assert shop.statuses[1][1] == deletion
    assert ({"id": "2", "name": None} in shop.destination.records) == (deletion == "skipped")


def test_a_file_that_refuses_to_be_replaced_leaves_nothing_in_doubt(shop: Workshop) -> None:
    shop.destination.write_batch = None
    shop.destination.write_failures = [ProviderError("the workbook holds a chart.")]
    with pytest.raises(ProviderError, match="chart"):
        shop.apply_collecting(plan_of([create(1), create(2)]))
    assert shop.statuses == [(1, "failed", "refused"), (2, "failed", "refused")]
    journal = read_journal(shop.path)
    assert journal.in_doubt == set()
    assert journal.settled[1].code == "refused"
