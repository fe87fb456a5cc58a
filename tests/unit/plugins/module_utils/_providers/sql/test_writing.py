# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing: what the database refuses, what others did meanwhile, and what the database does by itself."""

from __future__ import annotations

import threading
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Change, Outcome
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from servers.sql_box import SqlBox, change, sql_provider, target


def apply(box: SqlBox, container: str, changes: list[Change], key: tuple[str, ...] = ("id",)) -> list[Outcome]:
    fields = dict.fromkeys((*key, *(name for one in changes for name in (*one.before, *one.after))))
    with box.open().writer(target(container, tuple(fields), key)) as writer:
        size = writer.batch_size or len(changes)
        return [
            outcome for start in range(0, len(changes), size) for outcome in writer.apply(changes[start : start + size])
        ]


def made(identity: str, **values: Value) -> Change:
    return change("create", (identity,), after={"id": identity, **values})


def changed(identity: str, before: t.Mapping[str, Value], **after: Value) -> Change:
    return change("update", (identity,), before={"id": identity, **before}, after=after)


def gone(identity: str, **before: Value) -> Change:
    return change("delete", (identity,), before={"id": identity, **before})


STAFF = (
    "CREATE TABLE staff (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(9) NOT NULL, mail VARCHAR(40) UNIQUE,"
    " age INTEGER CHECK (age > 0), team INTEGER REFERENCES teams (id))"
)
RULES = ("CREATE TABLE teams (id INTEGER NOT NULL PRIMARY KEY)", "INSERT INTO teams VALUES (1)", STAFF)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"mail": "m1"}, "constraint"),
        ({"age": "-1"}, "constraint"),
        ({"team": "99"}, "constraint"),
        ({"age": "many"}, "type"),
        ({"name": b"\x00"}, "type"),
        ({"name": ("a", "b")}, "type"),
    ],
)
def test_one_bad_record_of_five_hundred_fails_alone(box: SqlBox, bad: dict[str, Value], code: str) -> None:
    box.execute(*RULES)
    values: dict[str, Value] = {"name": "x", "mail": None, "age": None, "team": "1"}
    changes = [made(str(number), **{**values, "mail": f"m{number}"}) for number in range(500)]
    changes[333] = made("333", **{**values, **bad})
    outcomes = apply(box, "staff", changes)
    assert [place for place, outcome in enumerate(outcomes) if outcome != DONE] == [333]
    assert (outcomes[333].status, outcomes[333].code) == ("failed", code)
    assert outcomes[333].message
    assert "INSERT" not in outcomes[333].message
    assert len(box.select("SELECT id FROM staff")) == 499


