# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a directory's entries: from a name to what is asked for, and from bytes to values."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..._model.dn import canonical_dn, parent_dn
from ..._model.errors import ConfigError, ProviderError, unknown
from ..._model.schema import BYTES_OPTION, FieldInfo, as_bytes, is_bytes
from ..._model.values import Row, Value, show
from .entries import Row as RawRow
from .flavours import CONTAINER, PLACE, Flag, Flavour
from .schema import UTC_TIME, AttributeType, Schema, field_of
from .values import Encode, column_decoder, decode_bytes, decode_each, encoder

_BINARY_OPTION = ";binary"
_ORDERED = ("integer", "datetime")

Decoded: t.TypeAlias = Callable[[t.Any], list[Value]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One field as it is read. `attributes` is what is asked for, nothing for what the name of the entry tells.

    `decode` takes what the entries have of it, one after the other: the values of the attributes, or the name.
    """

    name: str
    attributes: tuple[str, ...]
    decode: Decoded


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
        limits = self._flavour.class_limits.get(object_classes[-1].casefold(), {}) if object_classes else {}
        listed: dict[str, FieldInfo] = {}
        for item in self._schema.attributes.values():
            info = self._info_of(item, limits)
            needed = bool(mandatory & {name.casefold() for name in item.names})
            for name in item.names:
                # A need is told under the first name only: `surname` is not missing where `sn` is mapped.
                listed.setdefault(name.casefold(), replace(info, name=name, nullable=not needed or name != item.name))
        named = FieldInfo(name=PLACE, kind="dn", type_name="DN", writable=False, empty_is_null=True)
        special = [named, replace(named, name=CONTAINER), *(flag.info for flag in self.flags.values())]
        return (*special, *(info for info in listed.values() if info.name.casefold() not in self.flags))

    def _info_of(self, item: AttributeType, limits: Mapping[str, Mapping[str, t.Any]] | None = None) -> FieldInfo:
        info = field_of(item, self._flavour.traits)
        family = tuple(name for name in info.unique_with if name.casefold() in self._schema.attributes)
        return replace(info, unique_with=family, **(limits or {}).get(item.name.casefold(), {}))

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
        if item is None:
            return None
        info = self._info_of(item)
        return as_bytes(info, name) if is_bytes(name) else replace(info, name=name)

    def is_comparable(self, name: str) -> bool:
        """Tell whether the server can find entries by a value of the field."""
        item = self.attribute(name)
        if item is None or self.flag(name) is not None or is_bytes(name):
            return False
        # Active Directory compares everything it stores, and its subschema names no rules.
        return item.writable or self.anchor == item.name if self._flavour.guid else bool(item.equality)

    def is_ordered(self, name: str) -> bool:
        """Tell whether the server can find entries by values that are at least another, in the order that times and
        numbers have.
        """
        item, info = self.attribute(name), self.info(name)
        if item is None or info is None or info.kind not in _ORDERED or info.multi_valued or info.type_name == UTC_TIME:
            return False
        if self._flavour.guid:
            return item.writable or item.name.casefold() in self._flavour.stamps
        return bool(item.ordering)

    def encode(self, name: str) -> Encode:
        """Give what makes bytes of the field's values. Raises ConfigError for an unknown field."""
        info = self.info(name)
        if info is None:
            raise self._unknown(name, "this directory")
        return encoder(info, guid=self._flavour.guid)

    def column(self, name: str, where: str) -> Column:
        """Give how the field `name` is read. Raises ConfigError naming near ones."""
        folded = name.casefold()
        if folded == PLACE:
            return Column(name=name, attributes=(), decode=_places_of)
        if folded == CONTAINER:
            return Column(name=name, attributes=(), decode=_containers_of)
        flag = self.flag(name)
        if flag is not None:
            return Column(name=name, attributes=(flag.attribute,), decode=decode_each(flag.read))
        raw = is_bytes(name)
        attribute = name[: -len(BYTES_OPTION)] if raw else name
        item = self.attribute(attribute)
        if item is None:
            raise self._unknown(name, where)
        decode = decode_each(decode_bytes) if raw else column_decoder(self._info_of(item), guid=self._flavour.guid)
        return Column(name=name, attributes=self._asked_for(item, attribute), decode=decode)

    def _asked_for(self, item: AttributeType, name: str) -> tuple[str, ...]:
        """Give the descriptions under which the server gives the attribute: by its first name, whatever it is asked for
        by (RFC 4512 section 2.5), the options in order.
        """
        options = sorted(name.casefold().split(";")[1:])
        described = ";".join((item.name, *options))
        if item.transferred_binary and not self._flavour.guid and _BINARY_OPTION[1:] not in options:
            # Most servers answer with the option, some as it was written.
            return (described, ";".join((item.name, *sorted((*options, _BINARY_OPTION[1:])))))
        return (described,)

    def _unknown(self, name: str, where: str) -> ConfigError:
        names = {name for item in self._schema.attributes.values() for name in item.names}
        return ConfigError(unknown("field", name, {PLACE, CONTAINER, *self.flags, *names}, where=where))


class RowMaker:
    """Makes rows of canonical values from raw ones. `attributes` is what must be asked for, each once."""

    def __init__(self, fields: Fields, names: Sequence[str], where: str) -> None:
        self.columns = [fields.column(name, where) for name in names]
        self.attributes = tuple(dict.fromkeys(name for column in self.columns for name in column.attributes))
        places = {name: place for place, name in enumerate(self.attributes, 1)}
        self._picks = [(_pick([places[name] for name in column.attributes]), column.decode) for column in self.columns]
        self._where = where

    @property
    def asked(self) -> tuple[str, ...]:
        """What to ask the server for: `1.1` is nothing but the name (RFC 4511 section 4.5.1.8)."""
        return self.attributes or ("1.1",)

    def rows(self, raw: Sequence[RawRow]) -> list[Row]:
        """Give the rows. Raises ProviderError naming the entry and attribute of a value that is none of its kind."""
        if not raw or not self.columns:
            return [()] * len(raw)
        try:
            parts: list[t.Any] = list(zip(*raw, strict=True))
            return list(zip(*[decode(pick(parts)) for pick, decode in self._picks], strict=True))
        except ValueError:
            for row in raw:
                self._check(row)
            raise

    def _check(self, row: RawRow) -> None:
        parts: list[t.Any] = [(part,) for part in row]
        for (pick, decode), column in zip(self._picks, self.columns, strict=True):
            try:
                decode(pick(parts))
            except ValueError as error:
                name = row[0].decode("utf-8", "backslashreplace")
                advice = f", or read the attribute as bytes by the name {column.name + BYTES_OPTION!r}"
                raise ProviderError(
                    f"{self._where}, entry {show(name)}, attribute {column.name!r}: {error}. Correct the "
                    f"entry{advice if column.attributes else ''}."
                ) from None


def _pick(places: Sequence[int]) -> Callable[[Sequence[t.Any]], t.Any]:
    """Give what picks from the parts of rows, the names first, what is at `places`; the names when there are none."""
    first = places[0] if places else 0
    if len(places) < 2:
        return lambda parts: parts[first]
    second = places[1]
    return lambda parts: [one + other for one, other in zip(parts[first], parts[second], strict=True)]


def _places_of(names: Sequence[bytes]) -> list[Value]:
    return [_name_of(name) for name in names]


def _containers_of(names: Sequence[bytes]) -> list[Value]:
    return [parent_dn(_name_of(name)) or None for name in names]


def _name_of(data: bytes) -> str:
    text = data.decode("utf-8")
    try:
        return canonical_dn(text)
    except ValueError:
        return text
