# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every provider must do, whatever system is behind it.

A provider's test file subclasses `ProviderConformance` and gives a fixture `box`: one real system with one container
that can be made and looked at without the provider.

    class TestCsv(ProviderConformance):
        @pytest.fixture
        def box(self, tmp_path): return CsvBox(tmp_path)
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Provider, Query, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change, Outcome
from ansible_collections.lockstep.sync.plugins.module_utils._model.standstill import PROVING
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Key, Row, Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import provider_capabilities

FIELDS = ("id", "name", "mail", "note")
PEOPLE: tuple[Row, ...] = (
    ("1", "Ann", "ann@example.org", "first"),
    ("2", "Bob", None, "second"),
    ("3", "Cid", "cid@example.org", None),
)
ODD_TEXTS = (
    'O\'Neill "The Boss"',
    "a,b;c\td|e",
    "line one\nline two\n",
    "00042",
    "1.50",
    "1e5",
    "true",
    "2026-11-21",
    "=1+1",
    '=cmd|"/C calc"!A0',
    "+49 30 1234",
    "-5",
    "@SUM(A1)",
    "'quoted",
    "  surrounded  ",
    "ß Ω 漢字 ﬁ",
    "e\u0301 is not \u00e9",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 emoji",
    "שלום עולם",
    "%s %(x)s :name ? {0} $1",
    "\\N \\n \\",
    "NULL",
    "#N/A",
    "<b>&amp;</b>",
    "_x0041_",
    "non\u00a0breaking",
    "x" * 5000,
)


class Box(t.Protocol):
    """One system under test.

    Attributes:
        container: what a job would name (table, sheet), None for a file that is one container.
        type: the provider's type as declared.
        bad_value: a value the system refuses in the field `name`; None when there is none such.
    """

    container: str | None
    type: t.Literal["csv", "excel", "sql"]
    bad_value: Value

    def open(self) -> Provider:
        """A new provider on the system; the suite closes it."""

    def open_unreachable(self) -> Provider:
        """A provider whose system is not there (missing file, closed port)."""

    def make(self, fields: Sequence[str], rows: Iterable[Row], key_fields: Sequence[str] = ("id",)) -> None:
        """Make the container anew: all fields are text of any length (keys: 100 characters), all but keys nullable."""

    def rows(self) -> list[dict[str, str | None]]:
        """All records, read without the provider, in any order; empty text and nothing may be told apart or not."""

    def state(self) -> object:
        """Something that differs when the system was written to."""

    def query_text(self, fields: Sequence[str]) -> str | None:
        """A query that reads `fields` of the container, or None when the system has no queries."""


def target(box: Box, *, key_fields: Sequence[str] = ("id",), fields: Sequence[str] = FIELDS) -> WriteTarget:
    """Give the target of a job that maps `fields` of the box's container."""
    return WriteTarget(container=box.container, key_fields=tuple(key_fields), fields=tuple(fields))


def change(
    action: Action,
    key: Key,
    *,
    before: Mapping[str, Value] | None = None,
    after: Mapping[str, Value] | None = None,
    number: int = 1,
) -> Change:
    """Give a change as the planner makes it."""
    return Change(number=number, object="row", action=action, key=key, before=before or {}, after=after or {})


def create(row: Row, fields: Sequence[str] = FIELDS, key_length: int = 1) -> Change:
    """Give the creation of `row`, whose first `key_length` fields are its key."""
    key = t.cast("Key", tuple(row[:key_length]))
    return change("create", key, after=dict(zip(fields, row, strict=True)))


def update(row: Row, after: Mapping[str, Value], fields: Sequence[str] = FIELDS) -> Change:
    """Give the update of a record read as `row`."""
    return change("update", t.cast("Key", tuple(row[:1])), before=dict(zip(fields, row, strict=True)), after=after)


def delete(row: Row, fields: Sequence[str] = FIELDS) -> Change:
    """Give the deletion of a record read as `row`."""
    return change("delete", t.cast("Key", tuple(row[:1])), before=dict(zip(fields, row, strict=True)))


def apply_all(provider: Provider, where: WriteTarget, changes: Sequence[Change]) -> list[Outcome]:
    """Apply `changes` in the batches the writer asks for."""
    outcomes: list[Outcome] = []
    with provider.writer(where) as writer:
        size = writer.batch_size or max(len(changes), 1)
        for start in range(0, len(changes), size):
            outcomes += writer.apply(changes[start : start + size])
    return outcomes


