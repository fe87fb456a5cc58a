# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import Journal, read_journal
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Change, Outcome

FAILED = Outcome(status="failed", code="constraint", message="né\n")


def changes(*numbers: int) -> list[Change]:
    return [
        Change(number=number, object="person", action="update", key=(str(number),), before={}, after={})
        for number in numbers
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_what_was_settled_and_what_is_in_doubt_is_read_back(path: Path) -> None:
    journal = Journal(path)
    journal.begin(changes(1, 2))
    journal.end(changes(1, 2), [DONE, FAILED])
    journal.begin(changes(3, 4))
    journal.close()
    content = read_journal(path)
    assert content.settled == {1: DONE, 2: FAILED}
    assert content.in_doubt == {3, 4}


def test_a_journal_is_readable_by_its_owner_only(path: Path) -> None:
    Journal(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_event_is_on_the_disk_before_the_run_goes_on(path: Path) -> None:
    journal = Journal(path)
    journal.begin(changes(1))
    assert read_journal(path).in_doubt == {1}
    journal.end(changes(1), [DONE])
    assert read_journal(path).settled == {1: DONE}
    journal.close()


def test_a_run_without_a_journal_did_nothing(path: Path) -> None:
    content = read_journal(path)
    assert (content.settled, content.in_doubt) == ({}, set())


def test_a_last_line_cut_anywhere_by_a_crash_is_ignored(path: Path) -> None:
    journal = Journal(path)
    journal.begin(changes(1))
    journal.end(changes(1), [DONE])
    kept = len(path.read_bytes())
    journal.begin(changes(2))
    journal.close()
    whole = path.read_bytes()
    for length in range(kept, len(whole)):
        path.write_bytes(whole[:length])
        content = read_journal(path)
        assert (content.settled, content.in_doubt) == ({1: DONE}, set())


def begun(path: Path) -> bytes:
    """Write a journal of one batch that was begun, and give it."""
    journal = Journal(path)
    journal.begin(changes(1))
    journal.close()
    return path.read_bytes()


def test_zero_bytes_at_the_end_after_a_loss_of_power_are_ignored(path: Path) -> None:
    path.write_bytes(begun(path) + b"\0" * 100)
    assert read_journal(path).in_doubt == {1}


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"",
        b"[]",
        b"\xff",
        b'{"event":"begin","numbers":[2]}',
        b'{"event":"begin","numbers":[2],"proof":"0123456789abcdef"}',
    ],
)
def test_a_journal_damaged_before_its_end_is_refused_with_the_line(path: Path, line: bytes) -> None:
    path.write_bytes(begun(path) + line + b"\n")
    with pytest.raises(
        StoreError, match=r"journal, line 2, is damaged: it is not what the run wrote\. Nothing of it is"
    ):
        read_journal(path)


@pytest.mark.parametrize("torn", [b"", b'{"event":"beg', b"\0" * 50])
def test_a_journal_is_gone_on_with_after_what_a_crash_left_of_its_last_line(path: Path, torn: bytes) -> None:
    path.write_bytes(begun(path) + torn)
    journal = Journal(path)
    journal.end(changes(1), [DONE])
    journal.close()
    content = read_journal(path)
    assert (content.settled, content.in_doubt) == ({1: DONE}, set())


def test_a_damaged_journal_is_not_gone_on_with(path: Path) -> None:
    path.write_bytes(begun(path).replace(b"[1]", b"[2]"))
    damaged = path.read_bytes()
    with pytest.raises(StoreError, match="journal, line 1, is damaged"):
        Journal(path)
    assert path.read_bytes() == damaged


def written(path: Path) -> list[bytes]:
    """Write a journal of two batches that were begun and ended, and give its lines."""
    journal = Journal(path)
    for batch in (changes(1, 2), changes(3)):
        journal.begin(batch)
        journal.end(batch, [DONE] * len(batch))
    journal.close()
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("order", "line"), [((1, 2, 3), 1), ((0, 2, 3), 2), ((0, 1, 3), 3), ((0, 2, 1, 3), 2), ((0, 1, 1, 2, 3), 3)]
)
def test_a_line_that_is_lost_doubled_or_moved_is_damage(path: Path, order: tuple[int, ...], line: int) -> None:
    lines = written(path)
    path.write_bytes(b"".join(lines[number] for number in order))
    with pytest.raises(StoreError, match=rf"journal, line {line}, is damaged"):
        read_journal(path)


def test_a_number_that_became_another_is_not_taken_for_done(path: Path) -> None:
    """What was changed within a line is found although it still looks like a line."""
    lines = written(path)
    path.write_bytes(b"".join(lines).replace(b'"end","numbers":[3]', b'"end","numbers":[4]'))
    with pytest.raises(StoreError, match="journal, line 4, is damaged"):
        read_journal(path)


def test_a_journal_that_cannot_be_opened_says_that_nothing_was_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be opened: .*\. Nothing was written\."):
        Journal(tmp_path / "no folder" / "journal")


def test_a_journal_that_cannot_be_read_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read: Is a directory"):
        read_journal(tmp_path)


def test_a_full_disk_stops_the_run_before_the_next_write_and_closing_does_not_hide_it() -> None:
    journal = Journal(Path("/dev/full"))
    with pytest.raises(StoreError, match=r"cannot be written: No space left on device\. The run stopped before"):
        journal.begin(changes(1))
    journal.close()


def test_every_event_is_forced_to_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr("os.fsync", lambda _descriptor: sizes.append(path.stat().st_size))
    journal = Journal(path)
    journal.begin(changes(1))
    journal.end(changes(1), [DONE])
    journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    assert sizes == [len(lines[0]), len(lines[0]) + len(lines[1])]
