# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep one copy of each text that recurs: a million new records may live in forty towns."""

from __future__ import annotations

from .._model.compiled import MappedRow
from .._model.plans import PlannedValue

MOST = 10_000
"""Different texts that are remembered for one field; a field with more has its own for nearly each record."""


class SharedTexts:
    """Gives rows whose equal texts are one object. It remembers at most `MOST` texts for each field."""

    def __init__(self) -> None:
        self._known: list[dict[PlannedValue, PlannedValue] | None] = []

    def share(self, row: MappedRow) -> MappedRow:
        """Give a row that equals `row`."""
        known = self._known
        if len(known) < len(row):
            known += [{} for _field in range(len(row) - len(known))]
        shared = []
        for position, value in enumerate(row):
            texts = known[position]
            if texts is not None and isinstance(value, str):
                shared.append(texts.setdefault(value, value))
                if len(texts) > MOST:
                    known[position] = None
            else:
                shared.append(value)
        return tuple(shared)