def fetch(provider: Provider, query: Query, fields: Sequence[str]) -> list[Row]:
    """Read everything; the reading must prove its completeness."""
    with provider.read(query, fields) as reading:
        assert reading.fields == tuple(fields)
        rows = [row for batch in reading.batches() for row in batch]
        assert reading.completeness.proven, reading.completeness.reason
    provider.release()
    return rows


def plain(rows: Iterable[Mapping[str, str | None]], fields: Sequence[str] = FIELDS) -> list[Row]:
    """Give rows of the box as sorted tuples with None for empty text, to compare systems that differ in that."""
    return ordered(tuple(row[name] or None for name in fields) for row in rows)


def ordered(rows: Iterable[Row]) -> list[Row]:
    """Sort rows that may hold None."""
    return sorted(rows, key=lambda row: tuple((value is not None, value or "") for value in row))


def statuses(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    """Give status and code of each outcome."""
    return [(outcome.status, outcome.code) for outcome in outcomes]


DONE = ("done", "")


class ProviderConformance:
    """The tests; subclass it and give the fixture `box`."""

    @pytest.fixture
    def box(self) -> Box:
        raise NotImplementedError("the subclass gives the box")

    @pytest.fixture
    def query(self, box: Box) -> Query:
        return Query(container=box.container)

    @pytest.fixture
    def provider(self, box: Box) -> t.Iterator[Provider]:
        provider = box.open()
        yield provider
        provider.close()

    # -- describing

    def test_check_says_what_was_reached(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        status = provider.check()
        assert status.server
        assert status.latency_ms >= 0

    def test_describe_lists_the_container_with_its_fields_in_order(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        containers = provider.describe()
        assert FIELDS in [tuple(field.name for field in info.fields) for info in containers]

    def test_describe_container_gives_its_fields(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, PEOPLE)
        info = provider.describe_container(query)
        assert info.exists
        assert tuple(field.name for field in info.fields) == FIELDS
        assert all(field.kind == "text" and field.writable for field in info.fields)
        assert info.name in [known.name for known in provider.describe()]

    def test_an_unknown_container_is_refused_with_the_valid_ones(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        names = [info.name for info in provider.describe()]
        with pytest.raises(ConfigError) as caught:
            provider.describe_container(Query(container="nowhere"))
        assert "'nowhere'" in caught.value.message
        assert all(name in caught.value.message for name in names)
        with pytest.raises(ConfigError), provider.read(Query(container="nowhere"), ("id",)) as reading:
            list(reading.batches())

    def test_capabilities_are_those_known_without_opening(self, box: Box, provider: Provider) -> None:
        assert provider.capabilities == provider_capabilities(box.type)

    def test_a_query_text_is_read_or_refused_as_the_capabilities_say(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        text = box.query_text(("id", "name"))
        assert (text is not None) == ("query" in provider.capabilities.option_names)
        if text is None:
            with pytest.raises(ConfigError, match="query"):
                provider.describe_container(Query(container=box.container, text="SELECT 1"))
        else:
            asked = Query(text=text)
            assert {field.name for field in provider.describe_container(asked).fields} == {"id", "name"}
            assert ordered(fetch(provider, asked, ("name", "id"))) == [("Ann", "1"), ("Bob", "2"), ("Cid", "3")]

    # -- reading

    def test_all_fields_are_read(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, PEOPLE)
        rows = fetch(provider, query, FIELDS)
        assert [tuple(value or None for value in row) for row in ordered(rows)] == list(PEOPLE)

    def test_some_fields_are_read_in_the_order_asked(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, PEOPLE)
        assert ordered(fetch(provider, query, ("name", "id"))) == [("Ann", "1"), ("Bob", "2"), ("Cid", "3")]
        assert ordered(fetch(provider, query, ("name",))) == [("Ann",), ("Bob",), ("Cid",)]

    def test_an_unknown_field_is_refused_with_the_valid_ones(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, PEOPLE)
        with pytest.raises(ConfigError) as caught, provider.read(query, ("id", "nmae")) as reading:
            list(reading.batches())
        assert "'nmae'" in caught.value.message
        assert all(name in caught.value.message for name in FIELDS)

    def test_an_empty_container_gives_no_rows_and_proves_it(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, ())
        assert fetch(provider, query, FIELDS) == []
        assert provider.describe_container(query).exists

    def test_completeness_is_not_proven_before_the_end(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, [(str(number), "n", None, None) for number in range(5000)])
        with provider.read(query, FIELDS) as reading:
            next(reading.batches())
            assert not reading.completeness.proven
        provider.release()

    def test_many_records_come_in_batches_that_are_never_empty(
        self, box: Box, provider: Provider, query: Query
    ) -> None:
        box.make(FIELDS, [(str(number), f"name {number}", None, "x") for number in range(5000)])
        with provider.read(query, ("id", "name")) as reading:
            batches = list(reading.batches())
        provider.release()
        assert len(batches) > 1
        assert all(batches)
        assert {row for batch in batches for row in batch} == {(str(n), f"name {n}") for n in range(5000)}

    def test_odd_text_is_read_as_it_is(self, box: Box, provider: Provider, query: Query) -> None:
        rows: list[Row] = [(str(number), text, None, "x") for number, text in enumerate(ODD_TEXTS)]
        box.make(FIELDS, rows)
        assert dict(fetch(provider, query, ("id", "name"))) == {row[0]: row[1] for row in rows}

    def test_read_keys_gives_the_records_asked_for(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, [(str(number), f"name {number}", None, "x") for number in range(2500)])
        with provider.read(query, ("id",)) as reading:
            assert sum(map(len, reading.batches())) == 2500
        wanted: list[Key] = [(str(number),) for number in range(0, 2500, 5)] + [("unknown",)]
        with provider.read_keys(query, ("name", "id"), ("id",), wanted) as reading:
            assert reading.fields == ("name", "id")
            found = {row for batch in reading.batches() for row in batch}
        assert {(f"name {number}", str(number)) for number in range(0, 2500, 5)} <= found
        provider.release()

    def test_read_keys_takes_keys_of_several_fields_that_are_not_read(
        self, box: Box, provider: Provider, query: Query
    ) -> None:
        box.make(("country", "number", "name"), [("de", "1", "Ann"), ("fr", "1", "Bea")], ("country", "number"))
        with provider.read_keys(query, ("name",), ("country", "number"), [("fr", "1")]) as reading:
            assert ("Bea",) in [row for batch in reading.batches() for row in batch]
        provider.release()

    def test_the_next_reading_after_release_sees_the_present(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, PEOPLE)
        assert len(fetch(provider, query, FIELDS)) == 3
        box.make(FIELDS, [*PEOPLE, ("4", "Dee", None, None)])
        assert len(fetch(provider, query, FIELDS)) == 4

    def test_the_change_token_is_another_one_after_every_change(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        tokens = [provider.change_token()]
        assert (tokens[0] is not None) == (box.type in PROVING)
        assert provider.change_token() == tokens[0]
        for rows in ([*PEOPLE, ("4", "Dee", None, None)], PEOPLE[1:], [("1", "Ann!", None, None), *PEOPLE[1:]]):
            box.make(FIELDS, rows)
            tokens.append(provider.change_token())
        assert len(set(tokens)) == (4 if box.type in PROVING else 1)

    # -- writing

    def test_create_update_and_delete_are_done(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        changes = [
            create(("4", "Dee", "dee@example.org", None)),
            update(PEOPLE[0], {"name": "Anna", "mail": None}),
            update(PEOPLE[1], {"mail": "bob@example.org"}),
            delete(PEOPLE[2]),
        ]
        assert statuses(apply_all(provider, target(box), changes)) == [DONE] * 4
        assert plain(box.rows()) == [
            ("1", "Anna", None, "first"),
            ("2", "Bob", "bob@example.org", "second"),
            ("4", "Dee", "dee@example.org", None),
        ]

    def test_fields_that_are_not_mapped_stay_as_they_are(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        mapped = ("id", "name")
        changes = [update(("1", "Ann"), {"name": "Anna"}, mapped), create(("4", "Dee"), mapped)]
        assert statuses(apply_all(provider, target(box, fields=mapped), changes)) == [DONE] * 2
        assert plain(box.rows()) == [("1", "Anna", "ann@example.org", "first"), *PEOPLE[1:], ("4", "Dee", None, None)]

    def test_odd_text_is_written_as_it_is(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, [("u", "old", None, "x")])
        rows: list[Row] = [(str(number), text, None, "x") for number, text in enumerate(ODD_TEXTS)]
        assert statuses(apply_all(provider, target(box), [create(row) for row in rows])) == [DONE] * len(rows)
        expected = {row[0]: row[1] for row in rows} | {"u": "old"}
        assert {row["id"]: row["name"] for row in box.rows()} == expected
        assert dict(fetch(provider, query, ("id", "name"))) == expected

    def test_odd_text_survives_an_update(self, box: Box, provider: Provider, query: Query) -> None:
        rows: list[Row] = [(str(number), text, None, "x") for number, text in enumerate(ODD_TEXTS)]
        box.make(FIELDS, rows)
        turned = [rows[-1 - number][1] for number in range(len(rows))]
        changes = [update(row, {"name": text}) for row, text in zip(rows, turned, strict=True) if row[1] != text]
        assert statuses(apply_all(provider, target(box), changes)) == [DONE] * len(changes)
        expected = {row[0]: text for row, text in zip(rows, turned, strict=True)}
        assert dict(fetch(provider, query, ("id", "name"))) == expected

    def test_applying_the_same_changes_again_changes_nothing(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        changes = [
            create(("4", "Dee", None, None)),
            update(PEOPLE[0], {"name": "Anna"}),
            delete(PEOPLE[2]),
        ]
        apply_all(provider, target(box), changes)
        rows, state = plain(box.rows()), box.state()
        again = apply_all(provider, target(box), changes)
        assert statuses(again[:2]) == [DONE] * 2
        assert statuses(again[2:]) == [("skipped", "gone")]
        assert plain(box.rows()) == rows
        assert box.state() == state

    def test_a_record_that_moved_on_is_left_alone_and_its_fields_are_named(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, [("1", "Somebody else", "ann@example.org", "first"), *PEOPLE[1:]])
        outcomes = apply_all(provider, target(box), [update(PEOPLE[0], {"note": "new"}), delete(PEOPLE[0])])
        assert statuses(outcomes) == [("skipped", "moved_on")] * 2
        assert all("name" in outcome.message and "mail" not in outcome.message for outcome in outcomes)
        assert plain(box.rows())[0] == ("1", "Somebody else", "ann@example.org", "first")

    def test_a_field_that_was_empty_and_is_filled_now_counts_as_moved_on(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, [("2", "Bob", "new@example.org", "second"), ("3", "Cid", None, None)])
        outcomes = apply_all(provider, target(box), [update(PEOPLE[1], {"name": "x"}), delete(PEOPLE[2])])
        assert statuses(outcomes) == [("skipped", "moved_on")] * 2

    def test_a_change_in_a_field_that_is_not_mapped_does_not_count(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, [("1", "Ann", "other@example.org", "other")])
        mapped = ("id", "name")
        outcomes = apply_all(provider, target(box, fields=mapped), [update(("1", "Ann"), {"name": "Anna"}, mapped)])
        assert statuses(outcomes) == [DONE]
        assert plain(box.rows()) == [("1", "Anna", "other@example.org", "other")]

    def test_a_create_whose_key_has_appeared_is_left_alone(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        outcomes = apply_all(provider, target(box), [create(("1", "Other", None, None)), create(PEOPLE[1])])
        assert statuses(outcomes) == [("skipped", "exists"), DONE]
        assert plain(box.rows()) == list(PEOPLE)

    def test_a_record_that_is_gone_is_reported_and_not_made_again(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE[:1])
        outcomes = apply_all(provider, target(box), [update(PEOPLE[1], {"name": "x"}), delete(PEOPLE[2])])
        assert statuses(outcomes) == [("skipped", "gone")] * 2
        assert plain(box.rows()) == list(PEOPLE[:1])

    def test_a_record_the_system_refuses_stops_no_other(self, box: Box, provider: Provider) -> None:
        if box.bad_value is None:
            pytest.skip("this system takes every value")
        box.make(FIELDS, PEOPLE)
        changes = [
            create(("4", "Dee", None, None)),
            create(("5", box.bad_value, None, None)),
            update(PEOPLE[0], {"name": box.bad_value}),
            update(PEOPLE[1], {"name": "Bobby"}),
        ]
        outcomes = apply_all(provider, target(box), changes)
        assert [outcome.status for outcome in outcomes] == ["done", "failed", "failed", "done"]
        assert all(outcome.code and outcome.message for outcome in outcomes[1:3])
        assert plain(box.rows()) == [
            ("1", "Ann", "ann@example.org", "first"),
            ("2", "Bobby", None, "second"),
            PEOPLE[2],
            ("4", "Dee", None, None),
        ]

    def test_a_key_of_several_fields_is_matched_as_a_whole(self, box: Box, provider: Provider) -> None:
        fields, keys = ("country", "number", "name"), ("country", "number")
        box.make(fields, [("de", "1", "Ann"), ("de", "2", "Bob"), ("fr", "1", "Cid")], keys)
        changes = [
            change(
                "update",
                ("fr", "1"),
                before={"country": "fr", "number": "1", "name": "Cid"},
                after={"name": "Claude"},
            ),
            change("delete", ("de", "1"), before={"country": "de", "number": "1", "name": "Ann"}),
            create(("fr", "2", "Dee"), fields, 2),
        ]
        assert statuses(apply_all(provider, target(box, key_fields=keys, fields=fields), changes)) == [DONE] * 3
        assert plain(box.rows(), fields) == [("de", "2", "Bob"), ("fr", "1", "Claude"), ("fr", "2", "Dee")]

    def test_three_thousand_changes_are_applied_in_order(self, box: Box, provider: Provider) -> None:
        old: list[Row] = [(str(number), "old", None, "x") for number in range(2000)]
        box.make(FIELDS, old)
        changes = [
            *(update(row, {"name": f"new {row[0]}"}) for row in old[:1000]),
            *(delete(row) for row in old[1000:]),
            *(create((str(number), "made", None, "x")) for number in range(2000, 3000)),
        ]
        assert statuses(apply_all(provider, target(box), changes)) == [DONE] * 3000
        expected = [(str(number), f"new {number}", None, "x") for number in range(1000)]
        expected += [(str(number), "made", None, "x") for number in range(2000, 3000)]
        assert plain(box.rows()) == ordered(expected)

    def test_no_changes_write_nothing(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        state = box.state()
        with provider.writer(target(box)) as writer:
            assert writer.apply([]) == []
        assert box.state() == state

    def test_changes_that_are_all_skipped_write_nothing(self, box: Box, provider: Provider) -> None:
        box.make(FIELDS, PEOPLE)
        state = box.state()
        changes = [create(("1", "Other", None, None)), update(("9", "x", None, None), {"name": "y"})]
        assert statuses(apply_all(provider, target(box), changes)) == [("skipped", "exists"), ("skipped", "gone")]
        assert box.state() == state

    def test_what_was_written_is_read_back_by_the_same_provider(
        self, box: Box, provider: Provider, query: Query
    ) -> None:
        box.make(FIELDS, PEOPLE)
        fetch(provider, query, FIELDS)
        apply_all(provider, target(box), [create(("4", "Dee", None, None))])
        assert len(fetch(provider, query, FIELDS)) == 4

    # -- ending and failing

    def test_close_can_be_called_twice(self, box: Box) -> None:
        box.make(FIELDS, PEOPLE)
        provider = box.open()
        provider.check()
        provider.close()
        provider.close()

    def test_release_can_be_called_at_any_time(self, box: Box, provider: Provider, query: Query) -> None:
        box.make(FIELDS, PEOPLE)
        provider.release()
        assert len(fetch(provider, query, FIELDS)) == 3
        provider.release()

    def test_a_system_that_is_not_there_is_a_provider_error(self, box: Box, query: Query) -> None:
        provider = box.open_unreachable()
        with pytest.raises(ProviderError):
            provider.check()
        with pytest.raises(ProviderError):
            provider.describe()
        with pytest.raises(ProviderError):
            provider.describe_container(query)
        with pytest.raises(ProviderError), provider.read(query, ("id",)) as reading:
            list(reading.batches())
        with pytest.raises(ProviderError):
            apply_all(provider, target(box), [create(PEOPLE[0])])
        provider.close()
