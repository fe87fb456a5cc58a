# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors, sorted by what the reader of the message should do.

Each has a stable `code`. A message names the object and option, the value received, the valid ones, and what to do.
"""

from __future__ import annotations

import difflib
import typing as t
from collections.abc import Iterable


class LockstepError(Exception):
    """The base of all errors the collection raises on purpose; `code` is stable, `message` is for people."""

    code: t.ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(LockstepError):
    """The declaration is wrong: change the playbook."""

    code = "config"


class DependencyError(LockstepError):
    """A library is missing or too old: install it. Names the library, what needs it and the command."""

    code = "dependency"


class ProviderError(LockstepError):
    """A system could not be reached, read or written; `retriable` says whether trying again can help."""

    code = "provider"

    def __init__(self, message: str, *, retriable: bool = False) -> None:
        super().__init__(message)
        self.retriable = retriable


class RecordError(LockstepError):
    """One record is at fault; the run goes on. `field` is the destination field, when one is to blame."""

    code = "record"

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.reason_code = code or self.code


class SkipRecord(LockstepError):  # noqa: N818 - a decision of the mapping, not a fault
    """The mapping asked to leave this record alone; `message` is the reason it gave."""

    code = "skipped"


class StoreError(LockstepError):
    """The state store cannot be opened, read or written."""

    code = "store"


class LockedError(LockstepError):
    """Somebody else holds the lock; `holder` says who."""

    code = "locked"

    def __init__(self, message: str, *, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class CancelledError(LockstepError):
    """The run was told to stop, or lost its lease; nothing was written after that."""

    code = "cancelled"


class TimeLimitError(LockstepError):
    """The run took longer than it may; it stopped between two batches."""

    code = "timeout"


class QuarantineError(LockstepError):
    """The job is paused because too many of its records failed: look at them, then release it."""

    code = "quarantined"


class BundleError(LockstepError):
    """A bundle cannot be used: it is damaged, of another format, or sealed with another passphrase."""

    code = "bundle"


def unknown(what: str, got: object, valid: Iterable[str], *, where: str = "", limit: int = 20) -> str:
    """Give the message for a name that does not exist: what, where, got, the nearest one, and the valid ones."""
    names = sorted(valid)
    near = difflib.get_close_matches(str(got), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(repr(name) for name in names[:limit]) or "none"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    place = f"{where}: " if where else ""
    return f"{place}there is no {what} {got!r}.{hint} Valid: {shown}{more}."
