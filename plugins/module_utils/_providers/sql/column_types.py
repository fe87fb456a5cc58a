# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a column's type means: its kind, its limits, and the quirks of how drivers hand its values over."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..._model.schema import FieldInfo, Kind
from .failures import Family

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# sure: always text or bytes; padded: trailing blanks are the type's, not the value's; single: a 32-bit float;
# bits: bytes that are a number; filled: leading zeros; array; numeric: SQLite turns numeric text into numbers;
# loose: values of any type may come.
Trait: t.TypeAlias = t.Literal["", "sure", "padded", "single", "bits", "filled", "array", "numeric", "loose"]


@dataclass(frozen=True, slots=True)
class Column:
    """A field and the quirk its values have in the driver's hands."""

    info: FieldInfo
    trait: Trait = ""


def describe_type(family: Family, name: str, type_: sa.types.TypeEngine[t.Any]) -> Column:
    """Give the column for a reflected SQLAlchemy type of a server database."""
    if (inner := getattr(type_, "data_type", None)) is not None:  # a domain of PostgreSQL
        type_ = inner
    for describe in (_describe_special, _describe_number, _describe_moment, _describe_text):
        found = describe(family, type_)
        if found is not None:
            kind, traits, trait = found
            return Column(FieldInfo(name=name, kind=kind, **traits), trait)
    return Column(FieldInfo(name=name), "loose")


_Found: t.TypeAlias = tuple[Kind, dict[str, t.Any], Trait]
_BINARY_NAMES = frozenset(
    {"BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY", "VARBINARY", "BYTEA", "IMAGE", "RAW", "large_binary"}
)
_UNBOUNDED_NAMES = frozenset({"TEXT", "TINYTEXT", "MEDIUMTEXT", "LONGTEXT", "CLOB", "NCLOB", "NTEXT", "LONG", "SET"})


def _describe_special(family: Family, type_: sa.types.TypeEngine[t.Any]) -> _Found | None:
    import sqlalchemy as sa

    visit = type_.__visit_name__
    if family == "mssql" and visit in ("TIMESTAMP", "ROWVERSION"):
        return "binary", {"writable": False}, ""
    if isinstance(type_, sa.Boolean) or (visit == "TINYINT" and getattr(type_, "display_width", None) == 1):
        return "boolean", {}, ""
    if visit == "BIT" and family == "mysql":
        length = getattr(type_, "length", None) or 1
        return ("boolean", {}, "bits") if length == 1 else ("integer", {"bits": length, "unsigned": True}, "bits")
    if isinstance(type_, sa.Uuid):
        return "uuid", {}, ""
    if isinstance(type_, sa.JSON):
        return "json", {}, ""
    if isinstance(type_, sa.ARRAY):
        return "json", {}, "array"
    if visit in _BINARY_NAMES:
        return "binary", {"max_length": _positive(getattr(type_, "length", None))}, ""
    return None


def _describe_number(family: Family, type_: sa.types.TypeEngine[t.Any]) -> _Found | None:
    import sqlalchemy as sa

    visit = type_.__visit_name__
    if visit == "YEAR":
        return "integer", {"bits": 16, "unsigned": True}, ""
    if visit == "OID":
        return "integer", {"bits": 32, "unsigned": True}, ""
    if visit in ("MONEY", "SMALLMONEY") and family == "mssql":
        return "decimal", {"precision": 19 if visit == "MONEY" else 10, "scale": 4}, ""
    if isinstance(type_, sa.Integer) and not isinstance(type_, sa.Numeric):  # Oracle's NUMBER is both
        unsigned = bool(getattr(type_, "unsigned", False)) or (family == "mssql" and visit == "TINYINT")
        bits = None if family == "oracle" else _INTEGER_BITS.get(visit, 32)
        return "integer", {"bits": bits, "unsigned": unsigned}, "filled" if getattr(type_, "zerofill", False) else ""
    if isinstance(type_, sa.Float):
        single = visit == "BINARY_FLOAT" or (visit == "FLOAT" if family == "mysql" else visit == "REAL")
        return ("float", {"bits": 32}, "single") if single else ("float", {"bits": 64}, "")
    if isinstance(type_, sa.Numeric):
        scale = type_.scale if type_.scale is not None or type_.precision is None else 0
        return "decimal", {"precision": type_.precision, "scale": scale}, ""
    return None


_INTEGER_BITS: Mapping[str, int] = {
    "TINYINT": 8,
    "SMALLINT": 16,
    "small_integer": 16,
    "MEDIUMINT": 24,
    "BIGINT": 64,
    "big_integer": 64,
}


