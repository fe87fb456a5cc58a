# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How others lost data or lied, each shown not to happen in a whole run. What only concerns the planner is in
`_planning/test_data_loss.py`.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import typing as t
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import read_journal
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.lease import LEASE_SECONDS
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest
from ansible_collections.lockstep.sync.plugins.module_utils._store import sqlite
from support.lists import ListProvider, ListWriter, Record, info_of
from support.worlds import DEPT, KEY, NAME, World

INFO = info_of("id", "name", "dept")
Put = Callable[..., None]
HISTORY = ("lockstep_runs", "lockstep_run_problems", "sqlite_sequence")


def people(*numbers: int) -> list[Record]:
    return [{"id": str(number), "name": f"P{number}", "dept": "E"} for number in numbers]


# -- a failed or partial read taken as "gone" -------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["hr", "db"])
@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_system_that_is_lost_while_it_is_read_removes_nobody(
    world: World, put_in_place: Put, side: str, batches: int
) -> None:
    """A directory that could not be reached during the clean-up removed every synced user (opnsense/core#10128)."""
    both = {
        "hr": ListProvider(info=INFO, records=people(*range(1, 6)), batch=2),
        "db": ListProvider(info=INFO, records=people(*range(1, 9)), batch=2),
    }
    both[side].fail_after = batches
    put_in_place(**both)
    world.job(limits={"deletes": "100%"})
    before = world.count_rows()
    result = world.run().result
    assert (result.status, result.changes_total, result.statistics.deleted) == ("failed", 0, 0)
    assert f"the connection was lost after {batches} batches" in result.message
    assert both["db"].writers == []
    assert len(both["db"].records) == 8
    after = world.count_rows()
    assert {name: after[name] for name in after if name not in HISTORY} == {
        name: before[name] for name in before if name not in HISTORY
    }


def test_a_failure_at_the_700th_member_leaves_that_group_alone_and_is_reported(world: World) -> None:
    """An error part-way removed the group's members (Alfresco#1149)."""
    names = [f"m{number}" for number in range(1, 1001)]
    known = {name: name.upper() for name in names}
    world.sql("CREATE TABLE teams (id TEXT PRIMARY KEY, members TEXT)")
    world.sql(f"INSERT INTO teams VALUES ('big', '{';'.join(known.values())}'), ('small', 'M1')")
    world.write(f'big,"{";".join([*names[:699], "nobody", *names[700:998]])}"', 'small,"m1;m2"', header="id,members")
    world.job(
        destination={"provider": "db", "table": "teams"},
        objects=[
            {
                "name": "teams",
                "fields": [
                    KEY,
                    {
                        "name": "members",
                        "source": "members",
                        "delimiter": ";",
                        "transform": [{"map": {"values": known}}],
                    },
                ],
            }
        ],
    )
    result = world.run().result
    assert (result.status, result.statistics.errors, result.statistics.updated) == ("completed_with_errors", 1, 1)
    (problem,) = result.problems
    assert (problem.key, "nobody" in problem.message) == (("big",), True)
    teams = dict(world.sql("SELECT id, members FROM teams"))
    assert teams["big"] == ";".join(known.values())
    assert teams["small"] == "M1;M2"


# -- lies -------------------------------------------------------------------------------------------------------------


def test_sides_that_differ_are_never_called_equal(world: World) -> None:
    """Two servers were told to be equal although they differed: only what was read and compared is equal."""
    world.job()
    assert world.run().result.agreement == "equal"
    world.sql("UPDATE people SET dept = 'by hand' WHERE id = 2")
    assert world.preview().result.agreement == "different"
    world.sql("CREATE TRIGGER stubborn BEFORE UPDATE ON people BEGIN SELECT raise(ABORT, 'no'); END")
    refused = world.run().result
    assert (refused.status, refused.agreement) == ("completed_with_errors", "different")
    world.sql("DROP TRIGGER stubborn")
    world.sql("CREATE TRIGGER swallows BEFORE UPDATE ON people BEGIN SELECT raise(IGNORE); END")
    swallowed = world.run().result
    assert (swallowed.status, swallowed.agreement) == ("completed_with_errors", "different")
    world.sql("DROP TRIGGER swallows")
    assert world.run().result.agreement == "equal"
    assert world.preview().result.agreement == "equal"


# -- crashes and races ------------------------------------------------------------------------------------------------


