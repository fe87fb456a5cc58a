# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain JSON data as YAML that every reader understands alike, and back.

Written is the part of YAML that 1.1 and 1.2 agree on: a text stands without quotes only when neither version could
take it for something else. Read is YAML 1.2 (core schema, chapter 10.3) without aliases, anchors, tags and directives,
so that nothing in a file can grow while it is read.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping

from .._model.errors import BundleError, ConfigError, DependencyError

if t.TYPE_CHECKING:
    import yaml

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 50
LONGEST_PLAIN_KEY = 900
"""A key before a colon must be shorter than 1024 characters (YAML 1.2.2, chapter 7.4.2)."""

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+][A-Za-z0-9_./@+-]*)*", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]{1,100}", re.ASCII)
_BASED = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,100}|[0-9]{1,100}(?:\.[0-9]{0,100})?)(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)

Plain: t.TypeAlias = t.Any
"""JSON data: None, truth values, numbers, texts, lists, and mappings with texts as keys."""


def to_yaml(data: Mapping[str, Plain]) -> str:
    """Give `data` as block YAML, in its own order. Equal data in equal order gives equal text.

    Raises ConfigError for a text that is not Unicode.
    """
    return "".join(f"{line}\n" for line in _block(data, ""))


def _block(value: Plain, pad: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            quoted = _scalar(key)
            if len(quoted) > LONGEST_PLAIN_KEY:
                yield f"{pad}? {quoted}"
                quoted = ""
            yield from _entry(f"{pad}{quoted}:", inner, pad)
    else:
        for inner in value:
            if isinstance(inner, (Mapping, list, tuple)) and inner:
                for number, line in enumerate(_block(inner, f"{pad}  ")):
                    yield line if number else f"{pad}- {line[len(pad) + 2 :]}"
            else:
                yield from _entry(f"{pad}-", inner, pad)


def _entry(start: str, value: Plain, pad: str) -> Iterator[str]:
    if isinstance(value, (Mapping, list, tuple)):
        if value:
            yield start
            yield from _block(value, f"{pad}  ")
        else:
            yield f"{start} {'{}' if isinstance(value, Mapping) else '[]'}"
    elif isinstance(value, str) and _fits_literal(value):
        yield f"{start} |{'' if value.endswith(chr(10)) else '-'}"
        yield from (f"{pad}  {line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{start} {_scalar(value)}"


def _fits_literal(text: str) -> bool:
    """Tell whether a text of several lines comes back from a literal block as it is."""
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and bool(lines[0])
        and bool(lines[-1])
        and not lines[0].startswith(" ")
        and all(line.isprintable() and line == line.rstrip(" ") for line in lines)
    )


def _scalar(value: Plain) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ConfigError(f"a bundle cannot hold {value!r}, which is not Unicode text. Change it where it is declared.")
    return '"' + "".join(map(_character, value)) + '"'


def _character(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def from_yaml(data: bytes, where: str) -> Plain:
    """Give what `data` says.

    Args:
        data: the file's content, UTF-8.
        where: the start of messages.

    Raises:
        BundleError: it is too big, no UTF-8, no YAML, or uses what is not read; the message has the line.
        DependencyError: PyYAML is missing.
    """
    if len(data) > MAX_BYTES:
        raise BundleError(f"{where}: it is bigger than {MAX_BYTES // 2**20} MiB, so it is not read.")
    need_yaml()
    import yaml

    try:
        text = data.decode("utf-8")
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return _Reader(yaml.parse(text, Loader=loader), where).document()
    except UnicodeDecodeError as error:
        raise BundleError(f"{where}: byte {error.start} is not UTF-8 text; the file is damaged.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = "" if mark is None else f" in line {mark.line + 1}"
        raise BundleError(f"{where}: it is not YAML{line}: {error.problem}.") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise BundleError(f"{where}: it is not YAML: {error}") from None


def need_yaml() -> None:
    """Check that PyYAML can be imported. Raises DependencyError."""
    try:
        import yaml  # noqa: F401
    except ImportError:
        raise DependencyError(
            "Reading a bundle needs the Python library PyYAML, which is not installed. "
            "Install it for the Python that runs the module: pip install PyYAML"
        ) from None


class _Reader:
    """Makes plain data of the events of one document."""

    def __init__(self, events: Iterator[yaml.Event], where: str) -> None:
        self._events = events
        self._where = where

    def document(self) -> Plain:
        import yaml

        next(self._events)
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise BundleError(f"{self._where}: it is empty.")
        if start.version or start.tags:
            raise self._refused("a directive", start)
        value = self._value(next(self._events), 1)
        next(self._events)
        end = next(self._events)
        if not isinstance(end, yaml.StreamEndEvent):
            raise self._refused("a second document", end)
        return value

    def _value(self, event: yaml.Event, depth: int) -> Plain:
        import yaml

        if isinstance(event, yaml.AliasEvent):
            raise self._refused("an alias", event)
        if event.anchor is not None:  # type: ignore[attr-defined]
            raise self._refused("an anchor", event)
        if isinstance(event, yaml.ScalarEvent):
            if event.tag is not None:
                raise self._refused("a tag", event)
            return _resolve(event.value) if event.implicit[0] else event.value
        if event.tag is not None:  # type: ignore[attr-defined]
            raise self._refused("a tag", event)
        if depth > MAX_DEPTH:
            raise self._refused(f"more than {MAX_DEPTH} levels", event)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(inner, depth + 1) for inner in self._until(yaml.SequenceEndEvent)]
        return self._mapping(depth)

    def _mapping(self, depth: int) -> dict[str, Plain]:
        import yaml

        found: dict[str, Plain] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if not isinstance(key, str):
                raise self._refused("a key that is not a text", event)
            if key in found:
                raise self._refused(f"the key {key!r} twice", event)
            found[key] = self._value(next(self._events), depth + 1)
        return found

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _refused(self, what: str, event: yaml.Event) -> BundleError:
        line = "" if event.start_mark is None else f"line {event.start_mark.line + 1} "
        return BundleError(f"{self._where}: {line}has {what}; a bundle has none.")


def _resolve(text: str) -> Plain:
    """Give what a scalar without quotes means (YAML 1.2.2, chapter 10.3.2)."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text
