# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing: batches in one transaction each, judged against the records as they are, halved to find a bad one."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterator, Sequence

from ..._model.access import WriteTarget
from ..._model.errors import ProviderError
from ..._model.plans import DONE, Change, Outcome
from .batch import Batch, Layout, RowCountError
from .engine import Database
from .failures import Diagnosis
from .reflection import Source
from .session import Session

BATCH_SIZE = 500
CONFLICT_RETRIES = 3


class _BatchFault(Exception):  # noqa: N818 - not an error of the run: it drives the halving
    """The database refuses a record of the batch; nothing of the batch was written."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.outcome = Outcome(status="failed", code=code, message=message)


class _Conflict(Exception):  # noqa: N818 - it drives the retries
    """Deadlock or serialization failure; nothing of the batch was written."""


class SqlWriter:
    """Writes to one table or view on a connection of its own."""

    def __init__(self, database: Database, source: Source, target: WriteTarget) -> None:
        self._database = database
        self._source = source
        self._layout = Layout(database, source, target)
        self._session: Session | None = None

    @property
    def batch_size(self) -> int | None:
        return BATCH_SIZE

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply `changes`, one transaction for each batch; see the protocol `Writer`."""
        outcomes: list[Outcome] = []
        for batch in _batches(changes):
            outcomes += self._apply_batch(batch)
        return outcomes

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._drop_session()

    def _apply_batch(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply by halves; what a constraint refused is tried again after the rest, on which it may have depended."""
        outcomes = self._apply_halving(changes)
        while True:
            again = [place for place, outcome in enumerate(outcomes) if outcome.code == "constraint"]
            if not again or not any(outcome.status == "done" for outcome in outcomes):
                return outcomes
            retried = self._apply_halving([changes[place] for place in again])
            for place, outcome in zip(again, retried, strict=True):
                outcomes[place] = outcome
            if not any(outcome.status == "done" for outcome in retried):
                return outcomes

    def _apply_halving(self, changes: Sequence[Change]) -> list[Outcome]:
        try:
            return self._apply_retrying(changes)
        except _BatchFault as fault:
            if len(changes) == 1:
                return [fault.outcome]
        middle = len(changes) // 2
        return self._apply_halving(changes[:middle]) + self._apply_halving(changes[middle:])

    def _apply_retrying(self, changes: Sequence[Change]) -> list[Outcome]:
        retries = 0
        while True:
            try:
                return self._transact(changes)
            except _Conflict as conflict:
                if retries == CONFLICT_RETRIES:
                    raise ProviderError(str(conflict), retriable=True) from conflict
                retries += 1

    def _transact(self, changes: Sequence[Change]) -> list[Outcome]:
        if self._session is None:
            self._session = Session(self._database)
        session = self._session
        ended = False
        try:
            session.begin_writing()
            batch = Batch(session, self._layout)
            outcomes = batch.judge(changes)
            if batch.is_empty:
                session.rollback()
            else:
                batch.write()
                session.commit()
            ended = True
        except self._database.errors as exc:
            found = self._database.diagnose(exc)
            ended = found.kind != "lost" and self._rolled_back(session)
            raise self._fault(found, exc) from exc
        except RowCountError as exc:
            ended = self._rolled_back(session)
            raise _BatchFault("error", str(exc)) from exc
        finally:
            if not ended:
                self._drop_session()
        return [DONE if outcome is None else outcome for outcome in outcomes]

    def _fault(self, found: Diagnosis, exc: Exception) -> Exception:
        if found.kind == "record":
            return _BatchFault(found.code, found.message)
        error = self._database.error(exc, f"cannot write to {self._source.info.kind} {self._source.info.name!r}")
        return _Conflict(error.message) if found.kind == "conflict" else error

    def _rolled_back(self, session: Session) -> bool:
        try:
            session.rollback()
        except self._database.errors:
            # The connection is closed instead, which rolls back just as well; the first error is the one to tell.
            return False
        return True

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _batches(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """Cut into batches in which no key comes twice: a batch is judged before any of it is written."""
    start, seen = 0, Counter[tuple[str, ...]]()
    for place, change in enumerate(changes):
        key = tuple(part.casefold() for part in change.key)
        if seen[key] or place - start == BATCH_SIZE:
            yield changes[start:place]
            start, seen = place, Counter()
        seen[key] += 1
    if start < len(changes):
        yield changes[start:]
