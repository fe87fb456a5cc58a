# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for any source and any destination."""

from __future__ import annotations

import random
import typing as t
from collections import Counter
from collections.abc import Mapping

from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import RecordError, SkipRecord
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import ObjectPlan
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import FieldInfo
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._planning.planner import plan_object
from ansible_collections.lockstep.sync.plugins.module_utils._planning.request import Incremental
from ansible_collections.lockstep.sync.plugins.module_utils._planning.sealing import change_to_json
from hypothesis import given
from hypothesis import strategies as st
from support.lists import ListProvider, Record, info_of
from support.mappings import NO_LIMITS, copied, key, request_of, spec_of

SPEC = spec_of(key(), copied("name"), copied("mail"))
VALUES = st.sampled_from([None, "", "a", "b", "ab"])
KEYS = st.text(alphabet="abAB ", min_size=1, max_size=2) | st.sampled_from([str(number) for number in range(12)])
# The first field of the destination decides which way the planner takes; case does not matter to the last one.
KEY_INFOS: tuple[FieldInfo | str, ...] = ("id", FieldInfo(name="id", max_length=9), FieldInfo(name="id"))
CASELESS = FieldInfo(name="id", case_sensitive=False)


def fold(text: str) -> str:
    return text.casefold().rstrip(" ")


@st.composite
def unique_records(draw: st.DrawFn) -> list[Record]:
    keys = draw(st.lists(KEYS.filter(str.strip), max_size=12, unique_by=fold))
    return [{"id": each, "name": draw(VALUES), "mail": draw(VALUES)} for each in keys]


ANY_KEY = st.none() | st.just("") | KEYS
ODD_NAMES = st.sampled_from([None, "", "a", "b", "fail", "skip", "key fails", "key skips"])


@st.composite
def any_records(draw: st.DrawFn, names: st.SearchStrategy[Value]) -> list[Record]:
    keys = draw(st.lists(ANY_KEY, max_size=10))
    stamp = st.sampled_from([None, "5", "10", "15"])
    return [{"id": each, "name": draw(names), "mail": draw(VALUES), "modified": draw(stamp)} for each in keys]


def copy(records: list[Record]) -> list[Record]:
    return [dict(record) for record in records]


def provider_of(records: list[Record], batch: int, id_info: FieldInfo | str = "id", *, unique: bool) -> ListProvider:
    info = info_of(id_info, "name", "mail", "extra", unique=("id",) if unique else ())
    return ListProvider(info=info, records=copy(records), batch=batch)


def mapped(records: list[Record], *, folded: bool) -> dict[str, tuple[Value, Value]]:
    return {
        fold(str(each["id"])) if folded else str(each["id"]): (each.get("name"), each.get("mail")) for each in records
    }


@given(
    source=unique_records(),
    destination=unique_records(),
    id_info=st.sampled_from([*KEY_INFOS, CASELESS]),
    unique=st.booleans(),
    batch=st.integers(1, 5),
    scoped=st.booleans(),
)
def test_applying_a_plan_makes_the_destination_as_the_source_and_the_next_plan_is_empty(
    source: list[Record],
    destination: list[Record],
    id_info: FieldInfo | str,
    unique: bool,
    batch: int,
    scoped: bool,
) -> None:
    folded = id_info is CASELESS
    for number, record in enumerate(destination):
        record["extra"] = str(number)
    extras = {(fold if folded else str)(str(each["id"])): each["extra"] for each in destination}
    one, other = provider_of(source, batch, unique=unique), provider_of(destination, batch, id_info, unique=False)
    request = request_of(SPEC, one, other, when=(lambda _record: True) if scoped else None)

    preview = plan_object(request)
    plan = plan_object(request)
    assert [change_to_json(each) for each in preview.changes] == [change_to_json(each) for each in plan.changes]
    outcomes = other.writer(plan.target).apply(plan.changes)

    assert {outcome.status for outcome in outcomes} <= {"done"}
    assert mapped(other.records, folded=folded) == mapped(source, folded=folded)
    for record in other.records:
        known = (fold if folded else str)(str(record["id"]))
        if "extra" in record:
            assert record["extra"] == extras[known], "a field that is not mapped was written"
    made = Counter(change.action for change in plan.changes)
    told = plan.statistics
    assert (told.created, told.updated, told.deleted) == (made["create"], made["update"], made["delete"])
    assert told.read == told.in_scope == len(source)
    assert told.matched == told.unchanged + told.updated
    assert told.in_scope == told.matched + told.created
    assert told.deleted == len(destination) - told.matched
    assert told.errors == told.conflicts == told.skipped == told.warnings == 0

    again = plan_object(request)
    assert (again.changes, again.statistics.unchanged) == ([], len(source))


