# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a mapping are found when the job is declared."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import parse_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderType
from ansible_collections.lockstep.sync.plugins.module_utils._operations.check_mapping import (
    AnyField,
    check_mapping,
    needs_compiling,
)


def check(
    field: dict[str, t.Any] | None = None, destination: ProviderType = "csv", protect: str = "", **options: t.Any
) -> None:
    key = {"name": "id", "source": "id", "key": True}
    definition = {
        "source": {"provider": "hr"},
        "destination": {"provider": "crm"},
        "protect": protect,
        "objects": [{"name": "people", **options, "fields": [key, *([field] if field else [])]}],
    }
    check_mapping(
        parse_job("j", definition),
        destination,
        computer_name="host",
        environ={},
        clock=lambda: datetime(2026, 11, 21, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"expression": "source.a | lowerr"}, "there is no filter 'lowerr'"),
        ({"expression": "source.a +"}, "is not an expression"),
        ({"replace": {"pattern": "(", "with": ""}}, "pattern"),
        ({"function": "/nowhere/f.py:f"}, "/nowhere/f.py"),
    ],
)
def test_names_job_object_and_field_of_a_fault(step: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check({"name": "mail", "source": "mail", "transform": [step]})
    assert caught.value.message.startswith("job 'j', object 'people', field 'mail'")


def test_finds_a_fault_in_when() -> None:
    with pytest.raises(ConfigError, match="job 'j', object 'people', when"):
        check(when="source.a ==")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("source.Ou ~", "is not an expression"),
        ("source.Ou | dn_valeu", "there is no filter 'dn_valeu'"),
        ("value", "create_in"),
    ],
)
def test_finds_a_fault_in_the_container_of_new_records(expression: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check(create_in={"expression": expression})
    assert caught.value.message.startswith("job 'j', object 'people', create_in")


def test_takes_a_good_container() -> None:
    check(create_in={"expression": "'ou=' ~ (source.Ou | dn_value) ~ ',dc=x'"})
    check(create_in={"field": "Ou"})
    check(create_in={"container": "dc=x"}, move=True)


def test_a_reference_must_be_the_last_step() -> None:
    steps = [{"resolve": {"match": "id", "field": "boss"}}, {"trim": True}]
    with pytest.raises(ConfigError, match="field 'manager', step 1 \\(resolve\\): resolve must be the last step"):
        check({"name": "manager", "transform": steps})


def test_takes_a_good_mapping_whatever_fields_the_source_has(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text("def f(source, context):\n    return source['x']\n", encoding="utf-8")
    check({"name": "mail", "source": "mail", "transform": [{"function": f"{file}:f"}, {"left": {"length": 2}}]})
    check({"name": "mail", "transform": [{"expression": "source.a ~ source['b c']"}]}, when="source.Status == 'x'")
    check({"name": "mail", "transform": [{"expression": "source | length"}, {"join": {"fields": ["a", "b"]}}]})


def test_plain_copies_have_nothing_to_compile() -> None:
    copied = {"name": "id", "source": "id", "key": True}
    definition: dict[str, t.Any] = {"source": {"provider": "a"}, "destination": {"provider": "b"}}
    plain = parse_job("j", {**definition, "objects": [{"fields": [copied]}]})
    with_when = parse_job("j", {**definition, "objects": [{"when": "true", "fields": [copied]}]})
    assert not needs_compiling(plain.objects[0])
    assert needs_compiling(with_when.objects[0])
    check()


def test_any_field_holds_the_names_that_were_asked_for() -> None:
    fields = AnyField()
    assert not fields
    assert "a" in fields
    assert "b" in fields
    assert "a" in fields
    assert list(fields) == ["a", "b"]
    assert len(fields) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("destination.vip ==", "protect: .* is not an expression"),
        ("source.vip == '1'", "protect: .*there is no name 'source'.*destination"),
        ("skip('no')", "there is no name 'skip'"),
    ],
)
def test_finds_a_fault_in_what_a_table_protects(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check(protect=text)


def test_what_a_directory_protects_is_a_filter_and_no_expression() -> None:
    check(protect="(adminCount=1)", destination="ldap")
    with pytest.raises(ConfigError, match="is not an expression"):
        check(protect="(adminCount=1)")
