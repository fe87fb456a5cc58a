# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that every database takes."""

from __future__ import annotations

import json
import typing as t

_encode: t.Final = json.JSONEncoder(separators=(",", ":")).encode


def to_json_text(data: object) -> str:
    """Give `data` as compact JSON in plain ASCII: NUL and lone surrogates, which databases refuse, are escaped."""
    return _encode(data)


def from_json_text(text: str) -> t.Any:
    """Give what `to_json_text` wrote."""
    return json.loads(text)


def clean(text: str) -> str:
    """Give `text` with NUL and lone surrogates written as backslash escapes."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")
