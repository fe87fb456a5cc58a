# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to a directory, with what the server says of itself and its schema, each read when first needed."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..._model.dn import canonical_dn, fold_dn
from ..._model.errors import ConfigError, ProviderError
from ..._model.jobs import ProviderSpec
from ..._model.secrets import Secret
from . import filters, requests
from .channel import Channel
from .connection import Address, Bound, Login, connect, kept_first
from .flavours import Flavour
from .left_names import LeftNames
from .schema import SID_SYNTAX, Detail, Schema, parse_schema, refine

_ROOT = (
    "namingContexts",
    "defaultNamingContext",
    "schemaNamingContext",
    "subschemaSubentry",
    "supportedControl",
    "supportedExtension",
    "vendorName",
    "vendorVersion",
    "dnsHostName",
    "domainControllerFunctionality",
    "objectClass",
)
_DETAILS = ("lDAPDisplayName", "attributeSyntax", "rangeUpper", "linkID", "systemFlags")
_CONSTRUCTED = 0x4
# Security identifiers, greatest lengths, back links, which have odd numbers (MS-ADTS 3.1.1.1.6), and constructed ones.
_ODD, _COMPUTED = ("(linkID:1.2.840.113556.1.4.803:=1)", "(systemFlags:1.2.840.113556.1.4.803:=4)")
_DETAILED = f"(|(attributeSyntax={SID_SYNTAX})(rangeUpper=*){_ODD}{_COMPUTED})"
WHO_AM_I = "1.3.6.1.4.1.4203.1.11.3"
PASSWORD_MODIFY = "1.3.6.1.4.1.4203.1.11.1"  # noqa: S105 - the OID of an operation (RFC 3062)


@dataclass(frozen=True, kw_only=True, slots=True)
class RootDse:
    """What a server says of itself (RFC 4512 section 5.1), by attribute."""

    values: Mapping[str, tuple[str, ...]]

    def first(self, name: str) -> str:
        """Give the first value of an attribute, empty when it has none."""
        return next(iter(self.values.get(name, ())), "")

    def supports(self, oid: str) -> bool:
        """Tell whether the server names a control or an extended operation."""
        return oid in self.values.get("supportedControl", ()) or oid in self.values.get("supportedExtension", ())


