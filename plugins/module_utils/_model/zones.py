# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time zones by their IANA names, and what the wall clock of one means in UTC."""

from __future__ import annotations

import datetime as dt
import typing as t
import zoneinfo

from .errors import ConfigError, DependencyError, unknown

Zone: t.TypeAlias = dt.tzinfo
UTC_NAMES = frozenset({"UTC", "Etc/UTC"})
# Folders of the database that hold the same zones again, `right` with leap seconds, which no clock here counts.
_COPIES = ("posix", "right")


def find_zone(name: str, where: str) -> Zone:
    """Give the zone called `name`. Raises ConfigError naming `where`, DependencyError when there are no zones at all.

    UTC needs no database.
    """
    if name in UTC_NAMES:
        return dt.timezone.utc
    try:
        if name.partition("/")[0] not in _COPIES:
            return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass  # names may also be those of folders, or lead out of the database: all of them are unknown
    known = zoneinfo.available_timezones()
    if not known:
        raise DependencyError(
            f"{where}: this host has no time zones, so {name!r} cannot be found. Install the package `tzdata` of the "
            "system, or `pip install tzdata`."
        )
    raise ConfigError(f"{unknown('time zone', name, known, where=where, limit=5)} Use a name as Europe/London.")


def to_instant(wall: dt.datetime, zone: Zone) -> dt.datetime | None:
    """Give the instant in UTC at which the wall clock of `zone` shows `wall`, the first when it shows it twice.

    None when it never does, because clocks are put forward over it (PEP 495: such a time does not survive the way to
    UTC and back).
    """
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(dt.timezone.utc)
    return instant if to_wall(instant, zone) == wall else None


def to_wall(instant: dt.datetime, zone: Zone) -> dt.datetime:
    """Give what the wall clock of `zone` shows at `instant`."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
