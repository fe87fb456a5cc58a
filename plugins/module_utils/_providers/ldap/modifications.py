# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a planned change to the requests that carry it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._model.dn import first_rdn, fold_dn, format_rdn, parent_dn
from ..._model.errors import ConfigError, RecordError
from ..._model.plans import Change, PlannedValue, ValueChanges
from ..._model.values import Value
from . import controls, filters, requests
from .accounts import ACCOUNT_ATTRIBUTES, LAST_SET, USER_ACCOUNT_CONTROL, Accounts, NewRecord, plain
from .attributes import Attributes
from .flavours import Flavour
from .places import new_place
from .requests import ADD, DELETE, REPLACE
from .session import Session
from .steps import CHUNK, Steps, chunked

ENTRY_DN = "entryDN"
"""What an entry is called, as an attribute of it (RFC 5020)."""
MOST_ASSERTED = 50
"""Longer lists are not compared before a change that leaves them alone."""

# The account manager of Active Directory takes these as a whole only (MS-SAMR 3.1.1.8).
_REPLACED = frozenset(
    name.casefold()
    for name in (USER_ACCOUNT_CONTROL, LAST_SET, "accountExpires", "sAMAccountName", "groupType", "lockoutTime")
)
_CONTAINER_CLASSES = {
    "ou": "organizationalUnit",
    "cn": "container",
    "o": "organization",
    "dc": "domain",
    "l": "locality",
    "c": "country",
}


