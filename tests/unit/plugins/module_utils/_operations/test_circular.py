# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Circular flows between jobs."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._operations.circular import circular_warnings
from ansible_collections.lockstep.sync.plugins.module_utils._store.jobs import StoredJob

SYSTEMS = {"a": "A", "a2": "A", "b": "B", "c": "C"}


def job(name: str, source: str, destination: str, *fields: t.Any, **options: t.Any) -> StoredJob:
    """Give a job; an endpoint is `provider` or `provider.table`, a field `source>destination` or a mapping."""
    mapped = []
    for field in fields:
        if isinstance(field, str):
            source_field, _arrow, name_there = field.partition(">")
            mapped.append({"name": name_there or source_field, "source": source_field})
        else:
            mapped.append(field)
    key = {"name": "id", "source": "id", "key": True}
    definition = {
        "source": endpoint(source),
        "destination": endpoint(destination),
        "objects": [{"fields": [key, *mapped]}],
        **options,
    }
    return StoredJob(id=1, name=name, definition=definition, created="", modified="")


def endpoint(text: str) -> dict[str, str]:
    provider, _dot, table = text.partition(".")
    return {"provider": provider, **({"table": table} if table else {})}


def warn(*jobs: StoredJob, names: t.Sequence[str] = ("one",)) -> list[tuple[str, str]]:
    return circular_warnings(jobs, SYSTEMS, names)


def test_the_same_field_there_and_back_is_circular() -> None:
    ((name, message),) = warn(job("one", "a.t", "b.u", "x>y"), job("two", "b.u", "a.t", "y>x"))
    assert name == "one"
    assert message.startswith(
        "Circular flow: job 'one', object 'row', field 'y' -> job 'two', object 'row', field 'x' -> back to the start."
    )
    assert "allow_circular" in message


@pytest.mark.parametrize(
    "back",
    [
        job("two", "b.u", "a.t", "z>x"),
        job("two", "b.u", "a.t", "y>z"),
        job("two", "b.other", "a.t", "y>x"),
        job("two", "b.u", "a.other", "y>x"),
        job("two", "b.u", "c.t", "y>x"),
        job("two", "b.u", "a.t"),
        job("two", "b.u", "a.t", {"name": "x", "source": "y", "new_only": True}),
        job("two", "b.u", "a.t", {"name": "x", "source": "y", "key": True}),
        job("two", "b.u", "a.t", {"name": "x", "transform": [{"static": "y"}]}),
        job("two", "b.u", "a.t", "y>x", enabled=False),
        job("two", "b.u", "a.t", "y>x", allow_circular=True),
    ],
    ids=str,
)
def test_what_does_not_come_back_is_not_circular(back: StoredJob) -> None:
    assert warn(job("one", "a.t", "b.u", "x>y"), back) == []


def test_one_allowing_job_is_enough() -> None:
    assert warn(job("one", "a.t", "b.u", "x>y", allow_circular=True), job("two", "b.u", "a.t", "y>x")) == []


def test_longer_ways_round_are_found_and_told_in_the_same_words_from_each_job() -> None:
    jobs = [job("one", "a", "b.t", "x>y"), job("two", "b.t", "c", "y>z"), job("three", "c", "a", "z>x")]
    messages = {warn(*jobs, names=[name])[0][1] for name in ("one", "two", "three")}
    assert len(messages) == 1
    assert len(warn(*jobs, names=["one", "two", "three"])) == 1


def test_only_cycles_through_the_declared_jobs_are_told() -> None:
    jobs = [job("one", "a", "b.t", "x>y"), job("two", "b.t", "a", "y>x"), job("three", "a", "b.t", "p>q")]
    assert warn(*jobs, names=["three"]) == []


