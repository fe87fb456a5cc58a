# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store with one job, run in this process: what the benches of whole runs share."""

from __future__ import annotations

import datetime as dt
import os
import random
import time
import types
import typing as t
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import parse_provider
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest, Runtime
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import StoreAddress, open_store

JOB = "bench"


def now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def store_url(folder: Path) -> str:
    return f"sqlite:///{folder}/state.db"


def declare(
    folder: Path,
    providers: t.Mapping[str, t.Mapping[str, t.Any]],
    definition: dict[str, t.Any],
    secrets: t.Mapping[str, SecretReference] = types.MappingProxyType({}),
) -> None:
    """Declare providers, each with the same secrets, and the job in a new store in `folder`."""
    with open_store(StoreAddress(url=store_url(folder)), create=True, clock=now) as store:
        for name, options in providers.items():
            store.providers.save(parse_provider(name, options), secrets)
        store.jobs.save(JOB, definition)


def run(folder: Path) -> RunResult:
    """Run the job; raises RuntimeError when the run is not succeeded."""
    runtime = Runtime(
        clock=now,
        monotonic=time.monotonic,
        sleep=time.sleep,
        host="bench",
        pid=os.getpid(),
        boot_id="bench",
        environ=os.environ,
        run_directory=folder / "runs",
        randomness=random.SystemRandom(),
        protect=lambda _secret: None,
    )
    with open_store(StoreAddress(url=store_url(folder)), create=True, clock=now) as store:
        result = run_job(RunRequest(job=JOB), store, runtime).result
    if result.status != "succeeded":
        raise RuntimeError(result.message)
    return result