def slow_table(world: World, put_in_place: Put, after_first: Callable[[], None]) -> ListProvider:
    """Put a table of one change a batch in the place of the destination. `after_first` is called when the first one is
    written; by then the lock is to be renewed.
    """
    table = ListProvider(info=INFO, records=people(8, 9), write_batch=1)
    original = ListWriter.apply

    def apply(writer: ListWriter, changes: t.Any) -> t.Any:
        outcomes = original(writer, changes)
        if table.writers == [writer] and len(writer.calls) == 1:
            world.seconds += LEASE_SECONDS / 2
            after_first()
        return outcomes

    def open_writer(target: t.Any) -> ListWriter:
        writer = ListWriter(table, target)
        writer.apply = lambda changes: apply(writer, changes)  # type: ignore[method-assign]
        table.writers.append(writer)
        return writer

    table.writer = open_writer  # type: ignore[method-assign]
    put_in_place(db=table)
    world.job()
    return table


@contextmanager
def locked(world: World) -> Iterator[Callable[[], None]]:
    """Give what locks the store file until the end."""
    with closing(sqlite3.connect(world.folder / "state.db", isolation_level=None)) as other:
        yield lambda: other.execute("BEGIN EXCLUSIVE") and None


@contextmanager
def broken(world: World) -> Iterator[Callable[[], None]]:
    """Give what makes the store refuse everything that a run must write, until the end."""
    with closing(sqlite3.connect(world.folder / "state.db", isolation_level=None)) as other:

        def harm() -> None:
            for name in ("lockstep_locks", "lockstep_runs"):
                other.execute(
                    f"CREATE TRIGGER bad_{name} BEFORE UPDATE ON {name} BEGIN SELECT raise(ABORT, 'I/O'); END"
                )

        yield harm
        for name in ("lockstep_locks", "lockstep_runs"):
            other.execute(f"DROP TRIGGER bad_{name}")


@pytest.mark.parametrize("harm", [locked, broken])
def test_a_store_that_is_locked_or_gone_while_applying_stops_the_run(
    world: World, put_in_place: Put, harm: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run stops as soon as it looks at the store, before the next write. What was written is in the journal, and
    the next run enters it into the history.
    """
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0)
    world.store.close()
    world.store = world.open_store()
    with harm(world) as do_harm:
        table = slow_table(world, put_in_place, do_harm)
        ran = world.run()
        assert ran.result.status == "failed"
        assert "the history could not be written" in ran.result.message
        assert [len(writer.calls) for writer in table.writers] == [1]
        assert len(read_journal(world.runs / "1" / "journal-1.jsonl").settled) == 1
    world.store.close()
    world.store = world.open_store()
    world.now += dt.timedelta(seconds=LEASE_SECONDS + 1)
    following = world.run()
    assert following.result.status == "succeeded"
    first = world.store.runs.get(1)
    assert first is not None
    assert first.message == "interrupted after 1 of 5 changes; the rest was not made."
    assert sorted(str(record["id"]) for record in table.records) == ["1", "2", "3"]


@pytest.mark.parametrize("hours", [-24, -1, 1])
def test_a_clock_that_jumps_while_a_run_applies_lets_no_second_run_in_and_stops_nothing(
    world: World, put_in_place: Put, hours: int
) -> None:
    """A lock is renewed by the time that passes, not by what the clock of the host shows."""
    elsewhere: list[str] = []

    def jump() -> None:
        world.now += dt.timedelta(hours=hours)
        with world.open_store() as store:
            if hours < 0:
                elsewhere.append(run_job(RunRequest(job="j"), store, world.runtime).result.status)

    table = slow_table(world, put_in_place, jump)
    ran = world.run()
    assert (ran.result.status, ran.failure_code) == ("succeeded", "")
    assert set(elsewhere) <= {"skipped"}
    assert sorted(str(record["id"]) for record in table.records) == ["1", "2", "3"]
    assert world.run().result.statistics.changes == 0


def test_both_sides_may_change_between_plan_and_apply(world: World) -> None:
    """What the source says by then is for the next run; what somebody did at the destination is left and reported."""
    world.job(objects=[{"name": "people", "fields": [KEY, NAME, DEPT]}])
    plan = world.preview(keep_plan=True).result.plan_id
    world.write("1,Ann,Other", "2,Bob,F", "3,Cy,", "4,Dee,New")
    world.sql("UPDATE people SET dept = 'by hand' WHERE id IN (2, 9)")
    result = world.run("", plan=plan).result
    assert [(problem.key, problem.code) for problem in result.problems] == [
        (("2",), "moved_on"),
        (("9",), "moved_on"),
    ]
    assert world.people() == [(1, "Ann", "E"), (2, "Bob", "by hand"), (3, "Cy", None), (9, "Gone", "by hand")]
    assert (result.agreement, world.run().result.agreement) == ("different", "equal")
    assert world.people() == [(1, "Ann", "Other"), (2, "Bob", "F"), (3, "Cy", None), (4, "Dee", "New")]
