# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sqlite3
import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import Journal, read_journal
from ansible_collections.lockstep.sync.plugins.module_utils._execution.looking import Destination
from ansible_collections.lockstep.sync.plugins.module_utils._execution.recovery import read_plan_file, settle_changes
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Provider, Query, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    DONE,
    Action,
    Change,
    ObjectPlan,
    Outcome,
    Plan,
    PlannedValue,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import AppliedChange, Statistics
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._planning.sealing import seal
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider
from support.lists import ListProvider, info_of

FIELDS = ("id", "name")
PASSWORD = GeneratedPassword(rule=PasswordRule())
AFTER: dict[Action, t.Callable[[str, str | None], dict[str, PlannedValue]]] = {
    "create": lambda key, name: {"id": key, "name": name, "pw": PASSWORD},
    "update": lambda _key, name: {"name": name},
    "delete": lambda _key, _name: {},
}


def change(number: int, action: Action, key: str, before: str | None = None, after: str | None = None) -> Change:
    return Change(
        number=number,
        object="person",
        action=action,
        key=(key,),
        before={} if action == "create" else {"id": key, "name": before},
        after=AFTER[action](key, after),
    )


CHANGES = (
    change(1, "create", "1", after="Ann"),
    change(2, "create", "2", after="Bob"),
    change(3, "update", "3", "Old", "New"),
    change(4, "update", "4", "Old", "New"),
    change(5, "delete", "5", "Old"),
    change(6, "delete", "6", "Old"),
)


class Ruins:
    """What a killed run leaves behind."""

    def __init__(self, folder: Path, changes: tuple[Change, ...] = CHANGES) -> None:
        self.changes = changes
        self.plan_file, self.journal_file = folder / "plan", folder / "journal"
        part = ObjectPlan(
            name="person",
            target=WriteTarget(container=None, key_fields=("id",), fields=FIELDS),
            changes=changes,
            held_changes=(),
            held=(),
            problems=(),
            statistics=Statistics(),
        )
        pieces: list[str] = []
        seal(Plan(job="hr", definition_digest="m", objects=(part,)), pieces.append)
        self.plan_file.write_text("".join(pieces), encoding="utf-8")
        self.asked: list[str] = []

    def journal(self, *, done: t.Sequence[int] = (), doubtful: t.Sequence[int] = ()) -> None:
        journal = Journal(self.journal_file)
        settled = [each for each in self.changes if each.number in done]
        journal.begin(settled)
        journal.end(settled, [DONE] * len(settled))
        journal.begin([each for each in self.changes if each.number in doubtful])
        journal.close()

    def settle(self, provider: Provider, query: Query | None = None) -> list[AppliedChange]:
        def destination_of(name: str) -> Destination:
            self.asked.append(name)
            return Destination(provider=provider, query=query or Query(), key_fields=("id",), fields=FIELDS)

        return settle_changes(read_plan_file(self.plan_file), read_journal(self.journal_file), destination_of)


@pytest.fixture
def ruins(tmp_path: Path) -> Ruins:
    return Ruins(tmp_path)


def codes(applied: list[AppliedChange]) -> list[tuple[int, str, str]]:
    return [
        (each.change.number, each.outcome.status, each.outcome.code) for each in applied if each.outcome is not None
    ]


def table(*records: tuple[str, str | None]) -> ListProvider:
    rows = [dict(zip(FIELDS, record, strict=True)) for record in records]
    return ListProvider(info=info_of(*FIELDS), records=t.cast("t.Any", rows))


def csv_file(folder: Path, *records: tuple[str, str | None]) -> tuple[Provider, Query]:
    path = folder / "people.csv"
    text = "".join(f"{number},{name or ''}\n" for number, name in [("id", "name"), *records])
    path.write_text(text, encoding="utf-8")
    return open_provider(ProviderSpec(name="people", type="csv", options={"path": str(path)}), {}), Query()


def sqlite_table(folder: Path, *records: tuple[str, str | None]) -> tuple[Provider, Query]:
    path = folder / "people.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE people (id VARCHAR(20) PRIMARY KEY, name VARCHAR(20))")
    connection.executemany("INSERT INTO people VALUES (?, ?)", records)
    connection.commit()
    connection.close()
    provider = open_provider(ProviderSpec(name="people", type="sql", options={"url": f"sqlite:///{path}"}), {})
    return provider, Query(container="people")


@pytest.mark.parametrize("make", [csv_file, sqlite_table])
def test_what_is_in_doubt_the_destination_says(
    ruins: Ruins, tmp_path: Path, make: t.Callable[..., tuple[Provider, Query]]
) -> None:
    ruins.journal(done=[1], doubtful=[2, 3, 4, 5, 6])
    provider, query = make(tmp_path, ("2", "Bob"), ("3", "New"), ("4", "Old"), ("6", "Old"), ("None", "x"))
    applied = ruins.settle(provider, query)
    provider.close()
    assert codes(applied) == [
        (1, "done", ""),
        (2, "done", "recovered"),
        (3, "done", "recovered"),
        (4, "skipped", "interrupted"),
        (5, "done", "recovered"),
        (6, "skipped", "interrupted"),
    ]
    assert [each.change for each in applied] == list(CHANGES)


