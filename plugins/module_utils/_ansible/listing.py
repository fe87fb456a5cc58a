# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of reading modules."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable, Sequence

from .frame import Call, Result
from .results import MAX_BYTES, json_safe, size_of

if t.TYPE_CHECKING:
    from .._model.access import Provider
    from .._operations.list_providers import Surroundings


def listed_result(noun: str, found: Sequence[t.Mapping[str, t.Any]], *, bulky: Sequence[str] = ()) -> Result:
    """Give the result of a list.

    Args:
        noun: what is listed, in the singular.
        found: the entries.
        bulky: the parts of every entry that are left out, one after the other, when the list is too big.
    """
    shown = json_safe(found)
    warnings = []
    for part in bulky:
        if size_of(shown) <= MAX_BYTES or len(shown) == 1:
            break
        shown = [{name: value for name, value in entry.items() if name != part} for entry in shown]
        warnings.append(
            f"The list is long, so the {part} of its {noun}s are left out. Give `name` to see those of one."
        )
    count = len(found)
    return Result(
        msg=f"{count} {noun}{'' if count == 1 else 's'} found.", values={f"{noun}s": shown}, warnings=tuple(warnings)
    )


def surroundings(call: Call, open_provider: Callable[..., Provider]) -> Surroundings:
    """Give what looking at a system needs."""
    from .._operations.list_providers import Surroundings

    return Surroundings(
        open_provider=open_provider,
        environ=os.environ,
        protect=lambda secret: call.protect(secret.reveal()),
    )
