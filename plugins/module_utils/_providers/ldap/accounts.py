# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts and their passwords: the last steps of a new record, and flags that live inside other attributes.

Nobody logs on to an account that is half made: it is created disabled, then gets its password, then is as planned.
Until then it also says that it needs no password (MS-ADTS 2.2.16, PASSWD_NOTREQD), so that one that somebody disabled
later is not taken for half made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._model.errors import RecordError
from ..._model.plans import Change, PlannedValue, ValueChanges
from ..._model.secrets import GeneratedPassword
from ..._model.values import Value
from . import ber, requests
from .attributes import Attributes
from .flavours import Flavour
from .requests import REPLACE, Request
from .session import PASSWORD_MODIFY, Session
from .steps import Steps
from .values import encode_windows_password

DISABLED, NOT_REQUIRED, NORMAL_ACCOUNT = 0x2, 0x20, 0x200
USER_ACCOUNT_CONTROL, LAST_SET = "userAccountControl", "pwdLastSet"
ACCOUNT_ATTRIBUTES = (USER_ACCOUNT_CONTROL, LAST_SET)


@dataclass(kw_only=True, slots=True)
class NewRecord:
    """What a new entry gets: attributes at once, then a password (the field and its text), flags last."""

    attributes: dict[str, list[bytes]]
    flags: dict[str, Value] = field(default_factory=dict)
    password: tuple[str, str] | None = None


