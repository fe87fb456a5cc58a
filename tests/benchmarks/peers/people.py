# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the programs that write: read into memory before their clock starts."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

Entry = tuple[str, dict[str, list[str]]]


def read_entries(path: str, count: int) -> list[Entry]:
    """Give the first `count` entries of a plain LDIF file: their names and attributes."""
    entries = []
    for block in islice(Path(path).read_text(encoding="utf-8").split("\n\n"), count):
        attributes: dict[str, list[str]] = {}
        for line in block.splitlines():
            name, _colon, value = line.partition(": ")
            attributes.setdefault(name, []).append(value)
        [place] = attributes.pop("dn")
        entries.append((place, attributes))
    return entries


def read_places(path: str, count: int) -> list[str]:
    """Give the first `count` names of a file with one per line."""
    return Path(path).read_text(encoding="utf-8").splitlines()[:count]
