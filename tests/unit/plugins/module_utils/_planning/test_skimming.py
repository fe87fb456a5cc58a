# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PostgreSQL proves equal is left unread, and the plan is the one that reading everything gives."""

from __future__ import annotations

import random
import threading
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import FieldSpec, ObjectSpec, Unique
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import ObjectPlan
from ansible_collections.lockstep.sync.plugins.module_utils._planning.planner import plan_object
from ansible_collections.lockstep.sync.plugins.module_utils._planning.request import Incremental, ObjectRequest, Side
from ansible_collections.lockstep.sync.plugins.module_utils._planning.skimming import Skim
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql import fingerprints
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.provider import SqlProvider
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.reading import SqlReading
from servers.sql_box import SqlBox, sql_provider
from support.mappings import NO_LIMITS, NOW, HandMapping, copied, key, spec_of

ALL = 10**9
COUNT = 200
# The SQL of a value by number, a value that is another one, and for some another text of the same value.
KINDS: dict[str, tuple[str, str, str]] = {
    "text": ("'Müller, \"O''Brien\" \\ ' || n", "''", ""),
    "varchar(40)": ("'a' || n", "NULL", ""),
    "char(8)": ("'b' || n", "'b  1'", ""),
    "integer": ("n", "-n", ""),
    "bigint": ("n * 10000000000", "NULL", ""),
    "numeric": ("n + 0.5", "n + 0.25", "n + 0.50"),
    "numeric(12,3)": ("n + 0.125", "n + 0.126", ""),
    "double precision": ("n / 3.0", "n / 3.0 + 1e-9", ""),
    "real": ("n / 4.0", "n / 8.0", ""),
    "boolean": ("n % 2 = 0", "n % 2 = 1", ""),
    "date": ("date '2026-01-01' + n", "date '2027-02-03' + n", ""),
    "timestamp": ("timestamp '2026-01-02 03:04:05.25' + n * interval '1 hour'", "timestamp '2026-01-02 00:00:00'", ""),
    "timestamptz": ("timestamptz '2026-03-29 01:30:00+01' + n * interval '1 hour'", "'infinity'", ""),
    "time": ("time '08:30' + n * interval '1 second'", "time '08:30:00.5'", ""),
    "uuid": ("md5(n::text)::uuid", "md5('x' || n)::uuid", ""),
    "bytea": ("decode(md5(n::text), 'hex')", "'\\x00'", ""),
    "jsonb": ("jsonb_build_object('a', n, 'b', null)", "'{}'", ""),
    "json": ("('{\"a\": ' || n || '}')::json", "'[]'", "('{\"a\":' || n || '}')::json"),
    "integer[]": ("ARRAY[n, NULL, 7]", "ARRAY[n]", ""),
    "inet": ("inet '10.0.0.0' + n", "inet '10.0.0.0/8'", ""),
}
FIELDS = {kind: f"Field {number}" for number, kind in enumerate(KINDS)}


@dataclass
class Tables:
    """The tables `here` and `there` of one server. `read` counts the rows that were read of either."""

    box: SqlBox
    url_there: str
    read: list[int] = field(default_factory=list)

    def make(self, columns: str, rows: str, *, there: str = "") -> None:
        """Make both tables; `rows` is a SELECT from the numbers `n`."""
        for table, definition in (("here", columns), ("there", there or columns)):
            self.box.execute(
                f"CREATE TABLE {table} ({definition})",
                f"INSERT INTO {table} SELECT {rows} FROM generate_series(1, {COUNT}) AS n",
            )

    def set_one(self, table: str, kind: str, value: str) -> None:
        """Give the field of a kind another value in the record 17; `value` is SQL that may use its number `n`."""
        number = "(SELECT id::integer AS n) AS number"
        self.box.execute(
            f"UPDATE {table} SET \"{FIELDS[kind]}\" = (SELECT ({value})::{kind} FROM {number}) WHERE id = '17'"
        )

    def plan(self, spec: ObjectSpec, **options: t.Any) -> ObjectPlan:
        """Plan `spec`; the containers are `here` and `there` unless `options` name others."""
        source, destination = sql_provider(self.box.url), sql_provider(self.url_there)
        names = tuple(dict.fromkeys(each.source for each in spec.fields if each.source is not None))
        compute, when = options.pop("compute", {}), options.pop("when", None)
        mapping = HandMapping(spec=spec, source_fields=names, compute=compute, when=when)
        self.read.clear()
        try:
            return plan_object(
                ObjectRequest(
                    spec=spec,
                    mapping=mapping,
                    source=side(source, options.pop("here", "here")),
                    destination=side(destination, options.pop("there", "there")),
                    limits=options.pop("limits", NO_LIMITS),
                    now=NOW,
                    checkpoint=lambda _records=0: None,
                    **options,
                )
            )
        finally:
            source.close()
            destination.close()


