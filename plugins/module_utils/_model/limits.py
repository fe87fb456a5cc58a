# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar of limits: `500`, `10%` and `10% above 10`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from .errors import ConfigError

_GRAMMAR = re.compile(r"(?P<count>\d+)|(?P<percent>\d+(?:\.\d+)?)\s*%(?:\s+above\s+(?P<above>\d+))?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A limit on a number of changes: a count, a percentage, or both. With both, only passing both trips it."""

    count: int | None = None
    percent: Decimal | None = None

    def trips(self, count: int, total: int) -> bool:
        """Tell whether `count` of `total` records passes the limit. Reaching the limit exactly does not."""
        beyond_count = self.count is None or count > self.count
        beyond_percent = self.percent is None or count * 100 > self.percent * total
        return beyond_count and beyond_percent


def parse_limit(text: str) -> Limit:
    """Read a limit as written in a job. Raises ConfigError that says what was got and what is valid."""
    match = _GRAMMAR.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            f"{text!r} is not a limit. Valid: a number such as '500', a percentage such as '10%', or '10% above 10'."
        )
    if match["count"] is not None:
        return Limit(count=int(match["count"]))
    return Limit(percent=Decimal(match["percent"]), count=None if match["above"] is None else int(match["above"]))
