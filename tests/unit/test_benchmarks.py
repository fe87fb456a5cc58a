# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of the benchmarks: targets, the table, and the page they are written to."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import run
from benchmarks.cases import Case, Row

BENCH = """
import time
from benchmarks.cases import Case

def bench_nothing():
    return [
        Case(
            name="nothing",
            ours=lambda folder: (folder / "data").read_text(),
            floor=lambda folder: time.sleep(0.001),
            floor_name="sleep",
            prepare=lambda folder: (folder / "data").write_text("x"),
        )
    ]
"""


def a_row(ours: float = 2.0, floor: float = 1.0, megabytes: float = 50.0, **targets: float) -> Row:
    case = Case(name="Copy", ours=Path.exists, floor=Path.exists, floor_name="cp", **targets)  # type: ignore[arg-type]
    return Row(case=case, ours=ours, floor=floor, megabytes=megabytes)


@pytest.mark.parametrize(
    ("name", "kept", "missed"),
    [("max_ratio", 2.0, 1.9), ("max_extra", 1.0, 0.9), ("max_seconds", 2.0, 1.9), ("max_megabytes", 50.0, 49.0)],
)
def test_each_target_is_held_against_its_measure(name: str, kept: float, missed: float) -> None:
    assert a_row(**{name: kept}).met
    assert not a_row(**{name: missed}).met


def test_the_table_says_figures_target_and_verdict() -> None:
    [head, _rule, line] = run.table([a_row(max_ratio=1.5, max_megabytes=400)]).splitlines()

    assert len(head) == len(line)
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "Copy",
        "2.00",
        "1.00",
        "cp",
        "2.00",
        "50",
        "at most 1.5 x the floor, 400 MB",
        "no",
    ]


@pytest.mark.parametrize("page", [None, "# Performance\n\nWords.\n", f"Before\n{run.START}\nold\n{run.END}\nAfter\n"])
def test_only_the_part_between_the_markers_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str | None
) -> None:
    path = tmp_path / "docs" / "performance.md"
    monkeypatch.setattr(run, "PAGE", path)
    if page is not None:
        path.parent.mkdir()
        path.write_text(page, encoding="utf-8")

    run.write_page("first")
    run.write_page("second")

    text = path.read_text(encoding="utf-8")
    assert text.count(run.START) == text.count(run.END) == 1
    assert f"{run.START}\nsecond\n{run.END}" in text
    assert "first" not in text
    assert "old" not in text
    for word in ("Words.", "Before", "After"):
        assert (word in text) == (word in (page or ""))


def test_both_sides_are_measured_in_processes_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "bench_nothing.py"
    file.write_text(BENCH, encoding="utf-8")
    [found] = run.load_cases(file)

    row = run.measure(found, 2)

    assert (found.function, found.number) == ("bench_nothing", 0)
    assert row.ours > 0
    assert row.floor > 0
    assert row.megabytes > 1
