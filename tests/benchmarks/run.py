# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure every benchmark, print one table, and write it into docs/performance.md.

usage: run.py [--rounds N] [--dry] [WORD...]
With words, only cases whose function or name has one of them are measured, and nothing is written; nor with --dry.

Ours and the floor run in turns, each in a process of its own, so that a busy machine and a warm cache hit both alike.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
sys.path.insert(0, str(TESTS))

import conftest  # noqa: E402
from benchmarks.cases import Case, Row  # noqa: E402

conftest.make_importable()
PAGE = ROOT / "docs" / "performance.md"
START, END = "<!-- measured: start -->", "<!-- measured: end -->"
HEADINGS = ("what", "ours s", "floor s", "floor", "ratio", "peak MB", "target", "met")


class Found(t.NamedTuple):
    """Where a case comes from, so that another process finds it again."""

    file: Path
    function: str
    number: int
    case: Case


def load_cases(file: Path) -> list[Found]:
    """Load a bench file and call its bench functions."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    functions = [(name, value) for name, value in vars(module).items() if name.startswith("bench_")]
    return [Found(file, name, number, case) for name, function in functions for number, case in enumerate(function())]


def measure_here(found: Found, side: str, folder: Path) -> dict[str, float]:
    """Run one side once in this process; give wall seconds and the peak memory (MB) of it or its children."""
    if side == "prepare" and found.case.prepare:
        found.case.prepare(folder)
        return {}
    work = found.case.ours if side == "ours" else found.case.floor
    if found.case.before:
        found.case.before(folder)
    gc.collect()
    start = time.perf_counter()
    work(folder)
    seconds = time.perf_counter() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"seconds": seconds, "megabytes": peak / 1024}


def measure_apart(found: Found, side: str, folder: Path) -> dict[str, float]:
    """Run one side once in a new process."""
    command = [sys.executable, __file__, "--one", str(found.file), found.function, str(found.number), side, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return t.cast("dict[str, float]", json.loads(done.stdout.splitlines()[-1]))


def measure(found: Found, rounds: int) -> Row:
    """Prepare a case, run both sides in turns, and give the medians."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        measured: dict[str, list[dict[str, float]]] = {"ours": [], "floor": []}
        try:
            if found.case.prepare:
                # In a process of its own: its memory would count as that of the processes started from here.
                measure_apart(found, "prepare", folder)
            for number in range(rounds):
                for side in ("ours", "floor") if number % 2 else ("floor", "ours"):
                    measured[side].append(measure_apart(found, side, folder))
        finally:
            if found.case.cleanup:
                found.case.cleanup(folder)
    return Row(
        case=found.case,
        ours=statistics.median(one["seconds"] for one in measured["ours"]),
        floor=statistics.median(one["seconds"] for one in measured["floor"]),
        megabytes=max(one["megabytes"] for one in measured["ours"]),
    )


def table(rows: list[Row]) -> str:
    """Lay the rows out as a Markdown table that also reads well as text."""
    lines = [
        (
            row.case.name,
            f"{row.ours:.2f}",
            f"{row.floor:.2f}",
            row.case.floor_name,
            f"{row.ratio:.2f}",
            f"{row.megabytes:.0f}",
            row.target,
            ("yes" if row.met else "no") if row.target else "",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in [HEADINGS, *lines]) for column in range(len(HEADINGS))]

    def lay(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([lay(HEADINGS), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(lay, lines)])


def machine() -> str:
    """Describe this machine in one line."""
    cpu = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in cpu.read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = models[0] if models else platform.machine()
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def write_page(text: str) -> None:
    """Put `text` between the markers of the page. The words around them stay."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else f"# Performance\n\n{START}\n{END}\n"
    if START not in page or END not in page:
        page = f"{page.rstrip()}\n\n{START}\n{END}\n"
    before, rest = page.split(START, 1)
    after = rest.split(END, 1)[1]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Measure what was asked for; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description="Measure the benchmarks.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    cases = [found for file in sorted(Path(__file__).parent.glob("bench_*.py")) for found in load_cases(file)]
    wanted = [
        found
        for found in cases
        if not options.words or any(word in f"{found.function} {found.case.name}" for word in options.words)
    ]
    if not wanted:
        names = ", ".join(sorted({found.function for found in cases})) or "none"
        print(f"bench: nothing matches {' '.join(options.words)!r}. Benchmarks: {names}.", file=sys.stderr)
        return 2
    rows = []
    for found in wanted:
        print(f"measuring {found.case.name} ...", file=sys.stderr, flush=True)
        rows.append(measure(found, options.rounds))
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    about = f"Measured on {today}: {machine()}. Medians of {options.rounds} rounds, ours and the floor in turns."
    print(f"\n{table(rows)}\n\n{about}")
    if not options.dry and not options.words:
        write_page(f"{about}\n\n{table(rows)}")
        print(f"written to {PAGE.relative_to(ROOT)}")
    missed = [row.case.name for row in rows if not row.met]
    aimed = sum(1 for row in rows if row.target)
    print(f"{aimed - len(missed)} of {aimed} targets met" + (f"; missed: {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        file, function, number, side, folder = sys.argv[2:]
        [chosen] = [
            found for found in load_cases(Path(file)) if (found.function, found.number) == (function, int(number))
        ]
        print(json.dumps(measure_here(chosen, side, Path(folder))))
    else:
        sys.exit(main())
