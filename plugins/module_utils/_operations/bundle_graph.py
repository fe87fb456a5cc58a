# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects go into a bundle: those asked for and all that they depend on; and what they need besides."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._model.bundles import Item, Omitted, Ref
from .._model.errors import ConfigError, unknown
from .._model.secrets import SecretReference
from .._store.store import Store
from .bundle_noun import BundleNoun, mentioned

Roots: t.TypeAlias = Mapping[str, Sequence[str]]
StoredItems: t.TypeAlias = Mapping[str, Mapping[str, Item]]


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretPlace:
    """A secret that a bundle does not hold."""

    noun: str
    name: str
    option: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedFile:
    """A file that an object names; a bundle holds its path only."""

    noun: str
    name: str
    option: str
    path: str


def collect(
    store: Store, roots: Roots, nouns: Sequence[BundleNoun], *, workflows: bool
) -> tuple[list[Item], list[str]]:
    """Give the objects asked for and all that they depend on, in the order of `nouns` and by name; and warnings.

    Args:
        store: where they are.
        roots: the names of objects by section; when there are none, everything is meant.
        nouns: all nouns.
        workflows: take what comes along with an object, too.

    Raises:
        ConfigError: an object does not exist, or there is none at all.
        StoreError: the store cannot be read.
    """
    stored = {noun.section: {item.name: item for item in noun.stored(store)} for noun in nouns}
    by_section = {noun.section: noun for noun in nouns}
    chosen: dict[Ref, Item] = {}
    warnings: list[str] = []
    waiting = list(_roots(stored, roots, by_section, everything=workflows))
    if not waiting:
        raise ConfigError(
            f"there is nothing to export: the state store {store.location} has no objects. Check `store`."
        )
    while waiting:
        while waiting:
            item = waiting.pop()
            if item.ref not in chosen:
                chosen[item.ref] = item
                waiting += _mentioned_items(item, by_section, stored, warnings)
        if workflows:
            waiting = list(_coming_along(nouns, stored, chosen))
    order = {noun.section: number for number, noun in enumerate(nouns)}
    return sorted(chosen.values(), key=lambda item: (order[item.section], item.name)), sorted(warnings)


def _roots(stored: StoredItems, roots: Roots, nouns: Mapping[str, BundleNoun], *, everything: bool) -> Iterator[Item]:
    if not any(roots.values()):
        for section, items in stored.items():
            if nouns[section].comes_along is None or everything:
                yield from items.values()
        return
    for section, names in roots.items():
        known = stored.get(section, {})
        for name in names:
            if name not in known:
                what = nouns[section].word if section in nouns else section.rstrip("s")
                raise ConfigError(unknown(what, name, known, where=f"bundle_export, {section}"))
            yield known[name]


def _mentioned_items(
    item: Item,
    nouns: Mapping[str, BundleNoun],
    stored: StoredItems,
    warnings: list[str],
) -> Iterator[Item]:
    noun = nouns[item.section]
    for mention in noun.mentions:
        known = stored.get(mention.section, {})
        for name in mentioned(mention, item.definition):
            if name in known:
                yield known[name]
                continue
            missing = f"{noun.word} {item.name!r} names {_word(mention.section, nouns)} {name!r}, which does not exist"
            if not mention.optional:
                raise ConfigError(f"{missing}. Declare it, or change the {noun.word}, and export again.")
            warnings.append(f"The {missing} any more; the bundle keeps the name.")


def _coming_along(nouns: Sequence[BundleNoun], stored: StoredItems, chosen: Mapping[Ref, Item]) -> Iterator[Item]:
    for noun in nouns:
        if noun.comes_along is None:
            continue
        for item in stored[noun.section].values():
            names = [
                name
                for mention in noun.mentions
                if mention.section == noun.comes_along
                for name in mentioned(mention, item.definition)
            ]
            if item.ref not in chosen and (not names or any((noun.comes_along, name) in chosen for name in names)):
                yield item


def _word(section: str, nouns: Mapping[str, BundleNoun]) -> str:
    return nouns[section].word if section in nouns else section


def omitted_secrets(items: Iterable[Item], nouns: Mapping[str, BundleNoun]) -> tuple[SecretPlace, ...]:
    """Give the places of the literals that were left out."""
    return tuple(
        SecretPlace(noun=nouns[item.section].module, name=item.name, option=option)
        for item in items
        for option, secret in sorted(item.secrets.items())
        if isinstance(secret, Omitted)
    )


def named_files(items: Iterable[Item], nouns: Mapping[str, BundleNoun]) -> tuple[NamedFile, ...]:
    """Give the files that objects name: data, scripts, certificates, and files with secrets."""
    found: dict[NamedFile, None] = {}
    for item in items:
        noun = nouns[item.section]
        references = (
            (f"{option}_from", secret.name)
            for option, secret in sorted(item.secrets.items())
            if isinstance(secret, SecretReference) and secret.kind == "file"
        )
        for option, path in (*noun.files(item.definition), *references):
            found[NamedFile(noun=noun.module, name=item.name, option=option, path=path)] = None
    return tuple(found)
