# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged bytes, for what must never be believed."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

Damage: t.TypeAlias = t.Callable[[bytes], bytes]


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    """Give a function that damages bytes at random places in one of the ways in which disks and people do."""
    first, second, size = draw(st.floats(0, 1)), draw(st.floats(0, 1)), draw(st.integers(1, 40))
    kind = draw(
        st.sampled_from(["flip", "delete", "insert", "truncate", "swap", "zeros", "lose", "double", "exchange"])
    )
    mask, extra = draw(st.integers(1, 255)), draw(st.binary(min_size=1, max_size=8))

    def damage(data: bytes) -> bytes:
        at, other = int(first * (len(data) - 1)), int(second * (len(data) - 1))
        lines = data.splitlines(keepends=True)
        line, other_line = int(first * (len(lines) - 1)), int(second * (len(lines) - 1))
        if kind == "flip":
            return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
        if kind == "delete":
            return data[:at] + data[at + size :]
        if kind == "insert":
            return data[:at] + extra + data[at:]
        if kind == "truncate":
            return data[:at]
        if kind == "zeros":
            return data[:at] + bytes(min(size, len(data) - at)) + data[at + size :]
        if kind == "swap":
            swapped = bytearray(data)
            swapped[at], swapped[other] = data[other], data[at]
            return bytes(swapped)
        if kind == "lose":
            return b"".join(lines[:line] + lines[line + 1 :])
        if kind == "double":
            return b"".join(lines[: line + 1] + lines[line:])
        lines[line], lines[other_line] = lines[other_line], lines[line]
        return b"".join(lines)

    return damage
