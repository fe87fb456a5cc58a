# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of records that hold nothing but texts, as nearly all do.

Each change is written as JSON three times: in the plan, in the changes file and in the history. Putting the texts into
one that was prepared for the names of their fields takes a fourth of the time that an encoder takes.
"""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring, encode_basestring_ascii

Quote: t.TypeAlias = Callable[[str], str]
"""Gives a text as JSON."""

quote: t.Final[Quote] = encode_basestring
quote_ascii: t.Final[Quote] = encode_basestring_ascii
"""As `quote`, with everything that is not ASCII escaped."""

_PLAIN: t.Final = frozenset({str, type(None)})


def is_plain(fields: Mapping[str, object]) -> bool:
    """Tell whether all fields hold a text or nothing, so that `plain_json` takes them."""
    return _PLAIN.issuperset(map(type, fields.values()))


def plain_json(
    fields: Mapping[str, t.Any], quoted: Quote, *, names: tuple[str, ...] | None = None, form: str = "%s"
) -> str:
    """Give the JSON object of plain fields, without blanks.

    Args:
        fields: what is written; see `is_plain`.
        quoted: `quote` or `quote_ascii`.
        names: which fields, in this order; all by default.
        form: the JSON of one field, `%s` in it is its value.
    """
    if names is None:
        names = tuple(fields)
    values = [fields[name] for name in names]
    return _prepared(names, quoted, form) % tuple(["null" if value is None else quoted(value) for value in values])


@functools.lru_cache(maxsize=256)
def sorted_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Give the names of fields in the order of their characters, as a JSON encoder sorts them."""
    return tuple(sorted(names))


@functools.lru_cache(maxsize=256)
def _prepared(names: tuple[str, ...], quoted: Quote, form: str) -> str:
    """Give the JSON object with `%s` for each value."""
    return "{" + ",".join(f"{quoted(name).replace('%', '%%')}:{form}" for name in names) + "}"
