# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a bundle: all of it in one transaction, or nothing."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .._model.bundles import Bundle, Item
from .._model.errors import ConfigError, LockstepError
from .._model.secrets import Secret
from .._store.store import Store
from .bundle_conflicts import OnConflict, Placed, place
from .bundle_documents import read_bundle
from .bundle_graph import NamedFile, SecretPlace, named_files, omitted_secrets
from .bundle_noun import BundleNoun, Means
from .bundle_nouns import NOUNS
from .bundle_sealing import decrypt
from .declared import Declared

State: t.TypeAlias = t.Literal["created", "replaced", "renamed", "unchanged"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedObject:
    """What became of one object of a bundle. `before` and `after` hold no secret."""

    noun: str
    name: str
    imported_as: str
    state: State
    changed: bool
    before: Mapping[str, t.Any] | None = None
    after: Mapping[str, t.Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What was imported; `missing_secrets` are those that neither the bundle nor the store has."""

    objects: tuple[ImportedObject, ...]
    missing_secrets: tuple[SecretPlace, ...]
    files: tuple[NamedFile, ...]
    warnings: tuple[str, ...]


def open_bundle(
    data: bytes,
    passphrase: Secret | None,
    *,
    where: str,
    protect: Callable[[Secret], None] = lambda _secret: None,
    nouns: Sequence[BundleNoun] = NOUNS,
) -> Bundle:
    """Give the bundle in `data` with its secrets in clear and its definitions in normal form, in the order of `nouns`.

    Args:
        data: the content of the file.
        passphrase: what it is sealed with.
        where: the start of messages.
        protect: told every secret.
        nouns: all nouns.

    Raises:
        BundleError: it is no bundle, damaged, of another format, or sealed with another passphrase.
        ConfigError: a definition in it is wrong.
        DependencyError: a library is missing.
    """
    sections = [noun.section for noun in nouns]
    bundle, _key = decrypt(read_bundle(data, sections, where), passphrase, where)
    by_section = {noun.section: noun for noun in nouns}
    items = []
    for item in sorted(bundle.items, key=lambda item: (sections.index(item.section), item.name)):
        for secret in item.secrets.values():
            if isinstance(secret, Secret):
                protect(secret)
        try:
            items.append(replace(item, definition=by_section[item.section].normalize(item.name, item.definition)))
        except ConfigError as error:
            raise ConfigError(
                f"{where}: {error.message} The bundle was written by release {bundle.release}. Nothing was imported."
            ) from None
    return replace(bundle, items=tuple(items))


def import_bundle(
    store: Store,
    bundle: Bundle,
    on_conflict: OnConflict,
    means: Means,
    *,
    nouns: Sequence[BundleNoun] = NOUNS,
) -> Imported:
    """Declare all objects of an opened bundle, or none. In a rehearsal of the store nothing is kept.

    Args:
        store: where they go.
        bundle: as `open_bundle` gives it.
        on_conflict: what becomes of an object when the store has another one of its name.
        means: what declaring needs.
        nouns: all nouns.

    Raises:
        ConfigError: objects clash, or break a rule of their noun.
        LockedError: a job is running.
        StoreError: the store cannot be read or written.
    """
    by_section = {noun.section: noun for noun in nouns}
    with store.transaction():
        stored = {noun.section: {item.name: item for item in noun.stored(store)} for noun in nouns}
        placed = place(bundle.items, stored, nouns, on_conflict)
        try:
            declared = _declare(store, placed, nouns, means)
        except LockstepError as error:
            error.message = (
                f"bundle_import: {error.message.removesuffix(' Nothing was changed.')} Nothing was imported."
            )
            error.args = (error.message,)
            raise
        now = {
            (noun.section, item.name, option)
            for noun in nouns
            for item in noun.stored(store)
            for option in item.secrets
        }
    items = [each.item for each in placed]
    lacking = [
        replace(item, secrets={o: s for o, s in item.secrets.items() if (*item.ref, o) not in now}) for item in items
    ]
    return Imported(
        objects=tuple(_result(each, by_section, declared.get(each.item.ref)) for each in placed),
        missing_secrets=omitted_secrets(lacking, by_section),
        files=named_files(items, by_section),
        warnings=tuple(warning for each in declared.values() for warning in each.warnings),
    )


def _declare(
    store: Store, placed: Sequence[Placed], nouns: Sequence[BundleNoun], means: Means
) -> dict[tuple[str, str], Declared]:
    """Declare what is new or differs, noun by noun; options that mention what comes later are added at the end."""
    done: dict[tuple[str, str], Declared] = {}
    later: list[tuple[BundleNoun, list[Item]]] = []
    for noun in nouns:
        wanted = [each.item for each in placed if each.item.section == noun.section and not each.same]
        if not wanted:
            continue
        first = [_without(item, noun.deferred) for item in wanted]
        for item, declared in zip(first, noun.declare(store, first, means), strict=True):
            done[item.ref] = declared
        waiting = [item for item in wanted if any(item.definition.get(option) for option in noun.deferred)]
        if waiting:
            later.append((noun, waiting))
    for noun, waiting in later:
        for item, declared in zip(waiting, noun.declare(store, waiting, means), strict=True):
            before = done[item.ref].before
            done[item.ref] = replace(declared, before=before, changed=before != declared.after)
    return done


def _without(item: Item, options: Sequence[str]) -> Item:
    if not options:
        return item
    return replace(item, definition={name: value for name, value in item.definition.items() if name not in options})


def _result(placed: Placed, nouns: Mapping[str, BundleNoun], declared: Declared | None) -> ImportedObject:
    item = placed.item
    changed = declared is not None and declared.changed
    state: State = "unchanged"
    if changed:
        state = "replaced" if placed.exists else "created" if placed.name == item.name else "renamed"
    return ImportedObject(
        noun=nouns[item.section].module,
        name=placed.name,
        imported_as=item.name,
        state=state,
        changed=changed,
        before=None if declared is None else declared.before,
        after=None if declared is None else declared.after,
    )
