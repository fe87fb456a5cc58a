# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL of reading and writing, composed by SQLAlchemy so that names are quoted as each database wants it.

Columns carry no SQLAlchemy type on purpose: values are turned into natives by `encoding`, and nothing may cast or
process them a second time.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from .column_types import Column
from .encoding import encoder
from .engine import Database
from .session import Rows, Statement

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.sql.compiler import SQLCompiler

    from .reflection import Source

_NATIVE_ORDER = frozenset({"integer", "decimal", "float", "date", "datetime"})
_ISO_DATE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"

Natives: t.TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class PreparedWrite:
    """An INSERT or UPDATE for many rows; `names` are the parameters' names for drivers that want them by name."""

    sql: str
    order: tuple[int, ...] | None
    names: tuple[str, ...]

    def parameters(self, rows: Sequence[Natives]) -> Rows:
        """Give the driver's parameter rows for rows of natives in the order the statement was asked for."""
        if self.order is None:
            return [dict(zip(self.names, row, strict=True)) for row in rows]
        if self.order == tuple(range(len(self.names))):
            return list(rows)
        order = self.order
        return [tuple(row[place] for place in order) for row in rows]


def query_probe(database: Database, text: str) -> Statement:
    """Give the statement that describes a query: all its columns, none of its rows."""
    import sqlalchemy as sa

    statement: sa.Select[t.Any] = (
        sa.select(sa.literal_column("*")).select_from(_query_clause(text)).where(sa.text("1 = 0"))
    )
    return _finish(database, statement, {})


def select_all(
    database: Database, source: Source, columns: Sequence[Column], newer_than: tuple[str, str] | None
) -> Statement:
    """Give the statement that reads `columns` of all records, or of those not older than `newer_than`."""
    statement = _select(database, _origin(source), columns)
    if newer_than is not None:
        condition = _newer(database, source, newer_than)
        if condition is not None:
            statement = statement.where(condition)
    return _finish(database, statement, {})


def select_keys(
    database: Database,
    source: Source,
    columns: Sequence[Column],
    key_fields: Sequence[str],
    keys: Sequence[Natives],
    *,
    lock: bool = False,
) -> Statement:
    """Give the statement that reads `columns` of the records with one of `keys` (natives, not empty).

    With `lock` the records stay as they are until the transaction ends, where the database can do that.
    """
    origin = _origin(source)
    statement = _select(database, origin, columns)
    if lock:
        statement = statement.with_for_update()
        if database.family == "mssql":
            statement = statement.with_hint(origin, "WITH (UPDLOCK, ROWLOCK)", "mssql")
    condition, parameters = _key_condition(database, key_fields, keys)
    return _finish(database, statement.where(condition), parameters)


def select_buckets(
    database: Database,
    source: Source,
    columns: Sequence[Column],
    key_columns: Sequence[Column],
    *,
    buckets: Sequence[int],
    count: int,
) -> Statement:
    """Give the statement that reads `columns` of the records whose keys fall into some of `count` buckets
    (PostgreSQL).
    """
    import sqlalchemy as sa

    wanted = sa.cast(_bound("{" + ",".join(map(str, buckets)) + "}"), sa.ARRAY(sa.BigInteger))
    condition = _bucket(key_columns, count) == sa.any_(wanted)
    return _finish(database, _select(database, _origin(source), columns).where(condition), {})


def sum_buckets(
    database: Database,
    source: Source,
    columns: Sequence[Column],
    key_columns: Sequence[Column],
    *,
    seed: int,
    count: int,
) -> Statement:
    """Give the statement that reads for each bucket that has records its number, how many they are, and the
    fingerprint of `columns` of all of them (PostgreSQL).
    """
    import sqlalchemy as sa

    bucket, fingerprint = _bucket(key_columns, count), sa.func.bit_xor(_hash64(columns, seed))
    statement = sa.select(bucket, sa.func.count(), fingerprint)
    return _finish(database, statement.select_from(_table(source)).group_by(sa.text("1")), {})