def side(provider: SqlProvider, container: str) -> Side:
    query = Query(text=container) if container.startswith("SELECT") else Query(container=container)
    return Side(provider=provider, query=query, info=provider.describe_container(query))


@pytest.fixture
def tables(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    box = SqlBox(postgres_url, None, "people")
    box.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    monkeypatch.setattr(fingerprints, "SMALLEST", 0)
    tables = Tables(box, postgres_url)
    batches = SqlReading.batches

    def counting(reading: SqlReading) -> Iterator[list[t.Any]]:
        for batch in batches(reading):
            tables.read.append(len(batch))
            yield batch

    monkeypatch.setattr(SqlReading, "batches", counting)
    yield tables
    box.close()


@pytest.fixture
def both(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[ObjectPlan, int]]:
    """Give a function that plans with fingerprints and without, and gives the plan and how many rows were read."""

    def plan(spec: ObjectSpec, **options: t.Any) -> tuple[ObjectPlan, int]:
        skimmed = tables.plan(spec, **options)
        read = sum(tables.read)
        with monkeypatch.context() as plain:
            plain.setattr(fingerprints, "SMALLEST", ALL)
            whole = tables.plan(spec, **options)
        problems = [each for each in skimmed.problems if each.code != "fingerprints"]
        # In the order of the buckets, which is not that of the table.
        assert sorted(map(str, problems)) == sorted(map(str, whole.problems))
        assert contents(skimmed) == contents(whole)
        assert skimmed.statistics == whole.statistics
        assert [held.guard for held in skimmed.held] == [held.guard for held in whole.held]
        return skimmed, read

    return plan


def contents(plan: ObjectPlan) -> list[str]:
    return sorted(str(replace(change, number=0)) for change in plan.changes)


SPEC = spec_of(key(), *(copied(name) for name in FIELDS.values()))
COLUMNS = ", ".join(f'"{name}" {kind}' for kind, name in FIELDS.items())
VALUES = ", ".join(values[0] for values in KINDS.values())
NAMES = spec_of(key(), copied("name"))


# -- what is left unread -------------------------------------------------------------------------------------------


def test_nothing_is_read_of_equal_tables(tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]) -> None:
    tables.make(f"id text PRIMARY KEY, {COLUMNS}", f"n, {VALUES}")
    plan, read = both(SPEC)
    assert (plan.statistics.read, plan.statistics.unchanged, len(plan.changes), read) == (COUNT, COUNT, 0, 0)
    [told] = plan.problems
    assert (told.level, told.code) == ("info", "fingerprints")
    assert told.message.startswith(f"{COUNT} records ")


@pytest.mark.parametrize("where", ["here", "there"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_of_value_that_changed_is_found(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]], kind: str, where: str
) -> None:
    tables.make(f"id text PRIMARY KEY, {COLUMNS}", f"n, {VALUES}")
    tables.set_one(where, kind, KINDS[kind][1])
    plan, read = both(SPEC)
    assert [change.key for change in plan.changes] == [("17",)]
    assert 0 < read < COUNT


