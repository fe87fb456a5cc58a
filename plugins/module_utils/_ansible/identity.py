# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs this task, as approvals know them."""

from __future__ import annotations

from .._model.approvals import Actor
from .._model.errors import ConfigError
from .._model.workflows import LONGEST
from .frame import Call
from .machine import this_user


def actor_of(call: Call, option: str, given: str | None) -> Actor:
    """Give the person: who the option names, else the database role of a store on a server, else the system's user.

    Raises ConfigError for a name that nobody could have.
    """
    role = call.store.database_role()
    person = (given or "").strip() or role or this_user()
    if not person.isprintable() or len(person) > LONGEST:
        raise ConfigError(f"{option}: {person!r} is not a name of 1 to {LONGEST} printable characters.")
    return Actor(person=person, role=role)