class Session:
    """Connections to one directory. The server that answered first is kept."""

    def __init__(self, spec: ProviderSpec, secrets: Mapping[str, Secret], flavour: Flavour) -> None:
        options = spec.options
        self.flavour = flavour
        self.where = f"provider {spec.name!r}"
        self.page_size: int = options["page_size"]
        self._declared_base: str | None = options["base_dn"]
        self._address = Address(
            urls=tuple(options["url"]),
            start_tls=options["start_tls"],
            ca_cert=options["ca_cert"],
            validate=options["cert_validation"] == "always",
            timeout=options["timeout"],
        )
        self._login = Login(
            auth=options.get("auth", "simple"),
            user=options.get("bind_dn") or options.get("username"),
            password=secrets.get("password"),
        )
        self.begun: set[tuple[str, str]] = set()
        """Changes by action and folded DN of which a part may have been written: a new connection goes on with them."""
        self.left_names = LeftNames()
        self._bound: Bound | None = None
        self._root: RootDse | None = None
        self._schema: Schema | None = None
        self._base: str | None = None

    def open(self) -> Channel:
        """Give a further connection to the server that answered. Raises ProviderError, ConfigError."""
        return self._connect().channel

    @property
    def channel(self) -> Channel:
        """The connection that reading uses."""
        if self._bound is None:
            self._bound = self._connect()
        return self._bound.channel

    @property
    def url(self) -> str:
        """The address that answered."""
        return self._address.urls[0] if self._bound is None else self._bound.url

    @property
    def encrypted(self) -> bool:
        """Whether nobody can listen in."""
        self.channel  # noqa: B018 - connects
        return self._bound is not None and self._bound.encrypted

    @property
    def user(self) -> str:
        """Who is bound."""
        return self._login.user or self._login.auth

    def _connect(self) -> Bound:
        bound = connect(self._address, self._login, self.where)
        self._address = replace(self._address, urls=kept_first(self._address.urls, bound.url))
        return bound

    def close(self) -> None:
        """End the connection; the next use opens a new one."""
        bound, self._bound = self._bound, None
        if bound is not None:
            bound.channel.close()

    # -- what the server says -----------------------------------------------------------------------------------

    @property
    def root(self) -> RootDse:
        """The root DSE."""
        if self._root is None:
            ((_index, row),) = self.channel.read_entries([""], _ROOT)
            if row is None:
                raise ProviderError(f"{self.where}: {self.url} does not show its root DSE. It may not be a directory.")
            values = {
                name: tuple(value.decode("utf-8", "replace") for value in found)
                for name, found in zip(_ROOT, row[1:], strict=True)
            }
            self._root = RootDse(values=values)
        return self._root

    @property
    def base(self) -> str:
        """The DN below which everything lies. Raises ConfigError when neither provider nor server says which."""
        if self._base is None:
            self._base = self._declared_base or canonical_dn(self._only_context())
        return self._base

    def _only_context(self) -> str:
        default = self.root.first("defaultNamingContext")
        if default:
            return default
        contexts = [name for name in self.root.values["namingContexts"] if name]
        if len(contexts) != 1:
            names = ", ".join(map(repr, contexts)) or "none"
            raise ConfigError(f"{self.where}: `base_dn` is missing, and the server has several or none: {names}.")
        return contexts[0]

    def is_elsewhere(self, uri: str) -> bool:
        """Tell whether a reference leads to another naming context than the one that is read: no part of it is lost."""
        from urllib.parse import unquote, urlsplit

        target = fold_dn(unquote(urlsplit(uri).path.lstrip("/")))
        own = fold_dn(self.base)
        contexts = {fold_dn(name) for name in self.root.values["namingContexts"]}
        foreign = {name for name in contexts if name != own and name.endswith(f",{own}")}
        return bool(foreign) and target in foreign

    # -- schema -------------------------------------------------------------------------------------------------

    @property
    def schema(self) -> Schema:
        """The schema, read once. Raises ProviderError when the server does not show it."""
        if self._schema is None:
            place = self.root.first("subschemaSubentry")
            names = ("attributeTypes", "objectClasses")
            row = self.read_one(place, names) if place else None
            if row is None or not row[0]:
                raise ProviderError(
                    f"{self.where}: {self.url} does not show its schema ({place or 'no subschemaSubentry'}) to "
                    f"{self.user!r}. Let this user read it."
                )
            types, classes = ([value.decode("utf-8", "replace") for value in values] for values in row)
            schema = parse_schema(types, classes)
            if self.flavour.guid:
                refine(schema, self._read_details())
            self._schema = schema
        return self._schema

    def _read_details(self) -> list[Detail]:
        """Give what Active Directory's subschema does not say. Raises ProviderError when it cannot be read whole: by a
        part of it, values would have other forms from one run to the next.
        """
        place = self.root.first("schemaNamingContext")
        stream = self.channel.search(
            place, requests.ONE_LEVEL, filters.parse(_DETAILED), _DETAILS, page_size=self.page_size
        )
        rows = [row for batch in stream for row in batch]
        if not stream.outcome.proven:
            raise ProviderError(f"{self.where}: the schema could not be read whole: {stream.outcome.reason}")
        texts = ([b"".join(values[:1]).decode("utf-8", "replace") for values in row[1:]] for row in rows)
        return [
            Detail(
                name=name,
                is_sid=syntax == SID_SYNTAX,
                is_made_up=bool(int(link or 0) & 1 or int(flags or 0) & _CONSTRUCTED),
                max_length=int(longest) if longest.isdigit() and int(longest) else None,
            )
            for name, syntax, longest, link, flags in texts
        ]

    def read_one(self, place: str, names: Sequence[str]) -> tuple[tuple[bytes, ...], ...] | None:
        """Give the values of one entry, None when it is not there."""
        ((_index, row),) = self.channel.read_entries([place], names)
        return None if row is None else t.cast("tuple[tuple[bytes, ...], ...]", tuple(tuple(v) for v in row[1:]))

    def filter_of(self, text: str, what: str) -> bytes:
        """Give the bytes of a filter that a person wrote. Raises ConfigError."""
        try:
            return filters.parse(text)
        except ConfigError as error:
            raise ConfigError(f"{self.where}, {what}: {error.message}") from None
