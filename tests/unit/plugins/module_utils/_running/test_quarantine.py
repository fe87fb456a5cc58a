# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that fail on most of their records are paused."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import QuarantineError
from support.worlds import World


def records(world: World, *, bad: int, good: int) -> None:
    """`bad` records have a name that is too long for the table."""
    rows = [f"{number},{'x' * 30}," for number in range(100, 100 + bad)]
    world.write(*rows, *(f"{number},Ann," for number in range(500, 500 + good)))


@pytest.mark.parametrize(
    ("bad", "good", "paused"),
    [(20, 29, True), (20, 30, False), (19, 0, False), (41, 59, True), (40, 60, False)],
)
def test_more_than_40_percent_and_at_least_20_pause_a_job(world: World, bad: int, good: int, paused: bool) -> None:
    world.job(missing_at_source="skip")
    records(world, bad=bad, good=good)
    ran = world.run()
    assert ran.result.statistics.errors == bad
    job = world.store.jobs.get("j")
    assert job is not None
    assert (job.quarantine is not None) == paused
    if paused:
        share = round(100 * bad / (bad + good))
        assert job.quarantine == f"run 1 failed on {bad} of {bad + good} records ({share} %)."
        assert any(line.message == f"the job is paused, because {job.quarantine}" for line in ran.result.log)


def test_a_paused_job_does_not_run_but_can_be_looked_at_and_taken_back(world: World) -> None:
    world.job(missing_at_source="skip")
    before = world.people()
    records(world, bad=20, good=5)
    world.run()
    records(world, bad=0, good=5)
    for options in ({}, {"plan": world.preview(keep_plan=True).result.plan_id, "job": ""}):
        with pytest.raises(
            QuarantineError, match=r"Job 'j' is paused: run 1 failed on 20 of 25 records \(80 %\)\. Look at"
        ):
            world.run(**options)
    assert world.preview().result.status == "succeeded"
    assert world.run("", undo=1).result.status == "succeeded"
    assert world.people() == before


def test_a_released_job_runs_again(world: World) -> None:
    world.job(missing_at_source="skip")
    records(world, bad=20, good=5)
    world.run()
    world.store.jobs.quarantine("j", None)
    assert world.run().result.id == 2


def test_a_preview_pauses_nothing(world: World) -> None:
    world.job()
    records(world, bad=30, good=0)
    world.preview()
    job = world.store.jobs.get("j")
    assert job is not None
    assert job.quarantine is None
