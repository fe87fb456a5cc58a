# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import CancelledError, RecordError
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import FieldInfo
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._planning.index import (
    DestinationIndex,
    KeyReader,
    fold_accents,
    fold_case,
    fold_of,
    has_empty_part,
    read_index,
)
from support.lists import ListProvider, info_of

ONE = KeyReader(positions=(0,), folds=(None,))
TWO = KeyReader(positions=(0, 1), folds=(None, None))
CASELESS = KeyReader(positions=(0,), folds=(fold_case,))


def index_of(rows: list[tuple[Value, ...]], keys: KeyReader = ONE, *, unique: tuple[int, ...] = ()) -> DestinationIndex:
    names = ("a", "b")
    provider = ListProvider(info=info_of(*names), records=[dict(zip(names, row, strict=True)) for row in rows], batch=2)
    return read_index(lambda: provider.read(Query(), names), keys, None, unique, lambda _records=0: None)


def test_each_key_has_the_hash_of_its_record() -> None:
    index = index_of([("1", "x"), ("2", "y"), ("3", "z")])
    assert index.hashes == {"1": hash(("1", "x")), "2": hash(("2", "y")), "3": hash(("3", "z"))}
    assert (index.total, index.keyless, index.ambiguous) == (3, 0, {})


def test_only_the_compared_fields_are_hashed() -> None:
    provider = ListProvider(info=info_of("a", "b"), records=[{"a": "1", "b": "x"}])
    index = read_index(
        lambda: provider.read(Query(), ("a", "b")), ONE, lambda row: (row[1],), (), lambda _records=0: None
    )
    assert index.hashes == {"1": hash(("x",))}


def test_a_key_that_several_records_have_is_ambiguous_and_in_no_index() -> None:
    index = index_of([("1", "x"), ("2", "y"), ("1", "z"), ("1", "x")])
    assert set(index.hashes) == {"2"}
    assert index.ambiguous == {"1": 3}
    assert index.total == 4


def test_a_combined_key_is_ambiguous_only_as_a_whole() -> None:
    index = index_of([("1", "x"), ("1", "y"), ("1", "y")], TWO)
    assert set(index.hashes) == {("1", "x")}
    assert index.ambiguous == {("1", "y"): 2}


def test_keys_equal_for_the_system_are_ambiguous() -> None:
    index = index_of([("Ann", "x"), ("ANN ", "y"), ("bob", "z")], CASELESS)
    assert set(index.hashes) == {"bob"}
    assert index.ambiguous == {"ann": 2}


@pytest.mark.parametrize("empties", [[None], [""], [None, ""], [None, None], ["", "", None]])
def test_records_with_an_empty_key_are_counted_and_never_indexed(empties: list[Value]) -> None:
    index = index_of([("1", "x"), *((empty, "y") for empty in empties)])
    assert set(index.hashes) == {"1"}
    assert index.ambiguous == {}
    assert index.keyless == len(empties)


def test_a_combined_key_with_an_empty_part_is_an_empty_key() -> None:
    index = index_of([("1", None), ("1", None), ("", "x"), ("1", "x")], TWO)
    assert set(index.hashes) == {("1", "x")}
    assert (index.keyless, index.ambiguous) == (3, {})


def test_an_empty_destination_gives_an_empty_index() -> None:
    assert index_of([]) == DestinationIndex()


def test_values_that_must_be_unique_are_remembered() -> None:
    assert index_of([("1", "x"), ("2", "y")], unique=(1,)).taken == {1: {"x", "y"}}


@pytest.mark.parametrize("rows", [[("1", "x"), ("2", "x")], [("1", "x"), ("1", "x")]])
def test_a_run_can_be_stopped_in_every_sweep(rows: list[tuple[Value, ...]]) -> None:
    provider = ListProvider(info=info_of("a", "b"), records=[{"a": row[0], "b": row[1]} for row in rows], batch=1)
    allowed = iter(range(len(rows) - 1 if rows[0][0] != rows[1][0] else len(rows)))

    def checkpoint(_records: int = 0, /) -> None:
        if next(allowed, None) is None:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        read_index(lambda: provider.read(Query(), ("a", "b")), ONE, None, (), checkpoint)


def test_fields_compare_as_their_system_does() -> None:
    assert fold_of(FieldInfo(name="f")) is None
    assert fold_of(FieldInfo(name="f", case_sensitive=False)) is fold_case
    assert fold_of(FieldInfo(name="f", case_sensitive=False, accent_sensitive=False)) is fold_accents
    padded = fold_of(FieldInfo(name="f", trailing_blanks_count=False))
    assert padded is not None
    assert (padded("A "), padded(" A")) == ("A", " A")


def test_folding_takes_out_what_the_system_does_not_see() -> None:
    assert fold_case("Straße ") == fold_case("STRASSE")
    assert fold_case("é") != fold_case("e")
    assert fold_accents("Ém ") == fold_accents("em") == fold_accents("e\u0301M")


def test_only_the_parts_that_are_compared_without_case_are_folded() -> None:
    keys = KeyReader(positions=(0, 1), folds=(None, fold_case))
    assert keys.of_rows([("A", "B"), (None, None)]) == [("A", "b"), (None, None)]
    assert keys.of_row(("A", "B")) == ("A", "b")
    assert keys.of_key(("A", "B")) == ("A", "b")
    assert CASELESS.of_key(("A",)) == "a"
    assert CASELESS.fold(None) is None
    assert TWO.fold(("A", "B")) == ("A", "B")


def test_the_texts_of_a_key_are_not_folded() -> None:
    assert CASELESS.texts(("Ann", "x")) == ("Ann",)


@pytest.mark.parametrize("row", [(None, "x"), ("", "x"), ("1", None)])
def test_a_key_with_an_empty_part_is_an_error(row: tuple[Value, ...]) -> None:
    with pytest.raises(RecordError, match="the key is empty") as caught:
        TWO.texts(row)
    assert caught.value.reason_code == "empty_key"


def test_a_key_of_blanks_is_empty_where_the_system_does_not_see_them() -> None:
    assert ONE.texts((" ",)) == (" ",)
    with pytest.raises(RecordError, match="the key is empty"):
        CASELESS.texts((" ",))


@pytest.mark.parametrize("value", [b"raw", b"", ("a", "b")])
def test_a_key_that_is_not_one_text_is_an_error(value: Value) -> None:
    with pytest.raises(RecordError, match="a key is one text, got") as caught:
        ONE.texts((value,))
    assert caught.value.reason_code == "key"


def test_empty_parts_are_found_in_single_and_combined_keys() -> None:
    assert all(has_empty_part(key) for key in (None, "", (None, "x"), ("x", "")))
    assert not any(has_empty_part(key) for key in ("x", ("x", "y")))
