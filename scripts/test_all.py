# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every check, two at a time, fast ones first; end with one line per check and the number of tests.

usage: test_all.py [CHECK...]      a check is a make target; all of them when none is named
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIDE_BY_SIDE = 2
# Fast ones first, and before `integration`, the longest, what it waits for: the two that start servers are together
# more than a small machine bears.
CHECKS = ("lint", "types", "docs-check", "conformance", "unit", "integration", "sanity")
WITH_SERVERS = {"conformance", "integration"}
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped)\b")
COUNT_LINE = re.compile(r"^(?=.*\b\d+ (?:passed|failed|error|skipped)).* in [\d.]+s", re.MULTILINE)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How one check ended; `seconds` is wall time, `counts` are the tests by outcome."""

    name: str
    code: int
    seconds: float
    counts: dict[str, int]
    output: str


def count_tests(output: str) -> dict[str, int]:
    """Add up the last lines of all pytest runs in `output`."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for line in COUNT_LINE.findall(output):
        for number, outcome in COUNT.findall(line):
            counts["failed" if outcome.startswith("error") else outcome] += int(number)
    return counts


def run_check(name: str) -> Result:
    """Run one make target and keep what it wrote."""
    environment = {
        key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "ARGS", "MFLAGS")
    }
    start = time.monotonic()
    done = subprocess.run(
        ["make", "--silent", name],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    seconds = time.monotonic() - start
    return Result(name=name, code=done.returncode, seconds=seconds, counts=count_tests(done.stdout), output=done.stdout)


def run_all(names: list[str]) -> list[Result]:
    """Run the checks `SIDE_BY_SIDE` at a time, in order, and print each one's output when it ends."""
    waiting = list(names)
    running: set[str] = set()
    results: list[Result] = []
    changed = threading.Condition()

    def next_check() -> str | None:
        busy = bool(running & WITH_SERVERS)
        return next((name for name in waiting if not (busy and name in WITH_SERVERS)), None)

    def work() -> None:
        while True:
            with changed:
                while waiting and next_check() is None:
                    changed.wait()
                name = next_check()
                if name is None:
                    return
                waiting.remove(name)
                running.add(name)
            result = run_check(name)
            with changed:
                running.remove(name)
                results.append(result)
                word = "ok" if result.code == 0 else f"FAILED (exit {result.code})"
                print(f"\n=== {name}: {word}, {result.seconds:.0f} s\n{result.output.strip()}", flush=True)
                changed.notify_all()

    workers = [threading.Thread(target=work) for number in range(SIDE_BY_SIDE)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(results, key=lambda result: names.index(result.name))


def main(arguments: list[str]) -> int:
    """Run the named checks or all; return 0 only when each of them passed."""
    unknown = sorted(set(arguments) - set(CHECKS))
    if unknown:
        print(f"test: there is no check {unknown[0]!r}. Valid: {', '.join(CHECKS)}.", file=sys.stderr)
        return 2
    start = time.monotonic()
    results = run_all([name for name in CHECKS if not arguments or name in arguments])
    print("\n=== summary")
    for result in results:
        counts = ", ".join(f"{number} {outcome}" for outcome, number in result.counts.items() if number)
        print(f"{'ok' if result.code == 0 else 'FAILED':8}{result.name:14}{result.seconds:5.0f} s  {counts}".rstrip())
    # A check that fails without a failed test (a linter, a coverage threshold) counts as one failure.
    passed = sum(result.counts["passed"] or result.code == 0 for result in results)
    failed = sum(result.counts["failed"] or result.code != 0 for result in results)
    skipped = sum(result.counts["skipped"] for result in results)
    print(f"{passed} passed, {failed} failed, {skipped} skipped in {time.monotonic() - start:.0f} s")
    return 0 if all(result.code == 0 for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
