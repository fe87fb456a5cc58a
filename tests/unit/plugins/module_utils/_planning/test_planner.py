# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Completeness, Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    CancelledError,
    ConfigError,
    ProviderError,
    RecordError,
    SkipRecord,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import (
    FieldSpec,
    Limits,
    Password,
    Static,
    Trim,
    Unique,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, ObjectPlan
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import FieldInfo
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._planning.planner import plan_object
from ansible_collections.lockstep.sync.plugins.module_utils._planning.request import Incremental
from support.lists import ListProvider, Record, info_of
from support.mappings import copied, key, request_of, spec_of

NAMES = ("id", "name")
SPEC = spec_of(key(), copied("name"))
NUMBER = FieldInfo(name="id", kind="integer")
CASELESS = FieldInfo(name="id", case_sensitive=False)


def people(*rows: str | tuple[Value, ...], names: tuple[str, ...] = NAMES) -> list[Record]:
    """Give records; `1 Ann` is id and name."""
    return [dict(zip(names, row.split() if isinstance(row, str) else row, strict=True)) for row in rows]


def side(*rows: str | tuple[Value, ...], fields: tuple[str | FieldInfo, ...] = NAMES, **options: t.Any) -> ListProvider:
    names = tuple(each if isinstance(each, str) else each.name for each in fields)
    unique = options.pop("unique", ())
    return ListProvider(info=info_of(*fields, unique=unique), records=people(*rows, names=names), **options)


def held_of(plan: ObjectPlan) -> list[str]:
    return short([held.change for held in plan.held_changes])


def short(changes: t.Iterable[Change]) -> list[str]:
    """Give changes as `create 1`."""
    return [f"{change.action} {'+'.join(change.key)}" for change in changes]


def codes(plan: ObjectPlan) -> list[tuple[str, tuple[str, ...]]]:
    return [(problem.code, problem.key) for problem in plan.problems]


def counts(plan: ObjectPlan) -> dict[str, int]:
    return {name: count for name, count in plan.statistics.as_dict().items() if count}


# What makes each of the planner's ways through a batch be taken: everything as it is, a source that says its key is
# unique, a value that must be made canonical, a scope, and a key compared without case.
WAYS: dict[str, dict[str, t.Any]] = {
    "untouched": {},
    "unique": {"source": {"unique": ("id",)}},
    "prepared": {"destination": {"fields": (FieldInfo(name="id", max_length=20), "name")}},
    "scoped": {"when": lambda _record: True},
    "unique and scoped": {"source": {"unique": ("id",)}, "when": lambda _record: True},
    "caseless": {"destination": {"fields": (CASELESS, "name")}},
}


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def way(request: pytest.FixtureRequest) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", request.param)


def plan_both(
    source: list[str | tuple[Value, ...]],
    destination: list[str | tuple[Value, ...]],
    way: Mapping[str, t.Any] | None = None,
    **options: t.Any,
) -> ObjectPlan:
    way = way or {}
    options = ({"when": way["when"]} if "when" in way else {}) | options
    return plan_object(
        request_of(
            options.pop("spec", SPEC),
            side(*source, **way.get("source", {})),
            side(*destination, **way.get("destination", {})),
            **options,
        )
    )


# -- create, update, delete ----------------------------------------------------------------------------------------


def test_each_record_is_created_updated_deleted_or_left_as_it_is(way: dict[str, t.Any]) -> None:
    plan = plan_both(["1 Ann", "2 Bob", "4 Dan", "5 Eve"], ["1 Ann", "2 Rob", "3 Cid", "5 Eve"], way)
    assert short(plan.changes) == ["create 4", "update 2", "delete 3"]
    create, update, delete = plan.changes
    assert (create.before, create.after) == ({}, {"id": "4", "name": "Dan"})
    assert (update.before, update.after) == ({"id": "2", "name": "Rob"}, {"name": "Bob"})
    assert (delete.before, delete.after) == ({"id": "3", "name": "Cid"}, {})
    assert [change.number for change in plan.changes] == [1, 2, 3]
    assert counts(plan) == {
        "read": 4,
        "in_scope": 4,
        "matched": 3,
        "created": 1,
        "updated": 1,
        "deleted": 1,
        "unchanged": 2,
    }


def test_equal_sides_need_nothing_and_are_read_once(way: dict[str, t.Any]) -> None:
    rows: list[str | tuple[Value, ...]] = [f"{number} Ann" for number in range(10)]
    source, destination = side(*rows, **way.get("source", {})), side(*rows, **way.get("destination", {}))
    plan = plan_object(request_of(SPEC, source, destination, when=way.get("when")))
    assert counts(plan) == {"read": 10, "in_scope": 10, "matched": 10, "unchanged": 10}
    assert not plan.changes
    assert [kind for kind, _fields, _query in source.reads] == ["read"]
    assert [kind for kind, _fields, _query in destination.reads] == ["read"]


def test_only_the_differing_records_are_read_again() -> None:
    destination = side("1 Ann", "2 Rob", "3 Cid")
    plan_object(request_of(SPEC, side("1 Ann", "2 Bob"), destination))
    assert [kind for kind, _fields, _query in destination.reads] == ["read", "read_keys"]


def test_skip_is_what_happens_without_being_told_otherwise() -> None:
    spec = spec_of(key(), copied("name"), missing_at_destination="skip", missing_at_source="skip")
    plan = plan_both(["1 Ann", "2 Bob"], ["1 Rob", "3 Cid"], spec=spec)
    assert short(plan.changes) == ["update 1"]
    assert counts(plan) == {"read": 2, "in_scope": 2, "matched": 1, "updated": 1, "skipped": 1}


def test_a_destination_that_does_not_exist_yet_gets_everything_and_is_not_read() -> None:
    destination = ListProvider(info=info_of(exists=False), fail_after=0)
    plan = plan_object(request_of(spec_of(key(), copied("name", transform=(Unique(),))), side("1 Ann"), destination))
    assert short(plan.changes) == ["create 1"]
    assert destination.reads == []


def test_a_record_out_of_scope_is_gone_for_this_object() -> None:
    plan = plan_both(["1 Ann", "2 Bob"], ["1 Ann", "2 Bob"], when=lambda record: record["id"] == "1")
    assert short(plan.changes) == ["delete 2"]
    assert counts(plan) == {"read": 2, "in_scope": 1, "matched": 1, "unchanged": 1, "deleted": 1}


def test_numbers_of_changes_go_on_from_the_object_before() -> None:
    assert [change.number for change in plan_both(["1 Ann", "2 Bob"], [], first_number=7).changes] == [7, 8]


def test_the_target_says_where_to_write_and_what_is_mapped() -> None:
    target = plan_both(["1 Ann"], []).target
    assert (target.container, target.key_fields, target.fields, target.replace) == (None, ("id",), NAMES, False)


def test_keys_of_several_fields_match_as_a_whole(way: dict[str, t.Any]) -> None:
    spec = spec_of(key(), key("name"))
    plan = plan_both(["1 a", "1 b"], ["1 b", "2 a"], way, spec=spec)
    assert short(plan.changes) == ["create 1+a", "delete 2+a"]


def test_a_key_that_is_not_the_first_field_matches() -> None:
    spec = spec_of(copied("name"), key())
    plan = plan_both(["1 Ann", "2 Bob"], ["1 Rob"], spec=spec)
    assert short(plan.changes) == ["create 2", "update 1"]


def test_keys_are_compared_in_the_form_of_the_destination() -> None:
    source, destination = side("007 Ann", "8.0 Bob"), side("7 Ann", "8 Bob", fields=(NUMBER, "name"))
    assert counts(plan_object(request_of(SPEC, source, destination)))["unchanged"] == 2


def test_a_key_that_differs_in_case_only_is_the_same_record_where_the_system_says_so() -> None:
    source, destination = side("ann Ann", "BOB Bob"), side("ANN Ann", "bob Rob", fields=(CASELESS, "name"))
    plan = plan_object(request_of(SPEC, source, destination))
    assert short(plan.changes) == ["update bob"]
    assert plan.changes[0].after == {"name": "Bob"}
    assert [kind for kind, _fields, _query in destination.reads] == ["read", "read"]


def test_a_key_with_trailing_blanks_is_the_same_record_where_the_system_pads() -> None:
    padded = FieldInfo(name="id", trailing_blanks_count=False)
    source, destination = side(("ann ", "Ann")), side("ann Ann", fields=(padded, "name"))
    assert short(plan_object(request_of(SPEC, source, destination)).changes) == []


# -- what cannot be matched -----------------------------------------------------------------------------------------


def test_records_of_the_source_that_share_a_key_are_errors_and_nothing_happens_to_theirs() -> None:
    for ordered in (["1 Ann", "2 Bob", "1 Rob"], ["2 Bob", "1 Rob", "1 Ann"]):
        for present in ([], ["1 Ann"], ["1 Rob"], ["1 Other"]):
            plan = plan_both(list(ordered), list(present))
            assert short(plan.changes) == ["create 2"]
            assert codes(plan) == [("ambiguous", ("1",)), ("ambiguous", ("1",))]
            assert counts(plan) == {"read": 3, "in_scope": 3, "created": 1, "errors": 2}


def test_a_repeated_key_is_told_with_how_many_records_have_it() -> None:
    (problem, *_rest) = plan_both(["1 a", "1 b", "1 c", "1 d", "1 e"], []).problems
    assert problem.message == "5 source records have this key. Make the key unique, or use more key fields."


def test_a_key_that_the_destination_has_twice_is_an_error_and_none_of_them_is_touched(way: dict[str, t.Any]) -> None:
    plan = plan_both(["1 Ann", "2 Bob"], ["1 Rob", "1 Cid", "3 Dan", "3 Eve"], way)
    assert short(plan.changes) == ["create 2"]
    assert codes(plan) == [("ambiguous", ("1",))]
    assert plan.problems[0].message.startswith("2 records at the destination have this key. Make the key unique there")
    assert counts(plan) == {"read": 2, "in_scope": 2, "created": 1, "errors": 1}


def test_a_key_that_is_ambiguous_on_both_sides_is_one_error_for_each_record() -> None:
    plan = plan_both(["1 Ann", "1 Rob"], ["1 Cid", "1 Dan"])
    assert not plan.changes
    assert counts(plan) == {"read": 2, "in_scope": 2, "errors": 2}


@pytest.mark.parametrize("empty", [None, ""])
def test_a_source_record_without_a_key_is_an_error_and_nothing_is_believed_gone(
    way: dict[str, t.Any], empty: Value
) -> None:
    plan = plan_both(["1 Ann", (empty, "Bob")], ["1 Rob", "2 Bob"], way)
    assert short(plan.changes) == ["update 1"]
    assert codes(plan) == [("empty_key", ())]
    (held,) = plan.held
    assert (held.guard, held.count) == ("absence", 1)
    assert "1 source record has no key that can be read, and may stand for any of these" in held.message
    assert counts(plan) == {"read": 2, "in_scope": 2, "matched": 1, "updated": 1, "errors": 1}


def test_an_empty_part_of_a_combined_key_is_an_empty_key(way: dict[str, t.Any]) -> None:
    plan = plan_both(["1 a", ("1", None)], ["1 a", "1 b"], way, spec=spec_of(key(), key("name")))
    assert not plan.changes
    assert [held.guard for held in plan.held] == ["absence"]


@pytest.mark.parametrize("empty", [None, ""])
def test_destination_records_without_a_key_are_never_touched_and_told_once(way: dict[str, t.Any], empty: Value) -> None:
    plan = plan_both(["1 Ann"], ["1 Ann", (empty, "x"), (empty, "y")], way)
    assert not plan.changes
    assert codes(plan) == [("empty_key", ())]
    assert plan.problems[0].message.startswith("2 records at the destination have an empty key; they are never")
    assert counts(plan)["warnings"] == 1


# -- failing and skipped records ------------------------------------------------------------------------------------


def by_name(record: Mapping[str, Value]) -> Value:
    """Fail or skip by what the name says; otherwise copy it."""
    name = record["name"]
    if name == "fail":
        raise RecordError("the transform broke", field="name", code="transform")
    if name == "skip":
        raise SkipRecord("not yet")
    return name


@pytest.mark.parametrize("way_name", ["untouched", "unique", "prepared", "caseless"])
def test_a_failing_record_protects_its_destination_record(way_name: str) -> None:
    plan = plan_both(["1 fail", "2 Bob"], ["1 Ann", "2 Bob", "3 Cid"], WAYS[way_name], compute={"name": by_name})
    assert short(plan.changes) == ["delete 3"]
    assert codes(plan) == [("transform", ("1",))]
    assert plan.held == ()


@pytest.mark.parametrize("way_name", ["untouched", "unique", "prepared", "caseless"])
def test_a_skipped_record_protects_its_destination_record_and_tells_the_reason(way_name: str) -> None:
    plan = plan_both(["1 skip", "2 Bob"], ["1 Ann", "2 Bob", "3 Cid"], WAYS[way_name], compute={"name": by_name})
    assert short(plan.changes) == ["delete 3"]
    assert [(problem.level, problem.code, problem.message) for problem in plan.problems] == [
        ("info", "skipped", "not yet")
    ]
    assert counts(plan) == {"read": 2, "in_scope": 2, "matched": 1, "unchanged": 1, "skipped": 1, "deleted": 1}


@pytest.mark.parametrize("name", ["fail", "skip"])
def test_a_record_whose_scope_cannot_be_told_protects_its_destination_record(name: str) -> None:
    plan = plan_both([f"1 {name}"], ["1 Ann", "2 Bob"], when=lambda record: by_name(record) is not None)
    assert short(plan.changes) == ["delete 2"]


def test_a_value_that_does_not_fit_fails_its_record_only() -> None:
    destination = side("1 5", "2 6", fields=("id", FieldInfo(name="name", kind="integer")))
    plan = plan_object(request_of(SPEC, side("1 many", "2 7"), destination))
    assert short(plan.changes) == ["update 2"]
    assert codes(plan) == [("value", ("1",))]


@pytest.mark.parametrize("name", ["fail", "skip"])
def test_a_record_whose_key_cannot_be_read_makes_every_absence_doubtful(name: str) -> None:
    def make_key(record: Mapping[str, Value]) -> Value:
        by_name(record)
        return record["id"]

    plan = plan_both([f"1 {name}", "2 Bob"], ["1 Ann", "2 Bob"], compute={"id": make_key})
    assert not plan.changes
    assert [held.guard for held in plan.held] == ["absence"]
    assert plan.problems[0].key == ()


def test_a_skipped_record_with_an_empty_key_makes_every_absence_doubtful() -> None:
    plan = plan_both([(None, "skip"), "2 Bob"], ["1 Ann", "2 Bob"], compute={"name": by_name})
    assert not plan.changes
    assert [held.guard for held in plan.held] == ["absence"]


def test_a_key_that_does_not_fit_the_destination_makes_every_absence_doubtful() -> None:
    plan = plan_object(request_of(SPEC, side("one Ann"), side("1 Ann", fields=(NUMBER, "name"))))
    assert not plan.changes
    assert codes(plan) == [("value", ())]
    assert [held.guard for held in plan.held] == ["absence"]


@pytest.mark.parametrize("odd", ["fail", "skip"])
@pytest.mark.parametrize("present", [[], ["1 Ann"], ["1 Other"]])
@pytest.mark.parametrize("batch", [1, 10])
def test_a_record_that_shares_its_key_with_a_failing_one_is_ambiguous_in_any_order(
    odd: str, present: list[str | tuple[Value, ...]], batch: int
) -> None:
    for rows in ([f"1 {odd}", "1 Ann"], ["1 Ann", f"1 {odd}"]):
        source = side(*rows, batch=batch)
        plan = plan_object(request_of(SPEC, source, side(*present), compute={"name": by_name}))
        assert not plan.changes
        assert ("ambiguous", ("1",)) in codes(plan)
        statistics = plan.statistics
        assert statistics.in_scope == statistics.errors + statistics.skipped == 2
        assert statistics.matched == statistics.unchanged == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 1, 0)])
