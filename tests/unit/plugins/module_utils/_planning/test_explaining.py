# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import RecordError, SkipRecord
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import FieldSpec, Limits, Password
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import FieldInfo
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import MASK, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._planning.explaining import explain_object
from ansible_collections.lockstep.sync.plugins.module_utils._planning.request import ObjectRequest
from support.lists import ListProvider, Record, info_of
from support.mappings import copied, key, request_of, spec_of

SPEC = spec_of(key(), copied("name"))


def by_name(record: Mapping[str, Value]) -> Value:
    if record["name"] == "broken":
        raise RecordError("the transform broke", code="transform")
    if record["name"] == "skip":
        raise SkipRecord("not yet")
    return record["name"]


def request(
    source: list[Record], destination: list[Record], asked: str = "1", *, info: FieldInfo | str = "id", **options: t.Any
) -> ObjectRequest:
    return request_of(
        options.pop("spec", SPEC),
        ListProvider(info=info_of("id", "name"), records=source),
        ListProvider(info=info_of(info, "name", "pw"), records=destination),
        wanted_keys=frozenset({(asked,)}),
        **options,
    )


def explain(source: list[Record], destination: list[Record], asked: str = "1", **options: t.Any) -> dict[str, t.Any]:
    explanation = explain_object(request(source, destination, asked, **options), (asked,))
    assert explanation is not None
    return t.cast("dict[str, t.Any]", json.loads(json.dumps(explanation)))


ANN: Record = {"id": "1", "name": "Ann"}
ROB: Record = {"id": "1", "name": "Rob"}
BOB: Record = {"id": "2", "name": "Bob"}


def test_everything_about_one_record_is_told() -> None:
    assert explain([BOB, ANN], [ROB, BOB]) == {
        "object": "person",
        "key": "1",
        "records": [
            {
                "source": {"id": "'1'", "name": "'Ann'"},
                "in_scope": True,
                "fields": [
                    {
                        "field": "id",
                        "source": "'1'",
                        "steps": [{"step": "copy", "value": "copied"}],
                        "result": "'1'",
                    },
                    {
                        "field": "name",
                        "source": "'Ann'",
                        "steps": [{"step": "copy", "value": "copied"}],
                        "result": "'Ann'",
                    },
                ],
                "error": "",
            }
        ],
        "decision": "update",
        "changes": [{"action": "update", "fields": {"name": {"before": "'Rob'", "after": "'Ann'"}}}],
        "problems": [],
    }


def test_a_record_that_is_not_there_has_no_explanation() -> None:
    assert explain_object(request([BOB], []), ("1",)) is None


@pytest.mark.parametrize(
    ("destination", "options", "decision"),
    [
        ([], {}, "create"),
        ([ANN], {}, "unchanged"),
        ([ROB], {"limits": Limits(updates="0")}, "held: update"),
        ([], {"spec": spec_of(key(), copied("name"), missing_at_destination="skip")}, "skip"),
        ([ANN], {"when": lambda _record: False}, "out of scope"),
        ([ANN, ROB], {}, "error"),
    ],
)
def test_the_decision_is_the_one_a_run_would_take(
    destination: list[Record], options: dict[str, t.Any], decision: str
) -> None:
    assert explain([ANN], destination, **options)["decision"] == decision


def test_a_failing_step_and_its_error_are_told() -> None:
    told = explain([{"id": "1", "name": "broken"}], [ROB], compute={"name": by_name})
    assert told["decision"] == "error"
    assert told["records"][0]["error"] == "record: the transform broke"
    assert told["records"][0]["fields"][1]["error"] == "it broke"
    assert told["problems"] == ["transform: the transform broke"]
    assert told["changes"] == []


def test_a_skipping_step_is_told() -> None:
    told = explain([{"id": "1", "name": "skip"}], [ROB], compute={"name": by_name})
    assert told["decision"] == "skip"
    assert told["records"][0]["error"] == "skipped: not yet"


def test_a_value_that_does_not_fit_is_told() -> None:
    spec = spec_of(key(), copied("note", source="name"))
    number = FieldInfo(name="note", kind="integer")
    provider = ListProvider(info=info_of("id", number))
    asked = request_of(
        spec, ListProvider(info=info_of("id", "name"), records=[ANN]), provider, wanted_keys=frozenset({("1",)})
    )
    explanation = explain_object(asked, ("1",))
    assert explanation is not None
    assert "'Ann' is not a whole number" in explanation["records"][0]["error"]


def test_the_scope_is_told_even_when_it_fails() -> None:
    assert explain([ANN], [], when=lambda _record: False)["records"][0]["in_scope"] is False
    assert explain([ANN], [], when=lambda _record: True)["records"][0]["in_scope"] is True
    told = explain([{"id": "1", "name": "broken"}], [], when=lambda record: by_name(record) is not None)
    assert told["records"][0]["in_scope"] == "record: the transform broke"


def test_every_record_with_an_ambiguous_key_is_shown() -> None:
    told = explain([ANN, ROB, BOB], [])
    assert len(told["records"]) == 2
    assert told["decision"] == "error"


def test_records_whose_key_cannot_be_read_are_not_the_one_asked_for() -> None:
    def make_key(record: Mapping[str, Value]) -> Value:
        by_name(record)
        return record["id"]

    rows: list[Record] = [{"id": "1", "name": "broken"}, {"id": None, "name": "x"}, ANN]
    assert len(explain(rows, [], compute={"id": make_key})["records"]) == 1


def test_a_key_is_found_in_any_of_its_forms() -> None:
    number = FieldInfo(name="id", kind="integer")
    assert explain([{"id": "07", "name": "Ann"}], [], "007", info=number)["decision"] == "create"


def test_the_explanation_holds_no_password() -> None:
    spec = spec_of(key(), FieldSpec(name="pw", transform=(Password(rule=PasswordRule()),)))
    told = explain([ANN], [], spec=spec, source_fields=("id",))
    assert told["changes"][0]["fields"]["pw"] == {"before": "nothing", "after": MASK}


def test_nothing_is_written_and_only_what_is_needed_is_read() -> None:
    asked = request([ANN], [ROB])
    explain_object(asked, ("1",))
    assert t.cast("ListProvider", asked.destination.provider).writers == []
