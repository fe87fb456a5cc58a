# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which providers stand for the same system, and which jobs touch the same one."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from .._model.dn import fold_dn
from .._model.jobs import DIRECTORIES, Endpoint, JobSpec, ProviderSpec


def identity_of(spec: ProviderSpec) -> str:
    """Give what two providers share when they stand for the same system."""
    options = spec.options
    if spec.type in DIRECTORIES:
        # One server may be reached in several ways: encrypted or not, as LDAP or as Active Directory.
        host = urllib.parse.urlsplit(options["url"][0]).hostname
        return f"directory {host} {fold_dn(options.get('base_dn') or '')}"
    return f"{spec.type} {options.get('path') or options.get('url')}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Touched:
    """What a job reads and writes: systems, or tables of one. A table of None is the whole system."""

    read: frozenset[tuple[str, str | None]]
    written: frozenset[tuple[str, str | None]]

    def collides_with(self, other: Touched) -> bool:
        """Tell whether one of both writes what the other reads or writes."""
        return _overlap(self.written, other.written | other.read) or _overlap(other.written, self.read)


def touched_by(job: JobSpec, providers: Mapping[str, ProviderSpec]) -> Touched:
    """Give what `job` touches; `providers` are by name."""
    return Touched(
        read=frozenset(_place(item.source, providers) for item in job.objects),
        written=frozenset(_place(item.destination, providers) for item in job.objects),
    )


def _place(endpoint: Endpoint, providers: Mapping[str, ProviderSpec]) -> tuple[str, str | None]:
    spec = providers[endpoint.provider]
    # A query may read any table, and a file is written as a whole.
    return identity_of(spec), endpoint.table if spec.type == "sql" else None


def _overlap(some: frozenset[tuple[str, str | None]], others: frozenset[tuple[str, str | None]]) -> bool:
    return any(
        system == other and (table is None or other_table is None or table == other_table)
        for system, table in some
        for other, other_table in others
    )
