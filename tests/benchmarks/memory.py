# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peak memory of this process and of the programs it starts, each for itself."""

from __future__ import annotations

import os
import re
import resource
import threading
import types
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PAUSE = 0.02
_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)


class MemoryWatch:
    """Looks every 20 ms at the peak of each descendant while the block runs.

    getrusage(RUSAGE_CHILDREN) would not do: a new process begins in the memory of the one that starts it, so that a
    program of 10 MB would count with the 60 MB of this one. The kernel keeps a peak per program (VmHWM), so that only
    what grows in a program's last 20 ms is missed.
    """

    def __init__(self) -> None:
        self._peaks: dict[int, int] = {}
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> t.Self:
        self._watching = self._pool.submit(self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._ended.set()
        self._pool.shutdown()
        # A watch that failed would leave a peak that is too low.
        self._watching.result()

    @property
    def own(self) -> float:
        """Give this process's peak, in MB."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    @property
    def started(self) -> float:
        """Give the peak of the largest program that was started, in MB; 0 when there was none."""
        return max(self._peaks.values(), default=0) / 1024

    def _watch(self) -> None:
        while not self._ended.wait(PAUSE):
            for pid in descendants(os.getpid()):
                peak = peak_of(pid)
                if peak is not None:
                    # The last look counts: the first may have been before the process became its program.
                    self._peaks[pid] = peak


def descendants(pid: int) -> list[int]:
    """Give the processes that `pid` has started, and those that they have; who ends meanwhile is left out."""
    try:
        listings = [listing.read_text(encoding="ascii") for listing in Path(f"/proc/{pid}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return []
    children = [int(child) for listing in listings for child in listing.split()]
    return children + [below for child in children for below in descendants(child)]


def peak_of(pid: int) -> int | None:
    """Give the peak memory of a process in KB, or None when it has ended."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace"))
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(found[1]) if found else None
