# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a bundle: a header with a digest over all the rest, and a section for each noun."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import typing as t
from collections.abc import Mapping, Sequence

from .._model.bundles import FORMAT, RELEASE, Bundle, BundleSecret, Encrypted, Item, Omitted, Sealing
from .._model.errors import BundleError, ConfigError
from .._model.providers import check_name
from .._model.secrets import SecretReference
from .._model.sections import Section
from .bundle_sealing import COSTS, SALT_BYTES, Key, P, R, seal_of
from .bundle_yaml import from_yaml, to_yaml

TITLE = (
    "# A bundle of lockstep.sync. Import it with the module lockstep.sync.bundle_import; do not change it by hand.\n"
)
HEADER = ("format", "release", "digest", "encryption")
_SEALING = ("kdf", "cost", "block_size", "parallelization", "salt", "check", "seal")
_SECRET = ("encrypted", "omitted", "env", "file")
_FORMAT = re.compile(r"lockstep-bundle-([0-9]{1,6})", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)

Document: t.TypeAlias = dict[str, t.Any]


def bundle_text(items: Sequence[Item], key: Key | None) -> str:
    """Give the file that holds `items`, whose literals are encrypted or omitted, sealed with `key` if there is one.

    Items stand in the order given. Raises ConfigError for a text that is not Unicode.
    """
    sections: Document = {}
    for item in items:
        sections.setdefault(item.section, []).append(_to_entry(item))
    header: Document = {"format": FORMAT, "release": RELEASE, "digest": ""}
    if key is not None:
        header["encryption"] = _sealing_to_plain(key.sealing)
        header["encryption"]["seal"] = seal_of(key, _sealed_content({**header, **sections}))
    document = {**header, **sections}
    document["digest"] = _digest(document)
    return TITLE + to_yaml(document)


def read_bundle(data: bytes, sections: Sequence[str], where: str) -> Bundle:
    """Give the bundle in `data`; its secrets are not opened, and its definitions not looked at.

    Args:
        data: the content of the file.
        sections: the sections that this release knows.
        where: the start of messages.

    Raises:
        BundleError: it is no bundle, damaged, or of another format.
        DependencyError: PyYAML is missing.
    """
    document = from_yaml(data, where)
    if not isinstance(document, dict):
        raise BundleError(f"{where}: it is not a bundle: it holds no mapping of options.")
    _check_format(document, where)
    _check_digest(document, where)
    try:
        return _read(document, sections, where)
    except ConfigError as error:
        # The digest was right: somebody wrote this on purpose, or a release that knows more.
        raise BundleError(f"{error.message} It was written by release {document.get('release')!r}.") from None


def _read(document: Document, sections: Sequence[str], where: str) -> Bundle:
    whole = Section(document, where, (*HEADER, *sections))
    items = []
    for section in (name for name in document if name not in HEADER):
        names = set()
        for number, entry in enumerate(whole.items(section), start=1):
            item = _to_item(section, entry, f"{where}: {section}, entry {number}")
            if item.name in names:
                raise ConfigError(f"{where}: {section} has two objects called {item.name!r}.")
            names.add(item.name)
            items.append(item)
    release = whole.required_text("release")
    if "encryption" not in whole.given:
        return Bundle(items=tuple(items), release=release)
    encryption = whole.section("encryption", _SEALING)
    return Bundle(
        items=tuple(items),
        sealing=_read_sealing(encryption),
        seal=_hex(encryption, "seal"),
        sealed_content=_sealed_content(document),
        release=release,
    )


def _check_format(document: Document, where: str) -> None:
    found = document.get("format")
    if found == FORMAT:
        return
    other = _FORMAT.fullmatch(found) if isinstance(found, str) else None
    if other is None:
        raise BundleError(f"{where}: it is not a bundle: `format` must be {FORMAT!r}, got {found!r}.")
    ours = int(FORMAT.rpartition("-")[2])
    advice = (
        f"Update lockstep.sync on this host to the release that wrote it ({document.get('release')!r}) or a newer one."
        if int(other[1]) > ours
        else "Export it again with this release."
    )
    raise BundleError(f"{where}: its format is {found!r}, and this release ({RELEASE}) reads {FORMAT!r}. {advice}")


