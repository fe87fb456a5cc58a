# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of all checks: what it counts, and that a failure is never lost."""

from __future__ import annotations

import runpy
import typing as t
from pathlib import Path

import pytest

RUNNER = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "test_all.py"))
Result = RUNNER["Result"]


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("....\n4 passed in 0.10s\n", (4, 0, 0)),
        ("1 failed, 3 passed, 2 skipped, 1 xfailed, 1 error in 61.02s (0:01:01)\n", (3, 2, 2)),
        ("= 2 errors in 0.1s =\n", (0, 2, 0)),
        ("3 passed in 1.0s\nother\n2 failed, 1 passed in 2.00s\n", (4, 2, 0)),
        ("All checks passed!\nFound 3 errors in 2 files\nno tests ran in 0.01s\n", (0, 0, 0)),
    ],
)
def test_the_last_lines_of_pytest_are_counted(output: str, counts: tuple[int, int, int]) -> None:
    assert tuple(RUNNER["count_tests"](output).values()) == counts


def run(monkeypatch: pytest.MonkeyPatch, codes: dict[str, int], output: str = "") -> int:
    def run_check(name: str) -> object:
        counts = RUNNER["count_tests"](output)
        return Result(name=name, code=codes.get(name, 0), seconds=1.0, counts=counts, output=output)

    main: t.Any = RUNNER["main"]
    monkeypatch.setitem(main.__globals__, "run_check", run_check)
    return int(main([]))


def test_all_checks_are_run_and_added_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, {}, "5 passed in 1.00s\n") == 0
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .startswith(f"{5 * len(RUNNER['CHECKS'])} passed, 0 failed, 0 skipped in ")
    )


@pytest.mark.parametrize("name", RUNNER["CHECKS"])
def test_one_failed_check_fails_the_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(monkeypatch, {name: 2}) == 1

    printed = capsys.readouterr().out
    assert f"=== {name}: FAILED (exit 2)" in printed
    assert printed.splitlines()[-1].startswith(f"{len(RUNNER['CHECKS']) - 1} passed, 1 failed, ")


def test_an_unknown_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert RUNNER["main"](["unti"]) == 2
    assert "there is no check 'unti'" in capsys.readouterr().err
