# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one kind of directory differs from others: everything that plain LDAP and Active Directory do not share."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..._model.schema import FieldInfo
from ..._model.values import Value
from .schema import Schema, Traits

PLACE = "dn"
CONTAINER = "container"
LOCKED_TIME = b"000001010000Z"
"""pwdAccountLockedTime of an account that is locked for good (draft-behera-ldap-password-policy 5.3.3)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """A field that is true or false and lives inside another attribute.

    With `bit`, it is that bit of the number in `attribute`; `inverted` means that the bit stands for false. Without, it
    is whether `attribute` has the value `set_value`.
    """

    name: str
    attribute: str
    bit: int = 0
    inverted: bool = False
    set_value: bytes = b""

    def read(self, values: t.Sequence[bytes]) -> Value:
        """Give `true`, `false`, or nothing when the attribute is not there."""
        if not self.bit:
            return _truth((self.set_value in {value.upper() for value in values}) != self.inverted)
        if not values:
            return None
        return _truth(bool(int(values[0]) & self.bit) != self.inverted)

    @property
    def info(self) -> FieldInfo:
        """The flag as a field."""
        return FieldInfo(name=self.name, kind="boolean", type_name=f"of {self.attribute}", empty_is_null=True)


def _truth(value: bool) -> str:
    return "true" if value else "false"


@dataclass(frozen=True, kw_only=True, slots=True)
class Flavour:
    """One kind of directory.

    Attributes:
        type_name: how a provider of it is declared.
        anchors: attributes that name an entry for ever, the best first.
        guid: UUIDs are 16 bytes on the wire.
        keeps_references: see `schema.ContainerInfo`.
        container_classes: entries of these can hold others.
        flags: fields inside other attributes, as far as the schema has them.
        create_defaults: wire values of attributes that a new entry of a class gets when nobody maps them.
        stamps: folded names of operational attributes that the server stores, and so can find entries by.
        class_limits: traits of fields, by folded name, that hold for entries of a structural class only.
    """

    type_name: str
    anchors: tuple[str, ...]
    guid: bool
    keeps_references: bool
    container_classes: tuple[str, ...]
    traits: Traits
    flags: tuple[Flag, ...] = ()
    create_defaults: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    stamps: frozenset[str] = frozenset()
    class_limits: Mapping[str, Mapping[str, Mapping[str, t.Any]]] = field(default_factory=dict)

    def flags_in(self, schema: Schema) -> dict[str, Flag]:
        """Give the flags that the directory can hold, by folded name; the first of a name counts."""
        found: dict[str, Flag] = {}
        for flag in self.flags:
            if flag.attribute.casefold() in schema.attributes:
                found.setdefault(flag.name.casefold(), flag)
        return found


LDAP = Flavour(
    type_name="ldap",
    anchors=("entryUUID", "nsUniqueId"),
    guid=False,
    keeps_references=False,
    container_classes=(
        "organizationalUnit",
        "organization",
        "dcObject",
        "domain",
        "locality",
        "country",
        "container",
        "nsContainer",
    ),
    # The time of an account that is locked for good is no time: it has a month 0.
    traits=Traits(kinds={"nsuniqueid": "text", "pwdaccountlockedtime": "text"}),
    flags=(
        Flag(name="enabled", attribute="nsAccountLock", inverted=True, set_value=b"TRUE"),
        Flag(name="enabled", attribute="pwdAccountLockedTime", inverted=True, set_value=LOCKED_TIME),
    ),
)

_BITS = {
    "enabled": 0x2,
    "password_not_required": 0x20,
    "password_never_expires": 0x10000,
    "smartcard_required": 0x40000,
    "trusted_for_delegation": 0x80000,
    "not_delegated": 0x100000,
}
"""Bits of userAccountControl (MS-ADTS 2.2.16)."""
ACCOUNT_NAME_FORBIDDEN = '"/\\[]:;|=,+*?<>'
_LOGIN = {"samaccountname": {"max_length": 20, "forbidden": f"{ACCOUNT_NAME_FORBIDDEN}@"}}
"""What Windows takes as the login name of a person (MS-SAMR 3.1.1.6 and 3.1.1.8.4)."""

ACTIVE_DIRECTORY = Flavour(
    type_name="active_directory",
    anchors=("objectGUID",),
    guid=True,
    keeps_references=True,
    container_classes=("organizationalUnit", "container", "domainDNS", "builtinDomain", "lostAndFound"),
    traits=Traits(
        case_sensitive_by_rule=False,
        accent_sensitive=False,
        kinds={"objectguid": "uuid"},
        limits={"samaccountname": {"forbidden": ACCOUNT_NAME_FORBIDDEN}},
    ),
    # modifyTimeStamp is made up when it is read (MS-ADTS 3.1.1.4.5): a filter on it finds nothing.
    stamps=frozenset({"whenchanged", "whencreated", "usnchanged", "usncreated"}),
    class_limits={"user": _LOGIN, "inetorgperson": _LOGIN},
    flags=tuple(
        Flag(name=name, attribute="userAccountControl", bit=bit, inverted=name == "enabled")
        for name, bit in _BITS.items()
    ),
    # A global security group (MS-ADTS 2.2.12), as every tool makes by default.
    create_defaults={"group": {"groupType": b"-2147483646"}},
)
