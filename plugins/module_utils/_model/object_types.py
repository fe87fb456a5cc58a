# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of objects that directories hold: their classes, naming attribute and mandatory attributes.

Known without a server, so that a job's faults are told when it is declared. What the types of Active Directory need
beside their schema's mandatory attributes is from MS-ADTS 6.1 and the Exchange schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .errors import ConfigError, unknown
from .jobs import DIRECTORIES, ObjectSpec, ProviderType

ROW = "row"
DEFAULT_TYPES: Mapping[ProviderType, str] = {"ldap": "inetOrgPerson", "active_directory": "user"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectType:
    """One type of object.

    Attributes:
        object_classes: from `top` down to the structural class; a single name when the chain is the server's to tell.
        rdn: the attribute that names new objects.
        mandatory: attributes that a new object needs and that only the job can give.
        class_filter: which entries of the structural class are meant, as an RFC 4515 filter.
        members: the attribute that lists a group's members, None for other types.
    """

    object_classes: tuple[str, ...]
    rdn: str = "cn"
    mandatory: tuple[str, ...] = ()
    class_filter: str | None = None
    members: str | None = None


_USER = ("top", "person", "organizationalPerson", "user")
_CONTACT = ("top", "person", "organizationalPerson", "contact")
_USERS = "(&(objectCategory=person)(objectClass=user))"
_PERSON = ("top", "person")

_AD: Mapping[str, ObjectType] = {
    "user": ObjectType(object_classes=_USER, mandatory=("sAMAccountName",), class_filter=_USERS),
    "mail_user": ObjectType(
        object_classes=_USER,
        mandatory=("sAMAccountName", "mailNickname", "targetAddress"),
        class_filter=_USERS,
    ),
    "mailbox_user": ObjectType(
        object_classes=_USER,
        mandatory=("sAMAccountName", "mailNickname", "homeMDB"),
        class_filter=_USERS,
    ),
    "linked_mailbox": ObjectType(
        object_classes=_USER,
        mandatory=("sAMAccountName", "mailNickname", "homeMDB", "msExchMasterAccountSid"),
        class_filter=_USERS,
    ),
    "contact": ObjectType(object_classes=_CONTACT),
    "mail_contact": ObjectType(object_classes=_CONTACT, mandatory=("mailNickname", "targetAddress")),
    "group": ObjectType(object_classes=("top", "group"), mandatory=("sAMAccountName",), members="member"),
}

_LDAP: Mapping[str, ObjectType] = {
    "inetOrgPerson": ObjectType(
        object_classes=(*_PERSON, "organizationalPerson", "inetOrgPerson"), mandatory=("cn", "sn")
    ),
    "organizationalPerson": ObjectType(object_classes=(*_PERSON, "organizationalPerson"), mandatory=("cn", "sn")),
    "person": ObjectType(object_classes=_PERSON, mandatory=("cn", "sn")),
    "account": ObjectType(object_classes=("top", "account"), rdn="uid", mandatory=("uid",)),
    "group": ObjectType(object_classes=("top", "groupOfNames"), mandatory=("cn", "member"), members="member"),
    "groupOfNames": ObjectType(object_classes=("top", "groupOfNames"), mandatory=("cn", "member"), members="member"),
    "groupOfUniqueNames": ObjectType(
        object_classes=("top", "groupOfUniqueNames"), mandatory=("cn", "uniqueMember"), members="uniqueMember"
    ),
    "posixGroup": ObjectType(object_classes=("top", "posixGroup"), mandatory=("cn", "gidNumber"), members="memberUid"),
    "organizationalUnit": ObjectType(object_classes=("top", "organizationalUnit"), rdn="ou", mandatory=("ou",)),
    "organization": ObjectType(object_classes=("top", "organization"), rdn="o", mandatory=("o",)),
    "device": ObjectType(object_classes=("top", "device"), mandatory=("cn",)),
}


def find_type(provider_type: ProviderType, name: str, place: str) -> ObjectType:
    """Give the object type `name` of a directory. Any structural class is a type of a plain LDAP directory; its chain
    of classes and mandatory attributes are then the server's to tell.

    Raises ConfigError, starting with `place`, for a type that Active Directory does not know.
    """
    if provider_type == "active_directory":
        found = _AD.get(name)
        if found is None:
            raise ConfigError(unknown("object type of Active Directory", name, _AD, where=place))
        return found
    folded = {known.casefold(): each for known, each in _LDAP.items()}
    return folded.get(name.casefold()) or ObjectType(object_classes=(name,))


def type_of(spec: ObjectSpec, provider_type: ProviderType, place: str = "") -> ObjectType | None:
    """Give the type of the object at a provider of `provider_type`, None where records are rows.

    At a destination directory `type: row` is the directory's default type. `object_classes` and `rdn` of the object
    win over the type's own. Raises ConfigError for an unknown type, with `place` in front or else the object.
    """
    if provider_type not in DIRECTORIES:
        return None
    name = DEFAULT_TYPES[provider_type] if spec.type == ROW else spec.type
    found = find_type(provider_type, name, f"{place or f'object {spec.name!r}'}, type")
    if spec.object_classes:
        found = replace(found, object_classes=spec.object_classes)
    return found if spec.rdn is None else replace(found, rdn=spec.rdn)


def unmapped_mandatory(spec: ObjectSpec, found: ObjectType) -> tuple[str, ...]:
    """Give the mandatory attributes of a new object, its naming attribute first, that no field of `spec` gives."""
    mapped = {field.name.casefold() for field in spec.fields}
    wanted = dict.fromkeys((found.rdn, *found.mandatory))
    return tuple(name for name in wanted if name.casefold() not in mapped)
