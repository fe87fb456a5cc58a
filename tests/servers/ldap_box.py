# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory under test, looked at and changed with ldap3 and not with the code that is tested."""

from __future__ import annotations

import ssl
import time
import typing as t
import uuid
from collections.abc import Mapping, Sequence

import ldap3
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Directory
from ansible_collections.lockstep.sync.plugins.module_utils._model.providers import parse_provider
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider
from servers.directories import OpenLdap, SambaAd

PERSON = ("top", "person", "organizationalPerson", "inetOrgPerson")
USER = ("top", "person", "organizationalPerson", "user")
KEPT_BY_SERVER = frozenset(
    name.lower()
    for name in (
        "objectGUID",
        "objectSid",
        "uSNChanged",
        "uSNCreated",
        "whenChanged",
        "whenCreated",
        "dSCorePropagationData",
        "pwdLastSet",
        "userAccountControl",
    )
)
Attributes: t.TypeAlias = Mapping[str, t.Any]


class DirectoryBox:
    """A unit of its own in a shared server: everything a test does lies below `base`."""

    def __init__(self, server: OpenLdap | SambaAd) -> None:
        self.server = server
        self.is_ad = isinstance(server, SambaAd)
        tls = ldap3.Tls(validate=ssl.CERT_NONE)
        where = ldap3.Server(server.url, get_info=ldap3.NONE, tls=tls)
        user = server.username if isinstance(server, SambaAd) else server.bind_dn
        self.connection = ldap3.Connection(
            where, user, server.password, auto_bind=True, check_names=False, raise_exceptions=False
        )
        self.base = f"{'OU' if self.is_ad else 'ou'}=t{uuid.uuid4().hex[:10]},{server.base}"
        self.add(self.base, ("top", "organizationalUnit"))

    # -- looking and changing without the provider

    def add(self, dn: str, classes: Sequence[str], **attributes: t.Any) -> str:
        """Add an entry; give its DN."""
        assert self.connection.add(dn, list(classes), attributes or None), self.connection.result
        return dn

    def unit(self, name: str, above: str | None = None) -> str:
        """Add a unit below the box."""
        kind = "OU" if self.is_ad else "ou"
        return self.add(f"{kind}={name},{above or self.base}", ("top", "organizationalUnit"))

    def person(self, name: str, above: str | None = None, **attributes: t.Any) -> str:
        """Add a person called `name`."""
        place = f"{'CN' if self.is_ad else 'cn'}={name},{above or self.base}"
        if self.is_ad:
            return self.add(place, USER, **{"sAMAccountName": f"u{uuid.uuid4().hex[:12]}", **attributes})
        return self.add(place, PERSON, **{"sn": name, **attributes})

    def modify(self, dn: str, **attributes: t.Any) -> None:
        """Replace attributes; a list is a set of values, an empty one removes the attribute."""
        changes = {
            name: [(ldap3.MODIFY_REPLACE, value if isinstance(value, list) else [value])]
            for name, value in attributes.items()
        }
        assert self.connection.modify(dn, changes), self.connection.result

    def move(self, dn: str, rdn: str, above: str | None = None) -> None:
        """Rename or move an entry."""
        assert self.connection.modify_dn(dn, rdn, new_superior=above), self.connection.result

    def delete(self, dn: str) -> None:
        """Delete an entry."""
        assert self.connection.delete(dn), self.connection.result

    def read(self, dn: str, *names: str) -> dict[str, list[bytes]] | None:
        """Give an entry's attributes as raw values, None when it is not there."""
        self.connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=list(names) or ["*"])
        found = [entry for entry in self.connection.response if entry["type"] == "searchResEntry"]
        return dict(found[0]["raw_attributes"]) if found else None

    def texts(self, dn: str, name: str) -> list[str]:
        """Give the sorted values of one attribute as text."""
        found = self.read(dn, name)
        assert found is not None, f"{dn} is not there"
        return sorted(value.decode("utf-8") for value in found.get(name, []))

    def places(self, text: str = "(objectClass=*)") -> list[str]:
        """Give the sorted DNs below the box."""
        self.connection.search(self.base, text, ldap3.SUBTREE, attributes=["1.1"])
        found = [entry["dn"] for entry in self.connection.response if entry["type"] == "searchResEntry"]
        return sorted(place for place in found if place.lower() != self.base.lower())

    def anchor(self, dn: str) -> str:
        """Give what names the entry for ever, as text."""
        name = "objectGUID" if self.is_ad else "entryUUID"
        found = self.read(dn, name)
        assert found is not None
        raw = found[name][0]
        return str(uuid.UUID(bytes_le=raw)) if self.is_ad else raw.decode()

    def photograph(self, also: Sequence[str] = ()) -> dict[str, dict[str, list[bytes]]]:
        """Give every entry of the box with what people and programs wrote to it; what the server counts is left out
        unless it is among `also`.
        """
        self.connection.search(self.base, "(objectClass=*)", ldap3.SUBTREE, attributes=["*"])
        return {
            entry["dn"].lower(): {
                name: sorted(values)
                for name, values in entry["raw_attributes"].items()
                if name in also or name.lower() not in KEPT_BY_SERVER
            }
            for entry in self.connection.response
            if entry["type"] == "searchResEntry"
        }

    def come_to_rest(self) -> None:
        """Wait until OpenLDAP has mended its references, which it does after its answer. It never mends those to
        entries that moved on meanwhile.
        """
        for _look in range(0 if self.is_ad else 20):
            entries = self.photograph()
            named = {
                value.decode().lower()
                for entry in entries.values()
                for name in ("manager", "member")
                for value in entry.get(name, ())
            }
            if all(place in entries or not place.endswith(self.base.lower()) for place in named):
                return
            time.sleep(0.1)

    # -- the provider

    @property
    def type(self) -> t.Literal["ldap", "active_directory"]:
        return "active_directory" if self.is_ad else "ldap"

    def options(self, **more: t.Any) -> dict[str, t.Any]:
        """Give the options of a provider on the server, as declared."""
        server = self.server
        if isinstance(server, SambaAd):
            return {"url": [server.url], "username": server.username, "ca_cert": server.ca, **more}
        return {"url": [server.url], "bind_dn": server.bind_dn, "base_dn": server.base, **more}

    def open(self, password: str | None = None, **more: t.Any) -> Directory:
        """Give a provider on the server."""
        spec = parse_provider("box", {self.type: self.options(**more)})
        given = self.server.password if password is None else password
        return t.cast("Directory", open_provider(spec, {"password": Secret(given)}))
