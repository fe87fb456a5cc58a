# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed at random moments and gone on with leave what an undisturbed run leaves, and do nothing twice.

A few trials each time; `make prove` makes hundreds. `LOCKSTEP_SEED` repeats one that failed.
"""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.crashes import Bed, DirectoryBed, TableBed, crash_once, measure, run_together

TRIALS = int(os.environ.get("LOCKSTEP_TRIALS", "2"))
SEED = int(os.environ.get("LOCKSTEP_SEED", "0"))


def prove(make: Callable[[], Bed], what: str) -> None:
    wanted, moments = measure(make)
    seeds = [SEED] if SEED else [random.SystemRandom().randrange(1, 2**31) for _trial in range(TRIALS)]
    ways = Counter(crash_once(make, wanted, moments, seed) for seed in seeds)
    assert sum(ways.values()) == len(seeds)
    print(f"\n{what}: {len(seeds)} killed, {dict(ways)}, 0 differences, 0 double effects")


def test_a_table(tmp_path: Path, postgres_url: str) -> None:
    numbers = itertools.count()
    prove(lambda: TableBed(tmp_path / str(next(numbers)), postgres_url), "table")


@pytest.mark.parametrize("runs", [2, 8])
def test_of_several_runs_at_once_exactly_one_writes(tmp_path: Path, postgres_url: str, runs: int) -> None:
    """Each is a process of its own; they share a store on PostgreSQL and begin at the same moment."""
    alone = TableBed(tmp_path / "alone", postgres_url)
    alone.world.run(max_changes=0)
    wanted = (alone.state(), alone.effects())
    bed = TableBed(tmp_path / "together", postgres_url, store=postgres_url)
    statuses = run_together(bed.world, runs)
    assert Counter(statuses) == {"succeeded": 1, "skipped": runs - 1}
    assert (bed.state(), bed.effects()) == wanted


@pytest.mark.parametrize("later", [False, True], ids=["all new", "changes"])
@pytest.mark.parametrize("server", ["openldap", "samba"])
def test_a_directory(request: pytest.FixtureRequest, tmp_path: Path, server: str, later: bool) -> None:
    found = request.getfixturevalue(server)
    numbers = itertools.count()
    prove(
        lambda: DirectoryBed(tmp_path / str(next(numbers)), found, later=later),
        f"{server}, {'changes' if later else 'all new'}",
    )
