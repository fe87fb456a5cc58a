# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a planned change to the requests that carry it out."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._model.dn import first_rdn, fold_dn, format_rdn, parent_dn
from ..._model.errors import ConfigError, RecordError
from ..._model.plans import Change, PlannedValue, ValueChanges
from ..._model.secrets import GeneratedPassword
from ..._model.values import Value
from . import ber, controls, filters, requests
from .fields import Fields
from .flavours import CONTAINER, PLACE, Flavour
from .requests import ADD, DELETE, REPLACE, Request
from .session import PASSWORD_MODIFY, Session
from .values import encode_all, encode_windows_password

CHUNK = 1000
"""Values in one modify: below the limits of Active Directory (5,000 values) and of message sizes."""
MOST_ASSERTED = 50
DISABLED, NORMAL_ACCOUNT = 0x2, 0x200
USER_ACCOUNT_CONTROL = "userAccountControl"

# The account manager of Active Directory takes these as a whole only (MS-SAMR 3.1.1.8).
_REPLACED = frozenset(
    name.casefold()
    for name in (USER_ACCOUNT_CONTROL, "pwdLastSet", "accountExpires", "sAMAccountName", "groupType", "lockoutTime")
)
_CONTAINER_CLASSES = {
    "ou": "organizationalUnit",
    "cn": "container",
    "o": "organization",
    "dc": "domain",
    "l": "locality",
    "c": "country",
}


@dataclass(kw_only=True, slots=True)
class Steps:
    """The requests of one change, one after the other. `is_password` marks those whose refusal takes a new record away
    again.
    """

    requests: list[Request] = field(default_factory=list)
    is_password: list[bool] = field(default_factory=list)

    def add(self, request: Request, *, password: bool = False) -> None:
        """Append one request."""
        self.requests.append(request)
        self.is_password.append(password)


