# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that entries had until this session renamed, moved or deleted them.

References to such an entry follow in the server's own time: at once (MS-ADTS 3.1.1.1.6), a moment later (OpenLDAP's
overlays refint and memberof), or never. Whoever compares a reference with what was read before must take all three for
the same.
"""

from __future__ import annotations

from ..._model.dn import fold_dn
from ..._model.plans import Change
from ..._model.values import Value, as_set, members
from .flavours import PLACE

DELETED = ""


class LeftNames:
    """Follows entries from the folded DN under which they were read to the one they have now."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._first: dict[str, str] = {}

    def note(self, change: Change) -> None:
        """Enter a change that is about to be made."""
        if change.action == "delete":
            new = DELETED
        elif change.action in ("rename", "move"):
            new = fold_dn(str(change.after[PLACE]))
        else:
            return
        old = fold_dn(change.target or "")
        first = self._first.pop(old, old)
        self._now[first] = new
        if new != DELETED:
            self._first[new] = first

    def now(self, folded: str) -> str:
        """Give the folded DN of the entry that was read as `folded`, `DELETED` when it is gone."""
        return self._now.get(folded, folded)

    def has_any_of(self, value: Value) -> bool:
        """Tell whether one of the DNs in `value` is not that of its entry any more."""
        return bool(self._now) and any(isinstance(part, str) and fold_dn(part) in self._now for part in members(value))

    def without_deleted(self, value: Value) -> Value:
        """Give `value` without the DNs of entries that are gone."""
        if not self.has_any_of(value):
            return value
        return as_set(
            part for part in members(value) if not isinstance(part, str) or self.now(fold_dn(part)) != DELETED
        )
