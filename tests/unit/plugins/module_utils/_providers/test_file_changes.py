# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes are worked out in memory before a file is touched."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, Outcome
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.file_changes import (
    failed,
    fold_changes,
    refuse_values,
)
from hypothesis import given
from hypothesis import strategies as st

FIELDS = ("id", "name")


def accept(_change: Change) -> Outcome | None:
    return None


def create(key: str, name: str | None) -> Change:
    return Change(number=1, object="row", action="create", key=(key,), before={}, after={"id": key, "name": name})


def update(key: str, old: str | None, new: str | None) -> Change:
    before: dict[str, Value] = {"id": key, "name": old}
    return Change(number=1, object="row", action="update", key=(key,), before=before, after={"name": new})


def delete(key: str, old: str | None) -> Change:
    return Change(number=1, object="row", action="delete", key=(key,), before={"id": key, "name": old}, after={})


def test_each_kind_of_change_is_sorted_out() -> None:
    found = {("1",): [{"id": "1", "name": "a"}], ("2",): [{"id": "2", "name": "b"}]}
    folded = fold_changes([update("1", "a", "A"), delete("2", "b"), create("3", "c")], found, FIELDS, accept)
    assert folded.updated == {("1",): {"name": "A"}}
    assert folded.deleted == {("2",)}
    assert folded.created == {("3",): {"id": "3", "name": "c"}}
    assert [outcome.status for outcome in folded.outcomes] == ["done"] * 3


def test_several_changes_of_one_record_follow_each_other() -> None:
    found = {("1",): [{"id": "1", "name": "a"}]}
    changes = [update("1", "a", "b"), update("1", "b", "c"), create("2", "x"), delete("2", "x"), create("2", "y")]
    folded = fold_changes(changes, found, FIELDS, accept)
    assert folded.updated == {("1",): {"name": "c"}}
    assert folded.created == {("2",): {"id": "2", "name": "y"}}
    assert [outcome.status for outcome in folded.outcomes] == ["done"] * 5


def refuse_b(change: Change) -> Outcome | None:
    return refuse_values(change, lambda name, value: failed("type", name) if value == "b" else None)


@given(
    st.lists(st.tuples(st.sampled_from(["create", "update", "delete"]), st.sampled_from("123"), st.sampled_from("abc")))
    | st.lists(st.tuples(st.just("create"), st.integers(1, 2000).map(str), st.sampled_from("abc")), min_size=1)
)
def test_looking_at_many_values_together_changes_no_outcome(plan: list[tuple[str, str, str]]) -> None:
    make = {
        "create": create,
        "update": lambda key, name: update(key, "a", name),
        "delete": delete,
    }
    changes = [make[action](key, name) for action, key, name in plan]
    together = fold_changes(changes, {}, FIELDS, refuse_b, lambda values: "b" not in list(values))
    assert together == fold_changes(changes, {}, FIELDS, refuse_b)
    assert list(together.created) == list(fold_changes(changes, {}, FIELDS, refuse_b).created)


def test_only_the_record_that_does_not_fit_is_refused_of_many() -> None:
    changes = [create(str(number), "b" if number == 700 else "a") for number in range(1200)]
    folded = fold_changes(changes, {}, FIELDS, refuse_b, lambda values: "b" not in list(values))
    assert [number for number, outcome in enumerate(folded.outcomes) if outcome.status == "failed"] == [700]
    assert ("700",) not in folded.created
    assert len(folded.created) == 1199


def test_nothing_remains_when_changes_cancel_each_other() -> None:
    found = {("1",): [{"id": "1", "name": "a"}]}
    assert fold_changes([update("1", "a", "b"), update("1", "b", "a")], found, FIELDS, accept).is_empty
    assert fold_changes([create("2", "x"), delete("2", "x")], {}, FIELDS, accept).is_empty


def test_empty_text_and_nothing_are_the_same_in_a_file() -> None:
    found = {("1",): [{"id": "1", "name": ""}]}
    folded = fold_changes([update("1", None, "")], found, FIELDS, accept)
    assert folded.is_empty
    assert folded.outcomes[0].status == "done"


def test_a_key_that_two_records_have_is_ambiguous() -> None:
    found = {("1",): [{"id": "1", "name": "a"}, {"id": "1", "name": "b"}]}
    folded = fold_changes([update("1", "a", "b"), create("1", "c"), delete("1", "a")], found, FIELDS, accept)
    assert folded.is_empty
    assert [(outcome.status, outcome.code) for outcome in folded.outcomes] == [("failed", "ambiguous")] * 3
    assert "2 records have the key 1" in folded.outcomes[0].message


def test_a_refused_change_stops_no_other() -> None:
    def refuse(change: Change) -> Outcome | None:
        return refuse_values(change, lambda field, value: failed("bad", field) if value == "BAD" else None)

    folded = fold_changes([create("1", "BAD"), create("2", "good"), delete("3", None)], {}, FIELDS, refuse)
    assert list(folded.created) == [("2",)]
    assert [outcome.code for outcome in folded.outcomes] == ["bad", "", "gone"]


texts = st.one_of(st.none(), st.sampled_from("abc"))
records = st.dictionaries(st.sampled_from("12345"), texts)


@given(records, records)
def test_applying_the_difference_of_two_files_gives_the_second_one(
    old: dict[str, str | None], new: dict[str, str | None]
) -> None:
    changes = [create(key, new[key]) for key in new if key not in old]
    changes += [update(key, old[key], new[key]) for key in new if key in old and old[key] != new[key]]
    changes += [delete(key, old[key]) for key in old if key not in new]
    found = {(key,): [{"id": key, "name": name}] for key, name in old.items()}
    folded = fold_changes(changes, found, FIELDS, accept)
    assert all(outcome.status == "done" for outcome in folded.outcomes)
    result: dict[str, Value] = {key: name for key, name in old.items() if (key,) not in folded.deleted}
    for place in (folded.updated, folded.created):
        result.update({key[0]: record["name"] for key, record in place.items()})
    assert result == new
    after = {(key,): [{"id": key, "name": name}] for key, name in new.items()}
    assert fold_changes(changes, after, FIELDS, accept).is_empty
