# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and views: their columns, which of them are unique, and who fills them in."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..._model.schema import ContainerInfo
from .column_types import Column, describe_declared, describe_type
from .engine import Database

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedIndex
    from sqlalchemy.engine.reflection import ObjectKind


@dataclass(frozen=True, slots=True)
class Relation:
    """One table or view; `info.name` is without the schema."""

    info: ContainerInfo
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class _Keys:
    """The primary key and the sets of columns that are unique."""

    primary: frozenset[str]
    unique: tuple[frozenset[str], ...]


_NO_KEYS = _Keys(frozenset(), ())


@dataclass(frozen=True, slots=True)
class _Found:
    """What the database says about one table or view."""

    name: str
    columns: Sequence[ReflectedColumn]
    keys: _Keys
    is_view: bool
    caseless: frozenset[str]
    declared: Mapping[str, str]


def describe_relations(
    database: Database, inspector: sa.Inspector, schema: str | None, names: Sequence[str] | None
) -> list[Relation]:
    """Describe the tables and views called `names` (None = all) of a schema; those that do not exist are left out."""
    from sqlalchemy.engine.reflection import ObjectKind

    keys = _find_keys(inspector, schema, names)
    tables = _columns_of(inspector, schema, names, ObjectKind.TABLE)
    views = _view_columns(inspector, schema, names)
    return [
        _build(
            database,
            inspector,
            _Found(
                name=name,
                columns=columns,
                keys=keys.get(name, _NO_KEYS),
                is_view=name in views,
                caseless=_caseless_columns(database, inspector, schema, name),
                declared=_declared_types(database, inspector, name),
            ),
        )
        for name, columns in (tables | views).items()
    ]


def _columns_of(
    inspector: sa.Inspector, schema: str | None, names: Sequence[str] | None, kind: ObjectKind
) -> dict[str, list[ReflectedColumn]]:
    reflected = inspector.get_multi_columns(schema=schema, filter_names=names, kind=kind)
    return {name: columns for (_schema, name), columns in reflected.items() if columns}


def _view_columns(
    inspector: sa.Inspector, schema: str | None, names: Sequence[str] | None
) -> dict[str, list[ReflectedColumn]]:
    """Describe views; when all are asked for, one whose tables are gone must not hide the others."""
    import sqlalchemy as sa
    from sqlalchemy.engine.reflection import ObjectKind

    if names is not None:
        return _columns_of(inspector, schema, names, ObjectKind.ANY_VIEW)
    try:
        return _columns_of(inspector, schema, None, ObjectKind.ANY_VIEW)
    except sa.exc.DBAPIError:
        found: dict[str, list[ReflectedColumn]] = {}
        for name in inspector.get_view_names(schema=schema):
            try:
                found |= _columns_of(inspector, schema, [name], ObjectKind.ANY_VIEW)
            except sa.exc.DBAPIError as exc:
                if exc.connection_invalidated:
                    raise
        return found


def _find_keys(inspector: sa.Inspector, schema: str | None, names: Sequence[str] | None) -> dict[str, _Keys]:
    primary: dict[str, frozenset[str]] = {}
    unique: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
    for (_schema, name), key in inspector.get_multi_pk_constraint(schema=schema, filter_names=names).items():
        if key and key["constrained_columns"]:
            primary[name] = frozenset(key["constrained_columns"])
    for (_schema, name), constraints in inspector.get_multi_unique_constraints(
        schema=schema, filter_names=names
    ).items():
        unique[name].update(frozenset(constraint["column_names"]) for constraint in constraints or ())
    for (_schema, name), indexes in inspector.get_multi_indexes(schema=schema, filter_names=names).items():
        unique[name].update(_unique_columns(indexes or ()))
    return {name: _Keys(primary.get(name, frozenset()), tuple(unique[name])) for name in {*primary, *unique}}


def _unique_columns(indexes: Iterable[ReflectedIndex]) -> Iterable[frozenset[str]]:
    """Give the columns of the unique indexes that cover whole values of all records."""
    for index in indexes:
        options = index.get("dialect_options") or {}
        partial = any(value and name.endswith(("_where", "_length")) for name, value in options.items())
        names = index["column_names"]
        if index["unique"] and not partial and names and None not in names:
            yield frozenset(t.cast("list[str]", names))