def odd_name(record: Mapping[str, Value]) -> Value:
    if record["name"] == "fail":
        raise RecordError("fails")
    if record["name"] == "skip":
        raise SkipRecord("skips")
    return record["name"]


def odd_key(record: Mapping[str, Value]) -> Value:
    if record["name"] == "key fails":
        raise RecordError("the key fails")
    if record["name"] == "key skips":
        raise SkipRecord("the key skips")
    return record["id"]


def plan_odd(
    source: list[Record], destination: list[Record], *, caseless: bool, batch: int, delta: bool
) -> tuple[ObjectPlan, ListProvider]:
    one = ListProvider(info=info_of("id", "name", "mail", "modified"), records=copy(source), batch=batch)
    other = provider_of(destination, batch, CASELESS if caseless else "id", unique=False)
    incremental = Incremental(field="modified", since="10") if delta else None
    compute = {"name": odd_name, "id": odd_key}
    return plan_object(request_of(SPEC, one, other, compute=compute, incremental=incremental)), other


@given(
    source=any_records(ODD_NAMES),
    destination=any_records(VALUES),
    caseless=st.booleans(),
    batch=st.integers(1, 4),
    delta=st.booleans(),
    seed=st.integers(0, 9),
)
def test_no_record_whose_key_is_at_the_source_in_any_form_is_deleted(
    source: list[Record], destination: list[Record], caseless: bool, batch: int, delta: bool, seed: int
) -> None:
    plan, other = plan_odd(source, destination, caseless=caseless, batch=batch, delta=delta)
    form: t.Callable[[Value], str] = (lambda value: fold(str(value))) if caseless else str
    readable = [each for each in source if each["id"] and form(each["id"]) and not _key_breaks(each)]
    at_source = Counter(form(each["id"]) for each in readable)
    present = Counter(form(each["id"]) for each in destination if each["id"])
    unreadable = len(readable) < len(source)

    deleted = [form(change.key[0]) for change in plan.changes if change.action == "delete"]
    assert not set(deleted) & set(at_source)
    assert all(present[each] == 1 for each in deleted)
    if unreadable:
        assert not deleted
    else:
        assert set(deleted) == {each for each in present if present[each] == 1 and each not in at_source and each}
    for change in plan.changes:
        if change.action != "delete":
            assert at_source[form(change.key[0])] == 1, "one of several records with a key was chosen"
            assert present[form(change.key[0])] == (0 if change.action == "create" else 1)

    told = plan.statistics
    assert told.in_scope == told.unchanged + told.created + told.updated + told.skipped + told.errors
    assert told.matched == told.unchanged + told.updated
    assert told.read == len(source)

    outcomes = other.writer(plan.target).apply(plan.changes)
    assert all(outcome.status == "done" for outcome in outcomes)
    again, _other = plan_odd(source, other.records, caseless=caseless, batch=batch, delta=delta)
    assert again.changes == []

    shuffled = copy(source)
    random.Random(seed).shuffle(shuffled)
    moved, _other = plan_odd(shuffled, destination, caseless=caseless, batch=batch, delta=delta)
    assert sorted(map(str, map(_content, moved.changes))) == sorted(map(str, map(_content, plan.changes)))
    assert moved.statistics == plan.statistics


def _key_breaks(record: Record) -> bool:
    return record["name"] in ("key fails", "key skips")


def _content(change: t.Any) -> tuple[t.Any, ...]:
    return change.action, change.key, dict(change.before), dict(change.after)


@given(source=unique_records(), destination=unique_records(), chosen=st.sets(KEYS, max_size=4), batch=st.integers(1, 4))
def test_a_run_over_some_keys_makes_exactly_their_part_of_the_whole_plan(
    source: list[Record], destination: list[Record], chosen: set[str], batch: int
) -> None:
    one, other = provider_of(source, batch, unique=False), provider_of(destination, batch, unique=False)
    whole = plan_object(request_of(SPEC, one, other, limits=NO_LIMITS))
    part = plan_object(request_of(SPEC, one, other, wanted_keys=frozenset((each,) for each in chosen)))
    assert [_content(each) for each in part.changes] == [
        _content(each) for each in whole.changes if each.key[0] in chosen and each.action != "delete"
    ]
    assert part.missing_keys == {(each,) for each in chosen} - {(str(record["id"]),) for record in source}
