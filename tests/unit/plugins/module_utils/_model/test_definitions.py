# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job declarations: defaults, inheritance, the normal form, the effective job, the digest, and what is refused."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import (
    effective_job,
    mapping_digest,
    normalize_job,
    parse_job,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Endpoint, FieldSpec, Limits, OnError
from ansible_collections.lockstep.sync.plugins.module_utils._model.sections import drop_none
from hypothesis import given
from hypothesis import strategies as st

KEY = {"name": "id", "source": "Id", "key": True}


STANDARD_LIMITS = {
    "disables": "10% above 10",
    "deletes": "10% above 10",
    "member_removals": "50% above 10",
    "min_source_records": "1",
}


def make(**options: t.Any) -> dict[str, t.Any]:
    job = {
        "source": {"provider": "hr"},
        "destination": {"provider": "crm", "table": "people"},
        "objects": [{"fields": [KEY]}],
    }
    return {**copy.deepcopy(job), **options}


def make_field(**options: t.Any) -> dict[str, t.Any]:
    return make(objects=[{"name": "people", "fields": [KEY, options]}])


def test_fills_in_every_default() -> None:
    job = parse_job("j", make())
    assert (job.description, job.owners, job.enabled, job.allow_circular) == ("", (), True, False)
    assert job.limits == Limits()
    assert job.on_error == OnError()
    assert job.changed_only is None
    (item,) = job.objects
    assert (item.name, item.type, item.when) == ("row", "row", None)
    assert (item.missing_at_destination, item.missing_at_source) == ("skip", "skip")
    assert item.key_fields == ("id",)


def test_objects_take_the_jobs_rules_and_endpoints_unless_they_have_their_own() -> None:
    job = parse_job(
        "j",
        make(
            missing_at_destination="create",
            missing_at_source="delete",
            objects=[
                {"name": "one", "fields": [KEY]},
                {
                    "name": "two",
                    "missing_at_source": "skip",
                    "source": {"table": "leavers"},
                    "destination": {"table": "gone"},
                    "fields": [KEY],
                },
            ],
        ),
    )
    one, two = job.objects
    assert (one.missing_at_destination, one.missing_at_source) == ("create", "delete")
    assert one.destination == Endpoint(provider="crm", table="people")
    assert (two.missing_at_destination, two.missing_at_source) == ("create", "skip")
    assert two.source == Endpoint(provider="hr", table="leavers")
    assert two.destination == Endpoint(provider="crm", table="gone")


def test_an_objects_own_place_replaces_that_of_the_job_as_a_whole() -> None:
    job = parse_job(
        "j",
        make(
            source={"provider": "db", "query": "SELECT 1"},
            destination={"provider": "xls", "sheet": "a", "replace_file": True},
            objects=[{"source": {"table": "t"}, "destination": {"sheet": "b"}, "fields": [KEY]}],
        ),
    )
    assert job.objects[0].source == Endpoint(provider="db", table="t")
    assert job.objects[0].destination == Endpoint(provider="xls", sheet="b", replace_file=True)


def test_reads_all_options_of_a_field() -> None:
    options = {
        "name": "tags",
        "source": "Tags",
        "new_only": True,
        "delimiter": ";",
        "values": "merge",
        "when_empty": "keep",
        "stamp": True,
    }
    assert parse_job("j", make_field(**options)).objects[0].fields[1] == FieldSpec(**options)


def test_reads_the_rest_of_a_job() -> None:
    job = parse_job(
        "j",
        make(
            description="d",
            owners=["a", "b"],
            enabled=False,
            changed_only={"field": "modified"},
            limits={"deletes": " 5%  above 3 ", "creates": 7, "min_source_records": "0"},
            allow_circular=True,
            on_error={"retries": 2, "delay": 1.5},
        ),
    )
    assert (job.description, job.owners, job.enabled, job.allow_circular) == ("d", ("a", "b"), False, True)
    assert job.changed_only == "modified"
    assert job.limits == Limits(deletes="5% above 3", creates="7", min_source_records="0")
    assert job.on_error == OnError(retries=2, delay=1.5)


