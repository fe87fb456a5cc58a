# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of a declaration: which count as changed, and how they are shown."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping

from .._model.secrets import MASK, Secret, SecretReference
from .._store.kept_secrets import AnySecret, Kept
from .._store.vault import StoredSecret


def same_if_equal(secret: AnySecret, kept: Kept | None) -> AnySecret:
    """Give the stored secret when the literal given is the same, so that it counts as unchanged."""
    if isinstance(secret, Secret) and isinstance(kept, StoredSecret) and kept.reveal() == secret:
        return kept
    return secret


def changed_literals(secrets: Mapping[str, AnySecret], kept: Mapping[str, Kept]) -> list[str]:
    """Give the options whose stored literal is replaced by another literal."""
    return [
        option
        for option, secret in secrets.items()
        if isinstance(secret, Secret) and isinstance(kept.get(option), StoredSecret)
    ]


def show_secrets(
    options: Mapping[str, t.Any], secrets: Mapping[str, object], changed: Collection[str] = ()
) -> dict[str, t.Any]:
    """Give `options` with their secrets: a literal is a mask, a reference says where the secret is.

    Args:
        options: the others.
        secrets: by option; literals are never looked at.
        changed: the options whose literal is another one than before; the mask says so.
    """
    shown = dict(options)
    for option, secret in secrets.items():
        if isinstance(secret, SecretReference):
            shown[f"{option}_from"] = {secret.kind: secret.name}
        else:
            shown[option] = f"{MASK} (changed)" if option in changed else MASK
    return shown
