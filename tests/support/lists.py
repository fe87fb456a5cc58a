# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider whose records are lists in memory: small, exact, and able to fail at any point."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.lockstep.sync.plugins.module_utils._model.access import (
    Completeness,
    Query,
    Reading,
    Writer,
    WriteTarget,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Change, Outcome
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import (
    Capabilities,
    ContainerInfo,
    FieldInfo,
    ProviderStatus,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Key, Row, Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.before_image import judge

Record = dict[str, Value]
PROVEN = Completeness(proven=True)


def info_of(*fields: str | FieldInfo, unique: Sequence[str] = (), exists: bool = True) -> ContainerInfo:
    """Give a table `people` of `fields`; plain names are text that can be null. `unique` is one unique key."""
    infos = tuple(FieldInfo(name=each) if isinstance(each, str) else each for each in fields)
    keys = (frozenset(unique),) if unique else ()
    return ContainerInfo(name="people", kind="table", fields=infos, unique_keys=keys, exists=exists)


@dataclass(kw_only=True)
class ListProvider:
    """Records as dictionaries, in order; duplicates are kept.

    Attributes:
        completeness: what every reading says at its end.
        fail_after: batches after which a reading breaks off with an error; None = never.
        generous: `read_keys` gives all records, as a provider may.
        between: called when a reading has ended, to let the world change.
        token: the start of what tells whether anything changed; None = the system cannot tell.
        reads: what was read, in order: `read` or `read_keys`, with the fields and the query.
    """

    info: ContainerInfo
    records: list[Record] = field(default_factory=list)
    batch: int = 3
    completeness: Completeness = PROVEN
    fail_after: int | None = None
    generous: bool = False
    between: Callable[[], None] = lambda: None
    reads: list[tuple[str, tuple[str, ...], Query]] = field(default_factory=list)
    writers: list[ListWriter] = field(default_factory=list)
    write_batch: int | None = None
    write_failures: list[Exception] = field(default_factory=list)
    open_failures: list[Exception] = field(default_factory=list)
    released: int = 0
    token: str | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(option_names=frozenset())

    def check(self) -> ProviderStatus:
        return ProviderStatus(server="lists", version="1", latency_ms=0.0)

    def describe(self) -> tuple[ContainerInfo, ...]:
        return (self.info,)

    def describe_container(self, query: Query) -> ContainerInfo:
        return self.info

    def read(self, query: Query, fields: Sequence[str]) -> Reading:
        self.reads.append(("read", tuple(fields), query))
        return ListReading(self, tuple(fields), self.records)

    def read_keys(self, query: Query, fields: Sequence[str], key_fields: Sequence[str], keys: Sequence[Key]) -> Reading:
        self.reads.append(("read_keys", tuple(fields), query))
        wanted = set(keys)
        chosen = [
            each for each in self.records if self.generous or tuple(each.get(name) for name in key_fields) in wanted
        ]
        return ListReading(self, tuple(fields), chosen)

    def change_token(self) -> str | None:
        return None if self.token is None else f"{self.token}: {self.records}"

    def release(self) -> None:
        self.released += 1

    def writer(self, target: WriteTarget) -> Writer:
        if self.open_failures:
            raise self.open_failures.pop(0)
        self.writers.append(ListWriter(self, target))
        return self.writers[-1]

    def close(self) -> None:
        self.release()


class ListReading:
    """One sweep over a copy of the records."""

    def __init__(self, provider: ListProvider, fields: tuple[str, ...], records: Sequence[Record]) -> None:
        self._provider = provider
        self._fields = fields
        self._rows: list[Row] = [tuple(record.get(name) for name in fields) for record in records]
        self._finished = False

    @property
    def fields(self) -> tuple[str, ...]:
        return self._fields

    @property
    def completeness(self) -> Completeness:
        return self._provider.completeness if self._finished else Completeness(proven=False, reason="not at its end")

    def batches(self) -> Iterator[list[Row]]:
        size = self._provider.batch
        for number, start in enumerate(range(0, len(self._rows), size)):
            self._break_off(number)
            yield self._rows[start : start + size]
        self._break_off(-(-len(self._rows) // size))
        self._finished = True

    def _break_off(self, batches: int) -> None:
        if self._provider.fail_after is not None and batches >= self._provider.fail_after:
            raise ProviderError(f"the connection was lost after {batches} batches")

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._finished:
            self._provider.between()


class ListWriter:
    """Writes to the records, honouring before-images; each exception in `write_failures` breaks one call."""

    def __init__(self, provider: ListProvider, target: WriteTarget) -> None:
        self._provider = provider
        self.target = target
        self.calls: list[list[Change]] = []
        self.closed = 0

    @property
    def batch_size(self) -> int | None:
        return self._provider.write_batch

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        self.calls.append(list(changes))
        if self._provider.write_failures:
            raise self._provider.write_failures.pop(0)
        return [self._apply_one(change) for change in changes]

    def _apply_one(self, change: Change) -> Outcome:
        records = self._provider.records
        found = [each for each in records if self._key(each) == change.key]
        if len(found) > 1:
            return Outcome(status="failed", code="ambiguous", message="several records have this key")
        current = found[0] if found else None
        outcome = judge(change, current)
        if outcome is not None:
            return outcome
        if change.action == "delete":
            records[:] = [each for each in records if each is not current]
        elif change.action == "update":
            t.cast("Record", current).update(self._values(change))
        else:
            records.append(self._values(change))
        return DONE

    def _key(self, record: Mapping[str, Value]) -> tuple[Value, ...]:
        return tuple(record.get(name) for name in self.target.key_fields)

    @staticmethod
    def _values(change: Change) -> Record:
        return t.cast("Record", dict(change.after))

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.closed += 1