def test_three_records_with_one_key_are_three_errors(order: tuple[int, ...]) -> None:
    rows = ["1 Ann", "1 fail", "1 Rob"]
    source = side(*(rows[number] for number in order), batch=1)
    plan = plan_object(request_of(SPEC, source, side("1 Ann"), compute={"name": by_name}))
    assert not plan.changes
    assert counts(plan) == {"read": 3, "in_scope": 3, "errors": 3}


def test_two_failing_records_with_one_key_are_two_errors() -> None:
    plan = plan_both(["1 fail", "1 fail"], ["1 Ann"], compute={"name": by_name})
    assert codes(plan) == [("transform", ("1",)), ("transform", ("1",))]


# -- only some keys -------------------------------------------------------------------------------------------------


def wanted(*keys: str) -> frozenset[tuple[str, ...]]:
    return frozenset((each,) for each in keys)


def test_only_the_keys_asked_for_are_planned_and_nothing_is_deleted(way: dict[str, t.Any]) -> None:
    plan = plan_both(["1 Ann", "2 Bob", "3 Cid"], ["1 Rob", "2 Rob", "4 Dan"], way, wanted_keys=wanted("2", "3", "9"))
    assert short(plan.changes) == ["create 3", "update 2"]
    assert plan.missing_keys == {("9",)}
    assert plan.held == ()


