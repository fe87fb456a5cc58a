# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How others lost data, each shown not to happen here. The sources are real CSV files."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Completeness, Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import LockstepError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Limits, ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import ObjectPlan
from ansible_collections.lockstep.sync.plugins.module_utils._planning.planner import plan_object
from ansible_collections.lockstep.sync.plugins.module_utils._planning.request import (
    Incremental,
    ObjectRequest,
    Side,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider
from support.lists import ListProvider, Record, info_of
from support.mappings import NOW, HandMapping, copied, key, request_of, spec_of

SPEC = spec_of(key(), copied("name"))
HEADER = "id,name\n"
STANDARD = Limits()


def lines(*numbers: int) -> str:
    return "".join(f"{number},Name {number}\n" for number in numbers)


def table(*numbers: int, **options: t.Any) -> ListProvider:
    records: list[Record] = [{"id": str(number), "name": f"Name {number}"} for number in numbers]
    return ListProvider(info=info_of("id", "name"), records=records, **options)


def plan_csv(folder: Path, content: str | bytes, destination: ListProvider, **options: t.Any) -> ObjectPlan:
    path = folder / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    provider = open_provider(ProviderSpec(name="people", type="csv", options={"path": str(path)}), {})
    try:
        info = provider.describe_container(Query())
        chosen: dict[str, t.Any] = {"limits": STANDARD, "checkpoint": lambda _records=0: None, "now": NOW} | options
        return plan_object(
            ObjectRequest(
                spec=SPEC,
                mapping=HandMapping(spec=SPEC, source_fields=("id", "name")),
                source=Side(provider=provider, query=Query(), info=info),
                destination=Side(provider=destination, query=Query(), info=destination.info),
                **chosen,
            )
        )
    finally:
        provider.close()


def deletes(plan: ObjectPlan) -> list[str]:
    return [change.key[0] for change in plan.changes if change.action == "delete"]


def test_a_person_who_really_left_is_deleted(tmp_path: Path) -> None:
    """The other tests would prove nothing if deletes never happened."""
    assert deletes(plan_csv(tmp_path, HEADER + lines(*range(20)), table(*range(21)))) == ["20"]


@pytest.mark.parametrize("batches", range(4))
def test_a_source_that_breaks_off_while_it_is_read_is_not_taken_for_people_who_left(batches: int) -> None:
    source = table(*range(9), batch=3, fail_after=batches)
    with pytest.raises(ProviderError, match="the connection was lost"):
        plan_object(request_of(SPEC, source, table(*range(30))))


@pytest.mark.parametrize("reason", ["size limit exceeded", "time limit exceeded", "a referral was not followed"])
def test_a_reading_that_met_a_limit_is_not_taken_for_people_who_left(reason: str) -> None:
    source = table(1, 2, completeness=Completeness(proven=False, reason=reason))
    plan = plan_object(request_of(SPEC, source, table(1, 2, 3)))
    assert deletes(plan) == []
    assert reason in plan.held[0].message


def test_an_empty_source_file_wipes_nothing(tmp_path: Path) -> None:
    with pytest.raises(LockstepError, match="is empty"):
        plan_csv(tmp_path, "", table(1, 2, 3))


def test_a_source_file_of_nothing_but_its_header_wipes_nothing(tmp_path: Path) -> None:
    plan = plan_csv(tmp_path, HEADER, table(1, 2, 3))
    assert (deletes(plan), len(plan.held_changes)) == ([], 3)
    assert [held.guard for held in plan.held] == ["min_source_records"]


@pytest.mark.parametrize("missing", range(1, 20))
def test_a_source_file_cut_anywhere_deletes_nobody_who_was_cut_off(tmp_path: Path, missing: int) -> None:
    cut = (HEADER + lines(*range(10)))[:-missing]
    # Cut between two lines nothing in the file tells; the guard on the source's size is for that.
    guarded = Limits(deletes=None, source_drop="1%" if cut.endswith("\n") else None)
    if "," not in cut.splitlines()[-1]:
        with pytest.raises(ProviderError, match="the row has 1 field, the header has 2"):
            plan_csv(tmp_path, cut, table(*range(10)), limits=guarded)
        return
    plan = plan_csv(tmp_path, cut, table(*range(10)), limits=guarded, previous_read=10)
    assert deletes(plan) == []
    left = len(cut.splitlines()) - 1
    assert bool(plan.held) is (left < 10)


def test_a_source_file_cut_within_quotes_gives_no_plan(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="a quote is still open"):
        plan_csv(tmp_path, HEADER + '1,"Name 1"\n2,"Na', table(1, 2, 3))


def test_a_column_that_is_gone_gives_no_plan(tmp_path: Path) -> None:
    with pytest.raises(LockstepError, match="there is no field 'name'"):
        plan_csv(tmp_path, "id,first\n1,Ann\n", table(1, 2, 3))


@pytest.mark.parametrize("content", [b"id,name\n1,Ann\n2\n", b"id,name\n1,Ann\n\xff\xfe,x\n", b"id,name\n1,A\0\n"])
def test_a_damaged_source_file_gives_no_plan(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ProviderError):
        plan_csv(tmp_path, content, table(1, 2, 3))


def test_a_destination_read_in_part_is_no_reason_to_delete() -> None:
    destination = table(1, 2, 3, completeness=Completeness(proven=False, reason="it was cut"))
    assert deletes(plan_object(request_of(SPEC, table(1), destination))) == []


def test_most_people_gone_at_once_are_held_and_joiners_still_come(tmp_path: Path) -> None:
    plan = plan_csv(tmp_path, HEADER + lines(1, 100), table(*range(44)))
    assert [change.action for change in plan.changes] == ["create"]
    assert len(plan.held_changes) == 43
    (held,) = plan.held
    assert (held.guard, held.count, held.limit) == ("deletes", 43, "10% above 10")


def test_a_fixed_number_does_not_protect_a_small_system_but_the_share_does(tmp_path: Path) -> None:
    forgiving = plan_csv(tmp_path, HEADER + lines(1), table(*range(1, 45)), limits=Limits(deletes="500"))
    assert len(deletes(forgiving)) == 43
    assert deletes(plan_csv(tmp_path, HEADER + lines(1), table(*range(1, 45)))) == []


def test_what_is_held_is_listed_record_by_record(tmp_path: Path) -> None:
    plan = plan_csv(tmp_path, HEADER + lines(1), table(1, 2, 3), limits=Limits(deletes="0"))
    assert [(held.change.key, held.change.before) for held in plan.held_changes] == [
        (("2",), {"id": "2", "name": "Name 2"}),
        (("3",), {"id": "3", "name": "Name 3"}),
    ]


def test_a_delta_never_proves_absence() -> None:
    fields = info_of("id", "name", "modified")
    source = ListProvider(info=fields, records=[{"id": "1", "name": "Name 1", "modified": "5"}])
    incremental = Incremental(field="modified", since="10")
    assert deletes(plan_object(request_of(SPEC, source, table(1), incremental=incremental))) == []


def test_records_of_the_same_load_are_never_deleted_by_it() -> None:
    source, destination = table(*range(10), batch=2), table(batch=2)
    for _run in range(3):
        plan = plan_object(request_of(SPEC, source, destination))
        assert deletes(plan) == []
        destination.writer(plan.target).apply(plan.changes)
    assert len(destination.records) == 10


def test_a_set_of_values_is_never_written_back_shorter_when_merged() -> None:
    spec = spec_of(key(), copied("name", delimiter=";", values="merge"))
    destination = ListProvider(info=info_of("id", "name"), records=[{"id": "1", "name": "a;b;c"}])
    source = ListProvider(info=info_of("id", "name"), records=[{"id": "1", "name": "d"}])
    (change,) = plan_object(request_of(spec, source, destination)).changes
    assert change.after == {"name": "a;b;c;d"}


def test_creates_come_first_and_deletes_last() -> None:
    source = ListProvider(
        info=info_of("id", "name"), records=[{"id": "9", "name": "new"}, {"id": "1", "name": "changed"}]
    )
    plan = plan_object(request_of(SPEC, source, table(0, 1)))
    assert [change.action for change in plan.changes] == ["create", "update", "delete"]


def test_names_that_differ_in_case_only_are_not_deleted_and_made_again() -> None:
    fields = ("id", "name")
    info = info_of(*fields)
    caseless = info_of(
        *(each if each.name != "id" else type(each)(name="id", case_sensitive=False) for each in info.fields)
    )
    source = ListProvider(info=info, records=[{"id": "ANN", "name": "x"}])
    destination = ListProvider(info=caseless, records=[{"id": "ann", "name": "x"}])
    assert plan_object(request_of(SPEC, source, destination)).changes == []


def test_numbers_written_in_another_way_are_not_deleted_and_made_again() -> None:
    info = info_of("id", "name")
    number = info_of(type(info.fields[0])(name="id", kind="integer"), "name")
    source = ListProvider(info=info, records=[{"id": "007", "name": "x"}, {"id": "8.0", "name": "x"}])
    destination = ListProvider(info=number, records=[{"id": "7", "name": "x"}, {"id": "8", "name": "x"}])
    assert plan_object(request_of(SPEC, source, destination)).changes == []


def test_a_plan_lists_every_change_with_before_and_after() -> None:
    source = ListProvider(info=info_of("id", "name"), records=[{"id": "1", "name": "new"}])
    (change,) = plan_object(request_of(SPEC, source, table(1))).changes
    assert (change.before, change.after) == ({"id": "1", "name": "Name 1"}, {"name": "new"})


def test_a_run_without_changes_reads_each_side_once_whatever_its_size() -> None:
    for size in (10, 1000):
        source, destination = table(*range(size), batch=100), table(*range(size), batch=100)
        plan_object(request_of(SPEC, source, destination))
        assert (len(source.reads), len(destination.reads)) == (1, 1)
