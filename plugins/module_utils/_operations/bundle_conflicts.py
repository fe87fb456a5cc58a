# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a bundle against those of a store: which are the same, which clash, and what is made of that."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .._model.bundles import Item, Omitted, Ref
from .._model.errors import ConfigError
from .._model.secrets import Secret, SecretReference
from .bundle_noun import BundleNoun, with_names

OnConflict: t.TypeAlias = t.Literal["fail", "rename", "replace"]
ON_CONFLICT: tuple[OnConflict, ...] = t.get_args(OnConflict)
LONGEST_NAME = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """An object of a bundle as it will be in the store.

    Attributes:
        name: what it is called in the bundle; `item` has the new names, its own and those that it mentions.
        exists: there is an object of its new name in the store; `same` says that nothing is to be changed in it.
    """

    name: str
    item: Item
    exists: bool
    same: bool


def place(
    items: Sequence[Item],
    stored: Mapping[str, Mapping[str, Item]],
    nouns: Sequence[BundleNoun],
    on_conflict: OnConflict,
) -> list[Placed]:
    """Give the objects with their names in the store.

    Args:
        items: the objects of the bundle in their normal form, in the order of `nouns`.
        stored: all objects of the store, by section and name.
        nouns: all nouns.
        on_conflict: what becomes of an object when the store has another one of its name.

    Raises:
        ConfigError: with `fail`, naming all that clash.
        StoreError: a stored secret cannot be decrypted.
    """
    by_section = {noun.section: noun for noun in nouns}
    names = {item.ref: item.name for item in items}
    if on_conflict == "rename":
        names = _free_names(items, stored, by_section)
    placed = []
    for item in items:
        there = stored[item.section].get(names[item.ref])
        mapped = _mapped(item, names, by_section)
        same = there is not None and _is_same(mapped, there)
        placed.append(Placed(name=item.name, item=mapped, exists=there is not None, same=same))
    clashes = [each.item for each in placed if each.exists and not each.same]
    if clashes and on_conflict == "fail":
        listed = ", ".join(f"{by_section[item.section].word} {item.name!r}" for item in clashes)
        raise ConfigError(
            f"bundle_import: the state store has other objects of these names: {listed}. Nothing was imported. "
            "With `on_conflict: replace` those in the store become as in the bundle, with `on_conflict: rename` those "
            "in the bundle get other names."
        )
    return placed


def _free_names(
    items: Sequence[Item], stored: Mapping[str, Mapping[str, Item]], nouns: Mapping[str, BundleNoun]
) -> dict[Ref, str]:
    """Give each object a name that is free, or under which the store has the very same object.

    Objects are taken in order, so that what one mentions has its name already. A mention of something further down (a
    deferred one) is not compared at first. When it turns out to differ, that name is taken back and all are named anew.
    """
    refused: set[tuple[Ref, str]] = set()
    own = {(item.section, item.name) for item in items}
    while True:
        names: dict[Ref, str] = {}
        given: set[tuple[str, str]] = set()
        for item in items:
            deferred = nouns[item.section].deferred
            for name in _candidates(item.name):
                taken = (item.section, name) in given or (name != item.name and (item.section, name) in own)
                if taken or (item.ref, name) in refused:
                    continue
                names[item.ref] = name
                there = stored[item.section].get(name)
                if there is None or _is_same(_mapped(item, names, nouns), there, deferred):
                    break
            given.add((item.section, names[item.ref]))
        wrong = {
            (item.ref, names[item.ref])
            for item in items
            if (there := stored[item.section].get(names[item.ref])) is not None
            and not _is_same(_mapped(item, names, nouns), there)
        }
        if not wrong:
            return names
        refused |= wrong


def _candidates(name: str) -> Iterator[str]:
    yield name
    for number in itertools.count(2):
        suffix = f" ({number})"
        yield name[: LONGEST_NAME - len(suffix)].rstrip() + suffix


def _mapped(item: Item, names: Mapping[Ref, str], nouns: Mapping[str, BundleNoun]) -> Item:
    """Give `item` with the new names; what the bundle does not hold keeps its name."""
    definition = with_names(
        nouns[item.section], item.definition, lambda section, name: names.get((section, name), name)
    )
    return replace(item, name=names[item.ref], definition=definition)


def _is_same(wanted: Item, there: Item, ignored: Sequence[str] = ()) -> bool:
    """Tell whether the stored object is as wanted. A secret that the bundle was made without counts as the same."""
    first, second = (
        {option: value for option, value in item.definition.items() if option not in ignored}
        for item in (wanted, there)
    )
    return first == second and all(
        _is_same_secret(wanted.secrets.get(option), there.secrets.get(option))
        for option in {**wanted.secrets, **there.secrets}
    )


def _is_same_secret(wanted: object, there: object) -> bool:
    if isinstance(wanted, Omitted):
        return True
    if isinstance(wanted, Secret) and there is not None and not isinstance(there, SecretReference):
        return bool(t.cast("t.Any", there).reveal() == wanted)
    return wanted == there