@pytest.mark.parametrize("source_id", [NUMBER, "id"])
def test_a_key_asked_for_is_found_in_any_of_its_forms(source_id: FieldInfo | str) -> None:
    source = side("7 Ann", fields=(source_id, "name"))
    destination = side(fields=(NUMBER, "name"))
    plan = plan_object(request_of(SPEC, source, destination, wanted_keys=wanted("007", "none")))
    assert short(plan.changes) == ["create 7"]
    assert plan.missing_keys == {("none",)}


def test_a_key_asked_for_is_found_without_regard_to_case_where_the_system_does_so() -> None:
    plan = plan_both(["ann Ann"], [], WAYS["caseless"], wanted_keys=wanted("ANN"))
    assert (short(plan.changes), plan.missing_keys) == (["create ann"], frozenset())


def test_problems_of_other_records_do_not_matter_to_the_keys_asked_for() -> None:
    rows: list[str | tuple[Value, ...]] = ["1 fail", "2 skip", (None, "x"), (None, "fail"), (None, "skip"), "3 Cid"]
    plan = plan_both(rows, [], compute={"name": by_name}, wanted_keys=wanted("3"))
    assert short(plan.changes) == ["create 3"]
    assert plan.problems == ()


def test_problems_of_the_keys_asked_for_are_told_and_the_keys_are_not_missing() -> None:
    plan = plan_both(["1 fail", "2 skip"], [], compute={"name": by_name}, wanted_keys=wanted("1", "2"))
    assert codes(plan) == [("transform", ("1",)), ("skipped", ("2",))]
    assert plan.missing_keys == frozenset()


