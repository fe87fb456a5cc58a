# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure every benchmark, print one table (and a small one of imports), and write both into docs/performance.md.

usage: run.py [--rounds N] [--dry] [WORD...]
With words, only cases whose function or name has one of them are measured, and nothing is written; nor with --dry.

Ours, the floor and the peers run in turns, each in a process of its own, so that a busy machine and a warm cache hit
all alike. A first turn of each is not counted; after it 5 are, or 3 when a turn of all takes 10 s or more.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import gc
import importlib.util
import json
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

conftest.make_importable()

from benchmarks import imports  # noqa: E402
from benchmarks.cases import Case, Row, Turn  # noqa: E402
from benchmarks.memory import MemoryWatch  # noqa: E402
from benchmarks.report import PAGE, machine, table, write_page  # noqa: E402

SHORT, ROUNDS_SHORT, ROUNDS_LONG = 10, 5, 3
# Whoever takes longer for the turn that is not counted gets no other: that one counts.
SLOW = 60


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


def measure_here(found: Found, side: str, folder: Path) -> Turn:
    """Run one contender once in this process."""
    number = int(side)
    if found.case.before:
        found.case.before(folder)
    gc.collect()
    with MemoryWatch() as memory:
        start = time.perf_counter()
        told = found.case.contenders[number].work(folder)
        seconds = time.perf_counter() - start
    # A program that was started counts for itself, without the memory of this process; ours always counts with it.
    megabytes = max(memory.own, memory.started) if number == 0 else memory.started or memory.own
    return Turn(seconds=told if isinstance(told, float) else seconds, megabytes=megabytes)


def run_apart(found: Found, side: str, folder: Path) -> str:
    """Run one side once in a new process; give its last line."""
    command = [sys.executable, __file__, "--one", str(found.file), found.function, str(found.number), side, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return (done.stdout.splitlines() or [""])[-1]


def run_turns(found: Found, folder: Path, rounds: int | None) -> Row:
    """Run all contenders in turns; each round begins with another one."""
    turns: dict[int, list[Turn]] = {number: [] for number in range(len(found.case.contenders))}

    def run_one(number: int) -> Turn:
        return Turn(**json.loads(run_apart(found, str(number), folder)))

    again = []
    taken = 0.0
    for number, contender in enumerate(found.case.contenders):
        first = run_one(number)
        if contender.once or first.seconds > SLOW:
            turns[number].append(first)
        else:
            again.append(number)
            taken += first.seconds
    if rounds is None:
        rounds = ROUNDS_SHORT if taken < SHORT else ROUNDS_LONG
    for turn in range(rounds):
        start = turn % max(len(again), 1)
        for number in again[start:] + again[:start]:
            turns[number].append(run_one(number))
    return Row(case=found.case, turns=tuple(tuple(turns[number]) for number in sorted(turns)))


def measure(found: Found, rounds: int | None) -> Row:
    """Prepare a case and measure all its contenders."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        try:
            if found.case.prepare:
                # In a process of its own: what it needs for making the data is not left behind in this one.
                run_apart(found, "prepare", folder)
            return run_turns(found, folder, rounds)
        finally:
            if found.case.cleanup:
                found.case.cleanup(folder)


def main() -> int:
    """Measure what was asked for; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description="Measure the benchmarks.")
    parser.add_argument("--rounds", type=int, help="counted turns of each; as many as fit the work when not given")
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    cases = [found for file in sorted(Path(__file__).parent.glob("bench_*.py")) for found in load_cases(file)]
    wanted = [
        found
        for found in cases
        if not options.words or any(word in f"{found.function} {found.case.name}" for word in options.words)
    ]
    with_imports = not options.words or any(word in imports.TITLE for word in options.words)
    if not wanted and not with_imports:
        names = ", ".join(sorted({found.function for found in cases})) or "none"
        valid = f"Benchmarks: {names}, {imports.TITLE!r}"
        print(f"bench: nothing matches {' '.join(options.words)!r}. {valid}.", file=sys.stderr)
        return 2
    rows = []
    for found in wanted:
        print(f"measuring {found.case.name} ...", file=sys.stderr, flush=True)
        rows.append(measure(found, options.rounds))
    tables = [table(rows)] if rows else []
    if with_imports:
        print(f"measuring {imports.TITLE} ...", file=sys.stderr, flush=True)
        tables.append(imports.measure_imports(options.rounds))
    measured = "\n\n".join(tables)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    about = f"Measured on {today}: {machine()}. All in turns, after one turn of each that is not counted."
    print(f"\n{measured}\n\n{about}")
    if not options.dry and not options.words:
        write_page(f"{about}\n\n{measured}")
        print(f"written to {PAGE.relative_to(ROOT)}")
    missed = [row.case.name for row in rows if not row.met]
    aimed = sum(1 for row in rows if row.target)
    print(f"{aimed - len(missed)} of {aimed} targets met" + (f"; missed: {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


def run_one_side(file: str, function: str, number: str, side: str, folder: str) -> None:
    """Do what `run_apart` asks of its process: prepare a case, or measure one contender and print its turn."""
    [found] = [each for each in load_cases(Path(file)) if (each.function, each.number) == (function, int(number))]
    if side == "prepare":
        assert found.case.prepare is not None
        found.case.prepare(Path(folder))
    else:
        print(json.dumps(dataclasses.asdict(measure_here(found, side, Path(folder)))))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one_side(*sys.argv[2:])
    else:
        sys.exit(main())