def describe_fingerprints(database: Database, source: Source) -> Statement:
    """Give the statement that reads what fingerprints of a table need: the server's version as a number, the
    database's encoding, the table's size in bytes (PostgreSQL).
    """
    import sqlalchemy as sa

    name = database.engine.dialect.identifier_preparer.format_table(_table(source))
    size = sa.func.pg_relation_size(sa.func.to_regclass(name))
    version = sa.cast(sa.func.current_setting("server_version_num"), sa.Integer)
    return _finish(database, sa.select(version, sa.func.getdatabaseencoding(), size), {})


def select_empty_keys(database: Database, source: Source, key_columns: Sequence[Column]) -> Statement:
    """Give the statement that reads one row when a record has nothing or an empty text in one of `key_columns`."""
    import sqlalchemy as sa

    # As text: not every type takes an empty one.
    conditions: list[sa.ColumnElement[bool]] = [
        sa.cast(sa.column(column.info.name), sa.Text) == _bound("") for column in key_columns
    ]
    conditions += [sa.column(column.info.name).is_(None) for column in key_columns if column.info.nullable]
    one: sa.Select[t.Any] = sa.select(sa.literal_column("1"))
    return _finish(database, one.select_from(_table(source)).where(sa.or_(*conditions)).limit(1), {})


def _bucket(key_columns: Sequence[Column], count: int) -> sa.ColumnElement[t.Any]:
    """Give the bucket of a record's key; `count` is a power of two."""
    return _hash64(key_columns, 0).op("&")(_number(count - 1))


def _hash64(columns: Sequence[Column], seed: int) -> sa.ColumnElement[t.Any]:
    """Give the hash of a row of `columns` as text, taken byte by byte whatever the database's collation."""
    import sqlalchemy as sa

    row = sa.func.row(*(sa.column(column.info.name) for column in columns))
    # By its full name: nobody's function of the same name is meant.
    return sa.func.pg_catalog.hashtextextended(sa.cast(row, sa.Text).collate("C"), _number(seed))


def _number(value: int) -> sa.ColumnElement[t.Any]:
    import sqlalchemy as sa

    return sa.cast(sa.literal_column(str(value)), sa.BigInteger)


def delete_keys(database: Database, source: Source, key_fields: Sequence[str], keys: Sequence[Natives]) -> Statement:
    """Give the statement that deletes the records with `keys`."""
    import sqlalchemy as sa

    condition, parameters = _key_condition(database, key_fields, keys)
    return _finish(database, sa.delete(_table(source)).where(condition), parameters)


def insert_rows(database: Database, source: Source, fields: Sequence[str]) -> PreparedWrite:
    """Give the INSERT whose rows are the natives of `fields`."""
    import sqlalchemy as sa

    names = _names(len(fields))
    values: dict[str, object] = {field: sa.bindparam(name) for field, name in zip(fields, names, strict=True)}
    return _prepare(database, sa.insert(_table(source)).values(values), names)


def update_rows(database: Database, source: Source, fields: Sequence[str], key_fields: Sequence[str]) -> PreparedWrite:
    """Give the UPDATE whose rows are the natives of `fields`, then those of the key."""
    import sqlalchemy as sa

    names = _names(len(fields) + len(key_fields))
    values: dict[str, object] = {field: sa.bindparam(name) for field, name in zip(fields, names, strict=False)}
    statement = sa.update(_table(source)).values(values)
    for field, name in zip(key_fields, names[len(fields) :], strict=True):
        statement = statement.where(sa.column(field) == sa.bindparam(name))
    return _prepare(database, statement, names)


def _table(source: Source) -> sa.TableClause:
    import sqlalchemy as sa

    return sa.table(source.table, *(sa.column(name) for name in source.columns), schema=source.schema)


def _query_clause(text: str) -> sa.TextClause:
    """Put the query where a table stands. Its own line keeps a closing comment from swallowing the parenthesis."""
    import sqlalchemy as sa

    # Each colon is escaped, or SQLAlchemy would look for parameters.
    return sa.text("(\n" + text.replace(":", "\\:") + "\n) source")


