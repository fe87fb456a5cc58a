# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one normal form of values, and how they look in JSON and in messages.

A *value* is `None` (no value), `str`, `bytes`, or a tuple of `str`/`bytes` (a multi-valued field). Numbers, dates and
truth values are text in the canonical form of their kind (see `kinds`), so `5`, `5.0` from a sheet and an integer
column compare equal once both are canonical. A *row* is a tuple of values in the order of the fields asked for.
"""

from __future__ import annotations

import base64
import typing as t
from collections.abc import Mapping

Single: t.TypeAlias = str | bytes
Value: t.TypeAlias = str | bytes | tuple[Single, ...] | None
Row: t.TypeAlias = tuple[Value, ...]
Key: t.TypeAlias = tuple[str, ...]

SHOWN_LENGTH = 80


def is_empty(value: Value) -> bool:
    """Tell whether `value` is no value: `None`, empty text, empty bytes or an empty tuple."""
    return value is None or len(value) == 0


def as_set(values: t.Iterable[Single]) -> Value:
    """Give the canonical value of a multi-valued field: nothing, one value alone, or a sorted tuple, each once."""
    unique = set(values)
    if len(unique) > 1:
        try:
            return tuple(sorted(unique))
        except TypeError:
            return tuple(sorted(unique, key=_order))  # text and bytes do not compare
    return unique.pop() if unique else None


def _order(value: Single) -> tuple[bool, bytes]:
    return (isinstance(value, bytes), value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass"))


def members(value: Value) -> tuple[Single, ...]:
    """Give the single values of `value`, none for no value."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def to_json(value: Value) -> t.Any:
    """Give the JSON form: bytes become `{"base64": TEXT}`, tuples lists; `from_json` is its inverse."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    return [to_json(part) for part in value]


def from_json(data: t.Any) -> Value:
    """Give the value that `to_json` wrote as `data`. Raises ValueError for anything else."""
    if data is None or isinstance(data, str):
        return data
    if isinstance(data, Mapping) and set(data) == {"base64"} and isinstance(data["base64"], str):
        return base64.b64decode(data["base64"], validate=True)
    if isinstance(data, list):
        parts = tuple(from_json(part) for part in data)
        if all(isinstance(part, (str, bytes)) for part in parts):
            return t.cast("tuple[Single, ...]", parts)
    raise ValueError(f"not the JSON form of a value: {data!r}")


def show(value: Value) -> str:
    """Give a short form for messages and logs: quoted, cut to 80 characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = repr(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}... ({len(value)} long)"


def show_key(key: t.Iterable[Value]) -> str:
    """Give the readable form of a record's key: its parts joined by ` + `."""
    return " + ".join(part if isinstance(part, str) else show(part) for part in key)