def test_a_key_asked_for_that_is_out_of_scope_is_missing() -> None:
    plan = plan_both(["1 Ann"], [], when=lambda _record: False, wanted_keys=wanted("1"))
    assert plan.missing_keys == {("1",)}


def test_a_repeated_key_asked_for_is_ambiguous() -> None:
    plan = plan_both(["1 Ann", "1 Rob", "2 Bob"], [], wanted_keys=wanted("1"))
    assert not plan.changes
    assert codes(plan) == [("ambiguous", ("1",))] * 2


def test_a_run_over_a_few_keys_is_not_held_for_the_size_of_the_source() -> None:
    plan = plan_both([], ["1 Ann"], wanted_keys=wanted("1"), limits=Limits())
    assert plan.held == ()


# -- guards ---------------------------------------------------------------------------------------------------------


def test_a_tripped_guard_holds_its_class_only_and_both_are_numbered_in_one_order() -> None:
    plan = plan_both(["1 Ann", "2 Bob"], ["1 Rob", "3 Cid"], limits=Limits(updates="0", deletes=None))
    assert short(plan.changes) == ["create 2", "delete 3"]
    assert held_of(plan) == ["update 1"]
    assert [change.number for change in plan.all_changes()] == [1, 2, 3]
    assert short(plan.all_changes()) == ["create 2", "update 1", "delete 3"]
    assert [held.guard for held in plan.held] == ["updates"]
    assert plan.statistics.updated == 0


