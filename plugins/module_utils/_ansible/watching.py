# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other end of the action plugin `run`: tell it how far the run is, and learn from it and from signals to stop.

Both meet in a folder that only this process makes and removes. In it `status` has the lines to show. The plugin touches
`lease` while somebody waits for the run, and makes `cancel` when nobody does any more. It enters only a folder that the
user of this process owns, with a `mark` of the same user in it: anybody can see its name, and might be there first.
"""

from __future__ import annotations

import shutil
import signal
import threading
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._running.beating import beating
from .._running.progress import Board

WATCH = "LOCKSTEP_WATCH"
"""The environment variable that the action plugin sets for its module."""
LOOK = 0.3
"""Seconds between two looks at the folder."""
LEASE_SECONDS = 60.0
"""How long nobody may have touched the lease. The plugin touches it every ten seconds at least."""
SECOND_SIGNAL = 2.0
"""Seconds after which one more signal is meant as one more; the same one may reach a process in two ways at once."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def watched(folder: str | None) -> Iterator[Board]:
    """Give the board of a run that whoever knows `folder` can watch and stop; signals stop it between two batches, too.

    A folder that exists already, or cannot be made, is left alone: then nobody watches.
    """
    board = Board()
    with _stopped_by_signals(board), _shared(board, folder):
        yield board


@contextmanager
def _stopped_by_signals(board: Board) -> Iterator[None]:
    """Stop cleanly at the first signal; one more, given on purpose, ends the process as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    first: list[float] = []

    def stop(number: int, _frame: types.FrameType | None) -> None:
        board.stop = board.stop or f"the process got the signal {signal.Signals(number).name}"
        if not first:
            first.append(time.monotonic())
        elif time.monotonic() - first[0] > SECOND_SIGNAL:
            signal.signal(number, before[signal.Signals(number)] or signal.SIG_DFL)
            signal.raise_signal(number)

    # What whoever started Ansible lets it ignore, as nohup does, stays ignored.
    before = {
        number: signal.signal(number, stop) for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


@contextmanager
def _shared(board: Board, folder: str | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    place = Path(folder)
    try:
        place.mkdir(mode=0o700)
        (place / "mark").touch(mode=0o600)
    except OSError:
        yield
        return
    try:
        with beating(_Watcher(board, place).look, LOOK):
            yield
    finally:
        shutil.rmtree(place, ignore_errors=True)


class _Watcher:
    def __init__(self, board: Board, place: Path) -> None:
        self._board = board
        self._place = place
        self._shown = ""
        # By our own clock, when the lease was last seen to have been touched: the system's may jump.
        self._touched: tuple[int, float] | None = None

    def look(self) -> None:
        """Learn whether to stop, and show how far the runs are."""
        self._look_for_the_end()
        self._show("".join(f"{line}\n" for line in self._board.lines()))

    def _look_for_the_end(self) -> None:
        if (self._place / "cancel").exists():
            self._board.stop = self._board.stop or "Ansible, which had started it, was stopped"
        try:
            stamp = (self._place / "lease").stat().st_mtime_ns
        except OSError:
            return
        now = time.monotonic()
        if self._touched is None or self._touched[0] != stamp:
            self._touched = (stamp, now)
        elif now - self._touched[1] > LEASE_SECONDS:
            reason = f"Ansible, which had started it, gave no sign of life for {LEASE_SECONDS:g} s"
            self._board.stop = self._board.stop or reason

    def _show(self, text: str) -> None:
        """Write the lines so that a reader sees the old or the new ones, never a part; without room, the old ones."""
        if text == self._shown:
            return
        draft = self._place / "draft"
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(self._place / "status")
        except OSError:
            return
        self._shown = text
