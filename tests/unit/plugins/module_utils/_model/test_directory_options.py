# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of jobs that only directories know: reading, inheritance, the normal form, the digest, what is refused."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import (
    effective_job,
    normalize_job,
    parse_job,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import CreateIn, Endpoint, OnDisable
from ansible_collections.lockstep.sync.plugins.module_utils._model.sections import drop_none
from hypothesis import given
from hypothesis import strategies as st

KEY = {"name": "employeeID", "source": "id", "key": True}
GONE = "ou=gone,dc=x"


def make(*objects: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    job = {
        "source": {"provider": "hr", "table": "people"},
        "destination": {"provider": "ad", "container": "dc=x", "filter": "(employeeID=*)"},
        "objects": [{"fields": [KEY], **item} for item in objects or ({"type": "user"},)],
    }
    return {**copy.deepcopy(job), **options}


def stored(definition: dict[str, t.Any]) -> dict[str, t.Any]:
    return normalize_job("j", definition)


def test_reads_what_an_object_of_a_directory_may_have() -> None:
    job = parse_job(
        "j",
        make(
            {
                "type": "inetOrgPerson",
                "object_classes": ["top", "person", "employee"],
                "create_in": {"container": " OU=People , dc=x"},
                "move": True,
                "rdn": "uid",
                "missing_at_source": "disable",
                "on_disable": {
                    "move_to": "OU=Gone, DC=x",
                    "strip_groups": True,
                    "stamp": {"description": "left %NOW%", "manager": "", "pager": 5},
                    "delete_after_days": 0,
                },
            },
            protect=" (adminCount=1) ",
            create_containers=True,
        ),
    )
    (item,) = job.objects
    assert (item.name, item.type, item.rdn, item.move) == ("inetOrgPerson", "inetOrgPerson", "uid", True)
    assert item.object_classes == ("top", "person", "employee")
    assert item.create_in == CreateIn(container="OU=People,dc=x")
    assert item.on_disable == OnDisable(
        move_to="OU=Gone,DC=x",
        strip_groups=True,
        stamp={"description": "left %NOW%", "manager": None, "pager": "5"},
        delete_after_days=0,
    )
    assert (item.protect, item.create_containers) == ("(adminCount=1)", True)
    assert (job.protect, job.create_containers) == ("(adminCount=1)", True)


@pytest.mark.parametrize(
    ("given", "create_in"),
    [
        ({"field": "Ou"}, CreateIn(field="Ou")),
        ({"expression": "source.Ou", "field": None}, CreateIn(expression="source.Ou")),
        (None, None),
    ],
)
def test_a_container_is_fixed_or_from_a_field_or_from_an_expression(
    given: dict[str, t.Any] | None, create_in: CreateIn | None
) -> None:
    assert parse_job("j", make({"create_in": given})).objects[0].create_in == create_in


def test_an_object_gives_only_what_differs_of_its_place_in_a_directory() -> None:
    job = parse_job("j", make({"destination": {"container": "OU=a,dc=x", "include_subcontainers": False}}))
    assert job.objects[0].destination == Endpoint(
        provider="ad", container="OU=a,dc=x", include_subcontainers=False, filter="(employeeID=*)"
    )
    flat = make({"destination": {"include_subcontainers": True}})
    flat["destination"]["include_subcontainers"] = False
    assert parse_job("j", flat).objects[0].destination.include_subcontainers
    assert stored(flat)["objects"][0]["destination"] == {"include_subcontainers": True}
    assert parse_job("j", stored(flat)) == parse_job("j", flat)


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_filter_or_container_is_none(blank: str | None) -> None:
    definition = make({"destination": {"filter": blank, "container": blank}})
    place = parse_job("j", definition).objects[0].destination
    assert (place.container, place.filter) == ("dc=x", "(employeeID=*)")
    assert "destination" not in stored(definition)["objects"][0]


# -- on_disable: the job's and an object's own --------------------------------------------------------------------


def test_what_the_job_says_of_leavers_is_for_the_objects_that_disable() -> None:
    job = parse_job(
        "j",
        make(
            {"name": "people"},
            {"name": "guests", "on_disable": {"strip_groups": True}},
            {"name": "teams", "type": "group", "missing_at_source": "skip"},
            {"name": "rooms", "type": "contact", "missing_at_source": "delete"},
            missing_at_source="disable",
            on_disable={"move_to": GONE},
        ),
    )
    assert [item.on_disable for item in job.objects] == [
        OnDisable(move_to=GONE),
        OnDisable(strip_groups=True),
        OnDisable(),
        OnDisable(),
    ]


@pytest.mark.parametrize("own", [{}, {"strip_groups": False}, {"move_to": "", "stamp": {}}])
def test_an_object_that_does_nothing_more_with_leavers_stays_so_when_it_is_stored(own: dict[str, t.Any]) -> None:
    definition = make({"name": "people", "on_disable": own}, missing_at_source="disable", on_disable={"move_to": GONE})
    assert parse_job("j", definition).objects[0].on_disable == OnDisable()
    assert parse_job("j", stored(definition)).objects[0].on_disable == OnDisable()
    assert stored(stored(definition)) == stored(definition)


def test_what_an_object_says_of_leavers_stays_when_the_job_says_the_same() -> None:
    definition = make({"on_disable": {"move_to": GONE}}, missing_at_source="disable", on_disable={"move_to": GONE})
    changed = {**stored(definition), "on_disable": {"strip_groups": True}}
    assert parse_job("j", changed).objects[0].on_disable == OnDisable(move_to=GONE)


def test_what_the_job_says_of_leavers_can_be_taken_out() -> None:
    assert "on_disable" not in stored(make(on_disable={}))


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (make(on_disable={"move_to": GONE}), "job 'j': `on_disable` says how to disable, but no object has"),
        (
            make({"missing_at_source": "delete"}, missing_at_source="disable", on_disable={"strip_groups": True}),
            "job 'j': `on_disable` says how to disable, but no object has `missing_at_source: disable`",
        ),
        (
            make({"name": "p", "on_disable": {"move_to": GONE}}),
            "job 'j', object 'p': `on_disable` says how to disable, but `missing_at_source` is 'skip'. Set",
        ),
        (make(on_disable={"move_to": "gone"}), "job 'j', on_disable: `move_to` must be a distinguished name: 'gone'"),
        (make(on_disable={"stamp": "left"}), "job 'j', on_disable: `stamp` must be a mapping from field to text"),
        (make(on_disable={"stamp": {"a": ["b"]}}), "job 'j', on_disable, stamp: 'a' must be text, got"),
        (make(on_disable={"delete_after_days": -1}), "`delete_after_days` must be a whole number of at least 0"),
        (make(on_disable={"after": 1}), "job 'j', on_disable: there is no option 'after'"),
        (make({"name": "p", "move": True}), "job 'j', object 'p': `move: true` needs `create_in`"),
        (
            make({"name": "p", "create_in": {}}),
            "object 'p', create_in: give exactly one of 'container', 'field', 'expression'; got none",
        ),
        (make({"create_in": {"field": "a", "container": "dc=x"}}), "; got 'container', 'field'"),
        (make({"create_in": {"container": "people"}}), "create_in: `container` must be a distinguished name"),
        (make({"destination": {"container": "people"}}), "destination: `container` must be a distinguished name"),
        (make({"source": {"filter": "a=b"}}), "source: `filter` must be an LDAP filter in brackets.*got 'a=b'"),
        (make({"object_classes": "top"}), "`object_classes` must be a list, got 'top'"),
        (make(create_containers="yes"), "job 'j': `create_containers` must be true or false"),
    ],
)
def test_refuses_what_makes_no_sense_and_says_where(definition: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_job("j", definition)


@pytest.mark.parametrize("text", ["(a=b)", "(&(a=b)(|(c=d)(!(e=*))))", r"(a=\28x\29)", "(&)"])
def test_takes_filters_that_are_one_in_brackets(text: str) -> None:
    assert parse_job("j", make(protect=text)).protect == text


# -- forms and the digest -----------------------------------------------------------------------------------------


def test_the_effective_job_shows_the_options_of_directories_that_count() -> None:
    effective = effective_job(
        "j",
        make(
            {"type": "user", "create_in": {"field": "Ou"}},
            missing_at_source="disable",
            on_disable={"strip_groups": True, "stamp": {"manager": ""}},
            create_containers=True,
        ),
    )
    (item,) = effective["objects"]
    assert (item["create_in"], item["move"]) == ({"field": "Ou"}, False)
    assert item["on_disable"] == effective["on_disable"] == {"strip_groups": True, "stamp": {"manager": ""}}
    assert effective["create_containers"] is True
    assert item["destination"] == {"container": "dc=x", "filter": "(employeeID=*)"}
    assert not {"rdn", "object_classes"} & set(item)
    assert "protect" not in effective


def test_the_digest_covers_what_decides_what_is_written() -> None:
    disable = {"missing_at_source": "disable"}
    jobs = [
        make(),
        make({"type": "contact"}),
        make({"type": "user", "object_classes": ["top", "user"]}),
        make({"type": "user", "rdn": "ou"}),
        make({"type": "user", "create_in": {"container": "ou=a,dc=x"}}),
        make({"type": "user", "create_in": {"container": "ou=a,dc=x"}, "move": True}),
        make({"type": "user", "create_in": {"field": "a"}}),
        make({"type": "user", "create_in": {"expression": "a"}}),
        make({"type": "user", "destination": {"container": "ou=a,dc=x"}}),
        make({"type": "user", "destination": {"filter": "(a=b)"}}),
        make({"type": "user", "destination": {"include_subcontainers": False}}),
        make(protect="(a=b)"),
        make(create_containers=True),
        make(**disable),
        make(**disable, on_disable={"move_to": GONE}),
        make(**disable, on_disable={"strip_groups": True}),
        make(**disable, on_disable={"stamp": {"a": "b"}}),
        make(**disable, on_disable={"stamp": {"a": ""}}),
        make(**disable, on_disable={"delete_after_days": 0}),
        make(
            {"type": "user", "fields": [KEY, {"name": "m", "transform": [{"resolve": {"match": "a", "field": "b"}}]}]}
        ),
    ]
    assert len({parse_job("j", definition).mapping_digest for definition in jobs}) == len(jobs)


dns = st.sampled_from([None, "", " ", "ou=a,dc=x", "OU=a, DC=x", r"cn=a\,b,dc=x"])
flags = st.none() | st.booleans()
filters = st.sampled_from([None, "", " ", "(a=b)", " (a=b) "])
on_disables = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "move_to": dns,
        "strip_groups": flags,
        "stamp": st.none() | st.dictionaries(st.sampled_from("ab"), st.sampled_from(["", "x", 5])),
        "delete_after_days": st.none() | st.integers(0, 3),
    },
)
places = st.none() | st.fixed_dictionaries(
    {}, optional={"container": dns, "filter": filters, "include_subcontainers": flags}
)
at_source = st.sampled_from([None, "skip", "delete", "disable"])
objects = st.fixed_dictionaries(
    {"fields": st.just([KEY])},
    optional={
        "type": st.sampled_from([None, "row", "user", "inetOrgPerson"]),
        "object_classes": st.none() | st.lists(st.sampled_from(["top", "person"])),
        "source": places,
        "destination": places,
        "create_in": st.sampled_from([None, {"container": "OU=a, DC=x"}, {"field": "f"}, {"expression": "e"}]),
        "move": flags,
        "rdn": st.sampled_from([None, "", "uid"]),
        "missing_at_source": at_source,
        "on_disable": on_disables,
    },
)


@given(
    st.lists(objects, min_size=1, max_size=3),
    places,
    st.fixed_dictionaries(
        {},
        optional={
            "missing_at_source": at_source,
            "on_disable": on_disables,
            "protect": filters,
            "create_containers": flags,
        },
    ),
)
def test_storing_changes_neither_the_job_nor_itself(
    given_objects: list[dict[str, t.Any]], place: dict[str, t.Any] | None, options: dict[str, t.Any]
) -> None:
    definition = make(**options)
    definition["objects"] = [{**item, "name": f"o{number}"} for number, item in enumerate(given_objects)]
    definition["destination"] = {"provider": "ad", **(place or {})}
    definition = t.cast("dict[str, t.Any]", drop_none(definition))
    try:
        job = parse_job("j", definition)
    except ConfigError:
        return
    normal = stored(definition)
    assert parse_job("j", normal) == job
    assert json.dumps(stored(normal)) == json.dumps(normal)
    assert stored(json.loads(json.dumps(normal))) == normal
    effective = effective_job("j", normal)
    assert effective == effective_job("j", definition)
    assert parse_job("j", {name: value for name, value in effective.items() if name != "name"}) == job