def test_a_create_that_never_came_is_not_done(ruins: Ruins) -> None:
    ruins.journal(doubtful=[1, 2])
    assert codes(ruins.settle(table(("2", "Bob"))))[:2] == [(1, "skipped", "interrupted"), (2, "done", "recovered")]


def test_an_update_whose_record_is_gone_is_not_done(ruins: Ruins) -> None:
    ruins.journal(doubtful=[3])
    assert codes(ruins.settle(table()))[2] == (3, "skipped", "interrupted")


def test_a_record_that_somebody_else_changed_is_told_as_such(ruins: Ruins) -> None:
    ruins.journal(doubtful=[1, 3])
    outcomes = codes(ruins.settle(table(("1", "Other"), ("3", "Other"))))
    assert outcomes[0] == (1, "skipped", "exists")
    assert outcomes[2] == (3, "skipped", "moved_on")


def test_a_destination_that_was_never_made_holds_nothing(ruins: Ruins, tmp_path: Path) -> None:
    ruins.journal(doubtful=[1])
    options = {"path": str(tmp_path / "never made.csv")}
    provider = open_provider(ProviderSpec(name="people", type="csv", options=options), {})
    assert codes(ruins.settle(provider))[0] == (1, "skipped", "interrupted")


def test_what_the_journal_never_mentions_was_not_done(ruins: Ruins) -> None:
    assert {code for _number, _status, code in codes(ruins.settle(table()))} == {"interrupted"}
    assert ruins.asked == []


def test_outcomes_that_the_journal_knows_are_kept_and_nobody_is_asked(ruins: Ruins) -> None:
    journal = Journal(ruins.journal_file)
    failed = Outcome(status="failed", code="constraint", message="refused")
    journal.begin(CHANGES[:1])
    journal.end(CHANGES[:1], [failed])
    journal.close()
    assert ruins.settle(table())[0].outcome == failed
    assert ruins.asked == []


def test_records_that_were_not_asked_for_do_not_matter(ruins: Ruins) -> None:
    ruins.journal(doubtful=[5, 6])
    provider = table(("5", "Old"))
    provider.records.append({"id": None, "name": "Old"})
    provider.generous = True
    assert codes(ruins.settle(provider))[4:] == [(5, "skipped", "interrupted"), (6, "done", "recovered")]
    assert provider.released == 1


def test_a_destination_that_cannot_be_read_settles_nothing(ruins: Ruins) -> None:
    ruins.journal(doubtful=[1])
    provider = table(("1", "Ann"))
    provider.fail_after = 0
    with pytest.raises(ProviderError):
        ruins.settle(provider)


def test_a_plan_file_that_is_gone_is_an_error(ruins: Ruins) -> None:
    ruins.plan_file.unlink()
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        ruins.settle(table())


@pytest.mark.parametrize(("old", "new"), [(b"Bob", b"Rob"), (b"Bob", b"\xff"), (b'"digest"', b'"digests"')])
def test_nothing_of_a_damaged_plan_file_is_used(ruins: Ruins, old: bytes, new: bytes) -> None:
    ruins.plan_file.write_bytes(ruins.plan_file.read_bytes().replace(old, new))
    with pytest.raises(StoreError):
        ruins.settle(table())
    assert ruins.asked == []


def test_a_damaged_journal_settles_nothing(ruins: Ruins) -> None:
    ruins.journal_file.write_text("damage\n", encoding="utf-8")
    with pytest.raises(StoreError, match="is damaged"):
        ruins.settle(table())


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("b", "c"), ("done", "recovered")),
        (("c", "z"), ("done", "recovered")),
        (("a", "b"), ("skipped", "interrupted")),
        (("a", "c"), ("skipped", "interrupted")),
        ("b", ("skipped", "interrupted")),
        (None, ("skipped", "interrupted")),
    ],
)
def test_added_and_removed_values_are_done_when_they_are_there_and_gone(
    tags: Value, expected: tuple[str, str], tmp_path: Path
) -> None:
    swap = ValueChanges(added=("c",), removed=("a",))
    planned = Change(
        number=1,
        object="person",
        action="update",
        key=("1",),
        before={"id": "1", "name": ("a", "b")},
        after={"name": swap},
    )
    ruins = Ruins(tmp_path, (planned,))
    ruins.journal(doubtful=[1])
    provider = ListProvider(info=info_of(*FIELDS), records=[{"id": "1", "name": tags}])
    (applied,) = ruins.settle(provider)
    assert applied.outcome is not None
    assert (applied.outcome.status, applied.outcome.code) == expected
    assert applied.change == planned
