# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Literal secrets at rest: encrypted with a key file, each for its own place in the store.

The key file holds 32 random bytes in base64. Each secret has a key of its own, derived (HKDF-SHA256, RFC 5869) from
these and from the place where the secret stands, so a token that is copied to another row cannot be read there.
Another one makes the codes (HMAC-SHA256) that prove who wrote a decision about a request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .._model.errors import ConfigError, StoreError
from .._model.secrets import MASK, Secret
from . import meta
from .libraries import need_cryptography
from .rights import create_private_file
from .texts import to_json_text

if t.TYPE_CHECKING:
    from cryptography.fernet import Fernet
    from sqlalchemy.engine import Connection

_KEY_BYTES = 32
_REHEARSED = "rehearsed:"
_APPROVALS = "approvals"
_PUT_BACK = "Put back the one with which the secrets were stored (from a backup or from the host that made it)."


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a secret stands: the noun, number and name of its owner, and the option. The number survives a renaming."""

    noun: str
    number: int
    name: str
    option: str

    def __str__(self) -> str:
        return f"{self.noun} {self.name!r}, option {self.option}"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredSecret:
    """A literal secret as stored: it is decrypted, and the key needed, only when it is revealed."""

    place: Place
    token: str = field(repr=False)
    vault: Vault = field(repr=False, compare=False)

    def reveal(self) -> Secret:
        """Decrypt. Raises StoreError naming owner and option; DependencyError."""
        return self.vault.open(self.place, self.token)

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


class Vault:
    """Encrypts and decrypts with the key in `key_file` (None: no key is known).

    In a rehearsal nothing is encrypted and no key made: secrets stay in this object, and the store gets their number.
    """

    def __init__(self, key_file: Path | None, *, location: str, rehearsal: bool) -> None:
        self._key_file = key_file
        self._location = location
        self._rehearsal = rehearsal
        self._rehearsed: list[Secret] = []
        self._rehearsed_key = os.urandom(_KEY_BYTES)

    def seal(self, connection: Connection, place: Place, secret: Secret, *, others: t.Sequence[str]) -> str:
        """Give the token to store for `secret`.

        Args:
            connection: in a transaction; the store notes which key it uses.
            others: who holds other literals, encrypted with the key that the store uses now, as `provider 'hr'`.

        Raises:
            ConfigError: there is no key file and none can be made.
            StoreError: the key file cannot be read, or is not the one the store uses.
            DependencyError: cryptography is missing.
        """
        need_cryptography()
        path = self._need_key_file(place)
        if self._rehearsal:
            self._rehearsed.append(secret)
            return f"{_REHEARSED}{len(self._rehearsed) - 1}"
        key = self._read_or_make(path, place, others)
        check = _key_check(key)
        known = meta.read(connection, meta.KEY_CHECK)
        if known != check:
            if others and known is not None:
                raise StoreError(
                    f"{place}: the key file {path} is not the one with which the secrets in the state store "
                    f"{self._location} were encrypted. Give that one with store_key_file."
                )
            meta.write(connection, meta.KEY_CHECK, check)
        return _fernet(key, place).encrypt(_to_bytes(secret)).decode("ascii")

    def open(self, place: Place, token: str) -> Secret:
        """Give the secret that `seal` made `token` of, at the same place. Raises StoreError, DependencyError."""
        if token.startswith(_REHEARSED):
            return self._rehearsed[int(token.removeprefix(_REHEARSED))]
        need_cryptography()
        from cryptography.fernet import InvalidToken

        if self._key_file is None:
            raise StoreError(f"{place}: the secret is stored encrypted, but no key is given. Set store_key_file.")
        key = _read_key(self._key_file)
        if key is None:
            raise StoreError(f"{place}: {_lost(self._key_file)}")
        try:
            return Secret(_fernet(key, place).decrypt(token.encode("utf-8")).decode("utf-8", "surrogatepass"))
        except InvalidToken:
            raise StoreError(
                f"{place}: the secret cannot be decrypted with the key file {self._key_file}. "
                "Give the key file with which it was stored, or declare the secret again as a reference "
                f"({place.option}_from) or, after deleting the {place.noun}, as a literal."
            ) from None

    def sign(self, connection: Connection, message: bytes) -> str:
        """Give the code that proves that a holder of the key wrote `message`.

        Args:
            connection: in a transaction; the store notes which key it uses.
            message: what is written.

        Raises:
            ConfigError: no key is given.
            StoreError: the key file cannot be read, or is not the one the store uses.
        """
        if self._key_file is None:
            raise ConfigError(
                "approvals in a state store on a server need store_key_file, the same key on all hosts. Set it."
            )
        return _code(self._signing_key(connection, self._key_file), message)

    def _signing_key(self, connection: Connection, path: Path) -> bytes:
        known = meta.read(connection, meta.KEY_CHECK)
        key = _read_key(path)
        if key is None:
            if known is not None:
                raise StoreError(f"approvals: the key file {path} does not exist. {_PUT_BACK}")
            if self._rehearsal:
                return self._rehearsed_key
            key = os.urandom(_KEY_BYTES)
            if not create_private_file(path, base64.urlsafe_b64encode(key) + b"\n"):
                return self._signing_key(connection, path)
        check = _key_check(key)
        if known is not None and known != check:
            raise StoreError(
                f"approvals: the key file {path} is not the one that the state store {self._location} uses. Give that "
                "one with store_key_file."
            )
        if known is None:
            meta.write(connection, meta.KEY_CHECK, check)
        return key

    def is_signed(self, message: bytes, signature: str) -> bool:
        """Tell whether `sign` made `signature` of `message`. Raises StoreError when the key cannot be read."""
        if self._key_file is None:
            raise StoreError("no key is given. Set store_key_file.")
        key = _read_key(self._key_file)
        if key is None:
            if not self._rehearsal:
                raise StoreError(f"the key file {self._key_file} does not exist. {_PUT_BACK}")
            key = self._rehearsed_key
        return hmac.compare_digest(_code(key, message), signature)

    def _need_key_file(self, place: Place) -> Path:
        if self._key_file is None:
            raise ConfigError(
                f"{place}: a literal secret in a state store on a server needs store_key_file, "
                f"the same key on all hosts. Set it, or use {place.option}_from."
            )
        return self._key_file

    def _read_or_make(self, path: Path, place: Place, others: t.Sequence[str]) -> bytes:
        key = _read_key(path)
        if key is not None:
            return key
        if others:
            # A new key would silently make these unreadable.
            raise StoreError(f"{place}: {_lost(path)} Encrypted secrets have: {', '.join(others)}.")
        key = os.urandom(_KEY_BYTES)
        if create_private_file(path, base64.urlsafe_b64encode(key) + b"\n"):
            return key
        return self._read_or_make(path, place, others)


def _read_key(path: Path) -> bytes | None:
    """Give the key in `path`, or None when there is no such file. Raises StoreError."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            content = file.read(1024).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(
            f"The key file {path} cannot be read: {error.strerror}. Let the user who runs this read it."
        ) from None
    if mode & 0o077:
        raise StoreError(f"The key file {path} has mode {mode:04o}: others may use it. Run: chmod 600 {path}")
    try:
        key = base64.b64decode(content, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise StoreError(
            f"The key file {path} does not hold a key: {_KEY_BYTES} bytes in base64 are expected. Name the right file, "
            "or move this one away if no secret was ever stored with it."
        )
    return key


def _key_check(key: bytes) -> str:
    """Give what the store notes of its key: it tells whether another one is the same, and nothing else."""
    return _derive(key, "key check").hex()


def _code(key: bytes, message: bytes) -> str:
    return hmac.new(_derive(key, _APPROVALS), message, "sha256").hexdigest()


def _lost(path: Path) -> str:
    return (
        f"the key file {path} does not exist. {_PUT_BACK} If it is lost, declare the secrets again as references "
        "(..._from)."
    )


def _fernet(key: bytes, place: Place) -> Fernet:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(_derive(key, place.noun, place.number, place.option)))


def _derive(key: bytes, *purpose: str | int) -> bytes:
    """Give the key for one purpose: HKDF-SHA256 without salt, whose first block is all that is needed."""
    info = to_json_text(["lockstep.sync", *purpose]).encode("ascii")
    extracted = hmac.new(bytes(hashlib.sha256().digest_size), key, "sha256").digest()
    return hmac.new(extracted, info + b"\x01", "sha256").digest()


def _to_bytes(secret: Secret) -> bytes:
    return secret.reveal().encode("utf-8", "surrogatepass")
