# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that ticks: for each time on its input it runs what is due then, and writes one line for each run.

usage: python ticker.py PATH,PATH... STORE_URL PASSWORD FOLDER
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import time
from pathlib import Path


def main() -> None:
    """Tick until the input ends."""
    paths, url, password, folder = sys.argv[1:]
    sys.path[:0] = paths.split(",")
    from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult, Statistics  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._running.due import tick  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest, Runtime  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import (  # noqa: PLC0415
        Store,
        StoreAddress,
        open_store,
    )

    now = dt.datetime.now(dt.timezone.utc)

    def run(request: RunRequest, store: Store, runtime: Runtime) -> Ran:
        print(json.dumps([request.schedule, request.job, now.isoformat()]), flush=True)
        text = runtime.now_text()
        result = RunResult(
            id=None,
            job=request.job,
            status="succeeded",
            agreement="equal",
            preview=False,
            message="",
            started=text,
            finished=text,
            duration=0.0,
            statistics=Statistics(),
            objects=[],
            changes=[],
            changes_total=0,
            problems=[],
            held=[],
            log=[],
        )
        return Ran(result=result)

    runtime = Runtime(
        clock=lambda: now,
        monotonic=time.monotonic,
        sleep=time.sleep,
        host="ticking",
        pid=os.getpid(),
        boot_id="boot",
        environ=os.environ,
        run_directory=Path(folder),
        randomness=random.Random(),
        protect=lambda _secret: None,
    )
    address = StoreAddress(url=url, password=Secret(password) if password else None)
    with open_store(address, create=True, clock=lambda: now) as store:
        print("ready", flush=True)
        for line in sys.stdin:
            now = dt.datetime.fromisoformat(line.strip())
            tick(RunRequest(), store, runtime, runners={"job": run}, up_seconds=1.0)
            print("ticked", flush=True)


if __name__ == "__main__":
    main()