def test_too_many_deletes_are_held_and_the_rest_goes_on() -> None:
    gone: list[str | tuple[Value, ...]] = [f"{number} x" for number in range(10, 40)]
    plan = plan_both(["1 Ann"], ["1 Rob", *gone], limits=Limits())
    assert short(plan.changes) == ["update 1"]
    assert len(plan.held_changes) == 30
    assert plan.statistics.deleted == 0


def test_the_share_of_deletes_counts_every_destination_record_with_a_key() -> None:
    rows: list[str | tuple[Value, ...]] = [f"{number} x" for number in range(20)]
    destination: list[str | tuple[Value, ...]] = [*rows, "a x", "b x", "b y", (None, "x")]
    plan = plan_both(rows, destination, limits=Limits(deletes="1%"))
    (held,) = plan.held
    assert "1 deletes (4.3 % of 23)" in held.message


def test_a_source_shorter_than_before_is_a_reason_to_doubt_leavers_not_joiners() -> None:
    limits = Limits(deletes=None, min_source_records="0", source_drop="20%")
    plan = plan_both(["1 Ann", "2 Bob"], ["1 Rob", "3 Cid"], limits=limits, previous_read=10)
    assert short(plan.changes) == ["create 2", "update 1"]
    assert held_of(plan) == ["delete 3"]


# -- proof of completeness ------------------------------------------------------------------------------------------

CUT = Completeness(proven=False, reason="the server's size limit was reached")


@pytest.mark.parametrize("which", ["source", "destination"])
def test_without_proof_of_a_complete_reading_nothing_is_believed_gone(which: str) -> None:
    source, destination = side("1 Ann", "2 Bob"), side("1 Rob", "3 Cid")
    (source if which == "source" else destination).completeness = CUT
    plan = plan_object(request_of(SPEC, source, destination))
    assert short(plan.changes) == ["create 2", "update 1"]
    (held,) = plan.held
    assert held.guard == "absence"
    assert f"the {which} is not proven complete: the server's size limit was reached" in held.message
    assert held.message.endswith("None of them was deleted.")


def test_doubt_without_anything_missing_holds_nothing() -> None:
    plan = plan_object(request_of(SPEC, side("1 Ann", completeness=CUT), side("1 Ann")))
    assert (plan.held, plan.held_changes) == ((), [])


def test_doubt_is_no_matter_where_nothing_would_be_deleted() -> None:
    spec = spec_of(key(), copied("name"), missing_at_source="skip")
    assert plan_object(request_of(spec, side("1 Ann", completeness=CUT), side("2 Bob"))).held == ()


@pytest.mark.parametrize("batches", [0, 1, 2])
@pytest.mark.parametrize("which", ["source", "destination"])
def test_a_reading_that_breaks_off_gives_no_plan_at_all(which: str, batches: int) -> None:
    source, destination = side("1 a", "2 b", "3 c", batch=2), side("4 d", "5 e", "6 f", batch=2)
    (source if which == "source" else destination).fail_after = batches
    with pytest.raises(ProviderError, match="the connection was lost"):
        plan_object(request_of(SPEC, source, destination))


