# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one try of a run works with, and what every kind of try offers."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._model.checkpoint import Checkpoint
from .._model.jobs import JobSpec
from .._store.store import Store
from .account import Account, RunLog
from .files import RunFiles
from .progress import Meter
from .runtime import RunRequest, Runtime


@dataclass(frozen=True, kw_only=True, slots=True)
class RunContext:
    """What one try works with.

    `run_id` is None in a preview; `checkpoint` raises when the run must stop, and `meter` is told how far it is.
    """

    job: JobSpec
    request: RunRequest
    store: Store
    runtime: Runtime
    account: Account
    log: RunLog
    checkpoint: Checkpoint
    meter: Meter
    run_id: int | None = None

    @property
    def smart_groups(self) -> tuple[str, ...]:
        """The smart groups that are refreshed when the job's changes are made, each once."""
        return tuple(dict.fromkeys((*self.job.smart_groups, *self.request.smart_groups)))


class Try(t.Protocol):
    """One try of a run; what happens is entered into the account of its context."""

    def preview(self) -> list[dict[str, t.Any]] | None:
        """Plan only. Gives the explanation of one record when one is asked for. Raises LockstepError."""

    def apply(self, number: int, files: RunFiles) -> None:
        """Seal and apply the plan; `number` is the try, from 1. Raises LockstepError."""
