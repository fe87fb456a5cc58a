# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: where one comes from, and a box that never prints what is in it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import dataclass

MASK = "********"
SHORTEST_SECRET = 4
"""Shorter texts are not masked: they are in every other word, and masking them would garble the message."""


class Secret:
    """A resolved secret. `reveal()` gives the text; `str`, `repr` and formatting give the mask."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the secret text; call it only where it is handed to a driver."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretReference:
    """Where a secret is found when a job runs, on the host that runs it: an environment variable or a file."""

    kind: t.Literal["env", "file"]
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordRule:
    """How `password` makes one: for each object or once per job run, its length and its character classes.

    At least one character of each enabled class is used. `special` is the list of special characters, empty for none.
    """

    per: t.Literal["object", "job"] = "object"
    length: int = 16
    upper: bool = True
    lower: bool = True
    digits: bool = True
    special: str = "!#$%&*+-=?@_"
    no_repeat_special: bool = False
    exclude_similar: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratedPassword:
    """Stands in a plan for a password that is made at the moment it is written, so that no plan or log holds it."""

    rule: PasswordRule

    def __repr__(self) -> str:
        return MASK


def redact(text: str, secrets: Iterable[str]) -> str:
    """Give `text` with every secret in it masked."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text