@pytest.mark.parametrize("kind", [kind for kind, values in KINDS.items() if values[2]])
def test_other_texts_of_one_value_are_no_difference(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]], kind: str
) -> None:
    tables.make(f"id text PRIMARY KEY, {COLUMNS}", f"n, {VALUES}")
    tables.set_one("here", kind, KINDS[kind][2])
    plan, read = both(SPEC)
    assert not plan.changes
    assert 0 < read < COUNT


def test_fields_that_are_not_compared_do_not_count(tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]) -> None:
    tables.make("id text PRIMARY KEY, name text, note text, other text", "n, 'a', 'b', 'c'")
    tables.box.execute("UPDATE here SET note = 'new'", "UPDATE there SET other = 'new'")
    plan, read = both(spec_of(key(), copied("name"), copied("note", new_only=True)))
    assert (len(plan.changes), read) == (0, 0)


def test_fields_are_compared_by_the_mapping_and_not_by_their_names(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]
) -> None:
    tables.make("id text PRIMARY KEY, a text, b text", "n, 'a', 'b'", there="no text PRIMARY KEY, x varchar, y text")
    plan, read = both(spec_of(key("no", "id"), copied("x", "a"), copied("y", "b")))
    assert (len(plan.changes), read) == (0, 0)
    plan, read = both(spec_of(key("no", "id"), copied("y", "a"), copied("x", "b")))
    assert (len(plan.changes), plan.changes[0].action) == (COUNT, "update")


def test_values_cannot_move_from_one_field_to_the_next(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]
) -> None:
    tables.make("id text PRIMARY KEY, a text, b text", "n, 'x', 'y'")
    forms = [("''", "NULL"), ("'a,b'", "'c'"), ("'\"'", "','"), ("'(,)'", "'\\'"), ("' '", "'null'")]
    for number, (one, two) in enumerate(forms, 1):
        tables.box.execute(
            f"UPDATE here SET a = {one}, b = {two} WHERE id = '{number}'",
            f"UPDATE there SET a = {two}, b = {one} WHERE id = '{number}'",
        )
    plan, _read = both(spec_of(key(), copied("a"), copied("b")))
    assert len(plan.changes) == len(forms)


def test_keys_of_several_parts(tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]) -> None:
    tables.make("a text, b integer, name text, PRIMARY KEY (b, a)", "n % 7, n, 'x'")
    tables.box.execute("UPDATE here SET a = a || 'z' WHERE b = 3", "UPDATE there SET name = 'y' WHERE b = 4")
    plan, read = both(spec_of(key("a"), key("b"), copied("name")))
    assert [(change.action, change.key) for change in plan.changes] == [
        ("create", ("3z", "3")),
        ("update", ("4", "4")),
        ("delete", ("3", "3")),
    ]
    assert read < COUNT


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(25))
def test_the_plan_is_the_one_that_reading_everything_gives(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]], seed: int
) -> None:
    chance = random.Random(seed)
    tables.make("id text PRIMARY KEY, a text, b numeric, c timestamptz", "n, 'a' || n % 9, n, now()")
    for _each in range(chance.choice((1, 5, 40))):
        table, number = chance.choice(("here", "there")), chance.randrange(1, COUNT + 1)
        tables.box.execute(
            chance.choice(
                (
                    f"DELETE FROM {table} WHERE id = '{number}'",
                    f"UPDATE {table} SET a = 'new {number}' WHERE id = '{number}'",
                    f"UPDATE {table} SET b = b + 0.00 WHERE id = '{number}'",
                    f"UPDATE {table} SET b = NULL, c = NULL WHERE id = '{number}'",
                    f"UPDATE {table} SET id = 'k' || id WHERE id = '{number}'",
                    f"UPDATE {table} SET a = ''",
                    f"INSERT INTO {table} VALUES ('new {number}', 'x', 1, NULL) ON CONFLICT DO NOTHING",
                )
            )
        )
    both(spec_of(key(), copied("a"), copied("b"), copied("c")))


