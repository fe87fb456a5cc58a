# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lengths of time as people write them: `30s`, `15m`, `2h`, `7d`, and combinations of them."""

from __future__ import annotations

import re

from .errors import ConfigError

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str, where: str) -> float:
    """Give the seconds that `text` means; a number without unit is seconds. Raises ConfigError naming `where`."""
    stripped = text.strip().lower()
    if _WHOLE.fullmatch(stripped) is None:
        raise ConfigError(f"{where}: {text!r} is not a length of time. Valid: 30s, 15m, 2h, 7d, 1h30m, or seconds.")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(stripped))
    if not seconds:
        raise ConfigError(f"{where}: {text!r} is no time at all. Give more than 0, or leave it out for no limit.")
    return seconds
