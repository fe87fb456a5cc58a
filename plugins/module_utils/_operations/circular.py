# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Circular flows: a field whose value goes from A to B in one job and comes back from B to A in another or the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._model.definitions import parse_job
from .._model.dn import fold_dn, is_within_folded
from .._model.jobs import Endpoint, FieldSpec, JobSpec, ObjectSpec
from .._model.steps import fields_read
from .._store.jobs import StoredJob

Spot = tuple[str, str, str]
"""Where a value lives: the system, the container (empty for a file and for the base of a directory), the field."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """One value on its way: from a spot to a spot, in one object of one job."""

    job: str
    object: str
    field: str
    source: Spot
    destination: Spot


def circular_warnings(
    jobs: Sequence[StoredJob], identities: Mapping[str, str], names: Sequence[str]
) -> list[tuple[str, str]]:
    """Give (job, message) for every circular flow through the jobs `names`, the shortest of each field.

    Key and new-only fields are written once only, so nothing comes round through them. Flows of disabled jobs do not
    count, and no cycle is told when one of its jobs has `allow_circular`. What expressions and functions read is not
    known.

    Args:
        jobs: all jobs of the store.
        identities: by provider name, what providers of the same system have in common.
        names: the jobs that are being declared.
    """
    specs = [parse_job(job.name, job.definition) for job in _jobs_on_a_round_trip(jobs, identities)]
    flows = [flow for spec in specs for flow in _flows_of_job(spec, identities, specs)]
    leaving: dict[Spot, list[Flow]] = {}
    for flow in flows:
        leaving.setdefault(flow.source, []).append(flow)
    allowed = {spec.name for spec in specs if spec.allow_circular}
    found: dict[frozenset[Flow], tuple[str, str]] = {}
    for flow in flows:
        cycle = _shortest_cycle(flow, leaving) if flow.job in names else ()
        if cycle and not allowed & {step.job for step in cycle}:
            found.setdefault(frozenset(cycle), (flow.job, _message(cycle)))
    return list(found.values())


def _jobs_on_a_round_trip(jobs: Sequence[StoredJob], identities: Mapping[str, str]) -> list[StoredJob]:
    """Give the enabled jobs from whose destination system others lead back to their source: the cheap look first."""
    ends = {}
    edges: dict[str, set[str]] = {}
    for job in jobs:
        if job.definition.get("enabled", True):
            source, destination = (identities[job.definition[side]["provider"]] for side in ("source", "destination"))
            ends[job.name] = (source, destination)
            edges.setdefault(source, set()).add(destination)
    reached = {system: _reachable(system, edges) for system in {end[1] for end in ends.values()}}
    return [job for job in jobs if job.name in ends and ends[job.name][0] in reached[ends[job.name][1]]]


def _reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    seen, waiting = {start}, [start]
    while waiting:
        fresh = edges.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting.extend(fresh)
    return seen


def _flows_of_job(spec: JobSpec, identities: Mapping[str, str], specs: Sequence[JobSpec]) -> Iterator[Flow]:
    for item in spec.objects:
        target = (identities[item.destination.provider], _container(item.destination))
        for field in item.fields:
            if field.key or field.new_only:
                continue
            for system, container in _origins(item, identities, specs):
                for name in _sources_of(field):
                    yield Flow(
                        job=spec.name,
                        object=item.name,
                        field=field.name,
                        source=(system, container, name.casefold()),
                        destination=(*target, field.name.casefold()),
                    )


def _origins(item: ObjectSpec, identities: Mapping[str, str], specs: Sequence[JobSpec]) -> Iterator[tuple[str, str]]:
    """Give the containers that an object reads; a query those that jobs write to and whose names stand in its text, a
    container of a directory also those that jobs write to and that share entries with it.
    """
    system = identities[item.source.provider]
    own = _container(item.source)
    written = {
        _container(other.destination)
        for spec in specs
        for other in spec.objects
        if identities[other.destination.provider] == system
    }
    if item.source.query is not None:
        words = set(re.findall(r"\w+", item.source.query.casefold()))
        for container in sorted(written):
            if container.rpartition(".")[2] in words:
                yield system, container
        return
    yield system, own
    if item.source.table is None and item.source.sheet is None:
        for container in sorted(written - {own}):
            below = item.source.include_subcontainers and is_within_folded(container, own)
            if below or is_within_folded(own, container):
                yield system, container


def _sources_of(field: FieldSpec) -> Iterator[str]:
    if field.source is not None:
        yield field.source
    for step in field.transform:
        yield from fields_read(step)


def _container(endpoint: Endpoint) -> str:
    if endpoint.container is not None:
        return fold_dn(endpoint.container)
    return (endpoint.table or endpoint.sheet or "").casefold()


def _shortest_cycle(first: Flow, leaving: Mapping[Spot, Sequence[Flow]]) -> tuple[Flow, ...]:
    """Give the flows from `first` back to where it starts, breadth first; empty when nothing comes back."""
    paths: list[tuple[Flow, ...]] = [(first,)]
    seen = {first.destination}
    while paths:
        longer = []
        for path in paths:
            if path[-1].destination == first.source:
                return path
            for flow in leaving.get(path[-1].destination, ()):
                if flow.destination not in seen:
                    seen.add(flow.destination)
                    longer.append((*path, flow))
        paths = longer
    return ()


def _message(cycle: Sequence[Flow]) -> str:
    # The same cycle is told in the same words, whichever of its jobs is declared.
    start = min(range(len(cycle)), key=lambda index: (cycle[index].job, cycle[index].object, cycle[index].field))
    steps = [*cycle[start:], *cycle[:start]]
    path = " -> ".join(f"job {step.job!r}, object {step.object!r}, field {step.field!r}" for step in steps)
    return (
        f"Circular flow: {path} -> back to the start. Each run may undo or repeat the other's changes. Take the field "
        "out of one of the jobs, or set `allow_circular: true` on one of them if this is wanted."
    )