def _describe_moment(family: Family, type_: sa.types.TypeEngine[t.Any]) -> _Found | None:
    import sqlalchemy as sa

    visit = type_.__visit_name__
    if isinstance(type_, sa.DateTime) or visit == "DATETIMEOFFSET":
        # MariaDB's TIMESTAMP is a moment in UTC; the session's time zone is +00:00.
        zoned = visit == "DATETIMEOFFSET" or bool(getattr(type_, "timezone", False))
        zoned = zoned or (family == "mysql" and visit == "TIMESTAMP")
        return "datetime", {"timezone": zoned, "precision": _fraction_digits(family, type_)}, ""
    if isinstance(type_, sa.Date):
        return "date", {}, ""
    if isinstance(type_, sa.Time):
        return "time", {"timezone": bool(type_.timezone), "precision": _fraction_digits(family, type_)}, ""
    return None


def _fraction_digits(family: Family, type_: sa.types.TypeEngine[t.Any]) -> int | None:
    if family == "mysql":
        return getattr(type_, "fsp", None) or 0
    visit = type_.__visit_name__
    if visit == "SMALLDATETIME" or (family == "oracle" and visit == "DATE"):
        return 0
    if family == "mssql" and visit == "DATETIME":
        return 2  # it keeps three hundredths of a second: whole hundredths survive
    precision = getattr(type_, "precision", None)
    return None if precision is None else min(precision, 6)


def _describe_text(family: Family, type_: sa.types.TypeEngine[t.Any]) -> _Found | None:
    import sqlalchemy as sa

    visit = type_.__visit_name__
    if not isinstance(type_, sa.String):
        return ("text", {"case_sensitive": False}, "sure") if visit == "CITEXT" else None
    collation = (type_.collation or "").lower()
    traits: dict[str, t.Any] = {"case_sensitive": "_ci" not in collation, "empty_is_null": family == "oracle"}
    if isinstance(type_, sa.Enum) or visit in _UNBOUNDED_NAMES or visit == "CITEXT":
        traits["case_sensitive"] = traits["case_sensitive"] and visit != "CITEXT"
        return "text", traits, "sure"
    padded = family != "mysql" and visit in ("CHAR", "NCHAR")
    traits |= {"max_length": _positive(type_.length), "trailing_blanks_count": not padded}
    return "text", traits, "padded" if padded else "sure"


def _positive(length: object) -> int | None:
    """SQL Server says -1 for unlimited."""
    return length if isinstance(length, int) and length > 0 else None


_DECLARED = re.compile(r"\s*([^(]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\).*)?", re.DOTALL)


def describe_declared(name: str, declared: str) -> Column:
    """Give the column for a type as SQLite has it: any words, of which SQLite itself heeds only the affinity.

    Limits that SQLite does not enforce (`VARCHAR(40)`) are taken at their word. https://www.sqlite.org/datatype3.html
    """
    match = _DECLARED.fullmatch(declared)
    words, first, second = match.groups() if match else (declared, None, None)
    words = words.upper()
    length = int(first) if first else None
    for fits, kind, trait in _SQLITE_TYPES:
        if fits(words):
            info = FieldInfo(name=name, kind=kind, type_name=declared)
            return Column(_limit(info, words, length, int(second) if second else None), trait)
    return Column(FieldInfo(name=name, type_name=declared), "numeric" if words else "loose")


def _limit(info: FieldInfo, words: str, first: int | None, second: int | None) -> FieldInfo:
    if info.kind in ("text", "binary"):
        return replace(info, max_length=first)
    if info.kind == "decimal" and first is not None:
        return replace(info, precision=first, scale=second or 0)
    if info.kind == "integer":
        return replace(info, bits=16 if "SMALLINT" in words else 64)
    return replace(info, bits=64) if info.kind == "float" else info


def _has(*parts: str) -> Callable[[str], bool]:
    return lambda words: any(part in words for part in parts)


def _is(*names: str) -> Callable[[str], bool]:
    return lambda words: words in names


# In SQLite's own order where affinities are concerned: INT before CHAR before BLOB before REAL.
_SQLITE_TYPES: tuple[tuple[Callable[[str], bool], Kind, Trait], ...] = (
    (_has("BOOL"), "boolean", ""),
    (_is("DATE"), "date", ""),
    (_has("DATETIME", "TIMESTAMP"), "datetime", ""),
    (_is("TIME"), "time", ""),
    (_is("UUID", "GUID", "UNIQUEIDENTIFIER"), "uuid", ""),
    (_has("JSON"), "json", ""),
    (_has("INT"), "integer", ""),
    (_has("CHAR", "CLOB", "TEXT"), "text", "sure"),
    (_has("BLOB", "BINARY"), "binary", ""),
    (_has("REAL", "FLOA", "DOUB"), "float", ""),
    (_has("DEC", "NUM", "MONEY"), "decimal", ""),
)