def test_a_cycle_within_one_job_is_found() -> None:
    fields = [{"name": "id", "source": "id", "key": True}]
    there = {"name": "there", "source": {"table": "t"}, "destination": {"table": "u"}}
    back = {"name": "back", "source": {"table": "u"}, "destination": {"table": "t"}}
    mail = [*fields, {"name": "mail", "source": "mail"}]
    both = job("one", "b.t", "b.u", objects=[{**there, "fields": mail}, {**back, "fields": mail}])
    ((_name, message),) = warn(both)
    assert "job 'one', object 'back', field 'mail' -> job 'one', object 'there', field 'mail'" in message
    assert len(warn(job("one", "b.t", "b.t", "mail"))) == 1


def test_two_providers_of_the_same_system_are_the_same_place() -> None:
    assert len(warn(job("one", "a", "b.t", "x>y"), job("two", "b.t", "a2", "y>x"))) == 1


def test_names_that_differ_in_case_only_are_the_same() -> None:
    assert len(warn(job("one", "a", "b.People", "X>y"), job("two", "b.people", "a", "Y>x"))) == 1


def test_fields_that_steps_name_are_followed() -> None:
    joined = {"name": "y", "transform": [{"join": {"fields": ["p", "x"]}}]}
    assert len(warn(job("one", "a", "b.t", joined), job("two", "b.t", "a", "y>x"))) == 1


def test_a_query_reads_the_tables_that_its_text_names() -> None:
    forth = job("one", "a", "b.crm.people", "x>y")

    def back(query: str) -> StoredJob:
        table = job("two", "b", "a", "y>x")
        source = {"provider": "b", "query": query}
        return dataclasses.replace(table, definition={**table.definition, "source": source})

    assert len(warn(forth, back("SELECT y FROM crm.People WHERE z"))) == 1
    assert warn(forth, back("SELECT y FROM staff")) == []


def test_of_several_ways_back_the_shortest_is_told() -> None:
    jobs = [
        job("one", "a", "b.t", "x>y"),
        job("two", "b.t", "c", "y>z"),
        job("three", "c", "a", "z>x"),
        job("four", "b.t", "a", "y>x"),
    ]
    ((_name, message),) = warn(*jobs)
    assert "job 'four'" in message
    assert "job 'two'" not in message


# -- containers of directories ------------------------------------------------------------------------------------


def at(side: str, container: str | None, stored: StoredJob, **options: t.Any) -> StoredJob:
    """Give the job with this container of provider `b` on one side."""
    place = {} if container is None else {"container": container}
    return dataclasses.replace(stored, definition={**stored.definition, side: {"provider": "b", **place, **options}})


@pytest.mark.parametrize(
    ("written", "read", "found"),
    [
        ("ou=staff,dc=x", "OU=Staff, DC=X", True),
        ("ou=it,ou=staff,dc=x", "ou=staff,dc=x", True),
        ("dc=x", "ou=staff,dc=x", True),
        (None, "ou=staff,dc=x", True),
        ("ou=staff,dc=x", None, True),
        (None, None, True),
        ("ou=staff,dc=x", "ou=guests,dc=x", False),
        ("ou=mystaff,dc=x", "ou=staff,dc=x", False),
    ],
)
def test_containers_that_share_entries_are_the_same_place(written: str | None, read: str | None, found: bool) -> None:
    forth = at("destination", written, job("one", "a", "b", "x>y"))
    back = at("source", read, job("two", "b", "a", "y>x"))
    assert len(warn(forth, back)) == found
    assert len(warn(forth, back, names=["two"])) == found


def test_a_container_alone_does_not_hold_what_lies_below() -> None:
    forth = at("destination", "ou=it,ou=staff,dc=x", job("one", "a", "b", "x>y"))
    back = at("source", "ou=staff,dc=x", job("two", "b", "a", "y>x"), include_subcontainers=False)
    assert warn(forth, back) == []


def test_the_field_that_resolve_reads_is_followed() -> None:
    boss = {"name": "y", "transform": [{"resolve": {"match": "uid", "field": "x"}}]}
    assert len(warn(job("one", "a", "b", boss), job("two", "b", "a", "y>x"))) == 1
    other = {"name": "y", "transform": [{"resolve": {"match": "uid", "field": "z"}}]}
    assert warn(job("one", "a", "b", other), job("two", "b", "a", "y>x")) == []