class Builder:
    """Makes requests for one directory and one target."""

    def __init__(
        self,
        session: Session,
        attributes: Attributes,
        flavour: Flavour,
        *,
        anchor: str | None,
        object_classes: Sequence[str],
    ) -> None:
        self._session = session
        self._left_names = session.left_names
        self._attributes = attributes
        self._anchor = anchor
        self._flavour = flavour
        self._classes = self._all_classes(object_classes)
        self._accounts = Accounts(session, attributes, flavour, self._classes)
        self.asserts = session.root.supports(controls.ASSERTION)
        self._post_reads = session.root.supports(controls.POST_READ) and anchor is not None

    def _all_classes(self, object_classes: Sequence[str]) -> tuple[str, ...]:
        if len(object_classes) != 1:
            return tuple(object_classes)
        chain = self._session.schema.chain(object_classes[0])
        return tuple(item.name for item in chain) or tuple(object_classes)

    def refuse_open_passwords(self, changes: Sequence[Change]) -> None:
        """Raise ConfigError when Active Directory would get a password over a connection that others can listen to; it
        would refuse it (MS-ADTS 3.1.1.3.1.5.1).
        """
        if not self._flavour.guid or self._session.encrypted:
            return
        if any(
            self._attributes.of(name).is_secret for change in changes for name, value in change.after.items() if value
        ):
            raise ConfigError(
                f"{self._session.where}: a password is written over an encrypted connection only, and "
                f"{self._session.url} is none. Use an ldaps:// address, or set `start_tls: true`."
            )

    def address(self, change: Change, place: str) -> str:
        """Give what names the entry of `change` in a request. In Active Directory its GUID does (MS-ADTS
        3.1.1.3.1.2.4), so that another entry can never be meant.
        """
        if self._flavour.guid and change.anchor is not None:
            return f"<GUID={change.anchor}>"
        return place

    def build(
        self, change: Change, place: str, current: Mapping[str, Sequence[bytes]], *, looked: bool = False
    ) -> Steps:
        """Give the requests of `change` for the entry that is at `place` now. Raises RecordError.

        Args:
            change: what is to be done.
            place: where the entry is.
            current: raw values of the entry where it was read before (`raw_attributes`).
            looked: the entry was just compared, so the server need only check that it is still that entry.
        """
        steps = Steps()
        guard = self._assertion(change, place, anchor_only=looked)
        if change.action == "create_container":
            self._create_container(place, steps)
        elif change.action == "create":
            new = self._accounts.sort(change, self._classes)
            self._add(place, self._completed(place, new), steps)
            self._accounts.finish(place, new, steps, None)
        elif change.action == "delete":
            steps.add(requests.delete(self.address(change, place), controls=guard))
        elif change.action in ("rename", "move"):
            self._rename(change, place, steps, guard)
        else:
            self._modify(change, self.address(change, place), current, steps, guard)
        return steps

    # -- new entries --------------------------------------------------------------------------------------------

    def _create_container(self, place: str, steps: Steps) -> None:
        name, value = first_rdn(place)[0]
        kind = _CONTAINER_CLASSES.get(name.casefold())
        if kind is None or kind.casefold() not in self._session.schema.classes:
            raise RecordError(
                f"the container {place!r} cannot be made: nobody knows which class of entry {name!r} names here. "
                "Make it yourself, or choose one named by ou.",
                code="container",
            )
        steps.add(requests.add(place, [("objectClass", [b"top", kind.encode()]), (name, [value.encode("utf-8")])]))

    def _completed(self, place: str, new: NewRecord) -> dict[str, list[bytes]]:
        """Give the attributes of a new entry with those that its class and its name ask for."""
        attributes = self._accounts.first_attributes(new)
        defaults = self._flavour.create_defaults.get(self._classes[-1] if self._classes else "", {})
        named = {name: value.encode("utf-8") for name, value in first_rdn(place)}
        given = {name.casefold() for name in attributes}
        more = {name: [value] for name, value in {**defaults, **named}.items() if name.casefold() not in given}
        return attributes | more

    def _add(self, place: str, attributes: Mapping[str, list[bytes]], steps: Steps) -> None:
        first = [(name, values[:CHUNK]) for name, values in attributes.items() if values]
        wanted = controls.post_read([self._anchor or ""]) if self._post_reads else b""
        steps.add(requests.add(place, first, controls=wanted))
        for name, values in attributes.items():
            for each in chunked(name, values[CHUNK:], ADD):
                steps.add(requests.modify(place, [each]))

    def finish(
        self, change: Change, place: str, lacking: Mapping[str, ValueChanges], raw: Mapping[str, Sequence[bytes]]
    ) -> Steps:
        """Give what is left to do for a new entry that an earlier try added. Raises RecordError."""
        steps = Steps()
        for name, value in lacking.items():
            for each in chunked(name, self._attributes.encoded(name, value.added), ADD):
                steps.add(requests.modify(place, [each]))
        self._accounts.finish(place, self._accounts.sort(change, self._classes), steps, raw)
        return steps

    # -- entries that are there ---------------------------------------------------------------------------------

    def _rename(self, change: Change, place: str, steps: Steps, guard: bytes) -> None:
        new = new_place(change, place)
        parent = parent_dn(new)
        elsewhere = fold_dn(parent) != fold_dn(parent_dn(place))
        superior = parent if elsewhere else None
        steps.add(requests.modify_dn(place, format_rdn(first_rdn(new)), new_superior=superior, controls=guard))

    def _modify(
        self, change: Change, address: str, current: Mapping[str, Sequence[bytes]], steps: Steps, guard: bytes
    ) -> None:
        changes: list[requests.Change] = []
        rest: list[requests.Change] = []
        flags: dict[str, Value] = {}
        for name, value in change.after.items():
            if isinstance(value, ValueChanges):
                # Both in one request when they fit, so that a set is never half changed without need.
                fits = max(len(value.removed), len(value.added)) <= CHUNK
                (changes if fits else rest).extend(self._set_changes(name, value, fits=fits))
            elif self._attributes.of(name).flag is not None:
                flags[name] = plain(value)
            else:
                changes += self._set(name, change.before, plain(value), given=name in change.before)
        changes += self._accounts.set_flags(flags, current)
        if changes or rest:
            first, rest = (changes, rest) if changes else (rest[:1], rest[1:])
            steps.add(requests.modify(address, first, controls=guard))
        for each in rest:
            steps.add(requests.modify(address, [each]))

    def _set_changes(self, name: str, value: ValueChanges, *, fits: bool) -> list[requests.Change]:
        removing = chunked(name, self._attributes.encoded(name, value.removed), DELETE)
        adding = chunked(name, self._attributes.encoded(name, value.added), ADD)
        # A group that must have members would be empty in between. Other sets may differ in the case of a value only.
        adds_first = self._attributes.of(name).is_dn and not fits
        return [*adding, *removing] if adds_first else [*removing, *adding]

    def _set(self, name: str, before: Mapping[str, Value], value: Value, *, given: bool) -> list[requests.Change]:
        """Give the changes that set a whole value: the old one is named, so that another one is not overwritten."""
        new = self._attributes.encoded(name, value)
        comparable = self._flavour.guid or self._attributes.of(name).has_equality
        if not given or not comparable or (self._flavour.guid and name.casefold() in _REPLACED):
            return [(REPLACE, name, new)]
        old = self._attributes.encoded(name, before.get(name))
        kept = set(old) & set(new)
        gone, come = [part for part in old if part not in kept], [part for part in new if part not in kept]
        return [*([(DELETE, name, gone)] if gone else []), *([(ADD, name, come)] if come else [])]

    def raw_attributes(self, change: Change) -> tuple[str, ...]:
        """Give the attributes whose present bytes are needed: to write a part of them, or to finish an account."""
        if change.action == "create":
            return ACCOUNT_ATTRIBUTES if self._accounts.are_windows else ()
        return self._accounts.bit_attributes(change)

    # -- the before-image ---------------------------------------------------------------------------------------

    def _assertion(self, change: Change, place: str, *, anchor_only: bool) -> bytes:
        """Give the assertion control (RFC 4528) that the entry is still the one that was read, where it is known.

        It says so of the entry at `place` only: OpenLDAP's overlay memberof hands the control on to its own changes of
        the entries at the other end of a reference. Were it false there, groups would not follow who is renamed, moved
        or deleted, and memberOf would not follow groups, without a word.
        """
        if not self.asserts:
            return b""
        parts: list[bytes] = []
        if change.anchor is not None and self._anchor is not None:
            parts += [
                filters.equals(self._anchor, part) for part in self._attributes.encoded(self._anchor, change.anchor)
            ]
        for name, value in change.before.items() if not anchor_only else ():
            parts += self._asserted(name, value, change.after.get(name))
        if not parts:
            return b""
        asserted = filters.all_of(parts)
        if self._session.schema.attribute(ENTRY_DN) is not None:
            elsewhere = filters.negate(filters.equals(ENTRY_DN, place.encode("utf-8")))
            asserted = filters.any_of([elsewhere, asserted])
        return controls.assertion(asserted)

    def _asserted(self, name: str, value: Value, after: PlannedValue) -> list[bytes]:
        attribute = self._attributes.of(name)
        plain_value = attribute.is_compared and attribute.flag is None and not isinstance(after, ValueChanges)
        if not plain_value or not attribute.has_equality or (attribute.is_dn and self._left_names.has_any_of(value)):
            return []
        parts = self._attributes.encoded(name, value)
        if not parts:
            return [filters.negate(filters.present(name))]
        return [filters.equals(name, part) for part in parts] if len(parts) <= MOST_ASSERTED else []
