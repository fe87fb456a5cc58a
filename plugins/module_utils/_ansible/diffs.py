# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diffs of declarations: one block for each object, capped."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .results import json_safe, size_of

MAX_BYTES = 32_000

Block: t.TypeAlias = dict[str, t.Any]


class Change(t.Protocol):
    """What a diff needs of a declaration that was carried out."""

    @property
    def name(self) -> str: ...

    @property
    def changed(self) -> bool: ...

    @property
    def before(self) -> Mapping[str, t.Any] | None: ...

    @property
    def after(self) -> Mapping[str, t.Any] | None: ...


def diff_block(noun: str, change: Change) -> Block:
    """Give one block: before and after as mappings, empty where the object does not exist."""
    return {
        "before_header": f"{noun} {change.name}",
        "after_header": f"{noun} {change.name}",
        "before": json_safe(change.before or {}),
        "after": json_safe(change.after or {}),
    }


def diff_blocks(noun: str, changes: Iterable[Change]) -> list[Block]:
    """Give a block for each object that changed; the last one says how many do not fit."""
    blocks: list[Block] = []
    size = left_out = 0
    for change in changes:
        if not change.changed:
            continue
        block = diff_block(noun, change)
        size += size_of(block)
        if size > MAX_BYTES:
            left_out += 1
        else:
            blocks.append(block)
    if left_out:
        header = f"{left_out} more"
        note = f"{left_out} more changed {noun}s are left out\n"
        blocks.append({"before_header": header, "after_header": header, "before": "", "after": note})
    return blocks