def test_equal_declarations_have_one_normal_form() -> None:
    short = make()
    long = make(
        description="",
        owners=[],
        enabled=True,
        missing_at_source="skip",
        changed_only={},
        limits={"deletes": "10%  above 10", "min_source_records": 1, "creates": None},
        on_error={"retries": 0, "delay": 60.0},
        allow_circular=False,
        objects=[
            {
                "name": "row",
                "type": "row",
                "source": {},
                "destination": {"table": None},
                "when": None,
                "missing_at_source": None,
                "fields": [{"key": True, "source": "Id", "name": "id", "transform": [], "values": "replace"}],
            }
        ],
    )
    assert normalize_job("j", long) == normalize_job("j", short) == short
    assert json.dumps(normalize_job("j", long)) == json.dumps(normalize_job("j", dict(reversed(short.items()))))


def test_what_an_object_says_for_itself_stays_when_the_job_says_the_same() -> None:
    own = {"destination": {"table": "people"}, "missing_at_source": "skip", "fields": [KEY]}
    normal = normalize_job("j", make(objects=[own]))
    assert normal["objects"] == [own]
    changed = {**normal, "missing_at_source": "delete", "destination": {"provider": "crm", "table": "other"}}
    (item,) = parse_job("j", changed).objects
    assert item.missing_at_source == "skip"
    assert item.destination.table == "people"


def test_the_effective_job_shows_everything_that_counts() -> None:
    effective = effective_job("j", make(missing_at_destination="create"))
    assert effective == {
        "name": "j",
        "description": "",
        "owners": [],
        "enabled": True,
        "source": {"provider": "hr"},
        "destination": {"provider": "crm", "table": "people"},
        "missing_at_destination": "create",
        "missing_at_source": "skip",
        "objects": [
            {
                "name": "row",
                "type": "row",
                "destination": {"table": "people"},
                "missing_at_destination": "create",
                "missing_at_source": "skip",
                "fields": [
                    {
                        "name": "id",
                        "source": "Id",
                        "key": True,
                        "new_only": False,
                        "values": "replace",
                        "when_empty": "clear",
                        "stamp": False,
                        "transform": [],
                    }
                ],
            }
        ],
        "limits": STANDARD_LIMITS,
        "allow_circular": False,
        "on_error": {"retries": 0, "delay": 60},
    }


def test_the_digest_covers_what_decides_what_is_written_and_nothing_else() -> None:
    digest = parse_job("j", make()).mapping_digest
    same = make(
        description="d",
        owners=["a"],
        enabled=False,
        limits={"deletes": "0"},
        on_error={"retries": 5},
        allow_circular=True,
        missing_at_source="skip",
    )
    assert parse_job("other", same).mapping_digest == digest
    others = [
        make(source={"provider": "hr2"}),
        make(destination={"provider": "crm", "table": "staff"}),
        make(destination={"provider": "crm", "table": "people", "replace_file": True}),
        make(missing_at_source="delete"),
        make(missing_at_destination="create"),
        make(changed_only={"field": "modified"}),
        make(objects=[{"name": "people", "fields": [KEY]}]),
        make(objects=[{"when": "source.a", "fields": [KEY]}]),
        make(objects=[{"fields": [{**KEY, "source": "No"}]}]),
        make(objects=[{"fields": [{**KEY, "transform": [{"trim": True}]}]}]),
        make_field(name="a", source="a"),
        make_field(name="a", source="a", new_only=True),
    ]
    digests = {parse_job("j", other).mapping_digest for other in others}
    assert len(digests | {digest}) == len(others) + 1
    assert mapping_digest(parse_job("j", make())) == digest


