# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark is: our way beside a floor and peers, on the same data, and a target.

A file bench_*.py has functions `bench_*` that each give a list of cases.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Work = Callable[[Path], object]
OURS = "lockstep.sync"


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Another program that does the same work.

    Attributes:
        name: what it is.
        work: as `Case.ours`.
        size: the records that it does, when it cannot do them all. Its ratio is then computed per record.
        once: it is so slow that it runs once, without a turn to warm up.
    """

    name: str
    work: Work
    size: int | None = None
    once: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One comparison; all functions get a folder that the case has for itself.

    What `ours`, `floor` or a peer's `work` returns is ignored, unless it is a float: those are then the seconds that
    count. A program of a peer's own interpreter measures its work itself, since our imports are not measured either.

    Attributes:
        name: what is done, with its size.
        ours: our way. Runs in a fresh process each time; only the call is measured, not the imports of the file.
        floor: the same work by the best known means, measured in the same way.
        floor_name: what the floor is.
        peers: other programs, measured in the same way.
        size: the records of the whole work; needed when a peer does fewer.
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
    peers: tuple[Peer, ...] = ()
    size: int | None = None
    prepare: Work | None = None
    before: Work | None = None
    cleanup: Work | None = None
    max_ratio: float | None = None
    max_extra: float | None = None
    max_seconds: float | None = None
    max_megabytes: float | None = None

    @property
    def contenders(self) -> tuple[Peer, ...]:
        """Give ours, the floor and the peers in the order of the table."""
        return (Peer(name=OURS, work=self.ours), Peer(name=f"{self.floor_name} (floor)", work=self.floor), *self.peers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One call: seconds, and MB at the peak."""

    seconds: float
    megabytes: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A measured case: the counted turns of each contender, in the order of `Case.contenders`."""

    case: Case
    turns: tuple[tuple[Turn, ...], ...]

    def median(self, number: int) -> float:
        """Give the median seconds of a contender."""
        return statistics.median(turn.seconds for turn in self.turns[number])

    def megabytes(self, number: int) -> float:
        """Give the highest peak of a contender."""
        return max(turn.megabytes for turn in self.turns[number])

    def ratio(self, number: int) -> float:
        """Compare a contender with the floor, per record when it did fewer."""
        size = self.case.contenders[number].size
        share = size / self.case.size if size and self.case.size else 1
        return self.median(number) / share / self.median(1)

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
            (self.ratio(0), case.max_ratio),
            (self.median(0) - self.median(1), case.max_extra),
            (self.median(0), case.max_seconds),
            (self.megabytes(0), case.max_megabytes),
        )
        return all(limit is None or value <= limit for value, limit in pairs)
