# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all declaring operations share: their result, renaming, and several declarations as one."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .._model.errors import ConfigError, LockstepError
from .._store.store import Store

State: t.TypeAlias = t.Literal["present", "absent"]
Plain: t.TypeAlias = Mapping[str, t.Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """What became of one declaration. No part of it holds a secret.

    Attributes:
        name: the object's name afterwards.
        before: its normal form before, None when it did not exist; `after` likewise.
        effective: the object afterwards with all defaults filled in, None when it does not exist.
    """

    name: str
    state: State
    changed: bool
    before: Plain | None
    after: Plain | None
    effective: Plain | None
    warnings: tuple[str, ...] = ()


class Request(t.Protocol):
    """What `declare_all` needs of a request."""

    @property
    def name(self) -> str: ...


AnyRequest = t.TypeVar("AnyRequest", bound=Request)


def declare_all(
    store: Store, noun: str, requests: Sequence[AnyRequest], declare: Callable[[AnyRequest], Declared]
) -> list[Declared]:
    """Carry out all `requests` in order and in one transaction; when one fails, nothing of any is kept.

    Raises:
        LockstepError: of the first that fails; with several, its message names the entry.
    """
    _refuse_duplicates(noun, requests)
    with store.transaction():
        results = []
        for number, request in enumerate(requests, start=1):
            try:
                results.append(declare(request))
            except LockstepError as error:
                if len(requests) > 1:
                    error.message = f"{noun}s, entry {number} ({request.name!r}): {error.message} Nothing was changed."
                    error.args = (error.message,)
                raise
    return results


def find_stored(noun: str, name: str, new_name: str | None, exists: Callable[[str], bool]) -> str | None:
    """Give the name under which a declaration finds its object now, None when it is not there.

    A renaming that was done already finds the object under its new name, so that a second run changes nothing.
    Raises ConfigError when both names exist.
    """
    found = exists(name)
    if new_name is None or new_name == name:
        return name if found else None
    if not exists(new_name):
        return name if found else None
    if found:
        raise ConfigError(
            f"{noun} {name!r}: it cannot be renamed to {new_name!r}, there is a {noun} of that name already. "
            "Delete one of them or choose another `new_name`."
        )
    return new_name


def refuse_empty_rename(noun: str, name: str, new_name: str | None, *, anything_given: bool) -> None:
    """Raise ConfigError when an object that does not exist is to be renamed and nothing says how to make it."""
    if new_name is not None and not anything_given:
        raise ConfigError(
            f"{noun} {name!r}: there is neither a {noun} of this name nor one called {new_name!r}, so nothing can be "
            "renamed."
        )


def refuse_rename_of_absent(noun: str, name: str, new_name: str | None) -> None:
    """Raise ConfigError when an object is to be deleted and renamed at once."""
    if new_name is not None:
        raise ConfigError(f"{noun} {name!r}: `new_name` does not go with `state: absent`. Leave one of them out.")


def _refuse_duplicates(noun: str, requests: Sequence[Request]) -> None:
    entries: dict[str, int] = {}
    for number, request in enumerate(requests, start=1):
        first = entries.setdefault(request.name, number)
        if first != number:
            raise ConfigError(
                f"{noun}s, entries {first} and {number}: both declare {request.name!r}. Leave one of them out. "
                "Nothing was changed."
            )