class Builder:
    """Makes requests for one directory and one target."""

    def __init__(self, session: Session, fields: Fields, flavour: Flavour, object_classes: Sequence[str]) -> None:
        self._session = session
        self._fields = fields
        self._flavour = flavour
        self._classes = self._all_classes(object_classes)
        self.asserts = session.root.supports(controls.ASSERTION)
        self._post_reads = session.root.supports(controls.POST_READ) and fields.anchor is not None

    def _all_classes(self, object_classes: Sequence[str]) -> tuple[str, ...]:
        if len(object_classes) != 1:
            return tuple(object_classes)
        chain = self._session.schema.chain(object_classes[0])
        return tuple(item.name for item in chain) or tuple(object_classes)

    def build(self, change: Change, place: str, current: Mapping[str, t.Sequence[bytes]] | None) -> Steps:
        """Give the requests of `change` for the entry that is at `place` now.

        `current` are raw values of the entry where it was read before (`flag_attributes`). Raises RecordError.
        """
        steps = Steps()
        if change.action == "create_container":
            self._create_container(place, steps)
        elif change.action == "create":
            self._create(change, place, steps)
        elif change.action == "delete":
            steps.add(requests.delete(place, controls=self._assertion(change)))
        elif change.action in ("rename", "move"):
            self._rename(change, place, steps)
        else:
            self._modify(change, place, current or {}, steps)
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

    def _create(self, change: Change, place: str, steps: Steps) -> None:
        attributes, flags, password = self._sort_values(change)
        defaults = self._flavour.create_defaults.get(self._classes[-1] if self._classes else "", {})
        named = {name: value.encode("utf-8") for name, value in first_rdn(place)}
        given = {name.casefold() for name in attributes}
        attributes |= {name: [value] for name, value in {**defaults, **named}.items() if name.casefold() not in given}
        if self._flavour.guid and self._classes and self._classes[-1] == "user":
            self._create_account(place, attributes, flags, password, steps)
            return
        set_flags = self._set_flag_values(flags)
        if password is None or not self._session.root.supports(PASSWORD_MODIFY):
            hidden = {} if password is None else {password[0]: [password[1].encode("utf-8")]}
            self._add(place, attributes | set_flags | hidden, steps)
            return
        self._add(place, attributes, steps)
        steps.add(_password_modify(place, password[1]), password=True)
        if set_flags:
            # A new password unlocks the account, so the lock comes last.
            locks = [(REPLACE, name, values) for name, values in set_flags.items()]
            steps.add(requests.modify(place, locks), password=True)

    def _sort_values(self, change: Change) -> tuple[dict[str, list[bytes]], dict[str, Value], tuple[str, str] | None]:
        """Give the attributes, the flags inside others, and the password of a new entry."""
        attributes: dict[str, list[bytes]] = {"objectClass": [name.encode() for name in self._classes]}
        flags: dict[str, Value] = {}
        password: tuple[str, str] | None = None
        for name, value in change.after.items():
            if value is None or name.casefold() in (PLACE, CONTAINER):
                continue
            if self._fields.flag(name) is not None:
                flags[name] = _plain(value)
            elif self._is_secret(name):
                password = (name, _password_text(name, value))
            else:
                attributes[name] = self._encoded(name, _plain(value))
        return attributes, flags, password

    def _set_flag_values(self, flags: Mapping[str, Value]) -> dict[str, list[bytes]]:
        found = ((self._fields.flag(name), value) for name, value in flags.items())
        return {
            flag.attribute: [flag.set_value]
            for flag, value in found
            if flag is not None and not flag.bit and (value == "true") != flag.inverted
        }

    def _create_account(
        self,
        place: str,
        attributes: dict[str, list[bytes]],
        flags: Mapping[str, Value],
        password: tuple[str, str] | None,
        steps: Steps,
    ) -> None:
        """Create disabled, then the password, then as planned: nobody logs on to an account that is half made."""
        if password is not None and not self._session.encrypted:
            raise ConfigError(
                f"{self._session.where}: a password is written over an encrypted connection only, and "
                f"{self._session.url} is none. Use an ldaps:// address, or set `start_tls: true`."
            )
        planned = attributes.pop(USER_ACCOUNT_CONTROL, None)
        wanted = int(planned[0]) if planned else NORMAL_ACCOUNT | (0 if password is not None else DISABLED)
        wanted = self._with_flags(wanted, flags)
        last_set = attributes.pop("pwdLastSet", None)
        attributes[USER_ACCOUNT_CONTROL] = [str(wanted | DISABLED).encode()]
        self._add(place, attributes, steps)
        if password is not None:
            quoted = encode_windows_password(password[1])
            steps.add(requests.modify(place, [(REPLACE, "unicodePwd", [quoted])]), password=True)
        last: list[requests.Change] = []
        if not wanted & DISABLED:
            last.append((REPLACE, USER_ACCOUNT_CONTROL, [str(wanted).encode()]))
        if last_set is not None:
            last.append((REPLACE, "pwdLastSet", last_set))
        if last:
            steps.add(requests.modify(place, last), password=True)

    def _with_flags(self, number: int, flags: Mapping[str, Value]) -> int:
        for name, value in flags.items():
            flag = self._fields.flag(name)
            if flag is not None and flag.bit and value is not None:
                number = number | flag.bit if (value == "true") != flag.inverted else number & ~flag.bit
        return number

    def _add(self, place: str, attributes: Mapping[str, list[bytes]], steps: Steps) -> None:
        first = [(name, values[:CHUNK]) for name, values in attributes.items() if values]
        wanted = controls.post_read([self._fields.anchor or ""]) if self._post_reads else b""
        steps.add(requests.add(place, first, controls=wanted))
        for name, values in attributes.items():
            for start in range(CHUNK, len(values), CHUNK):
                steps.add(requests.modify(place, [(ADD, name, values[start : start + CHUNK])]))

    # -- entries that are there ---------------------------------------------------------------------------------

    def _rename(self, change: Change, place: str, steps: Steps) -> None:
        new = change.after[PLACE]
        if not isinstance(new, str):
            raise RecordError(f"{change.action}: the new name is missing.", code="value")
        parent = parent_dn(new)
        elsewhere = fold_dn(parent) != fold_dn(parent_dn(place))
        steps.add(
            requests.modify_dn(
                place,
                format_rdn(first_rdn(new)),
                new_superior=parent if elsewhere else None,
                controls=self._assertion(change),
            )
        )

    def _modify(self, change: Change, place: str, current: Mapping[str, t.Sequence[bytes]], steps: Steps) -> None:
        changes: list[requests.Change] = []
        rest: list[requests.Change] = []
        flags: dict[str, Value] = {}
        for name, value in change.after.items():
            if isinstance(value, ValueChanges):
                whole = _chunked(name, self._encoded(name, value.removed), DELETE)
                whole += _chunked(name, self._encoded(name, value.added), ADD)
                # Both in one request when they fit, so that a set is never half changed without need.
                fits = len(value.removed) <= CHUNK and len(value.added) <= CHUNK
                changes += whole if fits else whole[:1]
                rest += [] if fits else whole[1:]
            elif self._fields.flag(name) is not None:
                flags[name] = _plain(value)
            else:
                changes += self._set(name, change.before, _plain(value), given=name in change.before)
        changes += self._set_flags(flags, current)
        if changes:
            steps.add(requests.modify(place, changes, controls=self._assertion(change)))
        for each in rest:
            steps.add(requests.modify(place, [each]))

    def _set(self, name: str, before: Mapping[str, Value], value: Value, *, given: bool) -> list[requests.Change]:
        """Give the changes that set a whole value: the old one is named, so that another one is not overwritten."""
        new = self._encoded(name, value)
        item = self._fields.attribute(name)
        comparable = self._flavour.guid or (item is not None and bool(item.equality))
        if not given or not comparable or (self._flavour.guid and name.casefold() in _REPLACED):
            return [(REPLACE, name, new)]
        old = self._encoded(name, before.get(name))
        kept = set(old) & set(new)
        gone, come = [part for part in old if part not in kept], [part for part in new if part not in kept]
        return [*([(DELETE, name, gone)] if gone else []), *([(ADD, name, come)] if come else [])]

    def _set_flags(self, flags: Mapping[str, Value], current: Mapping[str, t.Sequence[bytes]]) -> list[requests.Change]:
        changes: list[requests.Change] = []
        numbers: dict[str, int] = {}
        for name, value in flags.items():
            flag = self._fields.flag(name)
            if flag is None:
                continue
            if flag.bit:
                present = current.get(flag.attribute) or ()
                number = numbers.setdefault(flag.attribute, int(present[0]) if present else NORMAL_ACCOUNT)
                numbers[flag.attribute] = self._with_flags(number, {name: value})
            else:
                is_set = (value == "true") != flag.inverted
                changes.append((REPLACE, flag.attribute, [flag.set_value] if is_set else []))
        changes += [(REPLACE, name, [str(number).encode()]) for name, number in numbers.items()]
        return changes

    def _encoded(self, name: str, value: Value) -> list[bytes]:
        try:
            return encode_all(self._fields.encode(name), value)
        except ValueError as error:
            raise RecordError(f"field {name!r}: {error}", field=name, code="value") from None

    def _is_secret(self, name: str) -> bool:
        info = self._fields.info(name)
        return info is not None and info.secret

    def flag_attributes(self, change: Change) -> tuple[str, ...]:
        """Give the attributes whose present value is needed to write a part of it."""
        flags = (self._fields.flag(name) for name in change.after)
        return tuple(dict.fromkeys(flag.attribute for flag in flags if flag is not None and flag.bit))

    # -- the before-image ---------------------------------------------------------------------------------------

    def _assertion(self, change: Change) -> bytes:
        """Give the assertion control (RFC 4528) that the entry is still the one that was read, where it is known."""
        if not self.asserts:
            return b""
        parts: list[bytes] = []
        if change.anchor is not None and self._fields.anchor is not None:
            anchor = self._fields.anchor
            parts.append(filters.equals(anchor, self._fields.encode(anchor)(change.anchor)))
        for name, value in change.before.items():
            parts += self._asserted(name, value, change.after.get(name))
        return controls.assertion(filters.all_of(parts)) if parts else b""

    def _asserted(self, name: str, value: Value, after: PlannedValue) -> list[bytes]:
        item = self._fields.attribute(name)
        own = name.casefold() in (PLACE, CONTAINER) or self._fields.flag(name) is not None
        if own or item is None or not item.equality or isinstance(after, ValueChanges) or self._is_secret(name):
            return []
        parts = self._encoded(name, value)
        if not parts:
            return [filters.negate(filters.present(name))]
        return [filters.equals(name, part) for part in parts] if len(parts) <= MOST_ASSERTED else []


def _chunked(name: str, values: list[bytes], kind: int) -> list[requests.Change]:
    return [(kind, name, values[start : start + CHUNK]) for start in range(0, len(values), CHUNK)]


def _plain(value: PlannedValue) -> Value:
    if isinstance(value, (GeneratedPassword, ValueChanges)):
        raise RecordError("a value that is only known while it is written stands where none can.", code="value")
    return value


def _password_text(name: str, value: PlannedValue) -> str:
    if not isinstance(value, str):
        raise RecordError(f"field {name!r}: a password is one text.", field=name, code="value")
    return value


def _password_modify(place: str, password: str) -> Request:
    """Encode the password modify operation (RFC 3062 section 2): the server hashes it as it likes."""
    content = ber.tlv(0x80, place.encode("utf-8")) + ber.tlv(0x82, password.encode("utf-8"))
    return requests.extended(PASSWORD_MODIFY, ber.tlv(ber.SEQUENCE, content))
