# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of one run: sealed plan, journal, changes and log, readable by their owner only."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .._model.errors import StoreError
from .._model.lines import change_text, format_line
from .._model.plans import Plan
from .._model.runs import AppliedChange, LogLine
from .._planning.sealing import seal


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFiles:
    """The paths of one run's files. Each try of a run has its own plan and journal."""

    folder: Path

    @property
    def changes(self) -> Path:
        """All changes of the run as JSON lines, each with what became of it."""
        return self.folder / "changes.jsonl"

    @property
    def log(self) -> Path:
        """The run's log as text."""
        return self.folder / "run.log"

    def plan(self, attempt: int) -> Path:
        """The sealed plan of one try."""
        return self.folder / f"plan-{attempt}.jsonl"

    def journal(self, attempt: int) -> Path:
        """The journal of one try."""
        return self.folder / f"journal-{attempt}.jsonl"

    def attempts(self) -> list[int]:
        """Give the numbers of the tries that got as far as a plan."""
        found = (re.fullmatch(r"plan-(\d+)\.jsonl", path.name) for path in self.folder.glob("plan-*.jsonl"))
        return sorted(int(match.group(1)) for match in found if match is not None)


def make_run_folder(run_directory: Path, run_id: int) -> RunFiles:
    """Make the folder of run `run_id`. Raises StoreError when it cannot be made.

    One that is there already was left by an earlier store whose runs had the same numbers; it is moved aside, because
    a run must never be settled by the journal of another.
    """
    folder = run_directory / str(run_id)
    try:
        run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.exists():
            folder.rename(_free_name(folder))
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StoreError(
            f"the folder {folder} for the run's plan, journal and log cannot be made: {error.strerror}. Nothing was "
            "changed."
        ) from error
    return RunFiles(folder=folder)


def _free_name(folder: Path) -> Path:
    names = (folder.with_name(f"{folder.name}.{number}") for number in itertools.count(1))
    return next(name for name in names if not name.exists())


def make_preview_folder(run_directory: Path) -> Path:
    """Make the folder for the full lists of previews. Raises StoreError when it cannot be made."""
    folder = run_directory / "previews"
    try:
        run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"the folder {folder} for previews cannot be made: {error.strerror}.") from error
    return folder


def save_plan(plan: Plan, path: Path) -> Plan:
    """Seal the plan while it is written, wait until it is on the disk, and give it sealed.

    It gets its name when it is whole: a run that was killed before has no plan, and nothing of it was begun.
    """
    sealed: list[Plan] = []
    unfinished = path.with_suffix(".part")
    _write(unfinished, lambda write: sealed.append(seal(plan, write)), sync=True)
    try:
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    return sealed[0]


def save_changes(changes: Iterable[AppliedChange], path: Path) -> None:
    """Write the changes file: one JSON line a change."""

    def write_all(write: Callable[[str], object]) -> None:
        for item in changes:
            write(change_text(item) + "\n")

    _write(path, write_all)


def save_log(lines: Iterable[LogLine], path: Path) -> None:
    """Write the log file."""
    _write(path, lambda write: [write(format_line(line) + "\n") for line in lines])


def _write(path: Path, write_all: Callable[[Callable[[str], object]], object], *, sync: bool = False) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # Half of a pair of surrogates is no text for a file; its escape is what JSON has for it.
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            write_all(file.write)
            if sync:
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
