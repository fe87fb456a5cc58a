# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attribute that names a directory's record: it changes by renaming, never by an update."""

from __future__ import annotations

import typing as t

from .._model.dn import first_rdn
from .._model.errors import RecordError
from .._model.plans import PlannedValue, ValueChanges
from .._model.values import members
from .destination import Found


def take_rename(after: dict[str, PlannedValue], found: Found, name: str) -> str | None:
    """Take the value of the naming attribute `name` out of an update: it is written by renaming. Gives the new value,
    None when the name stays. Raises RecordError when there would be none.
    """
    wanted = after.get(name)
    if wanted is None and name not in after:
        return None
    rdn = first_rdn(found.place)
    current = next((value for kind, value in rdn if kind.casefold() == name.casefold()), rdn[0][1])
    if isinstance(wanted, ValueChanges):
        removed = tuple(value for value in wanted.removed if value != current)
        added = wanted.added
        gone = len(removed) != len(wanted.removed)
        if not gone:
            return None
        if not added:
            kept = [value for value in members(found.before.get(name)) if value not in wanted.removed]
            new = next((value for value in kept if isinstance(value, str)), None)
        else:
            new, added = t.cast("str", added[0]), added[1:]
        if new is None:
            raise _nameless(name)
        after[name] = ValueChanges(added=added, removed=removed)
        if not added and not removed:
            del after[name]
        return new
    del after[name]
    if not isinstance(wanted, str) or not wanted:
        raise _nameless(name)
    return wanted


def _nameless(name: str) -> RecordError:
    return RecordError(
        f"{name!r} names the record and cannot be empty; the source gives no value.", field=name, code="required"
    )
