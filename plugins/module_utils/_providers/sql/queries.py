# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A query as a source: it must be one statement that only reads."""

from __future__ import annotations

import re

from ..._model.errors import ConfigError
from .failures import Family

_COMMON = r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | --[^\n]* | /\*.*?\*/"""
_BACKSLASHED = r"""'(?:[^'\\]|''|\\.)*' | "(?:[^"\\]|""|\\.)*" | `[^`]*` | --[^\n]* | \#[^\n]* | /\*.*?\*/"""
_DOLLARED = r"""\b[eE]'(?:[^'\\]|''|\\.)*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$"""
_BRACKETED = r"""\[[^\]]*\]"""
_FLAGS = re.VERBOSE | re.DOTALL


def _opaque_parts(family: Family) -> re.Pattern[str]:
    """Match literals, quoted names and comments, in which no punctuation counts."""
    match family:
        case "mysql":
            return re.compile(_BACKSLASHED, _FLAGS)
        case "postgresql":
            return re.compile(f"{_DOLLARED} | {_COMMON}", _FLAGS)
        case "mssql" | "sqlite":
            return re.compile(f"{_COMMON} | {_BRACKETED}", _FLAGS)
        case _:
            return re.compile(_COMMON, _FLAGS)


def require_one_select(family: Family, text: str, where: str) -> str:
    """Give the query without a closing semicolon.

    Raises:
        ConfigError: it is not exactly one SELECT (or WITH ... SELECT) statement.
    """
    visible = _opaque_parts(family).sub(_cover, text)
    bare = visible.rstrip()
    while bare.endswith(";"):
        bare = bare[:-1].rstrip()
    begin = bare.lstrip("( \t\r\n")
    if not begin:
        raise ConfigError(f"{where}: the query is empty. Give one SELECT statement.")
    if not re.match(r"(select|with)\b", begin, re.IGNORECASE):
        raise ConfigError(f"{where}: a query must be one SELECT statement, it begins with {begin.split()[0]!r}.")
    if ";" in bare:
        raise ConfigError(f"{where}: a query must be one statement, this has several. Give one SELECT statement.")
    _require_balance(bare, where)
    return text[: len(bare)]


def _cover(part: re.Match[str]) -> str:
    """Put blanks in place of a comment and letters in place of a literal or name, of the same length."""
    found = part.group()
    return (" " if found.startswith(("--", "/*", "#")) else "x") * len(found)


def _require_balance(bare: str, where: str) -> None:
    depth = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
    if depth:
        raise ConfigError(f"{where}: the parentheses of the query do not match.")
