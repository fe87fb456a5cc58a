# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember after a run what it learnt of a directory's records: links, leavers, and those who came back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from .._model.jobs import JobSpec
from .._model.plans import Link, ObjectPlan
from .._model.runs import AppliedChange
from .._store.store import Store


def remember(part: ObjectPlan, applied: Sequence[AppliedChange], job: JobSpec, store: Store) -> None:
    """Write what is known of the records of one object. Raises StoreError."""
    if not (part.links or part.leavers or part.returned or part.changes):
        return
    mine = [item for item in applied if item.change.object == part.name and item.outcome is not None]
    done = [item for item in mine if item.outcome is not None and item.outcome.status == "done"]
    if part.links:
        store.links.put(job.name, part.name, chain(_found_links(part), _new_links(part, done)))
    gone = [item.change.anchor for item in done if item.change.action == "delete" and item.change.anchor]
    if gone:
        store.links.forget(job.name, part.name, gone)
    refused = {item.change.anchor for item in mine} - {item.change.anchor for item in done}
    stayed = [leaver.anchor for leaver in part.leavers if leaver.anchor in refused]
    back = [anchor for anchor in part.returned if anchor not in refused]
    if stayed or back or gone:
        store.leavers.forget(job.name, part.name, [*stayed, *back, *gone])


def remember_leavers(part: ObjectPlan, job: JobSpec, store: Store) -> None:
    """Remember who is about to leave before anything is taken away, so that a killed run loses nobody's groups."""
    leavers = [leaver for leaver in part.leavers if not _is_held(part, leaver.anchor)]
    if leavers:
        store.leavers.put(job.name, part.name, leavers)


def _found_links(part: ObjectPlan) -> Iterator[Link]:
    return (link for link in part.links if link.anchor)


def _new_links(part: ObjectPlan, done: Sequence[AppliedChange]) -> Iterator[Link]:
    """Yield the links of records that were made, with the anchors that the directory gave them."""
    planned = {link.key: link for link in part.links if not link.anchor}
    for item in done:
        link = planned.get(item.change.key) if item.change.action == "create" else None
        if link is not None and item.outcome is not None and item.outcome.anchor:
            yield replace(link, anchor=item.outcome.anchor)


def _is_held(part: ObjectPlan, anchor: str) -> bool:
    return any(held.change.anchor == anchor and held.change.action == "disable" for held in part.held_changes)
