# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider as it is shown: its playbook form with the secrets masked."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping

from .._model.jobs import ProviderSpec
from .._model.providers import provider_definition
from .given_secrets import show_secrets


def describe_provider(
    spec: ProviderSpec, secrets: Mapping[str, object], *, changed: Collection[str] = ()
) -> dict[str, t.Any]:
    """Give name, type and options of a provider. A literal secret is a mask, a reference says where the secret is.

    Args:
        spec: the provider.
        secrets: its secrets by option; literals are never looked at.
        changed: the options whose literal is another one than before; the mask says so.
    """
    options = show_secrets(provider_definition(spec)[spec.type], secrets, changed)
    return {"name": spec.name, "type": spec.type, spec.type: options}
