# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The point between two batches where a run is counted, and where it can be stopped."""

from __future__ import annotations

import typing as t


class Checkpoint(t.Protocol):
    """Called between two batches."""

    def __call__(self, records: int = 0, /) -> None:
        """Note that so many records were read since the last call.

        Raises CancelledError or TimeLimitError when the run must stop, StoreError when the store is gone.
        """