def test_a_second_reading_that_breaks_off_gives_no_plan_at_all() -> None:
    destination = side("1 Ann", "2 Bob")

    def fail_from_now_on() -> None:
        destination.fail_after = 0

    destination.between = fail_from_now_on
    with pytest.raises(ProviderError, match="the connection was lost"):
        plan_object(request_of(SPEC, side("1 Rob"), destination))


def test_a_record_that_vanishes_between_the_readings_is_a_conflict_and_not_an_empty_update() -> None:
    destination = side("1 Ann", "2 Bob")
    destination.between = destination.records.clear
    plan = plan_object(request_of(SPEC, side("1 Rob", "2 Bob"), destination))
    assert not plan.changes
    assert codes(plan) == [("moved_on", ("1",))]
    assert counts(plan) == {"read": 2, "in_scope": 2, "matched": 2, "unchanged": 1, "conflicts": 1, "errors": 1}


def test_a_vanished_record_with_a_combined_key_is_named_by_all_its_parts() -> None:
    fields = ("id", "name", "mail")
    destination = side(("1", "Ann", "x"), fields=fields)
    destination.between = destination.records.clear
    spec = spec_of(key(), key("name"), copied("mail"))
    plan = plan_object(request_of(spec, side(("1", "Ann", "y"), fields=fields), destination))
    assert codes(plan) == [("moved_on", ("1", "Ann"))]


def test_a_record_that_became_equal_between_the_readings_is_unchanged() -> None:
    destination = side("1 Ann")
    destination.between = lambda: destination.records[0].update(name="Rob")
    assert counts(plan_object(request_of(SPEC, side("1 Rob"), destination))) == {
        "read": 1,
        "in_scope": 1,
        "matched": 1,
        "unchanged": 1,
    }


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_a_plan_can_be_stopped_between_any_two_batches(allowed: int) -> None:
    left = iter(range(allowed))

    def checkpoint(_records: int = 0, /) -> None:
        if next(left, None) is None:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        plan_object(request_of(SPEC, side("1 Ann"), side("1 Rob"), checkpoint=checkpoint))


# -- incremental ----------------------------------------------------------------------------------------------------

STAMPED = ("id", "name", "modified")


def plan_newer(*rows: tuple[Value, ...], present: list[str], since: str | None = "100", **options: t.Any) -> ObjectPlan:
    source = side(*rows, fields=STAMPED)
    incremental = Incremental(field="modified", since=since)
    spec = options.pop("spec", SPEC)
    return plan_object(request_of(spec, source, side(*present), incremental=incremental, **options))


def test_only_newer_records_are_looked_at_and_older_ones_are_not_taken_for_gone() -> None:
    plan = plan_newer(("1", "new", "100"), ("2", "new", "99"), present=["1 old", "2 old", "3 old"])
    assert short(plan.changes) == ["update 1", "delete 3"]
    assert counts(plan) == {"read": 2, "in_scope": 1, "matched": 1, "updated": 1, "deleted": 1}
    assert plan.mark == "100"


def test_an_old_record_without_a_key_makes_every_absence_doubtful() -> None:
    plan = plan_newer((None, "old", "1"), ("1", "x", "100"), present=["1 x", "2 y"])
    assert not plan.changes
    assert [held.guard for held in plan.held] == ["absence"]


@pytest.mark.parametrize("verdict", ["out", "fail"])
def test_an_old_record_without_a_key_matters_only_when_it_may_be_in_scope(verdict: str) -> None:
    def when(record: Mapping[str, Value]) -> bool:
        if record["name"] == "fail":
            raise RecordError("nobody knows")
        return record["name"] != "out"

    plan = plan_newer((None, verdict, "1"), ("1", "x", "100"), present=["1 x", "2 y"], when=when)
    assert bool(plan.changes) is (verdict == "out")


def test_an_old_record_whose_key_cannot_be_made_makes_every_absence_doubtful() -> None:
    def make_key(record: Mapping[str, Value]) -> Value:
        by_name(record)
        return record["id"]

    plan = plan_newer(("2", "fail", "1"), ("1", "x", "100"), present=["1 x", "2 y"], compute={"id": make_key})
    assert not plan.changes


@pytest.mark.parametrize("stamps", [("1", "100"), ("100", "1")])
def test_a_newer_record_that_shares_its_key_with_an_older_one_is_ambiguous_in_any_order(
    stamps: tuple[str, str],
) -> None:
    plan = plan_newer(("1", "a", stamps[0]), ("1", "b", stamps[1]), present=["1 c"])
    assert not plan.changes
    assert codes(plan) == [("ambiguous", ("1",))]
    assert counts(plan) == {"read": 2, "in_scope": 1, "errors": 1}


