# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of one run: what was about to be written, and what was. It outlives a killed process.

JSON lines. `begin` names the changes of a batch before it is written, `end` what became of them; both are on the disk
(fsync) before the run goes on. A batch with a `begin` and no `end` is in doubt: `recovery` looks at the destination to
settle it.

Each line ends with a proof: a hash of the line and of the proof before it. A line that was changed, lost, doubled or
put elsewhere is found, so that nothing is taken for done that was not.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .._model.errors import StoreError
from .._model.plans import DONE, Change, Outcome

_LINE = re.compile(rb'(\{.*),"proof":"([0-9a-f]{16})"\}', re.DOTALL)


class Journal:
    """Writes the journal of one run, or goes on with one. Raises StoreError when the disk does not take it, or when
    what is there is damaged; then nothing more may be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise StoreError(f"the journal {path} cannot be opened: {error.strerror}. Nothing was written.") from error
        # Without a buffer: what the disk refused must not come up again when the file is closed.
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self._proof = self._last_proof()

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

    def _last_proof(self) -> bytes:
        """Give the proof of the last line there is, and take away what a crash left of one behind it."""
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            return b""
        content = self._file.readall()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            self._file.truncate(end)
        lines = content[:end].split(b"\n")[:-1]
        return _enter_lines(lines, JournalContent(), self._path)

    def _write(self, event: dict[str, t.Any]) -> None:
        content = json.dumps(event, separators=(",", ":")).encode("ascii")[:-1]
        self._proof = _prove(content, self._proof)
        line = content + b',"proof":"' + self._proof + b'"}\n'
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
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return content
    except OSError as error:
        raise StoreError(f"the journal {path} cannot be read: {error.strerror}.") from error
    _enter_lines(lines[:-1], content, path)
    return content


def _enter_lines(lines: Sequence[bytes], content: JournalContent, path: Path) -> bytes:
    """Enter what whole lines tell, and give the proof of the last one. Raises StoreError when one is damaged."""
    proof = b""
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        proof = b"" if found is None else _prove(found[1], proof)
        if found is None or found[2] != proof:
            raise StoreError(
                f"the journal {path}, line {number}, is damaged: it is not what the run wrote. Nothing of it is used."
            )
        _enter(json.loads(found[1] + b"}"), content)
    return proof


def _enter(event: t.Mapping[str, t.Any], content: JournalContent) -> None:
    numbers: list[int] = event["numbers"]
    if event["event"] == "begin":
        content.in_doubt.update(numbers)
        return
    for number in numbers:
        other = event["others"].get(str(number))
        content.settled[number] = DONE if other is None else Outcome(**other)
    content.in_doubt.difference_update(numbers)


def _prove(content: bytes, before: bytes) -> bytes:
    """Give the proof of a line; `before` is that of the line above."""
    return hashlib.blake2b(before + content, digest_size=8).hexdigest().encode("ascii")
