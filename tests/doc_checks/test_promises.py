# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/promises.md names files and tests that exist, and each promise has its four parts."""

from __future__ import annotations

import ast
import re

import pytest
from doc_checks.module_docs import ROOT

PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
UNITS = ROOT / "tests" / "unit" / "plugins" / "module_utils"
PROMISES = [part for part in PAGE.split("\n## ")[1:] if not part.startswith("Figures")]
TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
FILE = re.compile(r"`(_\w+/[\w/]+\.py)`")


def title(promise: str) -> str:
    return promise.partition("\n")[0]


@pytest.mark.parametrize("promise", PROMISES, ids=title)
def test_a_promise_says_how_it_is_kept_what_proves_it_and_what_it_does_not_cover(promise: str) -> None:
    parts = re.findall(r"^- \*\*(\w+)\*\*", promise, re.MULTILINE)
    assert parts == ["Promise", "How", "Tests", "Limits"]
    assert TEST.search(promise)
    assert FILE.search(promise)


@pytest.mark.parametrize(("file", "test"), sorted(set(TEST.findall(PAGE))))
def test_each_test_that_is_named_exists(file: str, test: str) -> None:
    path = UNITS / file if file.startswith("_") else ROOT / "tests" / file
    names = {node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if hasattr(node, "name")}
    assert test in names


@pytest.mark.parametrize("file", sorted(set(FILE.findall(PAGE))))
def test_each_file_that_is_named_exists(file: str) -> None:
    assert (ROOT / "plugins" / "module_utils" / file).is_file()


def test_the_page_shows_figures_beside_the_promises() -> None:
    assert "\n## Figures\n\n| what | how often | result |\n|---|---|---|\n" in PAGE
