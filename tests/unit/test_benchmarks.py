# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of the benchmarks: targets, the table, and the page they are written to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import report, run
from benchmarks.cases import Case, Peer, Row, Turn
from benchmarks.memory import MemoryWatch

BENCH = """
import time
from benchmarks.cases import Case, Peer

def bench_nothing():
    return [
        Case(
            name="nothing",
            ours=lambda folder: (folder / "data").read_text(),
            floor=lambda folder: time.sleep(0.001),
            floor_name="sleep",
            peers=(
                Peer(name="own clock", work=lambda folder: 0.5),
                Peer(name="once", work=lambda folder: (folder / "once").touch(exist_ok=False), once=True),
            ),
            prepare=lambda folder: (folder / "data").write_text("x"),
        )
    ]
"""


def turns(*seconds: float, megabytes: float = 50.0) -> tuple[Turn, ...]:
    return tuple(Turn(seconds=each, megabytes=megabytes) for each in seconds)


def a_row(**targets: float) -> Row:
    case = Case(name="Copy", ours=Path.exists, floor=Path.exists, floor_name="cp", **targets)  # type: ignore[arg-type]
    return Row(case=case, turns=(turns(1.5, 2.0, 9.0), turns(0.5, 1.0, 1.1)))


@pytest.mark.parametrize(
    ("name", "kept", "missed"),
    [("max_ratio", 2.0, 1.9), ("max_extra", 1.0, 0.9), ("max_seconds", 2.0, 1.9), ("max_megabytes", 50.0, 49.0)],
)
def test_each_target_is_held_against_its_measure(name: str, kept: float, missed: float) -> None:
    assert a_row(**{name: kept}).met
    assert not a_row(**{name: missed}).met


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_says_figures_target_and_verdict() -> None:
    head, _rule, ours, floor = report.table([a_row(max_ratio=1.5, max_megabytes=400)]).splitlines()

    assert len(head) == len(ours) == len(floor)
    assert cells(ours) == [
        "Copy",
        "lockstep.sync",
        "2.00",
        "1.50-9.00 (3)",
        "2.00",
        "50",
        "at most 1.5 x the floor, 400 MB",
        "no",
    ]
    assert cells(floor) == ["", "cp (floor)", "1.00", "0.50-1.10 (3)", "1.00", "50", "", ""]


def test_a_peer_that_does_a_part_is_compared_per_record() -> None:
    peer = Peer(name="rsync", work=Path.exists, size=2_000)
    case = Case(
        name="Copy",
        ours=Path.exists,
        floor=Path.exists,
        floor_name="cp",
        peers=(peer, Peer(name="dd", work=Path.exists)),
        size=20_000,
    )
    row = Row(case=case, turns=(turns(2.0), turns(1.0), turns(0.5, megabytes=9), turns(3.0)))

    *_others, part, whole = report.table([row]).splitlines()

    assert cells(part) == ["", "rsync, 2,000 of 20,000", "0.50", "once", "5.00 per record", "9", "", ""]
    assert cells(whole) == ["", "dd", "3.00", "once", "3.00", "50", "", ""]


def test_only_the_part_between_the_markers_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "performance.md"
    monkeypatch.setattr(report, "PAGE", path)
    path.write_text(f"Before\n{report.START}\nold\n{report.END}\nBetween\n<1>\nold\n<2>\nAfter\n", encoding="utf-8")

    report.write_page("first")
    report.write_page("second")
    report.write_page("other", ("<1>", "<2>"))

    text = path.read_text(encoding="utf-8")
    assert text == f"Before\n{report.START}\nsecond\n{report.END}\nBetween\n<1>\nother\n<2>\nAfter\n"


def test_all_contenders_are_measured_in_processes_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "bench_nothing.py"
    file.write_text(BENCH, encoding="utf-8")
    [found] = run.load_cases(file)

    row = run.measure(found, 2)

    assert (found.function, found.number) == ("bench_nothing", 0)
    # Two counted turns, but for the one that may run only once.
    assert [len(each) for each in row.turns] == [2, 2, 2, 1]
    assert row.median(0) > 0
    assert row.median(1) > 0
    assert row.median(2) == 0.5
    assert row.megabytes(0) > 1


def test_a_started_program_counts_for_itself() -> None:
    held = "import time; data = b'x' * (100 << 20); time.sleep(0.5)"

    with MemoryWatch() as memory:
        # A shell between: what is started may start others.
        subprocess.run(["/bin/sh", "-c", '"$0" -c "$1"; :', sys.executable, held], check=True)

    assert 100 < memory.started < 200


def test_without_a_program_nothing_was_started() -> None:
    with MemoryWatch() as memory:
        pass

    assert memory.started == 0
    assert memory.own > 1
