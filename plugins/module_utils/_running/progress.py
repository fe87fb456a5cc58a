# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on right now, for whoever watches, and the wish that it stops."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .._model.errors import CancelledError

LOOK = 0.2
"""Seconds between two looks for the wish to stop while something is waited for."""
ENOUGH_TO_TELL = 3.0
"""Seconds of writing after which its pace says when it ends."""
Phase: t.TypeAlias = t.Literal["starting", "reading", "planning", "writing", "finishing"]


@dataclass(kw_only=True, slots=True)
class Meter:
    """How far one run is.

    Attributes:
        job: the job's name.
        phase: what it does now; since `since`, in seconds of the clock `monotonic`.
        object: the object whose records are read.
        done: records read of either side, or changes written.
        total: changes to write.
        errors: changes that failed.
    """

    job: str
    monotonic: Callable[[], float]
    phase: Phase = "starting"
    since: float = 0.0
    object: str = ""
    done: int = 0
    total: int = 0
    errors: int = 0

    def read(self, object_name: str) -> None:
        """The records of this object are read from now on."""
        if self.phase != "reading":
            self.done = 0
        self.phase, self.since, self.object = "reading", self.monotonic(), object_name

    def enter(self, phase: t.Literal["planning", "finishing"]) -> None:
        """All is read and the plan is sealed, or all is written and the history is."""
        self.phase, self.since = phase, self.monotonic()

    def write(self, total: int) -> None:
        """So many changes are written from now on."""
        self.phase, self.since = "writing", self.monotonic()
        self.done, self.errors, self.total = 0, 0, total

    def line(self) -> str:
        """Say in a line how far the run is, with numbers and names of the declaration only, never a value."""
        if self.phase == "writing":
            return f"{self.job}: {self._writing()}"
        shown = {
            "starting": "starting",
            "reading": f"reading {self.object}, {self.done:,} records so far",
            "planning": f"making the plan, {self.done:,} records were read",
            "finishing": "writing the history",
        }
        return f"{self.job}: {shown[self.phase]}"

    def _writing(self) -> str:
        # Both may be counted up between two looks at them.
        done, total = self.done, max(self.done, self.total)
        parts = [f"applying {done:,} of {total:,} ({100 * done // max(total, 1)} %)"]
        if self.errors:
            parts.append(f"{self.errors:,} error{'' if self.errors == 1 else 's'}")
        passed = self.monotonic() - self.since
        if done and passed >= ENOUGH_TO_TELL:
            parts.append(f"about {show_seconds((total - done) * passed / done)} left")
        return ", ".join(parts)


@dataclass(kw_only=True, slots=True)
class Board:
    """What all runs of this process do, and why they are to stop.

    Attributes:
        stop: set from outside, to the words after `it was stopped:`, when nothing more is to be written. Whoever works
            looks at it between two batches.
        meters: one for each run that goes on.
    """

    monotonic: Callable[[], float] = time.monotonic
    stop: str = ""
    meters: list[Meter] = field(default_factory=list)

    @contextmanager
    def follow(self, job: str) -> Iterator[Meter]:
        """Give the meter of a run of `job` until it ends."""
        meter = Meter(job=job, monotonic=self.monotonic, since=self.monotonic())
        self.meters.append(meter)
        try:
            yield meter
        finally:
            # By identity: two meters may show the same.
            self.meters[:] = [each for each in self.meters if each is not meter]

    def lines(self) -> list[str]:
        """Give a line for each run that goes on."""
        ending = "; it stops after this batch" if self.stop else ""
        return [meter.line() + ending for meter in list(self.meters)]

    def check(self) -> None:
        """Raise CancelledError when nothing more is to be written."""
        if self.stop:
            raise CancelledError(f"it was stopped: {self.stop}")

    def sleep(self, seconds: float) -> None:
        """Wait that long, or until the wish to stop."""
        end = self.monotonic() + seconds
        while not self.stop and (remaining := end - self.monotonic()) > 0:
            time.sleep(min(LOOK, remaining))


def show_seconds(seconds: float) -> str:
    """Give a length of time in the two units that people would use: `40 s`, `3 min`, `2 h 10 min`."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