def test_a_value_too_long_for_the_server_is_told(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        box.execute(*RULES)
        outcomes = apply(box, "staff", [made("1", name="much too long"), made("2", name="x")])
        assert [(one.status, one.code) for one in outcomes] == [("failed", "too_long"), ("done", "")]


def test_a_number_out_of_range_is_told(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        box.execute("CREATE TABLE small (id INTEGER PRIMARY KEY, n SMALLINT)")
        outcomes = apply(box, "small", [made("1", n="70000"), made("2", n="7")])
        assert [(one.status, one.code) for one in outcomes] == [("failed", "type"), ("done", "")]


def test_numbers_sqlite_would_change_are_refused(sqlite_box: SqlBox) -> None:
    sqlite_box.execute("CREATE TABLE odd (id INTEGER PRIMARY KEY, pay DECIMAL(30,2), whole INTEGER, code STRING)")
    outcomes = apply(
        sqlite_box,
        "odd",
        [
            made("1", pay="12345678901234567.89", whole=None, code=None),
            made("2", pay=None, whole=str(2**70), code=None),
            made("3", pay=None, whole=None, code="007"),
            made("4", pay="0.1", whole="5", code="x7"),
        ],
    )
    assert [one.code for one in outcomes] == ["type", "type", "type", ""]
    assert "TEXT" in outcomes[2].message


@pytest.mark.parametrize("value", ["a\x00b", "\ud800"])
def test_text_postgresql_cannot_hold_fails_alone(postgres_box: SqlBox, value: str) -> None:
    postgres_box.make(("id", "name"), ())
    outcomes = apply(postgres_box, "people", [made("1", name="x"), made("2", name=value), made("3", name="y")])
    assert [(one.status, one.code) for one in outcomes] == [("done", ""), ("failed", "type"), ("done", "")]


def test_a_value_that_another_record_gives_up_is_taken_in_the_same_call(box: SqlBox) -> None:
    box.execute(*RULES, "INSERT INTO staff (id, name, mail) VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')")
    changes = [
        changed("1", {"mail": "x"}, mail="y"),
        changed("2", {"mail": "y"}, mail="z"),
        changed("3", {"mail": "z"}, mail="w"),
    ]
    assert apply(box, "staff", changes) == [DONE, DONE, DONE]
    assert sorted(box.select("SELECT id, mail FROM staff")) == [(1, "y"), (2, "z"), (3, "w")]


def test_a_record_that_refers_to_a_later_one_is_made(box: SqlBox) -> None:
    box.execute("CREATE TABLE tree (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES tree (id))")
    assert apply(box, "tree", [made("1", boss="2"), made("2", boss=None), made("3", boss="9")])[:2] == [DONE, DONE]
    assert sorted(box.select("SELECT id, boss FROM tree")) == [(1, 2), (2, None)]


def test_a_record_that_others_refer_to_is_not_deleted(box: SqlBox) -> None:
    box.execute(*RULES, "INSERT INTO staff (id, name, team) VALUES (1, 'a', 1)", "INSERT INTO teams VALUES (2)")
    outcomes = apply(box, "teams", [gone("1"), gone("2")])
    assert [(one.status, one.code) for one in outcomes] == [("failed", "constraint"), ("done", "")]
    assert box.select("SELECT id FROM teams") == [(1,)]


def test_no_value_becomes_null_or_what_the_column_takes(box: SqlBox) -> None:
    box.execute(
        "CREATE TABLE empties (id INTEGER PRIMARY KEY, may VARCHAR(9), must VARCHAR(9) NOT NULL,"
        " counted INTEGER NOT NULL DEFAULT 7, number INTEGER NOT NULL, born DATE)"
    )
    nothing: dict[str, Value] = {"may": None, "must": None, "counted": None, "number": "1", "born": None}
    create = made("1", **nothing)
    assert apply(box, "empties", [create]) == [DONE]
    assert box.select("SELECT * FROM empties") == [(1, None, "", 7, 1, None)]
    assert apply(box, "empties", [create]) == [DONE]
    outcomes = apply(box, "empties", [made("2", **{**nothing, "number": None})])
    assert (outcomes[0].code, "'number'" in outcomes[0].message) == ("required", True)
    cleared = changed("1", {"counted": "7"}, counted=None)
    assert apply(box, "empties", [cleared])[0].code == "required"
    assert apply(box, "empties", [made("3", **{**nothing, "may": "", "born": "", "counted": ()})]) == [DONE]
    assert box.select("SELECT may, born, counted FROM empties WHERE id = 3") == [("", None, 7)]


def test_null_and_empty_text_are_different_before_images(box: SqlBox) -> None:
    box.make(("id", "name"), [("1", ""), ("2", None)])
    changes = [changed("1", {"name": None}, name="x"), changed("2", {"name": None}, name="x")]
    assert [one.code for one in apply(box, "people", changes)] == ["moved_on", ""]


def test_a_column_that_fills_itself_in_is_left_to_the_database(box: SqlBox) -> None:
    auto = {
        "sqlite": "INTEGER PRIMARY KEY",
        "postgresql": "INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "mysql": "INTEGER AUTO_INCREMENT PRIMARY KEY",
    }[box.engine.dialect.name]
    box.execute(f"CREATE TABLE counted (number {auto}, id VARCHAR(9) NOT NULL UNIQUE)")
    assert apply(box, "counted", [made("a"), made("b")]) == [DONE, DONE]
    assert sorted(box.select("SELECT number, id FROM counted")) == [(1, "a"), (2, "b")]


def test_the_key_zero_stays_zero(mariadb_box: SqlBox) -> None:
    mariadb_box.execute("CREATE TABLE counted (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(9))")
    assert apply(mariadb_box, "counted", [made("0", name="zero"), made("5", name="five")]) == [DONE, DONE]
    assert sorted(mariadb_box.select("SELECT id FROM counted")) == [(0,), (5,)]


def test_two_records_with_one_key_are_ambiguous(box: SqlBox) -> None:
    box.execute(
        "CREATE TABLE loose (id INTEGER, name VARCHAR(9))", "INSERT INTO loose VALUES (1, 'a'), (1, 'b'), (2, 'c')"
    )
    outcomes = apply(box, "loose", [changed("1", {"name": "a"}, name="x"), gone("2", name="c")])
    assert [(one.status, one.code) for one in outcomes] == [("failed", "ambiguous"), ("done", "")]
    assert sorted(box.select("SELECT id, name FROM loose")) == [(1, "a"), (1, "b")]


def test_a_key_the_column_cannot_hold_fails_alone(box: SqlBox) -> None:
    box.execute(*RULES)
    outcomes = apply(box, "teams", [made("x"), made("2")])
    assert [(one.status, one.code) for one in outcomes] == [("failed", "type"), ("done", "")]
    assert apply(box, "teams", [made("x")])[0].code == "type"


def test_keys_that_differ_in_case_only_are_one_record_where_the_column_says_so(mariadb_box: SqlBox) -> None:
    mariadb_box.execute(
        "CREATE TABLE staff (id VARCHAR(40) NOT NULL PRIMARY KEY, name VARCHAR(40))",
        "INSERT INTO staff VALUES ('Ann', 'a')",
        "CREATE TABLE exact (id VARCHAR(40) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, name VARCHAR(40))",
        "INSERT INTO exact VALUES ('Ann', 'a')",
    )
    assert [one.code for one in apply(mariadb_box, "staff", [made("ANN", name="b")])] == ["exists"]
    update = change("update", ("ANN",), before={"name": "a"}, after={"name": "b"})
    assert apply(mariadb_box, "staff", [update]) == [DONE]
    assert mariadb_box.select("SELECT * FROM staff") == [("Ann", "b")]
    assert apply(mariadb_box, "exact", [made("ANN", name="b")]) == [DONE]
    assert len(mariadb_box.select("SELECT * FROM exact")) == 2


def test_citext_keys_of_postgresql_are_one_record_too(postgres_box: SqlBox) -> None:
    postgres_box.execute(
        "CREATE EXTENSION IF NOT EXISTS citext",
        "CREATE TABLE staff (id citext PRIMARY KEY, name text)",
        "INSERT INTO staff VALUES ('Ann', 'a')",
    )
    update = change("update", ("ANN",), before={"name": "a"}, after={"name": "b"})
    assert apply(postgres_box, "staff", [update]) == [DONE]
    assert postgres_box.select("SELECT * FROM staff") == [("Ann", "b")]


def test_padded_keys_of_postgresql_are_found(postgres_box: SqlBox) -> None:
    postgres_box.execute(
        "CREATE TABLE staff (id char(5) PRIMARY KEY, name text)", "INSERT INTO staff VALUES ('ab', 'a')"
    )
    assert apply(postgres_box, "staff", [changed("ab", {"name": "a"}, name="b"), made("cd", name="c")]) == [DONE, DONE]
    assert apply(postgres_box, "staff", [gone("ab", name="b")]) == [DONE]


def test_big_keys_of_mariadb_are_told_apart(mariadb_box: SqlBox) -> None:
    mariadb_box.execute("CREATE TABLE big (id BIGINT PRIMARY KEY, name VARCHAR(9))")
    one, two = "9007199254740992", "9007199254740993"
    assert apply(mariadb_box, "big", [made(one, name="a"), made(two, name="b")]) == [DONE, DONE]
    assert apply(mariadb_box, "big", [changed(two, {"name": "b"}, name="c"), gone(one, name="a")]) == [DONE, DONE]
    assert mariadb_box.select("SELECT * FROM big") == [(int(two), "c")]


def test_a_trigger_that_refuses_fails_its_record_alone(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    postgres_box.make(("id", "name"), ())
    postgres_box.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.name = 'no' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    mariadb_box.make(("id", "name"), ())
    mariadb_box.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW"
        " IF NEW.name = 'no' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF"
    )
    for box in (postgres_box, mariadb_box):
        outcomes = apply(box, "people", [made(str(n), name="no" if n == 7 else "yes") for n in range(20)])
        assert [place for place, one in enumerate(outcomes) if one.status != "done"] == [7]
        assert (outcomes[7].code, outcomes[7].message) == ("error", "not this one")


def test_a_trigger_that_swallows_a_record_is_noticed(postgres_box: SqlBox) -> None:
    postgres_box.make(("id", "name"), ())
    postgres_box.execute(
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.name = 'no' THEN RETURN NULL; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER swallow BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION swallow()",
    )
    outcomes = apply(postgres_box, "people", [made("1", name="yes"), made("2", name="no")])
    assert outcomes[0] == DONE
    assert (outcomes[1].status, outcomes[1].code) == ("failed", "error")
    assert "created 0 records where it should have created 1" in outcomes[1].message


def test_a_simple_view_is_written_through(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        box.make(("id", "name"), [("1", "Ann"), ("2", "Bob")])
        box.execute("CREATE VIEW seen AS SELECT id, name FROM people WHERE id <> '9' WITH CHECK OPTION")
        changes = [
            made("3", name="Cid"),
            changed("1", {"name": "Ann"}, name="Zoe"),
            gone("2", name="Bob"),
            made("9", name="x"),
        ]
        outcomes = apply(box, "seen", changes)
        assert outcomes[:3] == [DONE] * 3
        assert outcomes[3].status == "failed"
        assert sorted(box.select("SELECT id, name FROM people")) == [("1", "Zoe"), ("3", "Cid")]


def test_a_view_is_written_through_its_triggers(sqlite_box: SqlBox, postgres_box: SqlBox) -> None:
    sqlite_box.make(("id", "name"), [("1", "Ann")])
    sqlite_box.execute(
        "CREATE VIEW seen AS SELECT id, name FROM people",
        "CREATE TRIGGER put INSTEAD OF INSERT ON seen BEGIN INSERT INTO people VALUES (NEW.id, NEW.name); END",
        "CREATE TRIGGER turn INSTEAD OF UPDATE ON seen BEGIN UPDATE people SET name = NEW.name WHERE id = OLD.id; END",
    )
    postgres_box.make(("id", "name"), [("1", "Ann")])
    postgres_box.execute(
        "CREATE VIEW seen AS SELECT id, name FROM people UNION SELECT 'x', 'y' WHERE false",
        "CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'INSERT' THEN"
        " INSERT INTO people VALUES (NEW.id, NEW.name); ELSE UPDATE people SET name = NEW.name WHERE id = OLD.id;"
        " END IF; RETURN NEW; END $$",
        "CREATE TRIGGER put INSTEAD OF INSERT OR UPDATE ON seen FOR EACH ROW EXECUTE FUNCTION put()",
    )
    for box in (sqlite_box, postgres_box):
        assert apply(box, "seen", [made("2", name="Bob"), changed("1", {"name": "Ann"}, name="Zoe")]) == [DONE, DONE]
        assert sorted(box.select("SELECT id, name FROM people")) == [("1", "Zoe"), ("2", "Bob")]


def test_a_view_that_cannot_be_written_fails_each_record(box: SqlBox) -> None:
    box.make(("id", "name"), [("1", "Ann")])
    box.execute("CREATE VIEW grouped AS SELECT id, COUNT(*) AS n FROM people GROUP BY id")
    outcomes = apply(box, "grouped", [made("5"), made("6")])
    assert [one.status for one in outcomes] == ["failed", "failed"]


def test_a_generated_column_refuses_a_value(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        box.execute("CREATE TABLE made (id INTEGER PRIMARY KEY, twice INTEGER GENERATED ALWAYS AS (id * 2) STORED)")
        outcomes = apply(box, "made", [made("1", twice="5")])
        assert outcomes[0].status == "failed"
        assert apply(box, "made", [made("1")]) == [DONE]


def test_the_same_key_twice_in_one_call_is_applied_in_order(box: SqlBox) -> None:
    box.make(("id", "name"), [("1", "Ann")])
    changes = [gone("1", name="Ann"), made("1", name="Zoe"), changed("1", {"name": "Zoe"}, name="Eva")]
    assert apply(box, "people", changes) == [DONE, DONE, DONE]
    assert box.select("SELECT * FROM people") == [("1", "Eva")]


def test_an_update_of_nothing_is_done(box: SqlBox) -> None:
    box.make(("id", "name"), [("1", "Ann")])
    assert apply(box, "people", [changed("1", {"name": "Ann"})]) == [DONE]


def test_a_locked_record_is_waited_for_and_then_told(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        box.make(("id", "name"), [("1", "Ann")])
        with box.engine.connect() as other:
            other.exec_driver_sql("UPDATE people SET name = 'x' WHERE id = '1'")
            provider = sql_provider(box.url, lock_wait=1)
            with (
                provider.writer(target("people", ("id", "name"))) as writer,
                pytest.raises(ProviderError, match="Another session holds a lock") as caught,
            ):
                writer.apply([changed("1", {"name": "Ann"}, name="Zoe")])
            assert caught.value.retriable
            other.rollback()
        provider.close()
        assert apply(box, "people", [changed("1", {"name": "Ann"}, name="Zoe")]) == [DONE]


def test_a_locked_database_of_sqlite_is_told(sqlite_box: SqlBox) -> None:
    sqlite_box.make(("id", "name"), [("1", "Ann")])
    with sqlite_box.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        provider = sql_provider(sqlite_box.url, lock_wait=0.1)
        with (
            provider.writer(target("people", ("id", "name"))) as writer,
            pytest.raises(ProviderError, match="database is locked") as caught,
        ):
            writer.apply([gone("1", name="Ann")])
        assert caught.value.retriable


def test_a_database_that_is_read_only_is_told(sqlite_box: SqlBox, postgres_box: SqlBox) -> None:
    sqlite_box.make(("id", "name"), [("1", "Ann")])
    query_only = sql_provider(f"{sqlite_box.url.replace('sqlite:///', 'sqlite:///file:')}?mode=ro&uri=true")
    postgres_box.make(("id", "name"), [("1", "Ann")])
    url = postgres_box.engine.url.update_query_dict({"options": "-c default_transaction_read_only=on"})
    read_only = sql_provider(url.render_as_string(hide_password=False))
    for provider in (query_only, read_only):
        with (
            provider.writer(target("people", ("id", "name"))) as writer,
            pytest.raises(ProviderError, match=r"(?i)read-?only") as caught,
        ):
            writer.apply([gone("1", name="Ann")])
        assert not caught.value.retriable
        provider.close()


def test_missing_rights_end_the_writing(postgres_box: SqlBox) -> None:
    postgres_box.make(("id", "name"), [("1", "Ann")])
    postgres_box.execute(
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN PASSWORD 'reader'",
        "GRANT USAGE ON SCHEMA public TO reader",
        "GRANT SELECT ON people TO reader",
        "CREATE TABLE hidden (id INTEGER)",
    )
    provider = sql_provider(
        postgres_box.engine.url.set(username="reader").render_as_string(hide_password=False), password="reader"
    )
    with (
        provider.writer(target("people", ("id", "name"))) as writer,
        pytest.raises(ProviderError, match="permission denied") as caught,
    ):
        writer.apply([gone("1", name="Ann")])
    assert not caught.value.retriable
    with pytest.raises(ProviderError, match="cannot run the query: permission denied"):
        provider.describe_container(Query(text="SELECT * FROM hidden"))
    provider.close()
    postgres_box.execute("DROP OWNED BY reader", "DROP ROLE reader")


def test_a_table_dropped_meanwhile_ends_the_writing(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        box.execute("CREATE TABLE going (id INTEGER PRIMARY KEY)")
        with box.open().writer(target("going", ("id",))) as writer:
            box.execute("DROP TABLE going")
            with pytest.raises(ProviderError, match="cannot write to table 'going'"):
                writer.apply([made("1")])


def test_a_deadlock_is_tried_again(postgres_box: SqlBox) -> None:
    """The writer locks one record and waits for the other; the other session does it the other way round."""
    postgres_box.execute(
        "CREATE TABLE pair (id INTEGER PRIMARY KEY, name TEXT)",
        "INSERT INTO pair VALUES (1, 'a'), (2, 'b')",
    )
    with postgres_box.engine.connect() as other:
        other.exec_driver_sql("SET deadlock_timeout = '30s'")
        other.exec_driver_sql("SELECT * FROM pair WHERE id = 2 FOR UPDATE")
        changes = [changed("1", {"name": "a"}, name="x"), changed("2", {"name": "b"}, name="y")]
        outcomes: list[Outcome] = []
        writing = threading.Thread(target=lambda: outcomes.extend(apply(postgres_box, "pair", changes)))
        writing.start()
        _wait_for_lock(postgres_box)
        # The writer holds record 1 and waits for 2: it is the one PostgreSQL ends, its deadlock timeout being shorter.
        other.exec_driver_sql("SELECT * FROM pair WHERE id = 1 FOR UPDATE")
        other.commit()
        writing.join(timeout=30)
    assert outcomes == [DONE, DONE]
    assert sorted(postgres_box.select("SELECT id, name FROM pair")) == [(1, "x"), (2, "y")]


def _wait_for_lock(box: SqlBox) -> None:
    for _each in range(2000):
        if box.select("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            return
    raise AssertionError("nobody waits for a lock")


def test_a_deadlock_that_keeps_coming_is_told(postgres_box: SqlBox) -> None:
    postgres_box.make(("id", "name"), ())
    postgres_box.execute(
        "CREATE FUNCTION fight() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$",
        "CREATE TRIGGER fight BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION fight()",
    )
    with pytest.raises(ProviderError, match="deadlock detected") as caught:
        apply(postgres_box, "people", [made("1", name="x")])
    assert caught.value.retriable


def test_constraints_checked_at_the_end_are_found_too(postgres_box: SqlBox) -> None:
    postgres_box.execute(
        "CREATE TABLE tree (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES tree (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    outcomes = apply(postgres_box, "tree", [made("1", boss="2"), made("2", boss=None), made("3", boss="9")])
    assert [(one.status, one.code) for one in outcomes] == [("done", ""), ("done", ""), ("failed", "constraint")]


def test_a_batch_is_seen_whole_or_not_at_all(box: SqlBox) -> None:
    box.make(("id", "name"), ())
    with box.open().writer(target("people", ("id", "name"))) as writer:
        assert writer.apply([made(str(n), name="x") for n in range(1200)]) == [DONE] * 1200
        assert len(box.rows()) == 1200
