# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of a query, as the driver describes its empty result."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._model.errors import ConfigError
from ..._model.schema import FieldInfo, Kind
from .column_types import Column, Trait
from .engine import Database
from .session import Session
from .statements import query_probe

_Described: t.TypeAlias = tuple[Kind, Trait, Mapping[str, t.Any]]
_LOOSE: _Described = ("text", "loose", {})

# Type OIDs: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
_POSTGRESQL: Mapping[int, _Described] = {
    16: ("boolean", "", {}),
    17: ("binary", "", {}),
    20: ("integer", "", {"bits": 64}),
    21: ("integer", "", {"bits": 16}),
    23: ("integer", "", {"bits": 32}),
    19: ("text", "sure", {}),
    25: ("text", "sure", {}),
    1042: ("text", "padded", {}),
    1043: ("text", "sure", {}),
    114: ("json", "", {}),
    3802: ("json", "", {}),
    700: ("float", "single", {"bits": 32}),
    701: ("float", "", {"bits": 64}),
    1082: ("date", "", {}),
    1083: ("time", "", {}),
    1114: ("datetime", "", {}),
    1184: ("datetime", "", {"timezone": True}),
    1266: ("time", "", {"timezone": True}),
    1700: ("decimal", "", {}),
    2950: ("uuid", "", {}),
    **dict.fromkeys(
        (1000, 1005, 1007, 1016, 1009, 1015, 1021, 1022, 1115, 1182, 1185, 1231, 2951), ("json", "array", {})
    ),
}
# https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
_MYSQL: Mapping[int, _Described] = {
    **dict.fromkeys((1, 2, 3, 8, 9, 13), ("integer", "filled", {})),
    **dict.fromkeys((0, 246), ("decimal", "", {})),
    4: ("float", "single", {"bits": 32}),
    5: ("float", "", {"bits": 64}),
    7: ("datetime", "", {"timezone": True}),
    **dict.fromkeys((10, 14), ("date", "", {})),
    11: ("time", "", {}),
    12: ("datetime", "", {}),
    16: ("integer", "bits", {"unsigned": True}),
    245: ("json", "", {}),
    **dict.fromkeys((247, 248, 249, 250, 251, 252, 253, 254), ("text", "sure", {})),
}
_TYPES: Mapping[str, Mapping[int, _Described]] = {"psycopg": _POSTGRESQL, "pymysql": _MYSQL}


def describe_query(database: Database, text: str) -> dict[str, Column]:
    """Run the query for no rows and give its columns in order.

    Raises:
        ConfigError: the database refuses the query, or a column has no name of its own.
        ProviderError: the database cannot be reached.
    """
    with Session(database) as session:
        session.begin_reading()
        try:
            cursor = session.run(query_probe(database, text))
        except database.errors as exc:
            found = database.diagnose(exc)
            if found.kind == "record" or found.code == "missing":
                raise ConfigError(f"{database.where}: the query cannot be run: {found.message}") from exc
            raise database.error(exc, "cannot run the query") from exc
        described = [(str(item[0]), item[1], item[3]) for item in cursor.description]
        cursor.close()
    columns: dict[str, Column] = {}
    for name, type_code, size in described:
        if name in columns:
            raise ConfigError(f"{database.where}: the query has two columns {name!r}. Name each with AS.")
        columns[name] = _describe(database, name, type_code, size)
    return columns


def _describe(database: Database, name: str, type_code: object, size: object) -> Column:
    types = _TYPES.get(database.driver, {})
    kind, trait, traits = types.get(type_code, _LOOSE) if isinstance(type_code, int) else _LOOSE
    if database.driver == "pymysql" and size == 1 and type_code in (1, 16):
        kind, trait = "boolean", "" if type_code == 1 else "bits"
    return Column(FieldInfo(name=name, kind=kind, **traits), trait)
