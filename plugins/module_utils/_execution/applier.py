# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply a sealed plan: batch by batch through the destination's writer, each noted in the journal before and after."""

from __future__ import annotations

import random
import typing as t
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .._model.access import PasswordPolicy, Writer
from .._model.errors import ProviderError, StoreError
from .._model.plans import Change, ObjectPlan, Outcome, Plan
from .journal import Journal
from .missing import NOT_MADE, Missing
from .passwords import Passwords

RETRY_DELAYS: tuple[float, ...] = (1, 2, 4)
"""Seconds before each new try of a batch whose system failed in a passing way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Applying:
    """What applying needs beside the plan.

    Attributes:
        open_writer: gives the writer of one object's part of the plan.
        journal: told of every batch before and after.
        checkpoint: called before every batch; raises when the run must stop (cancelled, lock lost, store gone).
        sleep: waits a number of seconds.
        note: takes a line for the run's log.
        randomness: makes the passwords; `random.SystemRandom` outside tests.
        policy: what the destination asks of passwords.
    """

    open_writer: Callable[[ObjectPlan], Writer]
    journal: Journal
    checkpoint: Callable[[], None]
    sleep: Callable[[float], None]
    note: Callable[[str], None]
    randomness: random.Random
    policy: PasswordPolicy = field(default_factory=PasswordPolicy)


Applied: t.TypeAlias = tuple[Change, Outcome]
_IN_DOUBT = Outcome(
    status="failed",
    code="in_doubt",
    message="the destination failed while this was written; the next run compares this record anew.",
)
_REFUSED = Outcome(status="failed", code="refused", message="not written: the destination refused.")
_SAME_KEY = frozenset({"exists", "constraint"})
_DOUBTED = Outcome(
    status="skipped",
    code="doubted",
    message="not deleted: a record could not be created, and the destination may take its key for this one's.",
)
Answer = t.TypeVar("Answer")


def apply_plan(plan: Plan, applying: Applying) -> Iterator[Applied]:
    """Apply all changes of `plan` and yield each with its outcome, in order, as soon as its batch is journalled.

    Raises ProviderError when the destination fails for good, and whatever `checkpoint` raises; all that was written
    until then has been yielded, and the changes of a batch that failed are yielded as failed with the code `in_doubt`,
    or `refused` where it is sure that nothing was written.
    Raises StoreError when the journal cannot be written: before a batch, or after it, when it has been yielded too.
    """
    passwords = Passwords(applying.randomness, applying.policy)
    missing = Missing()
    for part in plan.objects:
        if part.changes:
            yield from _apply_object(part, applying, passwords, missing)


def _apply_object(part: ObjectPlan, applying: Applying, passwords: Passwords, missing: Missing) -> Iterator[Applied]:
    session = _WriterSession(part, applying)
    doubted = False
    try:
        for planned in _batches(part.changes, session.batch_size):
            batch = planned
            if doubted and batch[0].action == "delete":
                yield from ((change, _DOUBTED) for change in batch)
                continue
            applying.checkpoint()
            hopeless = [change for change in batch if missing.stands_in_the_way(change)]
            if hopeless:
                yield from ((change, NOT_MADE) for change in hopeless)
                batch = [change for change in batch if not missing.stands_in_the_way(change)]
                if not batch:
                    continue
            written = [passwords.fill_in(missing.without_missing(change)) for change in batch]
            applying.journal.begin(batch)
            try:
                outcomes = session.apply(written)
            except Exception as error:
                # A file is replaced as a whole or not at all; elsewhere a part may have come through.
                refused = session.batch_size is None and isinstance(error, ProviderError) and not error.retriable
                if refused:
                    applying.journal.end(batch, [_REFUSED] * len(batch))
                yield from ((change, _REFUSED if refused else _IN_DOUBT) for change in batch)
                raise
            try:
                applying.journal.end(batch, outcomes)
            except StoreError:
                # It was written all the same, and the run's history must say so.
                yield from zip(batch, outcomes, strict=True)
                raise
            missing.note(batch, outcomes)
            doubted |= part.target.loose_keys and any(
                change.action == "create" and outcome.code in _SAME_KEY
                for change, outcome in zip(batch, outcomes, strict=True)
            )
            yield from zip(batch, outcomes, strict=True)
    finally:
        session.close()


def _batches(changes: Sequence[Change], size: int | None) -> Iterator[Sequence[Change]]:
    """Cut `changes` into batches of one action each, so that a batch is one kind of statement; None = all in one."""
    if size is None:
        yield changes
        return
    start = 0
    while start < len(changes):
        end = start + 1
        while end < len(changes) and end - start < size and changes[end].action == changes[start].action:
            end += 1
        yield changes[start:end]
        start = end


class _WriterSession:
    """One open writer that is opened anew when its system failed in a passing way."""

    def __init__(self, part: ObjectPlan, applying: Applying) -> None:
        self._part = part
        self._applying = applying
        self._writer: Writer | None = None

    @property
    def batch_size(self) -> int | None:
        return self._try(lambda writer: writer.batch_size)

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply one batch. The writer finds what an earlier try has done, so trying again does nothing twice."""
        return self._try(lambda writer: writer.apply(changes))

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.__exit__(None, None, None)

    def _try(self, action: Callable[[Writer], Answer]) -> Answer:
        for delay in RETRY_DELAYS:
            try:
                return action(self._open())
            except ProviderError as error:
                if not error.retriable:
                    raise
                self._applying.note(f"{error.message} Trying again in {delay:g} s.")
                self.close()
                self._applying.sleep(delay)
                self._applying.checkpoint()
        return action(self._open())

    def _open(self) -> Writer:
        if self._writer is None:
            self._writer = self._applying.open_writer(self._part).__enter__()
        return self._writer