def _origin(source: Source) -> sa.TableClause | sa.TextClause:
    return _table(source) if source.query is None else _query_clause(source.query)


def _select(database: Database, origin: sa.TableClause | sa.TextClause, columns: Sequence[Column]) -> sa.Select[t.Any]:
    import sqlalchemy as sa

    return sa.select(*(_read_column(database, column) for column in columns)).select_from(origin)


def _read_column(database: Database, column: Column) -> sa.ColumnElement[t.Any]:
    """MariaDB shows six digits of a FLOAT, and all of a DOUBLE. PostgreSQL's arrays are read as JSON."""
    import sqlalchemy as sa

    element: sa.ColumnElement[t.Any] = sa.column(column.info.name)
    if column.trait == "single" and database.family == "mysql":
        return element.op("+")(sa.literal_column("0e0"))
    if column.trait == "array":
        return sa.cast(sa.func.to_jsonb(element), sa.Text)
    return element


def _newer(database: Database, source: Source, newer_than: tuple[str, str]) -> sa.ColumnElement[bool] | None:
    """Give the condition for records not older, or None where the database's order may not be ours."""
    import sqlalchemy as sa

    name, text = newer_than
    column = source.columns[name]
    kind = column.info.kind
    if kind not in _NATIVE_ORDER or column.trait in ("loose", "single"):
        return None
    element: sa.ColumnElement[t.Any] = sa.column(name)
    try:
        if database.family == "sqlite" and kind in ("date", "datetime"):
            # Stored as text in several ISO forms and zones: the day before is early enough for all of them.
            day = dt.date.fromisoformat(text[:10]) - dt.timedelta(days=1)
            old = sa.and_(element.op("GLOB")(_bound(_ISO_DATE)), element < _bound(day.isoformat()))
            return sa.or_(element.is_(None), sa.not_(old))
        return sa.or_(element.is_(None), element >= _bound(encoder(database, column)(text)))
    except (ValueError, OverflowError):
        return None  # a mark such as `infinity`: everything is read


def _bound(value: object) -> sa.BindParameter[t.Any]:
    import sqlalchemy as sa

    return sa.bindparam(None, value, type_=sa.types.NullType())


def _key_condition(
    database: Database, key_fields: Sequence[str], keys: Sequence[Natives]
) -> tuple[sa.ColumnElement[bool], dict[str, object]]:
    import sqlalchemy as sa

    columns: list[sa.ColumnElement[t.Any]] = [sa.column(field) for field in key_fields]
    many: sa.BindParameter[t.Any] = sa.bindparam("lockstep_keys", expanding=True)
    if len(columns) == 1:
        return columns[0].in_(many), {"lockstep_keys": [key[0] for key in keys]}
    if database.family == "mssql":
        # It has no comparison of tuples.
        parts = [
            sa.and_(*(column == _bound(value) for column, value in zip(columns, key, strict=True))) for key in keys
        ]
        return sa.or_(*parts), {}
    return sa.tuple_(*columns).in_(many), {"lockstep_keys": list(keys)}


def _names(count: int) -> list[str]:
    """Parameter names of our own: a column's name may hold what a driver takes for syntax."""
    return [f"lockstep_{number}" for number in range(count)]


def _finish(database: Database, statement: sa.sql.expression.ClauseElement, parameters: dict[str, object]) -> Statement:
    compiled = t.cast("SQLCompiler", statement.compile(dialect=database.engine.dialect))
    state = compiled.construct_expanded_state(parameters)
    if compiled.positional:
        return Statement(state.statement, tuple(state.positional_parameters))
    return Statement(state.statement, dict(state.parameters))


def _prepare(database: Database, statement: sa.sql.expression.ClauseElement, names: Sequence[str]) -> PreparedWrite:
    compiled = t.cast("SQLCompiler", statement.compile(dialect=database.engine.dialect))
    order = None
    if compiled.positional:
        order = tuple(names.index(name) for name in compiled.positiontup or ())
    return PreparedWrite(compiled.string, order, tuple(names))
