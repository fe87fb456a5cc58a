# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles: declared objects on their way from one state store to another."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .secrets import MASK, Secret, SecretReference

FORMAT = "lockstep-bundle-1"
RELEASE = "1.0.0"
"""The release of the collection, which a bundle tells; `galaxy.yml` has the same."""
SHORTEST_PASSPHRASE = 8

Ref: t.TypeAlias = tuple[str, str]
"""An object: the section it stands in (`providers`) and its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Encrypted:
    """A literal secret in a bundle that was not opened yet."""

    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Omitted:
    """A literal secret that the bundle was made without."""


class Sealed(t.Protocol):
    """A literal secret as some store keeps it."""

    def reveal(self) -> Secret: ...


BundleSecret: t.TypeAlias = Secret | SecretReference | Encrypted | Omitted | Sealed


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One object of a store or bundle.

    Attributes:
        section: the section of its noun, as `providers`.
        definition: its normal form as stored, plain JSON data without the name.
        secrets: its secrets by option.
    """

    section: str
    name: str
    definition: Mapping[str, t.Any]
    secrets: Mapping[str, BundleSecret] = field(default_factory=dict)

    @property
    def ref(self) -> Ref:
        """The section and the name."""
        return self.section, self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealing:
    """How the key of a bundle comes from its passphrase: scrypt (RFC 7914).

    Attributes:
        n, r, p: the cost: n blocks of 128 * r bytes, p times.
        salt: random, so that equal passphrases give different keys.
        check: tells whether a passphrase is the right one.
    """

    n: int
    r: int
    p: int
    salt: bytes
    check: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """What a bundle file holds.

    Attributes:
        items: in the order of the file.
        sealing: how it was sealed, None when it has neither secrets nor a seal.
        seal: the code (HMAC) that only who knows the passphrase can make; `sealed_content` is what it is made of.
        tokens: the encrypted secrets by section, name and option, once they were opened.
        release: the release that wrote it.
    """

    items: tuple[Item, ...]
    sealing: Sealing | None = None
    seal: str = ""
    sealed_content: bytes = b""
    tokens: Mapping[tuple[str, str, str], Encrypted] = field(default_factory=dict)
    release: str = RELEASE


def masked_secrets(item: Item, changed: t.Collection[str] = ()) -> dict[str, t.Any]:
    """Give the secrets of an object as they may be shown; the mask of one in `changed` says so."""
    return {
        option: {secret.kind: secret.name}
        if isinstance(secret, SecretReference)
        else "(left out)"
        if isinstance(secret, Omitted)
        else f"{MASK} (changed)"
        if option in changed
        else MASK
        for option, secret in sorted(item.secrets.items())
    }
