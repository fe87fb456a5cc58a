# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leave unread what both systems themselves prove equal, by fingerprints of buckets of records.

Only where two records are equal exactly when their mapped fields are: plain copies, keys that each side keeps unique,
no expression that looks at records, nothing that must be known of each of them. A bucket is left unread when both sides
have the same count and fingerprint for it. All other records of both sides are read, wherever their partner is.
"""

from __future__ import annotations

import secrets
import typing as t
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .._model.access import Fingerprints, Reading, as_fingerprinting
from .fields import FieldRule
from .request import ObjectRequest

SEED_BITS = 63
MOST_READ = 0.5
"""Where a larger part of the records is in buckets that differ, one plain sweep over all is as fast."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Skim:
    """What is left to read: the records of some buckets on both sides. `equal` records on each side are left out."""

    equal: int
    buckets: Sequence[int]
    source: Fingerprints
    destination: Fingerprints

    def read_source(self, fields: Sequence[str]) -> Reading:
        """Sweep over the records of the source that may differ."""
        return self.source.read(fields, self.buckets)

    def read_destination(self, fields: Sequence[str]) -> Reading:
        """Sweep over the records of the destination that may differ."""
        return self.destination.read(fields, self.buckets)


def skim(request: ObjectRequest, compared: Sequence[FieldRule], keys: Sequence[FieldRule]) -> Skim | None:
    """Give what is left to read; None when everything must be, or is as fast. Raises ProviderError.

    `compared` are the fields that decide whether two records are equal, keys included. The caller has made sure that
    they are plain copies and that both sides keep the keys unique.
    """
    source, destination = (as_fingerprinting(side.provider) for side in (request.source, request.destination))
    if source is None or destination is None:
        return None
    names = [_source_name(rule) for rule in compared], [_source_name(rule) for rule in keys]
    at_source = source.fingerprints(request.source.query, *names)
    if at_source is None:
        return None
    names = [rule.spec.name for rule in compared], [rule.spec.name for rule in keys]
    at_destination = destination.fingerprints(request.destination.query, *names)
    if at_destination is None or at_source.form != at_destination.form:
        return None
    return _compare(request, at_source, at_destination)


def _source_name(rule: FieldRule) -> str:
    return t.cast("str", rule.spec.source)  # a plain copy has one


def _compare(request: ObjectRequest, source: Fingerprints, destination: Fingerprints) -> Skim | None:
    # Another one each time: nobody can prepare records that look equal, and chance does not strike twice.
    seed = secrets.randbits(SEED_BITS)
    request.checkpoint()
    with ThreadPoolExecutor(1) as beside:
        at_source = beside.submit(source.buckets, seed)
        there = destination.buckets(seed)
        here = at_source.result()
    request.checkpoint()
    equal = sum(found[0] for bucket, found in here.items() if there.get(bucket) == found)
    total = sum(count for side in (here, there) for count, _fingerprint in side.values())
    if total - 2 * equal > MOST_READ * total:
        return None
    request.checkpoint(2 * equal)
    differing = [bucket for bucket in {**here, **there} if here.get(bucket) != there.get(bucket)]
    return Skim(equal=equal, buckets=differing, source=source, destination=destination)
