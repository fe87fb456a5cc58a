# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of a job and its objects, between plain data and `Endpoint`; `endpoints` says which fit a provider."""

from __future__ import annotations

import dataclasses
import typing as t

from .directory_options import read_container, read_filter
from .endpoints import PLACES
from .jobs import Endpoint
from .sections import Section

WHOLE_PLACES = ("table", "query", "sheet")


def read_endpoint(side: Section) -> Endpoint:
    """Give the endpoint of a job. Raises ConfigError."""
    return Endpoint(
        provider=side.required_text("provider"),
        replace_file=side.flag("replace_file", False),
        **_read_place(side),
    )


def _read_place(side: Section) -> dict[str, t.Any]:
    return {
        "table": side.optional_text("table"),
        "query": side.optional_text("query"),
        "sheet": side.optional_text("sheet"),
        "container": read_container(side, "container"),
        "include_subcontainers": side.flag("include_subcontainers", True),
        "filter": read_filter(side, "filter"),
    }


def override(base: Endpoint, side: Section) -> Endpoint:
    """Give the job's endpoint with an object's own place. A table, query or sheet of the object replaces the job's
    place as a whole; of a directory's options it gives only those that differ.
    """
    given = {option: value for option, value in _read_place(side).items() if option in side.given and value is not None}
    if not given:
        return base
    if any(option in given for option in WHOLE_PLACES):
        return Endpoint(provider=base.provider, replace_file=base.replace_file, **given)
    return dataclasses.replace(base, **given)


def endpoint_to_plain(endpoint: Endpoint) -> dict[str, t.Any]:
    """Give the endpoint of a job as `read_endpoint` takes it."""
    plain: dict[str, t.Any] = {"provider": endpoint.provider}
    return plain | place_to_plain(endpoint) | ({"replace_file": True} if endpoint.replace_file else {})


def place_to_plain(endpoint: Endpoint, base: Endpoint | None = None) -> dict[str, t.Any]:
    """Give the place of an endpoint. What would be taken from `base`, the job's, is written out where it differs."""
    shown = {option: getattr(endpoint, option) for option in PLACES if getattr(endpoint, option) not in (None, True)}
    own = base is not None and endpoint.include_subcontainers and not base.include_subcontainers
    return shown | ({"include_subcontainers": True} if own else {})
