# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From canonical values to what a driver takes."""

from __future__ import annotations

import itertools
import json
import re
import typing as t
from collections.abc import Callable, Sequence
from decimal import Decimal

from ..._model.errors import RecordError
from ..._model.kinds import json_text, to_native
from ..._model.schema import FieldInfo, Kind
from ..._model.values import Key, Single, Value, show
from .column_types import Column
from .engine import Database

Encoder: t.TypeAlias = Callable[[Single], object]
FieldEncoder: t.TypeAlias = Callable[[Value, bool], object]
KeyEncoder: t.TypeAlias = Callable[[Key], list[tuple[object, ...]]]

OMIT = object()
_PLAIN_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_SQLITE_INTEGERS = range(-(2**63), 2**63)


def encoder(database: Database, column: Column) -> Encoder:
    """Give the function that makes the driver's form of one non-empty canonical value.

    The function raises ValueError when the column cannot hold the value.
    """
    info = column.info
    if info.kind == "binary":
        return _binary
    convert = _converter(database, column)

    def encode(value: Single) -> object:
        if isinstance(value, bytes):
            raise ValueError(f"{show(value)} cannot go into a {info.kind} column; binary data needs a binary one")  # noqa: TRY004
        return convert(value)

    return encode


def field_encoder(database: Database, column: Column) -> FieldEncoder:
    """Give the function that makes the driver's form of a field's value, or OMIT when the database is to fill it in.

    The function raises RecordError: code `type` for a value the column cannot hold, `required` for a missing one.
    """
    info = column.info
    encode = encoder(database, column)
    takes_empty = info.kind in ("text", "binary")

    def encode_field(value: Value, creating: bool) -> object:
        if isinstance(value, tuple):
            value = _only_value(info, value)
        if value is None or (not value and not takes_empty):
            return _encode_nothing(info, creating)
        try:
            return encode(value)
        except ValueError as exc:
            raise RecordError(f"column {info.name!r}: {exc}", field=info.name, code="type") from exc

    return encode_field


def same_when_empty(info: FieldInfo) -> bool:
    """Tell whether no value and empty text come out the same once written."""
    return info.empty_is_null or not info.nullable or info.kind not in ("text", "binary")


def key_encoder(database: Database, columns: Sequence[Column]) -> KeyEncoder:
    """Give the function that lists the forms under which a key may be stored.

    The function raises ValueError for a key that cannot be in these columns.
    """
    encoders = [encoder(database, column) for column in columns]
    kinds = [column.info.kind for column in columns]
    if database.family != "sqlite" or not _SEVERAL_FORMS.intersection(kinds):
        return lambda key: [tuple([encode(part) for encode, part in zip(encoders, key, strict=True)])]

    def list_forms(key: Key) -> list[tuple[object, ...]]:
        forms = [_forms(kind, encode(part)) for kind, encode, part in zip(kinds, encoders, key, strict=True)]
        return list(itertools.product(*forms))

    return list_forms


_SEVERAL_FORMS = frozenset({"datetime", "time", "uuid"})


def _forms(kind: Kind, native: object) -> Sequence[object]:
    """SQLite holds moments and UUIDs as text, in whichever of the usual forms it was given."""
    text = str(native)
    match kind:
        case "datetime":
            long = text if "." in text else f"{text}.000000"
            return sorted({text, long, text.replace(" ", "T"), long.replace(" ", "T")})
        case "time":
            return sorted({text, text if "." in text else f"{text}.000000"})
        case "uuid":
            bare = text.replace("-", "")
            return sorted({text, bare, text.upper(), bare.upper()})
        case _:
            return [native]


def _only_value(info: FieldInfo, values: tuple[Single, ...]) -> Single | None:
    if len(values) > 1:
        message = f"{len(values)} values cannot go into the one column {info.name!r}"
        raise RecordError(message, field=info.name, code="type")
    return values[0] if values else None


def _binary(value: Single) -> object:
    return value.encode("utf-8") if isinstance(value, str) else value


def _converter(database: Database, column: Column) -> Callable[[str], object]:
    info = column.info
    if info.kind == "json":
        return _array_literal if column.trait == "array" else str
    if database.family == "sqlite" and (info.kind != "text" or column.trait == "numeric"):
        return lambda text: _encode_sqlite(column, to_native(info, text))
    match info.kind:
        case "text":
            return str
        case "integer":
            return int
        case "uuid" if database.family != "postgresql":
            return str
        case _:
            return lambda text: to_native(info, text)


def _encode_nothing(info: FieldInfo, creating: bool) -> object:
    if info.nullable:
        return None
    if info.kind == "text":
        return ""
    if creating and info.has_default:
        return OMIT
    raise RecordError(
        f"column {info.name!r} must have a value and there is none. Map a field or give a default.",
        field=info.name,
        code="required",
    )


def _array_literal(text: str) -> object:
    """JSON goes as text, but an array of PostgreSQL in the form that it reads itself, whatever the elements' type.

    https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
    """
    data = json.loads(text)
    if not isinstance(data, list):
        raise ValueError(f"{show(text)} is not a JSON list, which this array column needs")  # noqa: TRY004
    return _array_part(data)


def _array_part(data: object) -> str:
    if isinstance(data, list):
        return "{" + ",".join(map(_array_part, data)) + "}"
    if data is None:
        return "NULL"
    shown = data if isinstance(data, str) else json_text(data)
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encode_sqlite(column: Column, native: t.Any) -> object:
    """SQLite has numbers, text and bytes; the rest is kept in the forms that its own functions understand."""
    match column.info.kind:
        case "text":
            return _encode_numeric_text(column, native) if column.trait == "numeric" else native
        case "integer":
            if native not in _SQLITE_INTEGERS:
                raise ValueError(f"{native} has more than 64 bits")
            return native
        case "decimal":
            return _encode_sqlite_decimal(native)
        case "boolean":
            return int(native)
        case "date" | "time":
            return native.isoformat()
        case "datetime":
            return native.isoformat(" ")
        case "uuid":
            return str(native)
        case _:
            return native


def _encode_sqlite_decimal(native: Decimal) -> object:
    if native == native.to_integral_value() and int(native) in _SQLITE_INTEGERS:
        return int(native)
    number = float(native)
    if Decimal(repr(number)) != native:
        raise ValueError(f"{native} has more digits than SQLite keeps (15)")
    return number


def _encode_numeric_text(column: Column, text: str) -> str:
    """A column of numeric affinity makes 7 of '007'. https://www.sqlite.org/datatype3.html#type_affinity"""
    if _PLAIN_NUMBER.fullmatch(text) and not re.fullmatch(r"0|-?[1-9]\d{0,14}", text):
        raise ValueError(
            f"{show(text)} would become a number: SQLite takes {column.info.type_name!r} for a numeric type. "
            "Declare the column as TEXT."
        )
    return text
