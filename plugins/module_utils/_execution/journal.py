# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of one run: what was about to be written, and what was. It outlives a killed process.

JSON lines. `begin` names the changes of a batch before it is written, `end` what became of them; both are on the disk
(fsync) before the run goes on. A batch with a `begin` and no `end` is in doubt: `recovery` looks at the destination to
settle it.
"""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .._model.errors import StoreError
from .._model.plans import DONE, Change, Outcome


class Journal:
    """Writes the journal of one run. Raises StoreError when the disk does not take it; then nothing more may be
    written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise StoreError(f"the journal {path} cannot be opened: {error.strerror}. Nothing was written.") from error
        # Without a buffer: what the disk refused must not come up again when the file is closed.
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def begin(self, changes: Sequence[Change]) -> None:
        """Note that `changes` are about to be written."""
        self._write({"event": "begin", "numbers": [change.number for change in changes]})

    def end(self, changes: Sequence[Change], outcomes: Sequence[Outcome]) -> None:
        """Note what became of `changes`; only outcomes other than done are spelled out."""
        others = {
            str(change.number): {"status": outcome.status, "code": outcome.code, "message": outcome.message}
            for change, outcome in zip(changes, outcomes, strict=True)
            if outcome.status != "done"
        }
        self._write({"event": "end", "numbers": [change.number for change in changes], "others": others})

    def close(self) -> None:
        """Close the file; the journal stays."""
        self._file.close()

    def _write(self, event: dict[str, t.Any]) -> None:
        line = (json.dumps(event, separators=(",", ":")) + "\n").encode("ascii")
        try:
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreError(
                f"the journal {self._path} cannot be written: {error.strerror}. The run stopped before the next write."
            ) from error


@dataclass(kw_only=True, slots=True)
class JournalContent:
    """What a journal tells: the outcome of each settled change by number, and the numbers in doubt."""

    settled: dict[int, Outcome] = field(default_factory=dict)
    in_doubt: set[int] = field(default_factory=set)


def read_journal(path: Path) -> JournalContent:
    """Read a journal; a last line cut by a crash is ignored, because nothing was done before it was whole.

    Raises StoreError when the file cannot be read or is damaged before its end.
    """
    content = JournalContent()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return content
    except OSError as error:
        raise StoreError(f"the journal {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StoreError(f"the journal {path} is damaged: {error}.") from error
    for number, line in enumerate(lines[:-1], 1):
        try:
            event = json.loads(line)
            numbers = [int(each) for each in event["numbers"]]
            if event["event"] == "begin":
                content.in_doubt.update(numbers)
                continue
            for each in numbers:
                other = event["others"].get(str(each))
                content.settled[each] = DONE if other is None else Outcome(**other)
            content.in_doubt.difference_update(numbers)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"the journal {path}, line {number}, is damaged: {error}.") from error
    return content