def _build(database: Database, inspector: sa.Inspector, found: _Found) -> Relation:
    columns = {item["name"]: _build_column(database, inspector, found, item) for item in found.columns}
    not_null = {name for name, column in columns.items() if not column.info.nullable}
    keys = found.keys
    sets = {key for key in (keys.primary, *keys.unique) if key and key <= not_null}
    columns = {
        name: replace(column, info=replace(column.info, unique=frozenset({name}) in sets))
        for name, column in columns.items()
    }
    info = ContainerInfo(
        name=found.name,
        kind="view" if found.is_view else "table",
        fields=tuple(column.info for column in columns.values()),
        unique_keys=tuple(sorted(sets, key=lambda key: (key != keys.primary, len(key), sorted(key)))),
    )
    return Relation(info, columns)


def _build_column(database: Database, inspector: sa.Inspector, found: _Found, item: ReflectedColumn) -> Column:
    name = item["name"]
    if name in found.declared:
        column = describe_declared(name, found.declared[name])
    else:
        column = describe_type(database.family, name, item["type"])
    identity: Mapping[str, t.Any] = item.get("identity") or {}
    # SQL Server takes no value for an identity column, whatever it was declared as.
    filled_always = bool(identity) and (database.family == "mssql" or bool(identity.get("always")))
    counted = item.get("autoincrement") is True or _is_row_number(database, column, found.keys)
    info = replace(
        column.info,
        type_name=column.info.type_name or _type_name(inspector, item),
        # SQLite says nullable of a primary key, for the sake of an old fault; nobody means it.
        nullable=item["nullable"] and name not in found.keys.primary,
        has_default=item.get("default") is not None or bool(identity) or counted,
        writable=column.info.writable and "computed" not in item and not filled_always,
        case_sensitive=column.info.case_sensitive and name not in found.caseless,
    )
    if database.family == "mysql" and info.kind == "text":
        # Most collations of MariaDB pad with blanks, and those that ignore case mostly ignore accents, too. Taking more
        # keys for equal than the database does is reported; taking fewer would delete one of two that are the same.
        info = replace(info, trailing_blanks_count=False, accent_sensitive=info.case_sensitive)
    # In SQLite only a table's columns coerce what is put into them.
    untyped = found.is_view and database.family == "sqlite"
    return replace(column, info=info, trait="loose" if untyped else column.trait)


def _is_row_number(database: Database, column: Column, keys: _Keys) -> bool:
    """SQLite's INTEGER PRIMARY KEY is filled in by itself. https://www.sqlite.org/autoinc.html"""
    return (
        database.family == "sqlite"
        and keys.primary == {column.info.name}
        and column.info.type_name.upper() == "INTEGER"
    )


def _type_name(inspector: sa.Inspector, item: ReflectedColumn) -> str:
    import sqlalchemy as sa

    try:
        return item["type"].compile(dialect=inspector.dialect)
    except (sa.exc.CompileError, NotImplementedError):
        return ""


def _caseless_columns(database: Database, inspector: sa.Inspector, schema: str | None, table: str) -> frozenset[str]:
    """Name the columns whose text is compared without case, where the reflected types do not say so."""
    import sqlalchemy as sa

    if database.family == "mysql":
        statement = sa.text(
            "SELECT column_name FROM information_schema.columns WHERE table_name = :name"
            " AND table_schema = COALESCE(:schema, DATABASE()) AND collation_name LIKE '%\\_ci%'"
        )
        values = {"name": table, "schema": schema}
    elif database.family == "sqlite":
        # SQLite tells the collation of indexes only, which is where keys are compared.
        statement = sa.text(
            "SELECT field.name FROM pragma_index_list(:name) AS found, pragma_index_xinfo(found.name) AS field"
            " WHERE field.\"key\" = 1 AND upper(field.coll) = 'NOCASE' AND field.name IS NOT NULL"
        )
        values = {"name": table}
    else:
        return frozenset()
    return frozenset(str(row[0]) for row in _connection(inspector).execute(statement, values))


def _declared_types(database: Database, inspector: sa.Inspector, table: str) -> dict[str, str]:
    import sqlalchemy as sa

    if database.family != "sqlite":
        return {}
    statement = sa.text("SELECT name, type FROM pragma_table_xinfo(:name)")
    return {str(row[0]): str(row[1]) for row in _connection(inspector).execute(statement, {"name": table})}


def _connection(inspector: sa.Inspector) -> sa.Connection:
    return t.cast("sa.Connection", inspector.bind)