def test_guards_count_the_records_that_were_not_read(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]
) -> None:
    tables.make("id text PRIMARY KEY, name text", "n, 'x'")
    tables.box.execute("DELETE FROM here WHERE id::integer <= 15")
    few, read = both(NAMES, limits=replace(NO_LIMITS, deletes="10%", min_source_records=COUNT - 20))
    assert (len(few.changes), few.held) == (15, ())
    assert read < COUNT
    held, _read = both(NAMES, limits=replace(NO_LIMITS, deletes="5%"))
    assert [each.guard for each in held.held] == ["deletes"]
    held, _read = both(NAMES, limits=replace(NO_LIMITS, min_source_records=COUNT))
    assert [each.guard for each in held.held] == ["min_source_records"]


# -- what is read as before ----------------------------------------------------------------------------------------


def is_one(_record: t.Any) -> str:
    return "x"


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        (NAMES, {"when": lambda _record: True}),
        (NAMES, {"compute": {"name": is_one}}),
        (NAMES, {"wanted_keys": frozenset({("1",), ("2",)})}),
        (NAMES, {"incremental": Incremental(field="changed", since=None)}),
        (NAMES, {"here": "SELECT * FROM here"}),
        (NAMES, {"here": "view_here"}),
        (NAMES, {"there": "view_there"}),
        (NAMES, {"here": "loose"}),
        (NAMES, {"there": "loose"}),
        (spec_of(key(), FieldSpec(name="name", source="name", transform=(Unique(),))), {}),
        (spec_of(key(), copied("name", "padded")), {}),
    ],
    ids=[
        "when",
        "computed",
        "keys",
        "changed_only",
        "query",
        "view",
        "to a view",
        "no key",
        "to no key",
        "unique",
        "type",
    ],
)
def test_whoever_must_see_each_record_reads_them(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]], spec: ObjectSpec, options: dict[str, t.Any]
) -> None:
    columns = "id text PRIMARY KEY, name text, padded char(3), changed timestamptz"
    tables.make(columns, "n, 'x', 'x', now()")
    tables.box.execute(
        "CREATE VIEW view_here AS SELECT * FROM here",
        "CREATE VIEW view_there AS SELECT * FROM there",
        "CREATE TABLE loose AS SELECT * FROM here",
    )
    plan, read = both(spec, **options)
    assert "fingerprints" not in [problem.code for problem in plan.problems]
    assert read >= 2 * COUNT


@pytest.mark.parametrize("where", ["here", "there", "here, there"])
def test_records_with_an_empty_key_are_told_each_time(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]], where: str
) -> None:
    tables.make("id text PRIMARY KEY, name text", "n, 'x'")
    for table in where.split(", "):
        tables.box.execute(f"INSERT INTO {table} VALUES ('', 'nobody')")
    plan, read = both(NAMES)
    assert {problem.code for problem in plan.problems} == {"empty_key"}
    assert read >= 2 * COUNT


def test_a_key_that_lacks_a_part_keeps_others_from_being_believed_gone(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]
) -> None:
    tables.make("id integer PRIMARY KEY, region text, name text", "n, 'r', 'x'")
    tables.box.execute("UPDATE here SET region = NULL WHERE id = 3", "UPDATE there SET region = NULL WHERE id = 3")
    tables.box.execute("DELETE FROM here WHERE id = 17")
    plan, _read = both(spec_of(key(), key("region"), copied("name")))
    assert not plan.changes
    assert [held.guard for held in plan.held] == ["absence"]


@pytest.mark.parametrize(("kind", "value"), [("inet", "inet '10.0.0.0' + n"), ("colour", "'red'")])
def test_keys_of_types_that_take_no_empty_text(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]], kind: str, value: str
) -> None:
    tables.box.execute("CREATE TYPE colour AS ENUM ('red')")
    tables.make(f"id {kind}, no integer, name text, PRIMARY KEY (id, no)", f"{value}, n, 'x'")
    plan, read = both(spec_of(key(), key("no"), copied("name")))
    assert (len(plan.changes), read) == (0, 0)