def test_the_source_is_told_the_mark_only_where_nothing_is_deduced_from_absence() -> None:
    for missing, hint in (("skip", ("modified", "100")), ("delete", None)):
        source = side(("1", "x", "100"), fields=STAMPED)
        spec = spec_of(key(), copied("name"), missing_at_source=missing)
        incremental = Incremental(field="modified", since="100")
        plan_object(request_of(spec, source, side(), incremental=incremental))
        ((_kind, fields, query),) = source.reads
        assert query.newer_than == hint
        assert fields == ("id", "name", "modified")


def test_the_mark_narrows_what_is_asked_for_and_widens_nothing() -> None:
    asked = Query(
        container="ou=people", subtree=False, filter="(l=Bern)", object_classes=("person",), class_filter="(sn=*)"
    )
    source = side(("1", "x", "100"), fields=STAMPED)
    request = request_of(
        spec_of(key(), missing_at_source="skip"),
        source,
        side(),
        incremental=Incremental(field="modified", since="100"),
    )
    plan_object(replace(request, source=replace(request.source, query=asked)))
    ((_kind, _fields, query),) = source.reads
    assert query == replace(asked, newer_than=("modified", "100"))


def test_a_source_that_left_out_older_records_is_not_judged_by_its_size() -> None:
    spec = spec_of(key(), copied("name"), missing_at_source="skip")
    assert plan_newer(present=["1 x"], spec=spec, limits=Limits()).held == ()
    assert plan_newer(present=["1 x"], spec=spec, limits=Limits(), since=None).held != ()


def test_time_stamps_that_cannot_be_used_are_told_once() -> None:
    plan = plan_newer(
        ("1", "x", "2099-01-01"), ("2", "x", None), ("3", "x", "soon"), present=["1 x", "2 x", "3 x"], since=None
    )
    assert [(problem.level, problem.code) for problem in plan.problems] == [
        ("warning", "future_time_stamp"),
        ("warning", "time_stamp"),
    ]
    assert "1 records have a 'modified' more than a day ahead" in plan.problems[0].message
    assert "2 records have a 'modified' that is empty or no time stamp" in plan.problems[1].message
    assert plan.mark is None


def test_a_full_run_has_no_mark() -> None:
    assert plan_both(["1 Ann"], []).mark is None


# -- unique values --------------------------------------------------------------------------------------------------

UNIQUE = spec_of(key(), copied("name", transform=(Unique(),)))


def test_a_taken_value_gets_a_number_and_the_next_run_changes_nothing() -> None:
    source, destination = side("1 ann", "2 ann", "3 Ann"), side("9 ann")
    spec = spec_of(key(), copied("name", transform=(Unique(),)), missing_at_source="skip")
    plan = plan_object(request_of(spec, source, destination))
    assert [change.after["name"] for change in plan.changes] == ["ann2", "ann3", "Ann4"]
    destination.writer(plan.target).apply(plan.changes)
    assert counts(plan_object(request_of(spec, source, destination))) == {
        "read": 3,
        "in_scope": 3,
        "matched": 3,
        "unchanged": 3,
    }


def test_a_changed_wish_is_made_unique_among_the_present_values() -> None:
    plan = plan_both(["1 bob", "2 bob"], ["1 ann", "2 bob"], spec=UNIQUE)
    assert short(plan.changes) == ["update 1"]
    assert plan.changes[0].after == {"name": "bob2"}


def test_a_rule_that_cannot_number_values_is_refused_with_object_and_field_before_anything_is_read() -> None:
    source, destination = side("1 ann"), side("1 bob")
    spec = spec_of(key(), copied("name", transform=(Unique(pattern="{n}"),)))
    with pytest.raises(ConfigError, match="object 'person', field 'name': unique: the pattern"):
        plan_object(request_of(spec, source, destination))
    assert source.reads == destination.reads == []


def test_no_wish_is_no_value() -> None:
    plan = plan_both([("1", None)], [], spec=UNIQUE)
    assert plan.changes[0].after == {"id": "1", "name": None}


@pytest.mark.parametrize("present", [["8 a", "1 x"], ["8 a"]])
def test_a_wish_that_cannot_be_made_unique_fails_its_record_only(present: list[str]) -> None:
    rule = Unique(pattern="{value}{n}", start=9, max_length=2)
    spec = spec_of(key(), copied("name", transform=(rule,)), missing_at_source="skip")
    taken = [f"{100 + number} a{number}" for number in range(9, 10)]
    plan = plan_both(["1 aa", "2 free"], [*present, *taken, "200 aa"], spec=spec)
    assert [problem.level for problem in plan.problems] == ["error"]
    assert plan.problems[0].key == ("1",)
    assert short(plan.changes) == ["create 2"]


# -- passwords, new_only, required ------------------------------------------------------------------------------------

PASSWORD_FIELD = FieldSpec(name="pw", transform=(Password(rule=PasswordRule()),))


