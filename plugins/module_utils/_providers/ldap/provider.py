# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories as sources and destinations: plain LDAP and Active Directory, which differ by their flavour only."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..._model.access import Membership, PasswordPolicy, Query, Reading, WriteTarget
from ..._model.dn import fold_dn, is_within, parent_dn
from ..._model.errors import ConfigError, ProviderError
from ..._model.jobs import ProviderSpec
from ..._model.schema import Capabilities, ContainerInfo, ProviderStatus
from ..._model.secrets import Secret
from ..._model.values import Key, Row, Value, members
from ..capabilities import DIRECTORY
from . import filters, requests
from .fields import Fields, RowMaker
from .flavours import ACTIVE_DIRECTORY, LDAP, PLACE, Flavour
from .images import read_images
from .reading import EntriesReading, SweepReading, scopes
from .session import WHO_AM_I, Session
from .standing import read_token
from .writing import LdapWriter

KEYS_PER_SEARCH = 100
# Beyond this many keys one sweep over everything is cheaper than asking for each.
MOST_KEYS = 20_000
GROUPS_PER_SEARCH = 50
LIST_FIELDS = ("member", "uniqueMember")
BACK_LINK = "memberOf"
COMPLEX = 0x1


class LdapProvider:
    """One directory. Connected to when it is first needed."""

    def __init__(
        self,
        spec: ProviderSpec,
        secrets: Mapping[str, Secret],
        flavour: Flavour,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take the declaration; nothing is connected to yet. `clock` gives seconds, for the latency `check` tells."""
        self._session = Session(spec, secrets, flavour)
        self._flavour = flavour
        self._clock = clock
        self._fields: Fields | None = None

    @property
    def capabilities(self) -> Capabilities:
        return DIRECTORY

    @property
    def base(self) -> str:
        return self._session.base

    @property
    def fields(self) -> Fields:
        """The fields of entries. Raises ProviderError when the schema cannot be read."""
        if self._fields is None:
            self._fields = Fields(self._session.schema, self._flavour)
        return self._fields

    # -- what it is ---------------------------------------------------------------------------------------------

    def check(self) -> ProviderStatus:
        """Connect, bind, and say what answered. Raises ConfigError, ProviderError."""
        session = self._session
        session.channel  # noqa: B018 - connects, so that the latency is that of one round trip
        start = self._clock()
        session.read_one("", ("objectClass",))
        latency = (self._clock() - start) * 1000
        root = session.root
        if self._flavour.guid:
            server = "Active Directory"
        else:
            open_ldap = "OpenLDAProotDSE" in root.values["objectClass"]
            server = root.first("vendorName") or ("OpenLDAP" if open_ldap else "LDAP server")
        details = f"{session.url}, base {session.base}, bound as {self._who()}"
        return ProviderStatus(server=server, version=root.first("vendorVersion"), latency_ms=latency, details=details)

    def _who(self) -> str:
        if self._session.root.supports(WHO_AM_I):
            answer = self._session.channel.call(requests.extended(WHO_AM_I))
            if answer.code == 0 and answer.value:
                return answer.value.decode("utf-8", "replace")
        return self._session.user

    def describe(self) -> tuple[ContainerInfo, ...]:
        """List the structural object classes with their attributes. Raises ProviderError."""
        schema = self._session.schema
        listed = []
        for item in {id(each): each for each in schema.classes.values()}.values():
            if item.kind != "STRUCTURAL":
                continue
            chain = schema.chain(item.name)
            must = {name.casefold() for each in chain for name in each.must}
            names = dict.fromkeys(name for each in chain for name in (*each.must, *each.may))
            infos = []
            for name in names:
                info = self.fields.info(name)
                if info is not None:
                    infos.append(info if name.casefold() not in must else replace(info, nullable=False))
            listed.append(ContainerInfo(name=item.name, kind="class", fields=tuple(infos), folds_names=True))
        return tuple(sorted(listed, key=lambda info: info.name.casefold()))

    def describe_container(self, query: Query) -> ContainerInfo:
        """Describe what `query` reads. Raises ConfigError when its container does not exist."""
        container = query.container or self.base
        if self._session.read_one(container, ("objectClass",)) is None:
            raise self._no_entry(container)
        return ContainerInfo(
            name=container,
            kind="container",
            fields=self.fields.infos(query.object_classes),
            anchor=self.fields.anchor,
            place=PLACE,
            folds_names=True,
            keeps_references=self._flavour.keeps_references,
        )

    def _no_entry(self, container: str) -> ConfigError:
        session = self._session
        if fold_dn(container) != fold_dn(self.base):
            return ConfigError(
                f"{session.where}: there is no entry {container!r}. {self._nearest(container)} Correct the container, "
                "or make it."
            )
        contexts = ", ".join(map(repr, session.root.values["namingContexts"])) or "none"
        return ConfigError(
            f"{session.where}: there is no entry {container!r}, the base, or {session.user!r} may not read it. The "
            f"server holds {contexts}. Correct `base_dn`, or let this user read it."
        )

    def _nearest(self, place: str) -> str:
        while (place := parent_dn(place)) and fold_dn(place).endswith(fold_dn(self.base)):
            if self._session.read_one(place, ("objectClass",)) is not None:
                return f"The nearest one that exists is {place!r}."
        return f"Nor does {self.base!r}, the base, hold it."

    # -- reading ------------------------------------------------------------------------------------------------

    def read(self, query: Query, fields: Sequence[str]) -> Reading:
        """Sweep over all entries of `query`. Raises ConfigError for an unknown field or a bad filter."""
        return self._sweep(query, fields, [self._filter(query)])

    def _sweep(self, query: Query, fields: Sequence[str], filter_bytes: Sequence[bytes]) -> SweepReading:
        session = self._session
        return SweepReading(
            session.channel,
            RowMaker(self.fields, fields, session.where),
            bases=scopes(query.container or self.base, subtree=query.subtree, more=query.more_containers),
            filter_bytes=filter_bytes,
            page_size=session.page_size,
            known_elsewhere=session.is_elsewhere,
            names=fields,
        )

    def _filter(self, query: Query) -> bytes:
        parts: list[bytes] = []
        if query.object_classes:
            parts.append(filters.equals("objectClass", query.object_classes[-1].encode()))
        if query.class_filter is not None:
            parts.append(self._session.filter_of(query.class_filter, "the type's filter"))
        if query.filter is not None:
            parts.append(self._session.filter_of(query.filter, "filter"))
        if query.newer_than is not None:
            parts.extend(self._newer(*query.newer_than))
        if not parts:
            return filters.present("objectClass")
        return parts[0] if len(parts) == 1 else filters.all_of(parts)

    def _newer(self, name: str, text: str) -> Iterator[bytes]:
        """Give the filter for entries not older; none where the server's order may not be ours."""
        if not self.fields.is_ordered(name):
            return
        try:
            bound = self.fields.encode(name)(text)
        except ValueError:
            return  # a mark of another kind: everything is read
        yield filters.any_of((filters.at_least(name, bound), filters.negate(filters.present(name))))

    def read_keys(self, query: Query, fields: Sequence[str], key_fields: Sequence[str], keys: Sequence[Key]) -> Reading:
        """Read the entries with one of `keys`; with the place as the key field, the entries of these names."""
        own = self._filter(query)
        if tuple(name.casefold() for name in key_fields) == (PLACE,):
            return EntriesReading(
                self._session.channel,
                RowMaker(self.fields, fields, self._session.where),
                places=[key[0] for key in keys],
                filter_bytes=own,
                names=fields,
            )
        # What the server cannot compare it finds in no entry, which would prove the entries absent.
        if len(keys) > MOST_KEYS or not all(map(self.fields.is_comparable, key_fields)):
            return self._sweep(query, fields, [own])
        chunks = [
            filters.all_of((own, filters.any_of([self._one_key(key_fields, key) for key in chunk])))
            for chunk in _chunks(keys, KEYS_PER_SEARCH)
        ]
        return self._sweep(query, fields, chunks)

    def _one_key(self, key_fields: Sequence[str], key: Key) -> bytes:
        parts = [
            filters.equals(name, self.fields.encode(name)(part)) for name, part in zip(key_fields, key, strict=True)
        ]
        return parts[0] if len(parts) == 1 else filters.all_of(parts)

    def change_token(self) -> str | None:
        return read_token(self._session)

    def release(self) -> None:
        """A directory shows no earlier state, so there is none to end."""

    # -- what only directories have -----------------------------------------------------------------------------

    def containers(self, base: str) -> t.Collection[str]:
        """Give the DNs of all entries that can hold others, `base` among them. Raises ProviderError."""
        classes = [filters.equals("objectClass", name.encode()) for name in self._flavour.container_classes]
        found = [base]
        with self._sweep(Query(container=base), (PLACE,), [filters.any_of(classes)]) as reading:
            for batch in reading.batches():
                found.extend(str(row[0]) for row in batch)
            if not reading.completeness.proven:
                raise ProviderError(
                    f"{self._session.where}: the containers are not known: {reading.completeness.reason}"
                )
        return found

    def memberships(self, places: Sequence[str]) -> Mapping[str, tuple[Membership, ...]]:
        """Give the groups that list each of `places` directly. Raises ProviderError, also when that may not be all."""
        if self._flavour.keeps_references:
            return self._memberships_of_links(places)
        wanted = {fold_dn(place): place for place in places}
        found: dict[str, list[Membership]] = {place: [] for place in places}
        names = [name for name in LIST_FIELDS if self.fields.attribute(name) is not None]
        extra = (self.fields.anchor,) if self.fields.anchor is not None else ()
        for chunk in _chunks(places, GROUPS_PER_SEARCH):
            lists = [filters.equals(name, place.encode()) for name in names for place in chunk]
            with self._sweep(Query(), (PLACE, *extra, *names), [filters.any_of(lists)]) as reading:
                for batch in reading.batches():
                    for row in batch:
                        self._note_groups(row, names, len(extra), wanted, found)
                if not reading.completeness.proven:
                    raise ProviderError(
                        f"{self._session.where}: who is a member of what is not known: {reading.completeness.reason}"
                    )
        return {place: tuple(dict.fromkeys(groups)) for place, groups in found.items()}

    def _memberships_of_links(self, places: Sequence[str]) -> Mapping[str, tuple[Membership, ...]]:
        """Give the same where the server keeps memberOf: groups may have very many members, people have few groups."""
        wanted = {fold_dn(place): place for place in places}
        groups: dict[str, list[str]] = {place: [] for place in places}
        for place, value in self._read_places(places, (BACK_LINK,)):
            within = (str(group) for group in members(value) if is_within(str(group), self.base))
            groups[wanted[fold_dn(str(place))]].extend(within)
        distinct = list(dict.fromkeys(group for found in groups.values() for group in found))
        anchors = {
            fold_dn(str(place)): str(anchor)
            for place, anchor in self._read_places(distinct, (self.fields.anchor or PLACE,))
        }
        return {
            place: tuple(
                Membership(group=group, anchor=anchors[fold_dn(group)], field=LIST_FIELDS[0])
                for group in found
                if fold_dn(group) in anchors
            )
            for place, found in groups.items()
        }

    def images(self, places: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:
        """Give by DN every writable field of these entries. Raises ProviderError."""
        return read_images(self._read_places, self._session.schema, self.fields, self._flavour, places)

    def _read_places(self, places: Sequence[str], names: Sequence[str]) -> Iterator[Row]:
        """Give DN and fields of the entries of these names that exist."""
        reading = self.read_keys(Query(), (PLACE, *names), (PLACE,), [(place,) for place in places])
        return (row for batch in reading.batches() for row in batch)

    @staticmethod
    def _note_groups(
        row: Sequence[Value],
        names: Sequence[str],
        extra: int,
        wanted: Mapping[str, str],
        found: Mapping[str, list[Membership]],
    ) -> None:
        anchor = str(row[1]) if extra and row[1] else None
        for name, value in zip(names, row[1 + extra :], strict=True):
            for part in value if isinstance(value, tuple) else (value,):
                place = wanted.get(fold_dn(part)) if isinstance(part, str) else None
                if place is not None:
                    found[place].append(Membership(group=str(row[0]), anchor=anchor, field=name))

    def password_policy(self) -> PasswordPolicy:
        """Give what the domain asks of passwords (MS-ADTS 3.1.1.5.2.2); a plain directory does not say."""
        if not self._flavour.guid:
            return PasswordPolicy()
        domain = self._session.root.first("defaultNamingContext") or self.base
        found = self._session.read_one(domain, ("minPwdLength", "pwdProperties"))
        length, properties = (int(values[0]) if values else 0 for values in found or ((), ()))
        return PasswordPolicy(min_length=length, complex=bool(properties & COMPLEX))

    def disabled_state(self) -> Mapping[str, Value]:
        """Give what locks an account here; nothing where no attribute does."""
        return {"enabled": "false"} if self.fields.flag("enabled") is not None else {}

    # -- writing ------------------------------------------------------------------------------------------------

    def writer(self, target: WriteTarget) -> LdapWriter:
        """Give a writer, on a connection of its own."""
        return LdapWriter(self._session, self.fields, target)

    def close(self) -> None:
        """End the connection."""
        self._session.close()


Item = t.TypeVar("Item")


def _chunks(items: Sequence[Item], size: int) -> t.Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def open_ldap(spec: ProviderSpec, secrets: Mapping[str, Secret]) -> LdapProvider:
    """Give the provider of a plain LDAP directory."""
    return LdapProvider(spec, secrets, LDAP)


def open_active_directory(spec: ProviderSpec, secrets: Mapping[str, Secret]) -> LdapProvider:
    """Give the provider of an Active Directory."""
    return LdapProvider(spec, secrets, ACTIVE_DIRECTORY)