def test_the_digest_takes_any_text() -> None:
    assert parse_job("j", make(objects=[{"when": "source.a == '\ud800'", "fields": [KEY]}])).mapping_digest


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({}, "job 'j': `source`, `destination`, `objects` is missing; a job needs it"),
        (make(objects=[]), "job 'j': `objects` is missing"),
        (make(source={}), "job 'j': `source` is missing"),
        (make(sorce={}), "job 'j': there is no option 'sorce'. Did you mean 'source'"),
        (make(source={"table": "t"}), "job 'j', source: `provider` is missing"),
        (make(source="hr"), "job 'j', source: expected a mapping of options, got 'hr'"),
        (make(destination={"provider": "c", "query": "q"}), "job 'j', destination: there is no option 'query'"),
        (make(source={"provider": "c", "replace_file": True}), "job 'j', source: there is no option 'replace_file'"),
        (make(enabled="yes"), "job 'j': `enabled` must be true or false, got 'yes'"),
        (make(owners="me"), "job 'j': `owners` must be a list, got 'me'"),
        (
            make(missing_at_source="remove"),
            "`missing_at_source` must be one of 'skip', 'delete', 'disable', got 'remove'",
        ),
        (make(limits={"deletes": "lots"}), "job 'j', limits, deletes: 'lots' is not a limit"),
        (make(limits={"min_source_records": "5%"}), "`min_source_records` must be a number of records, got '5%'"),
        (make(limits={"shifts": "1"}), "job 'j', limits: there is no option 'shifts'"),
        (make(on_error={"retries": -1}), "job 'j', on_error: `retries` must be a whole number of at least 0, got -1"),
        (make(on_error={"delay": -1}), "`delay` must be a number of seconds, not negative, got -1"),
        (make(on_error={"delay": float("inf")}), "`delay` must be a number of seconds"),
        (make(on_error={"delay": True}), "`delay` must be a number of seconds"),
        (make(changed_only={"since": "x"}), "job 'j', changed_only: there is no option 'since'"),
        (make(objects={}), "job 'j': `objects` is missing"),
        (make(objects={"a": 1}), "job 'j': `objects` must be a list"),
        (make(objects=["x"]), "job 'j', object 1: expected a mapping of options, got 'x'"),
        (make(objects=[{"typ": "row"}]), "job 'j', object 1: there is no option 'typ'. Did you mean 'type'"),
        (make(objects=[{"name": "p"}]), "job 'j', object 'p': no field has `key: true`"),
        (
            make(objects=[{"name": "p", "fields": [{"name": "a", "source": "a"}]}]),
            "job 'j', object 'p': no field has `key: true`",
        ),
        (make(objects=[{"fields": [KEY]}, {"fields": [KEY]}]), "job 'j': there are two objects 'row'"),
        (make(objects=[{"fields": [KEY, KEY]}]), "job 'j', object 'row': there are two fields 'id'"),
        (
            make(objects=[{"source": {"provider": "x"}, "fields": [KEY]}]),
            "object 'row', source: there is no option 'pro",
        ),
        (make_field(source="a"), "job 'j', object 'people', field 2: `name` is missing"),
        (make_field(name="a"), "job 'j', object 'people', field 'a': `source` or `transform` is missing"),
        (make_field(name="a", source="", transform=[]), "field 'a': `source` or `transform` is missing"),
        (make_field(name="a", transform=[{"trim": True}]), "field 'a', transform step 1: there is no value to work on"),
        (make_field(name="a", source="b", values="add"), "field 'a': `values` must be one of 'replace', 'merge'"),
        (make_field(name="a", source="b", key=True, stamp=True), "field 'a': a key field cannot be `stamp`"),
        (make_field(name="a", key=True, transform=[{"password": {}}]), "a key field cannot be a generated password"),
        (
            make_field(name="mail", source="a", transform=[{"trim": True}, {"left": {}}]),
            r"job 'j', object 'people', field 'mail', transform step 2 \(left\): `length` must be a whole number",
        ),
    ],
)
def test_refuses_a_wrong_declaration_and_says_where_and_why(definition: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_job("j", definition)


def test_the_name_of_a_job_is_checked() -> None:
    with pytest.raises(ConfigError, match="job ' j': a name is"):
        parse_job(" j", make())


# -- properties -------------------------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=8)
limits = st.one_of(st.integers(0, 999).map(str), st.integers(0, 100).map("{}%".format), st.just("5% above 3"))
steps = st.one_of(
    st.builds(lambda text: {"static": text}, st.text(max_size=5)),
    st.builds(lambda names, text: {"join": {"fields": names, "separator": text}}, st.lists(texts, min_size=1), texts),
    st.builds(lambda field, number: {"left": {"field": field, "length": number}}, texts, st.integers(1, 9)),
    st.builds(lambda a, b: {"replace": {"pattern": a, "with": b}}, texts, st.text(max_size=5)),
    st.builds(lambda v, d: {"map": {"values": v, "default": d}}, st.dictionaries(texts, texts), st.none() | texts),
    st.builds(lambda number: {"password": {"length": number}}, st.integers(6, 99)),
    st.just({"expression": "source.a"}),
    st.just({"function": "/f.py:f"}),
)
flags = st.none() | st.booleans()
fields = st.fixed_dictionaries(
    {"name": texts, "source": texts},
    optional={
        "new_only": flags,
        "delimiter": st.none() | texts,
        "values": st.sampled_from([None, "replace", "merge"]),
        "when_empty": st.sampled_from([None, "clear", "keep"]),
        "stamp": flags,
        "transform": st.none() | st.lists(steps, max_size=3),
    },
)
places = st.fixed_dictionaries({}, optional={"table": st.none() | texts, "sheet": st.none() | st.just("")})
missing = {
    "missing_at_destination": st.sampled_from([None, "create", "skip"]),
    "missing_at_source": st.sampled_from([None, "delete", "skip"]),
}
objects = st.fixed_dictionaries(
    {"fields": st.lists(fields, max_size=3, unique_by=lambda field: field["name"]).map(lambda some: [KEY, *some])},
    optional={"name": texts, "source": places, "destination": places, "when": st.none() | texts, **missing},
).filter(lambda item: all(field["name"] != "id" for field in item["fields"][1:]))
jobs = st.fixed_dictionaries(
    {
        "source": st.builds(lambda place: {"provider": "hr", **place}, places),
        "destination": st.builds(lambda place: {"provider": "crm", **place}, places),
        "objects": st.lists(objects, min_size=1, max_size=3, unique_by=lambda item: item.get("name") or "row"),
    },
    optional={
        "description": st.none() | st.text(max_size=5),
        "owners": st.none() | st.lists(texts, max_size=2),
        "enabled": flags,
        "changed_only": st.sampled_from([None, {}, {"field": "m"}]),
        "limits": st.fixed_dictionaries({}, optional={"deletes": limits, "creates": st.none() | limits}),
        "allow_circular": flags,
        "on_error": st.fixed_dictionaries({}, optional={"retries": st.integers(0, 5)}),
        **missing,
    },
)


@given(jobs)
def test_all_forms_of_a_job_mean_the_same(definition: dict[str, t.Any]) -> None:
    job = parse_job("j", definition)
    normal = normalize_job("j", definition)
    effective = effective_job("j", definition)
    assert json.loads(json.dumps(normal)) == normal
    assert json.loads(json.dumps(effective)) == effective
    assert parse_job("j", normal) == job
    assert parse_job("j", {name: value for name, value in effective.items() if name != "name"}) == job
    assert normalize_job("j", normal) == normal
    assert effective_job("j", normal) == effective
    assert normalize_job("j", t.cast("dict[str, t.Any]", drop_none(definition))) == normal
