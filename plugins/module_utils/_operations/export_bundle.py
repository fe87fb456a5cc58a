# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export objects of a store, with all they depend on, into a bundle file."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .._model.bundles import Bundle, Encrypted, Item, Omitted, masked_secrets
from .._model.errors import BundleError, ConfigError
from .._model.secrets import Secret, SecretReference
from .._providers.atomic_file import replace_file
from .._providers.files import Signature, signature_or_none
from .._store.store import Store
from .bundle_documents import bundle_text, read_bundle
from .bundle_graph import NamedFile, Roots, SecretPlace, collect, named_files, omitted_secrets
from .bundle_noun import BundleNoun
from .bundle_nouns import NOUNS
from .bundle_sealing import COST, SALT_BYTES, Key, decrypt, encrypt, make_key
from .bundle_yaml import MAX_BYTES, need_yaml

MODE = 0o600


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportRequest:
    """What to export, and how.

    Attributes:
        roots: the names of the objects by section; when there are none, everything is exported.
        workflows: export the workflows that cover an exported job, too.
        passphrase: what literal secrets are encrypted with, None to leave them out.
        mode: the permissions of the file.
    """

    path: Path
    roots: Roots
    workflows: bool = False
    passphrase: Secret | None = None
    mode: int = MODE


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What became of one object in the file; secrets are masked."""

    name: str
    changed: bool
    before: Mapping[str, t.Any] | None
    after: Mapping[str, t.Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was exported. `nouns` has the noun of each of `items`."""

    changed: bool
    items: tuple[Item, ...]
    nouns: tuple[str, ...]
    missing_secrets: tuple[SecretPlace, ...]
    files: tuple[NamedFile, ...]
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...]


def export_bundle(
    store: Store,
    request: ExportRequest,
    *,
    check: bool,
    random_bytes: Callable[[int], bytes],
    protect: Callable[[Secret], None] = lambda _secret: None,
    nouns: Sequence[BundleNoun] = NOUNS,
    cost: int = COST,
) -> Exported:
    """Write the bundle, unless the file holds the same already.

    Args:
        store: where the objects are.
        request: what to export.
        check: do not write.
        random_bytes: gives so many random bytes.
        protect: told every secret that is revealed.
        nouns: all nouns.
        cost: the cost of a new key.

    Raises:
        ConfigError: something to export does not exist, or there is nothing.
        ProviderError: the file cannot be read or written.
        StoreError: the store cannot be read, or a secret not be decrypted.
        DependencyError: a library is missing.
    """
    where = "bundle_export"
    by_section = {noun.section: noun for noun in nouns}
    items, warnings = collect(store, request.roots, nouns, workflows=request.workflows)
    items = [_with_plain_secrets(item, omit=request.passphrase is None, protect=protect) for item in items]
    seen = signature_or_none(request.path, where)
    old, key = _read_old(request, seen, tuple(by_section))
    differences = _differences(old.items if old is not None else (), items, by_section)
    same_kind = old is not None and (old.sealing is None) == (request.passphrase is None)
    differs = not same_kind or any(each.changed for each in differences)
    wrong_mode = seen is not None and not _has_mode(request)
    if differs:
        if request.passphrase is not None and key is None:
            key = make_key(request.passphrase, random_bytes(SALT_BYTES), cost)
        text = bundle_text(items if key is None else _encrypted(items, key, old), key)
        if len(text.encode("utf-8")) > MAX_BYTES:
            raise ConfigError(
                f"the bundle would be bigger than {MAX_BYTES // 2**20} MiB, which no import reads. Export fewer "
                "objects at a time."
            )
        if not check:
            _write(request, text, where, seen)
    elif wrong_mode and not check:
        _set_mode(request)
    return Exported(
        changed=differs or wrong_mode,
        items=tuple(items),
        nouns=tuple(by_section[item.section].module for item in items),
        missing_secrets=omitted_secrets(items, by_section),
        files=named_files(items, by_section),
        differences=differences,
        warnings=tuple(warnings),
    )


