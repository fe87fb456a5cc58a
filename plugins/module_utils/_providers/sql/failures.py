# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a driver's error means: was the connection lost, is a record at fault, is trying again of use."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

Family: t.TypeAlias = t.Literal["postgresql", "mysql", "sqlite", "mssql", "oracle"]
# lost: no connection; conflict: deadlock or serialization; locked: waited in vain; refused: the system will not;
# record: the values of one record are at fault.
FailureKind: t.TypeAlias = t.Literal["lost", "conflict", "locked", "refused", "record"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The kind of a failure, the code of an outcome (for `record`), and the server's own short message.

    `missing` is the code when a table is not there.
    """

    kind: FailureKind
    code: str
    message: str

    @property
    def retriable(self) -> bool:
        return self.kind in ("lost", "conflict", "locked")

    @property
    def advice(self) -> str:
        """What to do about it, as the end of a sentence."""
        if self.kind == "locked":
            return ". Another session holds a lock on the table or record; try again when it has ended."
        return ""


_Rule: t.TypeAlias = tuple[FailureKind, str]
_RECORD: _Rule = ("record", "error")
_CONSTRAINT: _Rule = ("record", "constraint")
_TOO_LONG: _Rule = ("record", "too_long")
_TYPE: _Rule = ("record", "type")
_LOST: _Rule = ("lost", "")
_CONFLICT: _Rule = ("conflict", "")
_LOCKED: _Rule = ("locked", "")
_REFUSED: _Rule = ("refused", "")
_MISSING: _Rule = ("refused", "missing")

# https://www.postgresql.org/docs/current/errcodes-appendix.html: the longest matching beginning wins. SQL Server's
# and ODBC's states follow the same standard.
_SQLSTATES: Mapping[str, _Rule] = {
    "08": _LOST,
    "22": _TYPE,
    "22001": _TOO_LONG,
    "23": _CONSTRAINT,
    "25006": _REFUSED,
    "25P": _LOST,
    "28": _REFUSED,
    "3D": _REFUSED,
    "40": _CONFLICT,
    "42": _RECORD,
    "42501": _REFUSED,
    "42P01": _MISSING,
    "42804": _TYPE,
    "44": _CONSTRAINT,
    "53": _REFUSED,
    "53300": _LOST,
    "55P03": _LOCKED,
    "57014": _REFUSED,
    "57P": _LOST,
    "58": _REFUSED,
    "P0": _RECORD,
    "XX": _REFUSED,
}
# https://mariadb.com/kb/en/mariadb-error-code-reference/
_MYSQL_CODES: Mapping[int, _Rule] = {
    **dict.fromkeys(
        (0, 1040, 1053, 1077, 1129, 1158, 1159, 1160, 1161, 1203, 1927, 2002, 2003, 2006, 2013, 4031), _LOST
    ),
    **dict.fromkeys((1020, 1213, 1637), _CONFLICT),
    1205: _LOCKED,
    1146: _MISSING,
    **dict.fromkeys(
        (
            1021,
            1030,
            1036,
            1037,
            1041,
            1044,
            1045,
            1049,
            1114,
            1142,
            1143,
            1227,
            1290,
            1317,
            1698,
            1792,
            1836,
            1969,
            3024,
        ),
        _REFUSED,
    ),
    **dict.fromkeys(
        (1022, 1048, 1062, 1169, 1216, 1217, 1364, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025), _CONSTRAINT
    ),
    **dict.fromkeys((1153, 1406), _TOO_LONG),
    **dict.fromkeys((1264, 1265, 1267, 1292, 1366, 1367, 1411, 1416, 1690, 3140, 4038), _TYPE),
}
_SQLITE_NAMES: Mapping[str, _Rule] = {
    "SQLITE_CONSTRAINT_DATATYPE": _TYPE,
    "SQLITE_CONSTRAINT": _CONSTRAINT,
    "SQLITE_MISMATCH": _TYPE,
    "SQLITE_TOOBIG": _TOO_LONG,
    "SQLITE_RANGE": _TYPE,
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_ERROR": _RECORD,
}
_ORACLE_CODES: Mapping[int, _Rule] = {
    **dict.fromkeys((1, 1400, 1407, 2290, 2291, 2292), _CONSTRAINT),
    12899: _TOO_LONG,
    **dict.fromkeys((1438, 1722, 1830, 1841, 1843, 1858, 1861), _TYPE),
    **dict.fromkeys((60, 8177), _CONFLICT),
    54: _LOCKED,
    **dict.fromkeys((28, 1012, 1033, 1034, 1089, 3113, 3114, 3135, 12537, 12541, 12547, 12170), _LOST),
}
_SQLSERVER_CODES: Mapping[int, _Rule] = {
    **dict.fromkeys((515, 547, 2601, 2627), _CONSTRAINT),
    **dict.fromkeys((2628, 8152), _TOO_LONG),
    **dict.fromkeys((220, 241, 242, 245, 8114, 8115), _TYPE),
    **dict.fromkeys((1205, 3960), _CONFLICT),
    1222: _LOCKED,
    **dict.fromkeys((229, 230, 4060, 18456), _REFUSED),
    **dict.fromkeys((20002, 20003, 20004, 20006, 20009, 20047), _LOST),
}
_CLASSES: Mapping[str, _Rule] = {"IntegrityError": _CONSTRAINT, "DataError": _TYPE}
_RECORD_CLASSES = ("ProgrammingError", "NotSupportedError", "InternalError")
# The client library speaks English; a server that refuses says FATAL in its own language.
_UNREACHABLE = re.compile(
    r"refused|time[d ]? ?out|no route|unreachable|translate host|name or service|name resolution|too many|starting up"
    r"|shutting down|closed the connection|connection is (lost|closed|bad)|the connection is|reset by peer"
    r"|broken pipe|recovery mode|terminat|server is running|no such file or directory|eof detected",
    re.IGNORECASE,
)


def diagnose(family: Family, exc: BaseException) -> Diagnosis:
    """Tell what a driver's or SQLAlchemy's error means. The message is the server's, without statement or values."""
    original = _driver_error(exc)
    kind, code = _RULES[family](original) or _by_class(original)
    return Diagnosis(kind, code, _message(original))


def _driver_error(exc: BaseException) -> BaseException:
    original = getattr(exc, "orig", None)
    return original if isinstance(original, BaseException) else exc


def _by_class(exc: BaseException) -> _Rule:
    if isinstance(exc, (OverflowError, UnicodeError)):
        return _TYPE
    if isinstance(exc, OSError):
        return _LOST
    names = {cls.__name__ for cls in type(exc).__mro__}
    for name, rule in _CLASSES.items():
        if name in names:
            return rule
    if _UNREACHABLE.search(str(exc)):
        return _LOST
    return _RECORD if names.intersection(_RECORD_CLASSES) else _REFUSED


def _postgresql_rule(exc: BaseException) -> _Rule | None:
    state = getattr(exc, "sqlstate", None)
    if state == "42501" and "row-level security" in str(exc):
        return _CONSTRAINT
    return _by_state(state)


def _by_state(state: object) -> _Rule | None:
    if not isinstance(state, str):
        return None
    for length in range(len(state), 1, -1):
        if (rule := _SQLSTATES.get(state[:length])) is not None:
            return rule
    return None


def _mysql_rule(exc: BaseException) -> _Rule | None:
    code = _number(exc)
    if code is None:
        return None
    # 1644: SIGNAL in a trigger; other codes of the server about one statement are its record's.
    return _MYSQL_CODES.get(code) or (_RECORD if 1000 <= code < 2000 or code >= 3000 else None)


def _number(exc: BaseException) -> int | None:
    code = exc.args[0] if exc.args else None
    return code if isinstance(code, int) else None


def _sqlite_rule(exc: BaseException) -> _Rule | None:
    name = str(getattr(exc, "sqlite_errorname", ""))
    for known, rule in _SQLITE_NAMES.items():
        if name.startswith(known):
            return rule
    # IOERR, FULL, READONLY, CANTOPEN, CORRUPT, NOTADB: the file itself. Without a name: a value Python cannot bind.
    return _REFUSED if name else None


def _oracle_rule(exc: BaseException) -> _Rule | None:
    code = getattr(exc.args[0], "code", None) if exc.args else None
    return _ORACLE_CODES.get(code) if isinstance(code, int) else None


def _sqlserver_rule(exc: BaseException) -> _Rule | None:
    code = _number(exc)
    if code is not None:
        return _SQLSERVER_CODES.get(code)
    return _by_state(exc.args[0] if exc.args else None)


_RULES: Mapping[Family, t.Callable[[BaseException], _Rule | None]] = {
    "postgresql": _postgresql_rule,
    "mysql": _mysql_rule,
    "sqlite": _sqlite_rule,
    "oracle": _oracle_rule,
    "mssql": _sqlserver_rule,
}


def _message(exc: BaseException) -> str:
    """The first line of what the server says: later lines show the statement or the record's values."""
    primary = getattr(getattr(exc, "diag", None), "message_primary", None)
    if primary:
        return str(primary)
    parts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in exc.args]
    texts = [part for part in parts if isinstance(part, str) and part]
    text = texts[-1] if texts else str(exc)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].removeprefix("connection failed: ") if lines else type(exc).__name__