class Accounts:
    """Knows how the accounts of one directory get passwords and flags."""

    def __init__(self, session: Session, attributes: Attributes, flavour: Flavour, classes: Sequence[str]) -> None:
        self._session = session
        self._attributes = attributes
        folded = {name.casefold() for name in classes}
        self.are_windows = flavour.guid and "user" in folded and "computer" not in folded
        """Whether new records are accounts of Active Directory."""

    # -- values -------------------------------------------------------------------------------------------------

    def sort(self, change: Change, classes: Sequence[str]) -> NewRecord:
        """Sort the values of a new record by when they are written. Raises RecordError."""
        new = NewRecord(attributes={"objectClass": [name.encode() for name in classes]})
        for name, value in change.after.items():
            attribute = self._attributes.of(name)
            if value is None or attribute.is_place:
                continue
            if attribute.flag is not None:
                new.flags[name] = plain(value)
            elif attribute.is_secret:
                if not isinstance(value, str):
                    raise RecordError(f"field {name!r}: a password is one text.", field=name, code="value")
                new.password = (name, value)
            else:
                new.attributes[name] = self._attributes.encoded(name, plain(value))
        return new

    # -- new records --------------------------------------------------------------------------------------------

    def first_attributes(self, new: NewRecord) -> dict[str, list[bytes]]:
        """Give what is written when the entry is added."""
        attributes = dict(new.attributes)
        if self.are_windows:
            attributes.pop(LAST_SET, None)
            attributes[USER_ACCOUNT_CONTROL] = [str(self._first(new)).encode()]
        elif new.password is None or not self._server_hashes:
            attributes |= self._flag_attributes(new.flags) | _hidden(new.password)
        return attributes

    @property
    def _server_hashes(self) -> bool:
        return self._session.root.supports(PASSWORD_MODIFY)

    def finish(self, place: str, new: NewRecord, steps: Steps, raw: Mapping[str, Sequence[bytes]] | None) -> None:
        """Add the steps after the entry is there. `raw` are `ACCOUNT_ATTRIBUTES` of an entry that an earlier try made,
        None for one that is made by the steps before.
        """
        if self.are_windows:
            self._finish_windows(place, new, steps, raw)
        elif new.password is not None and self._server_hashes:
            steps.add(_password_modify(place, new.password[1]), password=True)
            # A new password unlocks the account, so the lock comes last.
            locks = [(REPLACE, name, values) for name, values in self._flag_attributes(new.flags).items()]
            if locks:
                steps.add(requests.modify(place, locks), password=True)

    def _finish_windows(
        self, place: str, new: NewRecord, steps: Steps, raw: Mapping[str, Sequence[bytes]] | None
    ) -> None:
        wanted, last_set = self._wanted(new), new.attributes.get(LAST_SET)
        control = b"".join(list((raw or {}).get(USER_ACCOUNT_CONTROL, ()))[:1])
        present = int(control) if control else self._first(new)
        if new.password is not None and not present & ~wanted & NOT_REQUIRED:
            # It was finished. What it is now, somebody wanted.
            return
        if new.password is not None:
            quoted = encode_windows_password(new.password[1])
            steps.add(requests.modify(place, [(REPLACE, "unicodePwd", [quoted])]), password=True)
        last: list[requests.Change] = []
        if present != wanted:
            last.append((REPLACE, USER_ACCOUNT_CONTROL, [str(wanted).encode()]))
        if last_set is not None and (new.password is not None or list((raw or {}).get(LAST_SET, ())) != last_set):
            last.append((REPLACE, LAST_SET, last_set))
        if last:
            steps.add(requests.modify(place, last), password=True)

    def _first(self, new: NewRecord) -> int:
        """Give the bits an account has until it is finished."""
        return self._wanted(new) | DISABLED | (NOT_REQUIRED if new.password is not None else 0)

    def _wanted(self, new: NewRecord) -> int:
        """Give the bits an account has in the end: enabled with a password, disabled without, or as planned."""
        planned = new.attributes.get(USER_ACCOUNT_CONTROL)
        number = int(planned[0]) if planned else NORMAL_ACCOUNT | (0 if new.password is not None else DISABLED)
        return self._with_flags(number, new.flags)

    # -- flags --------------------------------------------------------------------------------------------------

    def _flag_attributes(self, flags: Mapping[str, Value]) -> dict[str, list[bytes]]:
        found = ((self._attributes.of(name).flag, value) for name, value in flags.items())
        return {
            flag.attribute: [flag.set_value]
            for flag, value in found
            if flag is not None and not flag.bit and (value == "true") != flag.inverted
        }

    def _with_flags(self, number: int, flags: Mapping[str, Value]) -> int:
        for name, value in flags.items():
            flag = self._attributes.of(name).flag
            if flag is not None and flag.bit and value is not None:
                number = number | flag.bit if (value == "true") != flag.inverted else number & ~flag.bit
        return number

    def set_flags(self, flags: Mapping[str, Value], current: Mapping[str, Sequence[bytes]]) -> list[requests.Change]:
        """Give the changes that set flags of an entry; other bits of their attributes stay as they are in `current`."""
        changes: list[requests.Change] = []
        numbers: dict[str, int] = {}
        for name, value in flags.items():
            flag = self._attributes.of(name).flag
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

    def bit_attributes(self, change: Change) -> tuple[str, ...]:
        """Give the attributes whose present value is needed to write a part of it."""
        flags = (self._attributes.of(name).flag for name in change.after)
        return tuple(dict.fromkeys(flag.attribute for flag in flags if flag is not None and flag.bit))


def plain(value: PlannedValue) -> Value:
    """Give a value that is known when it is planned. Raises RecordError for any other."""
    if isinstance(value, (GeneratedPassword, ValueChanges)):
        raise RecordError("a value that is only known while it is written stands where none can.", code="value")
    return value


def _hidden(password: tuple[str, str] | None) -> dict[str, list[bytes]]:
    if password is None:
        return {}
    name, text = password
    return {name: [encode_windows_password(text) if name.casefold() == "unicodepwd" else text.encode("utf-8")]}


def _password_modify(place: str, password: str) -> Request:
    """Encode the password modify operation (RFC 3062 section 2): the server hashes it as it likes."""
    content = ber.tlv(0x80, place.encode("utf-8")) + ber.tlv(0x82, password.encode("utf-8"))
    return requests.extended(PASSWORD_MODIFY, ber.tlv(ber.SEQUENCE, content))
