# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RETURN of every module against the results that the integration tests recorded (`make integration` runs both)."""

from __future__ import annotations

import pytest
from doc_checks.module_docs import Mapping, module_names, return_documentation
from doc_checks.returns import Recorded, compare, recorded


@pytest.mark.parametrize("module", module_names())
def test_the_module_returns_what_it_documents(module: str) -> None:
    documented = return_documentation(module)
    records = recorded(module)

    assert [record for record in records if not record["failed"]], (
        "no integration test ran it with success: make integration"
    )
    complaints = {complaint for record in records for complaint in compare(record, documented)}
    assert sorted(complaints) == []


@pytest.mark.parametrize("module", module_names())
def test_each_documented_key_was_seen(module: str) -> None:
    seen = {key for record in recorded(module) for key in record["result"]}

    assert set(return_documentation(module)) - seen == set()


DOCUMENTED: Mapping = {
    "msg": {"type": "str", "returned": "always"},
    "path": {"type": "str", "returned": "when there is a file"},
    "things": {
        "type": "list",
        "elements": "dict",
        "returned": "success",
        "contains": {
            "name": {"type": "str", "returned": "always"},
            "size": {"type": "int"},
            "owner": {"type": "dict", "returned": "when known", "contains": {"mail": {"type": "str"}}},
            "values": {"type": "dict"},
        },
    },
}


def a_thing() -> Mapping:
    return {"name": "x", "size": 1, "owner": {"mail": "a"}, "values": {"any": 1}}


def found(result: Mapping, *, failed: bool = False) -> list[str]:
    return compare(Recorded(task="Try", failed=failed, result=result), DOCUMENTED)


def test_a_documented_result_has_no_complaint() -> None:
    assert found({"changed": False, "msg": "ok", "things": [a_thing(), a_thing() | {"size": None}], "diff": {}}) == []


def test_a_failed_result_promises_nothing() -> None:
    assert found({"failed": True, "msg": "no"}, failed=True) == []
    assert found({"failed": True, "msg": "no", "odd": 1}, failed=True) == ["odd is returned but not documented"]


@pytest.mark.parametrize(
    ("result", "complaint"),
    [
        ({"msg": "ok", "things": [], "extra": 1}, "extra is returned but not documented"),
        ({"msg": "ok"}, "things is documented as always there, but is missing"),
        ({"msg": 5, "things": []}, "msg is documented as str, but is int: '5'"),
        ({"msg": "ok", "things": {}}, "things is documented as list, but is dict: '{}'"),
        ({"msg": "ok", "things": ["x"]}, "things[0] is documented as dict, but is str: 'x'"),
        (
            {"msg": "ok", "things": [a_thing() | {"size": True}]},
            "things[0].size is documented as int, but is bool: 'True'",
        ),
        ({"msg": "ok", "things": [a_thing() | {"odd": 1}]}, "things[0].odd is returned but not documented"),
        (
            {"msg": "ok", "things": [a_thing() | {"owner": {}}]},
            "things[0].owner.mail is documented as always there, but is missing",
        ),
    ],
)
def test_a_wrong_result_is_found(result: Mapping, complaint: str) -> None:
    assert found(result) == [complaint]
