# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder through which a run is watched and stopped, and the signals that stop it."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._ansible import watching
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.watching import watched
from ansible_collections.lockstep.sync.plugins.module_utils._running.progress import Board


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK", 0.01)


def test_who_knows_the_folder_sees_what_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "watch"
    with watched(str(folder)) as board, board.follow("hr") as meter:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "mark").stat().st_uid == os.geteuid()
        wait_until(lambda: (folder / "status").exists() and (folder / "status").read_text() == "hr: starting\n")
        meter.write(10)
        wait_until(lambda: (folder / "status").read_text() == "hr: applying 0 of 10 (0 %)\n")
    assert not folder.exists()


def test_who_knows_the_folder_stops_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "watch"
    with watched(str(folder)) as board:
        (folder / "cancel").touch()
        wait_until(lambda: board.stop)
        assert board.stop == "Ansible, which had started it, was stopped"


def test_a_lease_that_is_touched_no_more_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LEASE_SECONDS", 0.1)
    folder = tmp_path / "watch"
    with watched(str(folder)) as board:
        (folder / "lease").touch()
        wait_until(lambda: board.stop)
        assert board.stop == "Ansible, which had started it, gave no sign of life for 0.1 s"


def test_without_a_lease_nobody_has_promised_to_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LEASE_SECONDS", 0.0)
    folder = tmp_path / "watch"
    with watched(str(folder)) as board, board.follow("hr"):
        wait_until((folder / "status").exists)
        time.sleep(0.05)
        assert board.stop == ""


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cancel").touch()
    with watched(str(tmp_path)) as board:
        assert [thread for thread in threading.enumerate() if thread.name == "beat"] == []
    assert board.stop == ""
    assert (tmp_path / "cancel").exists()


def test_without_room_the_old_lines_stay(tmp_path: Path) -> None:
    folder = tmp_path / "watch"
    with watched(str(folder)) as board, board.follow("hr") as meter:
        wait_until((folder / "status").exists)
        (folder / "draft").mkdir()
        meter.write(10)
        time.sleep(0.05)
        assert (folder / "status").read_text() == "hr: starting\n"
        (folder / "draft").rmdir()
        wait_until(lambda: (folder / "status").read_text() == "hr: applying 0 of 10 (0 %)\n")


class SignalError(Exception):
    """What happens at a signal outside of a run."""


def raise_it(_number: int, _frame: types.FrameType | None) -> None:
    raise SignalError


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that is handled, whatever whoever started these tests does about it."""
    found: signal.Signals = request.param
    before = signal.signal(found, raise_it)
    yield found
    signal.signal(found, before)


def test_a_signal_stops_between_two_batches_and_is_handled_as_before_afterwards(number: signal.Signals) -> None:
    with watched(None) as board:
        signal.raise_signal(number)
        assert board.stop == f"the process got the signal {number.name}"
        # The same signal may come from the terminal and from Ansible.
        signal.raise_signal(number)
    with pytest.raises(SignalError):
        signal.raise_signal(number)


def test_a_second_signal_is_handled_as_ever(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    monkeypatch.setattr(watching, "SECOND_SIGNAL", 0.0)
    with watched(None) as board:
        os.kill(os.getpid(), number)
        wait_until(lambda: board.stop)
        with pytest.raises(SignalError):
            signal.raise_signal(number)


def test_a_signal_that_is_ignored_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    with watched(None) as board:
        signal.raise_signal(number)
        assert board.stop == ""


def test_in_a_thread_signals_are_left_to_whoever_started_it() -> None:
    boards: list[Board] = []

    def work() -> None:
        with watched(None) as board:
            boards.append(board)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert boards[0].stop == ""
    assert signal.getsignal(signal.SIGINT) is before
