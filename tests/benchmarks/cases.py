# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark is: our way beside a floor or a peer, on the same data, and a target.

A file bench_*.py has functions `bench_*` that each give a list of cases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Work = Callable[[Path], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One comparison; all functions get a folder that the case has for itself.

    Attributes:
        name: what is done, with its size.
        ours: our way. Runs in a fresh process each time; only the call is measured, not the imports of the file.
        floor: the same work by the best known means, measured in the same way.
        floor_name: what the floor is.
        prepare: makes the data, once.
        before: runs before each measured call, in the same process and not measured.
        cleanup: runs when all is measured, also when that failed: stops what `prepare` started.
        max_ratio: the target, ours / floor.
        max_extra: the target, ours - floor, in seconds.
        max_seconds: the target for ours alone.
        max_megabytes: the target for our process's peak memory (and its children's), in MB.
    """

    name: str
    ours: Work
    floor: Work
    floor_name: str
    prepare: Work | None = None
    before: Work | None = None
    cleanup: Work | None = None
    max_ratio: float | None = None
    max_extra: float | None = None
    max_seconds: float | None = None
    max_megabytes: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A measured case: medians of all rounds; seconds, and MB at the peak of our side."""

    case: Case
    ours: float
    floor: float
    megabytes: float

    @property
    def ratio(self) -> float:
        return self.ours / self.floor

    @property
    def target(self) -> str:
        """Say the targets in words."""
        case = self.case
        parts = (
            (case.max_ratio, f"{case.max_ratio:g} x the floor" if case.max_ratio else ""),
            (case.max_extra, f"{case.max_extra:g} s more" if case.max_extra else ""),
            (case.max_seconds, f"{case.max_seconds:g} s" if case.max_seconds else ""),
            (case.max_megabytes, f"{case.max_megabytes:g} MB" if case.max_megabytes else ""),
        )
        said = ", ".join(text for limit, text in parts if limit)
        return f"at most {said}" if said else ""

    @property
    def met(self) -> bool:
        """Tell whether every target is kept."""
        case = self.case
        pairs = (
            (self.ratio, case.max_ratio),
            (self.ours - self.floor, case.max_extra),
            (self.ours, case.max_seconds),
            (self.megabytes, case.max_megabytes),
        )
        return all(limit is None or value <= limit for value, limit in pairs)