def _check_digest(document: Document, where: str) -> None:
    found, made = document.get("digest"), _digest(document)
    if not isinstance(found, str) or not hmac.compare_digest(found.encode("utf-8"), made.encode("utf-8")):
        raise BundleError(
            f"{where}: it is damaged, or was changed by hand: its digest is {found!r}, its content gives {made!r}. "
            "Nothing was imported. Copy it again from where it was exported, or export it again."
        )


def _digest(document: Document) -> str:
    content = {name: value for name, value in document.items() if name != "digest"}
    return f"sha256:{hashlib.sha256(_canonical(content)).hexdigest()}"


def _sealed_content(document: Document) -> bytes:
    content = {name: value for name, value in document.items() if name != "digest"}
    content["encryption"] = {name: value for name, value in content["encryption"].items() if name != "seal"}
    return _canonical(content)


def _canonical(content: Document) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


# -- objects


def _to_entry(item: Item) -> Document:
    entry = {"name": item.name, **item.definition}
    if item.secrets:
        entry["secrets"] = {option: _secret_to_plain(secret) for option, secret in sorted(item.secrets.items())}
    return entry


def _to_item(section: str, entry: object, place: str) -> Item:
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{place}: expected a mapping of options, got {entry!r}.")
    definition = dict(entry)
    name, secrets = definition.pop("name", None), definition.pop("secrets", {})
    if not isinstance(name, str):
        raise ConfigError(f"{place}: `name` must be a text, got {name!r}.")
    check_name(place, name)
    if not isinstance(secrets, Mapping):
        raise ConfigError(f"{place} ({name!r}): `secrets` must be a mapping, got {secrets!r}.")
    read = {option: _read_secret(plain, f"{place} ({name!r}), secrets, {option}") for option, plain in secrets.items()}
    return Item(section=section, name=name, definition=definition, secrets=read)


def _secret_to_plain(secret: BundleSecret) -> Document:
    if isinstance(secret, SecretReference):
        return {secret.kind: secret.name}
    if isinstance(secret, Encrypted):
        return {"encrypted": secret.token}
    if isinstance(secret, Omitted):
        return {"omitted": True}
    raise TypeError("a literal secret must be encrypted or omitted before it is written")


def _read_secret(plain: object, place: str) -> BundleSecret:
    given = Section(plain, place, _SECRET)
    if len(given.given) != 1:
        raise ConfigError(f"{place}: expected one of {', '.join(map(repr, _SECRET))}.")
    (kind,) = given.given
    if kind == "omitted":
        if not given.flag("omitted", False):
            raise given.wrong("omitted", "true")
        return Omitted()
    if kind == "encrypted":
        return Encrypted(token=given.required_text("encrypted"))
    return SecretReference(kind="env" if kind == "env" else "file", name=given.required_text(kind))


# -- the header


def _sealing_to_plain(sealing: Sealing) -> Document:
    return {
        "kdf": "scrypt",
        "cost": sealing.n,
        "block_size": sealing.r,
        "parallelization": sealing.p,
        "salt": base64.b64encode(sealing.salt).decode("ascii"),
        "check": sealing.check,
    }


def _read_sealing(encryption: Section) -> Sealing:
    if encryption.text("kdf") != "scrypt":
        raise encryption.wrong("kdf", "'scrypt'")
    n = encryption.integer("cost", minimum=COSTS[0], maximum=COSTS[-1])
    if n not in COSTS:
        raise encryption.wrong("cost", f"one of {', '.join(map(str, COSTS))}")
    try:
        salt = base64.b64decode(encryption.text("salt").encode("utf-8"), validate=True)
    except binascii.Error:
        salt = b""
    if len(salt) != SALT_BYTES:
        raise encryption.wrong("salt", f"{SALT_BYTES} bytes in base64")
    return Sealing(
        n=n,
        r=encryption.integer("block_size", minimum=R, maximum=R),
        p=encryption.integer("parallelization", minimum=P, maximum=P),
        salt=salt,
        check=_hex(encryption, "check"),
    )


def _hex(encryption: Section, name: str) -> str:
    text = encryption.text(name)
    if _HEX.fullmatch(text) is None:
        raise encryption.wrong(name, "64 hexadecimal digits")
    return text
