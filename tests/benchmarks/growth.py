# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how whole runs grow with the number of records; write the figures into docs/performance.md and a plot.

usage: growth.py [--dry] [RECORDS...]      10000 100000 1000000 when none are given

Each run has a process of its own. With RECORDS or --dry nothing is written.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

import conftest  # noqa: E402

conftest.make_importable()

from benchmarks import engine, programs  # noqa: E402
from benchmarks.bench_tables import FIELDS, make_tables  # noqa: E402
from benchmarks.memory import MemoryWatch  # noqa: E402
from benchmarks.report import ROOT, lay_table, machine, write_page  # noqa: E402

SIZES = (10_000, 100_000, 1_000_000)
PLOT = ROOT / "docs" / "growth.png"
MARKS = ("<!-- growth: start -->", "<!-- growth: end -->")
HEADINGS = ("run", "records", "seconds", "peak MB", "microseconds a record", "linear or better")
MOST_MEGABYTES = 1000
TOLERANCE = 1.15
"""A run counts as linear when a record costs at most so many times what it costs in the next smaller one."""


class Figure(t.NamedTuple):
    """One whole run: wall seconds, and MB at the peak."""

    kind: str
    records: int
    seconds: float
    megabytes: float


def _prepare(kind: str, records: int, folder: Path) -> None:
    make_tables(folder, records, 0 if kind == "all created" else records)
    if kind == "1 % changed":
        with sqlite3.connect(folder / "data.db") as database:
            database.execute("UPDATE source SET field3 = 'moved' WHERE substr(id, -2) = '07'")


EXPECTED: dict[str, t.Callable[[int], tuple[str, int]]] = {
    "nothing to change": lambda records: ("unchanged", records),
    "1 % changed": lambda records: ("updated", records // 100),
    "all created": lambda records: ("created", records),
}


def run_here(kind: str, records: int, folder: Path) -> dict[str, float]:
    """Run the job in this process. Raises RuntimeError when it did something else than it should."""
    with MemoryWatch() as memory:
        start = time.perf_counter()
        statistics = engine.run(folder).statistics
        seconds = time.perf_counter() - start
    name, count = EXPECTED[kind](records)
    if getattr(statistics, name) != count:
        raise RuntimeError(f"{kind}: {statistics}")
    return {"seconds": seconds, "megabytes": memory.own}


def measure(kind: str, records: int) -> Figure:
    """Make the tables in one process and run the job in another."""
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        command = [sys.executable, __file__, "--one", kind, str(records), folder]
        subprocess.run([*command, "prepare"], check=True)
        done = subprocess.run([*command, "run"], check=True, stdout=subprocess.PIPE, text=True)
        return Figure(kind=kind, records=records, **json.loads(done.stdout.splitlines()[-1]))


def table(figures: list[Figure]) -> str:
    """Give the figures as a table that says whether each size keeps what is wanted of it."""
    lines = []
    for figure in figures:
        smaller = [each for each in figures if each.kind == figure.kind and each.records < figure.records]
        cost = figure.seconds / figure.records
        linear = not smaller or cost <= TOLERANCE * smaller[-1].seconds / smaller[-1].records
        lines.append(
            (
                figure.kind,
                f"{figure.records:,}",
                f"{figure.seconds:.2f}",
                f"{figure.megabytes:.0f}{'' if figure.megabytes <= MOST_MEGABYTES else ' (too much)'}",
                f"{cost * 1e6:.1f}",
                ("yes" if linear else "no") if smaller else "",
            )
        )
    return lay_table(HEADINGS, lines)


def draw(figures: list[Figure]) -> None:
    """Draw the plot with the library of the peers' environment."""
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        data = Path(folder) / "figures.json"
        data.write_text(json.dumps([figure._asdict() for figure in figures]), encoding="utf-8")
        program = Path(__file__).with_name("plot_growth.py")
        subprocess.run([str(programs.BIN / "python"), str(program), str(data), str(PLOT)], check=True)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description="Measure how runs grow.")
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("records", nargs="*", type=int)
    options = parser.parse_args()
    figures = []
    for kind in EXPECTED:
        for records in options.records or SIZES:
            print(f"measuring {records:,} records, {kind} ...", file=sys.stderr, flush=True)
            figures.append(measure(kind, records))
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    about = f"Measured on {today}: {machine()}. SQLite to SQLite, {len(FIELDS)} columns; each run once."
    print(f"\n{table(figures)}\n\n{about}")
    if not options.dry and not options.records:
        draw(figures)
        write_page(f"{about}\n\n{table(figures)}\n\n![Growth of runs](growth.png)", MARKS)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        of_kind, of_records, place, task = sys.argv[2:]
        if task == "prepare":
            _prepare(of_kind, int(of_records), Path(place))
        else:
            print(json.dumps(run_here(of_kind, int(of_records), Path(place))))
    else:
        main()
