# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries as a whole: every field that can be written again when a deletion is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..._model.values import Row, Value, is_empty, members
from .fields import Fields
from .flavours import PLACE, Flavour
from .schema import Schema

CLASSES = "objectClass"
ENABLED = "enabled"
OWN_OF_SERVER: frozenset[str] = frozenset(
    name.casefold()
    for name in (
        # Active Directory fills these in itself, or takes them from its account manager only (MS-ADTS 3.1.1.5.2.3,
        # MS-SAMR 3.1.1.8).
        "accountExpires",
        "badPasswordTime",
        "badPwdCount",
        "creationTime",
        "distinguishedName",
        "dSCorePropagationData",
        "instanceType",
        "isCriticalSystemObject",
        "lastLogoff",
        "lastLogon",
        "lastLogonTimestamp",
        "lockoutTime",
        "logonCount",
        "name",
        "nTSecurityDescriptor",
        "objectCategory",
        "objectGUID",
        "objectSid",
        "primaryGroupID",
        "pwdLastSet",
        "replPropertyMetaData",
        "sAMAccountType",
        "userAccountControl",
        "uSNChanged",
        "uSNCreated",
        "whenChanged",
        "whenCreated",
    )
)
Read = Callable[[Sequence[str], Sequence[str]], Iterator[Row]]


def read_images(
    read: Read, schema: Schema, fields: Fields, flavour: Flavour, places: Sequence[str]
) -> dict[str, Mapping[str, Value]]:
    """Give by DN the writable fields of the entries `places` that have a value; who is not there is left out.

    `read` gives DN and fields of entries by their DN. Two readings for each set of classes, whatever the number.
    Secrets are never read, and an account's `enabled` is left out: what comes back has no password.
    """
    by_classes: dict[tuple[str, ...], list[str]] = {}
    for place, classes in read(places, (CLASSES,)):
        names = tuple(name for name in members(classes) if isinstance(name, str))
        by_classes.setdefault(names, []).append(str(place))
    images: dict[str, Mapping[str, Value]] = {}
    for classes, found in by_classes.items():
        wanted = _fields_of(classes, schema, fields, flavour)
        for row in read(found, wanted):
            images[str(row[0])] = {
                name: value for name, value in zip(wanted, row[1:], strict=True) if not is_empty(value)
            }
    return images


def _fields_of(classes: Sequence[str], schema: Schema, fields: Fields, flavour: Flavour) -> tuple[str, ...]:
    names: dict[str, str] = {}
    for name in (name for each in classes for item in schema.chain(each) for name in (*item.must, *item.may)):
        item, info = schema.attribute(name), fields.info(name)
        if item is None or info is None or item.operational or not info.writable or info.secret:
            continue
        if not (flavour.guid and item.name.casefold() in OWN_OF_SERVER) and item.name.casefold() != PLACE:
            names.setdefault(item.name.casefold(), item.name)
    flags = [
        flag.name
        for flag in fields.flags.values()
        if flag.name != ENABLED and flag.attribute.casefold() == "useraccountcontrol" and _is_account(classes)
    ]
    return (*names.values(), *flags)


def _is_account(classes: Sequence[str]) -> bool:
    return "user" in {name.casefold() for name in classes}