def test_tables_that_differ_much_are_read_in_one_sweep(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]
) -> None:
    tables.make("id text PRIMARY KEY, name text", "n, 'x'")
    tables.box.execute("UPDATE here SET name = 'y' WHERE id::integer <= 150")
    plan, read = both(NAMES)
    assert len(plan.changes) == 150
    assert "fingerprints" not in [problem.code for problem in plan.problems]
    assert read == 2 * COUNT + 150


def test_small_tables_are_not_asked(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    tables.make("id text PRIMARY KEY, name text", "n, 'x'")
    monkeypatch.undo()
    plan = tables.plan(NAMES)
    assert plan.statistics.unchanged == COUNT
    assert not plan.problems


def test_the_same_bytes_in_another_encoding_are_another_text(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]
) -> None:
    """The two bytes of a `é` in UTF-8 are `Ã©` in LATIN1."""
    url = sa.make_url(tables.box.url)
    admin = tables.box.engine.execution_options(isolation_level="AUTOCOMMIT").connect()
    admin.exec_driver_sql("DROP DATABASE IF EXISTS latin")
    admin.exec_driver_sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    latin = SqlBox(url.set(database="latin").render_as_string(hide_password=False), None)
    try:
        tables.make("id text PRIMARY KEY, name text", "n, 'é'")
        latin.execute("CREATE TABLE there (id text PRIMARY KEY, name text)")
        latin.execute(f"INSERT INTO there SELECT n, 'Ã©' FROM generate_series(1, {COUNT}) AS n")
        tables.url_there = latin.url
        plan, read = both(NAMES)
        assert len(plan.changes) == COUNT
        assert plan.changes[0].before["name"] == "Ã©"
        assert read >= 2 * COUNT
    finally:
        latin.close()
        admin.exec_driver_sql("DROP DATABASE latin")
        admin.close()


# -- the world goes on ---------------------------------------------------------------------------------------------


def test_what_changes_meanwhile_belongs_to_the_next_run(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that moves into a bucket that is read would be created beside the old one, which stands in no such."""
    tables.make("id text PRIMARY KEY, name text", "n, 'x'")
    tables.box.execute("UPDATE here SET name = 'y' WHERE id = '17'")
    read = Skim.read_source

    def change_first(skim: Skim, fields: t.Any) -> t.Any:
        tables.box.execute(
            "UPDATE here SET name = 'z' WHERE id = '17'",
            "UPDATE here SET id = 'k' || id WHERE id <> '17'",
            "DELETE FROM there",
        )
        return read(skim, fields)

    monkeypatch.setattr(Skim, "read_source", change_first)
    plan = tables.plan(NAMES)
    assert [(change.action, change.key, change.after) for change in plan.changes] == [
        ("update", ("17",), {"name": "y"})
    ]


def test_a_server_that_fails_meanwhile_ends_the_planning(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    tables.make("id text PRIMARY KEY, name text", "n, 'x'")
    make, lost = fingerprints.sum_buckets, threading.Lock()

    def lose(*arguments: t.Any, **options: t.Any) -> t.Any:
        if lost.acquire(blocking=False):
            tables.box.select("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        return make(*arguments, **options)

    monkeypatch.setattr(fingerprints, "sum_buckets", lose)
    with pytest.raises(ProviderError, match=r"comparing table '(here|there)'") as caught:
        tables.plan(NAMES)
    assert caught.value.retriable


def test_nobodys_function_of_the_same_name_is_called(
    tables: Tables, both: Callable[..., tuple[ObjectPlan, int]]
) -> None:
    tables.make("id text PRIMARY KEY, name text", "n, 'x'")
    for seed in ("integer", "bigint"):
        tables.box.execute(
            f"CREATE FUNCTION public.hashtextextended(value text, seed {seed}) RETURNS bigint LANGUAGE sql AS "
            "'SELECT 1::bigint'"
        )
    tables.box.execute("UPDATE here SET name = 'y' WHERE id = '17'")
    plan, read = both(NAMES)
    assert (len(plan.changes), read) == (1, 3)
