# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of a bundle under its passphrase.

scrypt (RFC 7914) makes a key of the passphrase. From it HKDF-SHA256 (RFC 5869) derives one key for each secret, named
after the place where the secret stands, so that a token in another place cannot be read; one for the seal over the
whole content, so that nobody without the passphrase can, say, give a provider that has a password another address; and
one value that tells whether a passphrase is the right one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import typing as t
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .._model.bundles import FORMAT, Bundle, BundleSecret, Encrypted, Item, Sealing
from .._model.errors import BundleError
from .._model.secrets import Secret
from .._store.libraries import need_cryptography

if t.TYPE_CHECKING:
    from cryptography.fernet import Fernet

COST = 2**17
"""128 MiB and some tenths of a second for each try of a passphrase (OWASP, password storage)."""
COSTS = tuple(2**power for power in range(15, 19))
"""What is read: a file must not make its reader use up the memory."""
R, P = 8, 1
SALT_BYTES = 16
_KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """The key of one bundle, and how it came from the passphrase."""

    sealing: Sealing
    master: bytes = field(repr=False)


def make_key(passphrase: Secret, salt: bytes, n: int = COST) -> Key:
    """Give the key for a new bundle. Raises DependencyError."""
    need_cryptography()
    sealing = Sealing(n=n, r=R, p=P, salt=salt, check="")
    master = _stretch(sealing, passphrase)
    return Key(sealing=replace(sealing, check=_derive(master, "check").hex()), master=master)


def open_key(sealing: Sealing, passphrase: Secret, where: str) -> Key:
    """Give the key of a bundle. Raises BundleError for a wrong passphrase, DependencyError."""
    need_cryptography()
    master = _stretch(sealing, passphrase)
    if not hmac.compare_digest(_derive(master, "check").hex(), sealing.check):
        raise BundleError(
            f"{where}: the passphrase is not the one that it was exported with. Nothing was imported. Give that one as "
            "`passphrase` or `passphrase_from`."
        )
    return Key(sealing=sealing, master=master)


def seal_of(key: Key, content: bytes) -> str:
    """Give the seal over `content`, as hexadecimal digits."""
    return hmac.new(_derive(key.master, "seal"), content, "sha256").hexdigest()


def encrypt(key: Key, item: Item) -> Item:
    """Give `item` with its literals encrypted, each for its place."""
    tokens = {
        option: Encrypted(token=_fernet(key, item, option).encrypt(_to_bytes(secret)).decode("ascii"))
        for option, secret in item.secrets.items()
        if isinstance(secret, Secret)
    }
    return replace(item, secrets={**item.secrets, **tokens})


def decrypt(bundle: Bundle, passphrase: Secret | None, where: str) -> tuple[Bundle, Key | None]:
    """Give the bundle with its secrets in clear, and its key; None when it is not sealed.

    Raises:
        BundleError: the passphrase is missing or wrong, the content is not what was sealed, or a token cannot be read.
        DependencyError: cryptography is missing.
    """
    if bundle.sealing is None:
        _refuse_tokens(bundle.items, where)
        return bundle, None
    if passphrase is None:
        raise BundleError(
            f"{where}: it is sealed with a passphrase. Nothing was imported. Give it as `passphrase` or "
            "`passphrase_from`."
        )
    key = open_key(bundle.sealing, passphrase, where)
    if not hmac.compare_digest(seal_of(key, bundle.sealed_content), bundle.seal):
        raise BundleError(
            f"{where}: its seal does not fit its content: somebody who does not know the passphrase changed it. "
            "Nothing was imported. Export it again."
        )
    items = tuple(replace(item, secrets=_opened(key, item, where)) for item in bundle.items)
    tokens = {
        (*item.ref, option): secret
        for item in bundle.items
        for option, secret in item.secrets.items()
        if isinstance(secret, Encrypted)
    }
    return replace(bundle, items=items, tokens=tokens), key


def _opened(key: Key, item: Item, where: str) -> dict[str, BundleSecret]:
    from cryptography.fernet import InvalidToken

    opened = dict(item.secrets)
    for option, secret in item.secrets.items():
        if not isinstance(secret, Encrypted):
            continue
        try:
            text = _fernet(key, item, option).decrypt(secret.token.encode("utf-8")).decode("utf-8", "surrogatepass")
        except InvalidToken:
            raise BundleError(
                f"{where}: {item.section}, {item.name!r}, secrets, {option}: it cannot be decrypted here; it stood in "
                "another place, or is damaged. Nothing was imported. Export it again."
            ) from None
        opened[option] = Secret(text)
    return opened


def _refuse_tokens(items: Iterable[Item], where: str) -> None:
    for item in items:
        if any(isinstance(secret, Encrypted) for secret in item.secrets.values()):
            raise BundleError(
                f"{where}: {item.section}, {item.name!r} has an encrypted secret, but `encryption` is missing. "
                "Export it again."
            )


def _stretch(sealing: Sealing, passphrase: Secret) -> bytes:
    # The same letters may be typed in several ways (Unicode Standard Annex 15).
    typed = unicodedata.normalize("NFC", passphrase.reveal()).encode("utf-8", "surrogatepass")
    needed = 128 * sealing.r * (sealing.n + sealing.p + 2)
    return hashlib.scrypt(
        typed, salt=sealing.salt, n=sealing.n, r=sealing.r, p=sealing.p, maxmem=needed, dklen=_KEY_BYTES
    )


def _fernet(key: Key, item: Item, option: str) -> Fernet:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(_derive(key.master, "secret", item.section, item.name, option)))


def _derive(master: bytes, *purpose: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = json.dumps([FORMAT, *purpose]).encode("ascii")
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(master)


def _to_bytes(secret: Secret) -> bytes:
    return secret.reveal().encode("utf-8", "surrogatepass")
