# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/error-codes.md has every code that plugins give, and no other."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.running import FAIL_ON
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import GuardClass
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import STATUSES
from doc_checks.codes import Codes, find_codes
from doc_checks.module_docs import ROOT

PAGE = ROOT / "docs" / "error-codes.md"
INSIDE_ONLY = {
    "missing": "tells the SQL provider that a table is not there, which it says as an error of `config` or `provider`",
}
"""Codes that leave no folder of plugins, and why."""


def rows(heading: str) -> dict[str, list[str]]:
    """Give the cells of each row of the table under a heading, by the code in the first one."""
    _before, _found, section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    table = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    found = {row[0].strip("`"): row[1:] for row in cells}
    assert len(found) == len(cells), "a code stands twice"
    return found


@pytest.fixture(scope="module")
def codes() -> Codes:
    return find_codes(ROOT / "plugins")


def test_the_page_has_every_code_and_no_other(codes: Codes) -> None:
    documented = {*rows("Errors of tasks"), *rows("Records and changes")}
    given = {code: sorted(places) for code, places in codes.found.items() if code not in INSIDE_ONLY}
    assert {code: places for code, places in given.items() if code not in documented} == {}, "missing on the page"
    assert documented - set(given) == set(), "nothing gives these any more"
    assert set(INSIDE_ONLY) <= set(codes.found)


def test_every_code_could_be_followed(codes: Codes) -> None:
    assert codes.lost == []


def test_the_page_has_every_status_and_guard() -> None:
    assert set(rows("Statuses of runs")) == set(STATUSES)
    assert set(rows("Guards")) == set(t.get_args(GuardClass))
    fails = " ".join(row[1] for row in rows("Statuses of runs").values())
    assert [word for word in FAIL_ON if f"`{word}`" not in fails] == ["failed"]  # that one is not to be chosen


BAD = """
from dataclasses import dataclass

class Fault(Exception):
    code = "from_a_class"

@dataclass
class Outcome:
    status: str
    code: str = ""

_TABLE = {1: ("from_a_table", "advice"), 2: ("from_the_same", "")}
_NAMED = "from_a_constant"

def failed(code: str, message: str) -> Outcome:
    return Outcome("failed", code)

def answer(number: int, other: Outcome) -> list[Outcome]:
    code, advice = _TABLE.get(number, ("from_the_default", ""))
    return [
        Outcome(status="failed", code=code),
        Outcome("failed", "by_position"),
        failed("through_a_function", advice),
        Outcome("failed", code="one" if number else "another"),
        Outcome("failed", _NAMED),
        Outcome("failed", other.code),
        {"error": {"code": "in_a_result"}},
        Outcome("failed", "made_" + str(number)),
    ]

def number(code: int) -> int:
    return number(code=7)
"""


def test_codes_are_found_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD, encoding="utf-8")
    found = find_codes(tmp_path)
    assert set(found.found) == {
        "from_a_class",
        "from_a_table",
        "from_the_same",
        "from_the_default",
        "from_a_constant",
        "by_position",
        "through_a_function",
        "one",
        "another",
        "in_a_result",
    }
    assert found.lost == ["bad.py:28: 'made_' + str(number)"]
