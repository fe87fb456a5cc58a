# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bundle knows of a noun: where it is stored, what it mentions, which secrets it has; see `bundle_nouns`."""

from __future__ import annotations

import datetime as dt
import functools
import typing as t
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._model.approvals import Actor
from .._model.bundles import BundleSecret, Item
from .._model.secrets import Secret, SecretReference
from .._store.kept_secrets import AnySecret
from .._store.locks import Holder
from .._store.store import Store
from .declare_job import CompileCheck
from .declared import Declared

Plain: t.TypeAlias = Mapping[str, t.Any]
Files: t.TypeAlias = Iterable[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What declaring needs besides the store: who declares and when, and how the mapping of a job is checked."""

    holder: Holder
    check_mapping: CompileCheck
    actor: Actor
    now: dt.datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """Where a definition names objects of another noun.

    Attributes:
        section: their section.
        path: the options that lead there; on the way, and at the end, a list stands for each of its entries.
        optional: the definition is valid although there is no such object.
        everywhere: names that mean the same in every store, and are never stored.
    """

    section: str
    path: tuple[str, ...]
    optional: bool = False
    everywhere: Collection[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleNoun:
    """One noun.

    Attributes:
        section: its section in a bundle, the plural.
        module: the module that declares it, which names it in results; with blanks for people.
        stored: gives all that a store holds, by name.
        normalize: gives the normal form of a definition, by the name of the object. Raises ConfigError.
        declare: declares whole objects: what a definition or its secrets do not have is reset, but an `Omitted` secret
            keeps what is stored.
        mentions: what definitions name.
        files: the paths that a definition names, each with its option.
        deferred: options that mention nouns further down; they are declared when these exist.
        comes_along: exported on request only, and then each whose mentions of this section include an exported object,
            or are none at all.
    """

    section: str
    module: str
    stored: Callable[[Store], list[Item]]
    normalize: Callable[[str, Plain], Plain]
    declare: Callable[[Store, Sequence[Item], Means], list[Declared]]
    mentions: tuple[Mention, ...] = ()
    files: Callable[[Plain], Files] = lambda _definition: ()
    deferred: tuple[str, ...] = ()
    comes_along: str | None = None

    @property
    def word(self) -> str:
        """The noun for people."""
        return self.module.replace("_", " ")


class Declaration(t.Protocol):
    """What repositories of declarations with a name give."""

    @property
    def name(self) -> str: ...

    @property
    def definition(self) -> Plain: ...


def stored_in(section: str, repository: Callable[[Store], Iterable[Declaration]]) -> Callable[[Store], list[Item]]:
    """Give the `stored` of a noun without secrets."""
    return lambda store: [
        Item(section=section, name=each.name, definition=each.definition) for each in repository(store)
    ]


def mentioned(mention: Mention, definition: Plain) -> list[str]:
    """Give the names that a definition has at `mention`."""
    return [name for name in _names_at(definition, mention.path) if name not in mention.everywhere]


def with_names(noun: BundleNoun, definition: Plain, rename: Callable[[str, str], str]) -> Plain:
    """Give the definition with other names for what it mentions; `rename` takes section and name."""
    for mention in noun.mentions:
        definition = _renamed_at(definition, mention.path, functools.partial(rename, mention.section))
    return definition


def new_secrets(item: Item, options: Iterable[str]) -> dict[str, Secret | SecretReference]:
    """Give the secrets to declare: those of `item`; an empty one, which removes what is stored, for other `options`."""
    given: dict[str, Secret | SecretReference] = {option: Secret("") for option in options}
    for option, secret in item.secrets.items():
        if isinstance(secret, (Secret, SecretReference)):
            given[option] = secret
        else:
            given.pop(option, None)
    return given


def _names_at(value: t.Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _names_at(each, path)
    elif path and isinstance(value, Mapping):
        yield from _names_at(value.get(path[0]), path[1:])
    elif not path and isinstance(value, str):
        yield value


def _renamed_at(value: t.Any, path: Sequence[str], rename: Callable[[str], str]) -> t.Any:
    if isinstance(value, (list, tuple)):
        return [_renamed_at(each, path, rename) for each in value]
    if path and isinstance(value, Mapping) and path[0] in value:
        return {**value, path[0]: _renamed_at(value[path[0]], path[1:], rename)}
    return rename(value) if not path and isinstance(value, str) else value


def as_bundle_secrets(secrets: Mapping[str, AnySecret]) -> dict[str, BundleSecret]:
    """Give stored secrets as those of a bundle; one that is encrypted for its place in the store is revealed later."""
    return {option: t.cast("t.Any", secret) for option, secret in secrets.items()}
