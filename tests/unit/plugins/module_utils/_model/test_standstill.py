# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which jobs may rely on a proof that nothing changed, and what the others are told."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import (
    effective_job,
    mapping_digest,
    normalize_job,
    parse_job,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.endpoints import check_endpoints
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.standstill import variables_of

Plain = dict[str, t.Any]
KEY: Plain = {"name": "id", "source": "id", "key": True}


def definition(*fields: Plain, item: Plain | None = None, **options: t.Any) -> Plain:
    return {
        "source": {"provider": "hr"},
        "destination": {"provider": "staff"},
        "changed_only": {"proof": True},
        "objects": [{"name": "people", "fields": [KEY, *fields], **(item or {})}],
        **options,
    }


def field(**step: t.Any) -> Plain:
    return {"name": "note", "transform": [step]}


def test_the_option_survives_every_form_of_a_job() -> None:
    given = definition()
    assert parse_job("j", given).proof
    normal = normalize_job("j", given)
    assert normal["changed_only"] == effective_job("j", normal)["changed_only"] == {"proof": True}
    without = {**given, "changed_only": {"proof": False}}
    assert "changed_only" not in normalize_job("j", without)
    assert mapping_digest(parse_job("j", given)) == mapping_digest(parse_job("j", without)), (
        "it does not decide what is written: links and marks stay"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            definition(field(expression="now().isoformat()")),
            "'people' asks for the time by `now` in field 'note'",
        ),
        (definition(field(static="made %NOW%")), "object 'people' writes %NOW% in field 'note'"),
        (
            definition(field(function="/etc/f.py:name")),
            "calls 'name', of which nobody knows what it reads, in field",
        ),
        (definition(item={"when": "source.until > now().isoformat()"}), "asks for the time: `when` has `now`"),
        (definition(item={"protect": "destination.until > now()"}), "asks for the time: `protect` has `now`"),
        (definition(smart_groups=["all"]), "it refreshes smart groups"),
    ],
)
def test_a_job_that_depends_on_more_than_its_systems_is_refused(given: Plain, words: str) -> None:
    if "protect" in given["objects"][0]:
        given["protect"] = given["objects"][0].pop("protect")
    with pytest.raises(ConfigError) as refused:
        parse_job("j", given)
    assert words in refused.value.message
    assert "Leave `proof` out, or that." in refused.value.message
    assert not parse_job("j", {**given, "changed_only": None}).proof


def test_times_of_a_directory_job_are_found() -> None:
    leavers = {"type": "inetOrgPerson", "missing_at_source": "disable", "on_disable": {"delete_after_days": 3}}
    with pytest.raises(ConfigError, match="object 'people' has `delete_after_days`"):
        parse_job("j", definition(item=leavers))
    place = {"type": "inetOrgPerson", "create_in": {"expression": "'ou=' ~ now().year"}}
    with pytest.raises(ConfigError, match="`create_in` has `now`"):
        parse_job("j", definition(item=place))


def test_a_stamp_and_a_first_value_may_have_the_time() -> None:
    stamp, first = {**field(static="%NOW%"), "stamp": True}, {**field(static="%NOW%"), "name": "made", "new_only": True}
    assert parse_job("j", definition(stamp, first)).proof


def test_a_word_that_only_contains_now_is_no_obstacle() -> None:
    assert parse_job("j", definition(field(expression="source.known ~ 'snow'"))).proof


def test_a_field_with_time_stamps_and_a_proof_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="give `field` or `proof: true`, not both"):
        parse_job("j", definition(changed_only={"field": "modified", "proof": True}))


def test_a_system_that_cannot_prove_it_is_refused() -> None:
    given = definition()
    given["destination"]["table"] = "people"
    job = parse_job("j", given)
    with pytest.raises(ConfigError, match=r"provider 'staff' can give, which is of type sql\. Valid: active_"):
        check_endpoints(job, "csv", "sql")
    check_endpoints(parse_job("j", {**given, "changed_only": None}), "csv", "sql")


def test_the_variables_of_texts_are_found_once() -> None:
    job = parse_job("j", definition(field(static="%SITE% %COMPUTERNAME%"), {**field(static="%SITE%"), "name": "b"}))
    assert variables_of(job) == ("COMPUTERNAME", "SITE")
