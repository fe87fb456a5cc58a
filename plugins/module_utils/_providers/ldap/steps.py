# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of one change, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import requests
from .requests import Request

CHUNK = 1000
"""Values in one modify: below the limits of Active Directory (5,000 values) and of message sizes."""


@dataclass(kw_only=True, slots=True)
class Steps:
    """The requests of one change. `is_password` marks those whose refusal takes a new record away again."""

    requests: list[Request] = field(default_factory=list)
    is_password: list[bool] = field(default_factory=list)

    def add(self, request: Request, *, password: bool = False) -> None:
        """Append one request."""
        self.requests.append(request)
        self.is_password.append(password)


def chunked(name: str, values: Sequence[bytes], kind: int) -> list[requests.Change]:
    """Give the changes that add or delete `values`, `CHUNK` of them each."""
    return [(kind, name, values[start : start + CHUNK]) for start in range(0, len(values), CHUNK)]
