# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings: sweeps over containers, and over named entries."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence

from ..._model.access import Completeness
from ..._model.dn import fold_dn
from ..._model.values import Row
from . import requests
from .channel import Channel
from .fields import RowMaker
from .responses import NoSuchObjectError

BATCH = 1000


class SweepReading:
    """One sweep over one or several containers, page by page. Each entry comes once, however the containers overlap."""

    def __init__(
        self,
        channel: Channel,
        maker: RowMaker,
        *,
        bases: Sequence[tuple[str, int, bool]],
        filter_bytes: Sequence[bytes],
        page_size: int,
        known_elsewhere: Callable[[str], bool],
        names: Sequence[str],
    ) -> None:
        """`bases` are DN, scope, and whether it may be missing; each of `filter_bytes` is a search of its own."""
        self._channel = channel
        self._maker = maker
        self._bases = bases
        self._filters = filter_bytes
        self._page_size = page_size
        self._known_elsewhere = known_elsewhere
        self._completeness = Completeness(proven=False, reason="the reading was not finished")
        self._running: t.Generator[list[Row], None, None] | None = None
        self.fields = tuple(names)

    @property
    def completeness(self) -> Completeness:
        return self._completeness

    def batches(self) -> Iterator[list[Row]]:
        """Yield rows; `completeness` is known afterwards. Raises ProviderError."""
        self._running = self._read()
        return self._running

    def _read(self) -> t.Generator[list[Row], None, None]:
        reasons: list[str] = []
        several = len(self._bases) * len(self._filters) > 1
        seen: set[bytes] = set()
        for base, scope, optional in self._bases:
            for filter_bytes in self._filters:
                stream = self._channel.search(
                    base,
                    scope,
                    filter_bytes,
                    self._maker.asked,
                    page_size=self._page_size,
                    columns=self._maker.attributes,
                    known_elsewhere=self._known_elsewhere,
                )
                try:
                    for raw in stream:
                        fresh = raw
                        if several:
                            fresh = [row for row in raw if row[0] not in seen]
                            seen.update(row[0] for row in fresh)
                        if fresh:
                            yield self._maker.rows(fresh)
                except NoSuchObjectError:
                    if not optional:
                        raise
                else:
                    if not stream.outcome.proven:
                        reasons.append(stream.outcome.reason)
                finally:
                    stream.close()
        self._completeness = Completeness(proven=not reasons, reason="; ".join(reasons))

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        # A reading that was left early must not hold the connection until nobody refers to it any more.
        if self._running is not None:
            self._running.close()


class EntriesReading:
    """The entries with these names that match a filter; who is not there any more is left out."""

    def __init__(
        self, channel: Channel, maker: RowMaker, *, places: Sequence[str], filter_bytes: bytes, names: Sequence[str]
    ) -> None:
        self._channel = channel
        self._maker = maker
        self._places = list({fold_dn(place): place for place in places}.values())
        self._filter = filter_bytes
        self.fields = tuple(names)

    @property
    def completeness(self) -> Completeness:
        return Completeness(proven=True)

    def batches(self) -> Iterator[list[Row]]:
        """Yield rows in the order of the server's answers. Raises ProviderError."""
        attributes = self._maker.attributes or ("objectClass",)
        for start in range(0, len(self._places), BATCH):
            found = self._channel.read_entries(
                self._places[start : start + BATCH], attributes, filter_bytes=self._filter
            )
            raw = [row for _index, row in found if row is not None]
            if raw:
                yield self._maker.rows(raw)

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None


def scopes(container: str, *, subtree: bool, more: Sequence[str]) -> list[tuple[str, int, bool]]:
    """Give what must be searched; containers within one that is searched anyway are left out."""
    wanted = [(container, requests.SUBTREE if subtree else requests.ONE_LEVEL, False)]
    for place in more:
        folded = fold_dn(place)
        covered = any(
            scope == requests.SUBTREE and (folded == fold_dn(base) or folded.endswith(f",{fold_dn(base)}"))
            for base, scope, _optional in wanted
        )
        if not covered:
            wanted.append((place, requests.SUBTREE, True))
    return wanted
