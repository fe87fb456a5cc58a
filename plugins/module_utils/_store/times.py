# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time as the store keeps them: ISO 8601 text in UTC with microseconds, so that text order is time order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from .._model.errors import ConfigError

Clock = Callable[[], datetime]


def to_text(moment: datetime) -> str:
    """Give `moment` (with a time zone, or naive in UTC) as the store keeps it."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="microseconds")


def normalize(text: str, what: str) -> str:
    """Give any ISO 8601 text in the store's form; without offset it is UTC. Raises ConfigError naming `what`."""
    try:
        return to_text(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise ConfigError(f"{what}: {text!r} is not a time. Valid: ISO 8601, as 2026-11-21T08:30:00+00:00.") from None