def _with_plain_secrets(item: Item, *, omit: bool, protect: Callable[[Secret], None]) -> Item:
    """Give `item` with its literals revealed, or left out."""
    plain = dict(item.secrets)
    for option, secret in item.secrets.items():
        if isinstance(secret, (Secret, SecretReference, Encrypted, Omitted)):
            continue
        if omit:
            plain[option] = Omitted()
        else:
            plain[option] = revealed = secret.reveal()
            protect(revealed)
    return replace(item, secrets=plain)


# -- the file


def _read_old(
    request: ExportRequest, seen: Signature | None, sections: Sequence[str]
) -> tuple[Bundle | None, Key | None]:
    """Give what the file holds now, and its key; nothing when it is no bundle that the passphrase opens."""
    if seen is None:
        return None, None
    need_yaml()
    try:
        with request.path.open("rb") as file:
            bundle = read_bundle(file.read(MAX_BYTES + 1), sections, str(request.path))
        return decrypt(bundle, request.passphrase, str(request.path))
    except BundleError:
        # It is replaced as a whole.
        return None, None
    except OSError as error:
        raise ConfigError(f"path: {str(request.path)!r} cannot be read: {error.strerror}.") from None


def _encrypted(items: Sequence[Item], key: Key, old: Bundle | None) -> list[Item]:
    """Give `items` encrypted. A secret that the file holds already keeps its token: a diff shows what changed."""
    if old is None or old.sealing != key.sealing:
        return [encrypt(key, item) for item in items]
    before = {item.ref: item.secrets for item in old.items}
    encrypted = []
    for item in items:
        known = before.get(item.ref, {})
        tokens = {
            option: old.tokens[*item.ref, option]
            for option, secret in item.secrets.items()
            if isinstance(secret, Secret) and known.get(option) == secret
        }
        encrypted.append(encrypt(key, replace(item, secrets={**item.secrets, **tokens})))
    return encrypted


def _differences(old: Sequence[Item], new: Sequence[Item], nouns: Mapping[str, BundleNoun]) -> tuple[Difference, ...]:
    before, after = ({item.ref: item for item in items} for items in (old, new))
    return tuple(_difference(before.get(ref), after.get(ref), nouns) for ref in {**after, **before})


def _difference(before: Item | None, after: Item | None, nouns: Mapping[str, BundleNoun]) -> Difference:
    shown = [None if item is None else {"name": item.name, **item.definition} for item in (before, after)]
    some = t.cast("Item", after or before)
    for number, item in enumerate((before, after)):
        if item is not None and item.secrets:
            other = before if number and before is not None else item
            changed = [name for name, value in item.secrets.items() if other.secrets.get(name, value) != value]
            t.cast("dict[str, t.Any]", shown[number])["secrets"] = masked_secrets(item, changed)
    return Difference(
        name=f"{nouns[some.section].word} {some.name}",
        changed=before != after,
        before=shown[0],
        after=shown[1],
    )


def _write(request: ExportRequest, text: str, where: str, seen: Signature | None) -> None:
    if seen is not None:
        # The new file takes over the mode of the old one.
        _set_mode(request)
    replace_file(request.path, where, seen, lambda file: _write_text(file, text))
    _set_mode(request)


def _has_mode(request: ExportRequest) -> bool:
    return request.path.stat().st_mode & 0o7777 == request.mode


def _set_mode(request: ExportRequest) -> None:
    try:
        if not _has_mode(request):
            request.path.chmod(request.mode)
    except OSError as error:
        raise ConfigError(
            f"path: the mode of {str(request.path)!r} cannot be set to {request.mode:04o}: {error.strerror}. Run "
            "this as the owner of the file, or delete it first."
        ) from None


def _write_text(file: t.BinaryIO, text: str) -> None:
    file.write(text.encode("utf-8"))
