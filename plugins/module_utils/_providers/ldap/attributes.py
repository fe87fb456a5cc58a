# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What writing asks of a field, found out once a name: a batch asks it of every value."""

from __future__ import annotations

from dataclasses import dataclass

from ..._model.errors import RecordError
from ..._model.values import Value
from .fields import Fields
from .flavours import CONTAINER, PLACE, Flag
from .values import Encode, encode_all


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """One field as it is written.

    Attributes:
        flag: the flag that the field is, None for an attribute.
        is_place: the field is (a part of) the name of the entry.
        is_secret: it holds a password.
        is_dn: its values are names of entries.
        has_equality: single values can be named to delete and to assert them.
    """

    flag: Flag | None
    is_place: bool
    is_secret: bool
    is_dn: bool
    has_equality: bool

    @property
    def is_compared(self) -> bool:
        """Whether its value is read to see what others did."""
        return not self.is_place and not self.is_secret


class Attributes:
    """The fields of one directory, by the names that changes use."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._known: dict[str, Attribute] = {}
        self._encoders: dict[str, Encode] = {}

    def of(self, name: str) -> Attribute:
        """Give what is known of the field `name`."""
        known = self._known.get(name)
        if known is None:
            info, item = self._fields.info(name), self._fields.attribute(name)
            known = self._known[name] = Attribute(
                flag=self._fields.flag(name),
                is_place=name.casefold() in (PLACE, CONTAINER),
                is_secret=info is not None and info.secret,
                is_dn=info is not None and info.kind == "dn",
                has_equality=item is not None and bool(item.equality),
            )
        return known

    def encoded(self, name: str, value: Value) -> list[bytes]:
        """Give the bytes of a value. Raises RecordError naming the field."""
        encode = self._encoders.get(name)
        if encode is None:
            encode = self._encoders[name] = self._fields.encode(name)
        try:
            return encode_all(encode, value)
        except ValueError as error:
            raise RecordError(f"field {name!r}: {error}", field=name, code="value") from None
