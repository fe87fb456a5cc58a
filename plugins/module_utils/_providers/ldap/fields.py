# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a directory's entries: from a name to what is asked for, and from bytes to values."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..._model.dn import canonical_dn, parent_dn
from ..._model.errors import ConfigError, ProviderError, unknown
from ..._model.schema import FieldInfo
from ..._model.values import Row, Value, as_set, show
from .entries import Row as RawRow
from .flavours import CONTAINER, PLACE, Flag, Flavour
from .schema import AttributeType, Schema, field_of
from .values import Encode, decoder, encoder

BYTES_OPTION = ";bytes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One field as it is read: `attribute` is what is asked for, empty for what the name of the entry tells."""

    name: str
    attribute: str
    decode: Callable[[Sequence[bytes]], Value]


class Fields:
    """The fields of one directory."""

    def __init__(self, schema: Schema, flavour: Flavour) -> None:
        self._schema = schema
        self._flavour = flavour
        self.flags = flavour.flags_in(schema)
        self.anchor = next((name for name in flavour.anchors if name.casefold() in schema.attributes), None)

    def infos(self, object_classes: Sequence[str] = ()) -> tuple[FieldInfo, ...]:
        """Give all fields; those that entries of `object_classes` must have cannot be empty."""
        mandatory = frozenset() if self._flavour.guid else self._schema.mandatory(object_classes)
        listed: dict[str, FieldInfo] = {}
        for item in self._schema.attributes.values():
            info = field_of(item, self._flavour.traits)
            needed = bool(mandatory & {name.casefold() for name in item.names})
            for name in item.names:
                # A need is told under the first name only: `surname` is not missing where `sn` is mapped.
                listed.setdefault(name.casefold(), replace(info, name=name, nullable=not needed or name != item.name))
        named = FieldInfo(name=PLACE, kind="dn", type_name="DN", writable=False, empty_is_null=True)
        special = [named, replace(named, name=CONTAINER), *(flag.info for flag in self.flags.values())]
        return (*special, *(info for info in listed.values() if info.name.casefold() not in self.flags))

    def attribute(self, name: str) -> AttributeType | None:
        """Give the attribute type behind a field, None for fields of our own."""
        return self._schema.attribute(name)

    def flag(self, name: str) -> Flag | None:
        """Give the flag called `name`."""
        return self.flags.get(name.casefold())

    def info(self, name: str) -> FieldInfo | None:
        """Give a field by its name."""
        flag = self.flag(name)
        if flag is not None:
            return replace(flag.info, name=name)
        item = self.attribute(name)
        return None if item is None else replace(field_of(item, self._flavour.traits), name=name)

    def encode(self, name: str) -> Encode:
        """Give what makes bytes of the field's values. Raises ConfigError for an unknown field."""
        info = self.info(name)
        if info is None:
            raise self._unknown(name, "this directory")
        return encoder(info, guid=self._flavour.guid)

    def column(self, name: str, where: str) -> Column:
        """Give how the field `name` is read. Raises ConfigError naming near ones."""
        folded = name.casefold()
        if folded in (PLACE, CONTAINER):
            return Column(name=name, attribute="", decode=lambda _values: None)
        flag = self.flag(name)
        if flag is not None:
            return Column(name=name, attribute=flag.attribute, decode=flag.read)
        if folded.endswith(BYTES_OPTION):
            attribute = name[: -len(BYTES_OPTION)]
            if self._schema.attribute(attribute) is None:
                raise self._unknown(name, where)
            return Column(name=name, attribute=attribute, decode=as_set)
        info = self.info(name)
        if info is None:
            raise self._unknown(name, where)
        return Column(name=name, attribute=name, decode=decoder(info, guid=self._flavour.guid))

    def _unknown(self, name: str, where: str) -> ConfigError:
        names = [PLACE, CONTAINER, *self.flags, *(item.name for item in self._schema.attributes.values())]
        return ConfigError(unknown("field", name, names, where=where))


class RowMaker:
    """Makes rows of canonical values from raw ones. `attributes` is what must be asked for, each once."""

    def __init__(self, fields: Fields, names: Sequence[str], where: str) -> None:
        self.columns = [fields.column(name, where) for name in names]
        self.attributes = tuple(dict.fromkeys(column.attribute for column in self.columns if column.attribute))
        places = {name: place for place, name in enumerate(self.attributes, 1)}
        self._plan = [(places.get(column.attribute, 0), column) for column in self.columns]
        self._getters = [self._getter(place, column) for place, column in self._plan]
        self._where = where

    @staticmethod
    def _getter(place: int, column: Column) -> Callable[[RawRow], Value]:
        decode = column.decode
        if place:
            return lambda row: decode(t.cast("Sequence[bytes]", row[place]))
        if column.name.casefold() == CONTAINER:
            return lambda row: parent_dn(_name_of(row)) or None
        return _name_of

    @property
    def asked(self) -> tuple[str, ...]:
        """What to ask the server for: `1.1` is nothing but the name (RFC 4511 section 4.5.1.8)."""
        return self.attributes or ("1.1",)

    def rows(self, raw: Sequence[RawRow]) -> list[Row]:
        """Give the rows. Raises ProviderError naming the entry and attribute of a value that is none of its kind."""
        getters = self._getters
        try:
            return [tuple([get(row) for get in getters]) for row in raw]
        except ValueError:
            for row in raw:
                self._check(row)
            raise

    def _check(self, row: RawRow) -> None:
        for get, column in zip(self._getters, self.columns, strict=True):
            try:
                get(row)
            except ValueError as error:
                raise ProviderError(
                    f"{self._where}, entry {show(_name_of(row))}, attribute {column.name!r}: {error}. Correct the "
                    f"entry, or read the attribute as bytes by the name {column.name + BYTES_OPTION!r}."
                ) from None


def _name_of(row: RawRow) -> str:
    text = row[0].decode("utf-8")
    try:
        return canonical_dn(text)
    except ValueError:
        return text
