# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a provider says about its system: containers (tables, sheets), their fields, and how it answered a test."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

Kind: t.TypeAlias = t.Literal[
    "text", "integer", "decimal", "float", "boolean", "date", "datetime", "time", "binary", "uuid", "json", "dn", "sid"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldInfo:
    """One field (column, attribute) of a container.

    Attributes:
        kind: which canonical text form its values have, see `kinds`.
        type_name: the system's own name of the type, for people (`VARCHAR(40)`).
        max_length: characters for text, bytes for binary; None = unlimited.
        precision: decimal digits in all; for datetime and time the fractional digits kept (None = six).
        scale: decimal digits after the point.
        bits: 16, 32 or 64 for integer and float; None = 64 (integers: unlimited).
        unsigned: integers below zero are refused.
        timezone: datetime and time carry an offset; canonical is then UTC.
        empty_is_null: the system does not tell empty text from no value (files, Oracle).
        writable: false for generated and read-only fields.
        unique: alone identifies a record (primary key or unique constraint of one not-null column).
        case_sensitive: false when the system compares its text without case (a `_ci` collation, LDAP).
        accent_sensitive: false when it also takes accented letters for plain ones (most `_ci` collations of MariaDB).
        trailing_blanks_count: false when it takes `a ` for `a` (collations of MariaDB that pad).
        has_default: the system fills it in when a new record leaves it out.
        multi_valued: can hold several values, which are a set: each once, in no order. Canonical is nothing, one value
            alone, or a sorted tuple.
        forbidden: characters its text cannot have.
        secret: is written and never read; its value comes from the `password` step only.
        unique_with: fields of the system whose values clash with this one's (mail and proxyAddresses); itself always.
    """

    name: str
    kind: Kind = "text"
    type_name: str = ""
    nullable: bool = True
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    bits: int | None = None
    unsigned: bool = False
    timezone: bool = False
    empty_is_null: bool = False
    writable: bool = True
    unique: bool = False
    case_sensitive: bool = True
    accent_sensitive: bool = True
    trailing_blanks_count: bool = True
    has_default: bool = False
    multi_valued: bool = False
    forbidden: str = ""
    secret: bool = False
    unique_with: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerInfo:
    """One table, view, query or sheet with its fields in order; `unique_keys` are the sets of not-null fields that
    identify a record.

    `exists` is false for a file or sheet that the first write will make; its fields are then those the job maps.

    Directories have more:

    Attributes:
        anchor: the field that names a record for ever, whatever it is called and wherever it lies (objectGUID,
            entryUUID); None when the system has none.
        place: the field that holds a record's distinguished name.
        naming: the field that makes the last part of that name; it is written by renaming.
        folds_names: field names are looked up without case, and attribute options (`cn;lang-de`) are allowed.
        keeps_references: the system itself mends references to a record that is renamed, moved or deleted, and refuses
            references to records that do not exist.
    """

    name: str
    kind: t.Literal["table", "view", "query", "sheet", "file", "container", "class"]
    fields: tuple[FieldInfo, ...]
    unique_keys: tuple[frozenset[str], ...] = ()
    exists: bool = True
    anchor: str | None = None
    place: str | None = None
    naming: str | None = None
    folds_names: bool = False
    keeps_references: bool = False

    def field(self, name: str) -> FieldInfo | None:
        """Give the field called `name`, or None; where names fold, under the name it was asked for.

        There the option `;bytes` asks for an attribute's values as they are on the wire.
        """
        if not self.folds_names:
            return next((info for info in self.fields if info.name == name), None)
        base = name.partition(";")[0].casefold()
        found = next((info for info in self.fields if info.name.casefold() == base), None)
        if found is None or found.name == name:
            return found
        return as_bytes(found, name) if is_bytes(name) else replace(found, name=name)


BYTES_OPTION = ";bytes"


def is_bytes(name: str) -> bool:
    """Tell whether the field `name` of a directory gives an attribute's values as they are on the wire."""
    return name.casefold().endswith(BYTES_OPTION)


def as_bytes(info: FieldInfo, name: str) -> FieldInfo:
    """Give the field `name` whose values are those of `info` as they are on the wire; it can only be read."""
    return FieldInfo(
        name=name,
        kind="binary",
        type_name=info.type_name,
        nullable=info.nullable,
        empty_is_null=True,
        writable=False,
        multi_valued=info.multi_valued,
        secret=info.secret,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderStatus:
    """The answer to `provider_info: test: true`: what was reached and how long one round trip took (milliseconds)."""

    server: str
    version: str
    latency_ms: float
    details: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a kind of provider can do; the planner asks here and nowhere tests for a type.

    Attributes:
        option_names: which of `table`, `query`, `sheet`, `replace_file` a job may give for it.
        writes: it can be a destination.
        transactional: a batch is applied whole or not at all.
        directory: records lie in containers, have anchors and references, and can be moved, renamed and disabled; its
            providers follow `access.Directory`.
        fingerprints: it may be asked for fingerprints of its records; its providers follow `access.Fingerprinting`.
    """

    option_names: frozenset[str]
    writes: bool = True
    transactional: bool = False
    directory: bool = False
    fingerprints: bool = False