@pytest.mark.parametrize("others", [(), (copied("name"),)])
def test_a_password_is_made_for_new_records_only_and_never_read(others: tuple[FieldSpec, ...]) -> None:
    names = ("id", "name", "pw")
    spec = spec_of(key(), *others, PASSWORD_FIELD)
    destination = side(("1", "Ann", "secret"), ("3", "Cid", "secret"), fields=names)
    plan = plan_object(request_of(spec, side("1 Ann", "2 Bob"), destination))
    assert short(plan.changes) == ["create 2", "delete 3"]
    assert plan.changes[0].after["pw"] == GeneratedPassword(rule=PasswordRule())
    assert "pw" not in plan.changes[1].before
    assert all("pw" not in fields for _kind, fields, _query in destination.reads)
    assert plan.statistics.unchanged == 1


def test_records_that_are_equal_but_for_their_password_are_not_read_again() -> None:
    destination = side(("1", "secret"), fields=("id", "pw"))
    plan_object(request_of(spec_of(key(), PASSWORD_FIELD), side("1 Ann"), destination))
    assert [kind for kind, _fields, _query in destination.reads] == ["read"]


def test_a_password_before_the_key_does_not_shift_it() -> None:
    destination = side(("secret", "1"), fields=("pw", "id"))
    plan = plan_object(request_of(spec_of(PASSWORD_FIELD, key()), side("2 Ann"), destination))
    assert short(plan.changes) == ["create 2", "delete 1"]


def test_new_only_fields_are_written_at_create_only() -> None:
    spec = spec_of(key(), copied("name", new_only=True))
    plan = plan_both(["1 Ann", "2 Bob"], ["1 Rob"], spec=spec)
    assert short(plan.changes) == ["create 2"]
    assert plan.statistics.unchanged == 1


def test_an_object_of_keys_only_compares_nothing_else() -> None:
    plan = plan_both(["1 Ann", "2 Bob"], ["1 x", "3 y"], spec=spec_of(key()))
    assert short(plan.changes) == ["create 2", "delete 3"]


def test_a_new_record_that_lacks_a_value_it_needs_is_an_error() -> None:
    needed = FieldInfo(name="name", kind="integer", nullable=False)
    spec = spec_of(key(), copied("name", when_empty="keep"))
    plan = plan_object(request_of(spec, side(("1", None), ("2", None)), side("1 5", fields=("id", needed))))
    assert not plan.changes
    assert codes(plan) == [("required", ("2",))]
    assert plan.statistics.unchanged == 1


def test_a_merge_that_cannot_be_done_fails_its_record_only() -> None:
    limited = FieldInfo(name="name", max_length=4)
    spec = spec_of(key(), copied("name", delimiter=";", values="merge"))
    plan = plan_object(request_of(spec, side("1 cc", "2 dd"), side("1 aa;b", "2 a", fields=("id", limited))))
    assert short(plan.changes) == ["update 2"]
    assert codes(plan) == [("value", ("1",))]


# -- a source that says its key is unique ----------------------------------------------------------------------------


def test_keys_that_become_equal_in_the_form_of_the_destination_are_ambiguous_though_unique_at_the_source() -> None:
    source = side("7 Ann", "07 Bob", unique=("id",))
    plan = plan_object(request_of(SPEC, source, side("7 Cid", fields=(NUMBER, "name"))))
    assert not plan.changes
    assert codes(plan) == [("ambiguous", ("7",))] * 2


def test_a_unique_key_of_more_fields_than_the_objects_key_promises_nothing() -> None:
    source = side("1 Ann", "1 Bob", unique=("id", "name"))
    plan = plan_object(request_of(SPEC, source, side("1 Cid")))
    assert not plan.changes
    assert codes(plan) == [("ambiguous", ("1",))] * 2


def test_a_unique_key_that_is_part_of_the_objects_key_is_a_promise() -> None:
    plan = plan_both(["1 a", "2 b"], ["1 a"], WAYS["unique"], spec=spec_of(key(), key("name")))
    assert short(plan.changes) == ["create 2+b"]


@pytest.mark.parametrize("made", ["computed", "transformed", "delimited"])
def test_a_key_that_is_made_on_the_way_is_watched_for_repeats_though_unique_at_the_source(made: str) -> None:
    options: dict[str, t.Any] = {"delimited": {"delimiter": ";"}, "transformed": {"transform": (Trim(),)}}
    spec = spec_of(
        FieldSpec(name="id", key=True, transform=(Static(text="1"),))
        if made == "computed"
        else key(**options.get(made, {})),
        copied("name"),
    )
    source = side("1 Ann", "2 Bob", unique=("id",))
    request = request_of(spec, source, side("1 Cid"), compute={"id": lambda _record: "1"}, source_fields=NAMES)
    plan = plan_object(request)
    assert not plan.changes
    assert codes(plan) == [("ambiguous", ("1",))] * 2
