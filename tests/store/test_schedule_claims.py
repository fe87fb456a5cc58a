# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Eight processes that tick at once, on each kind of database: nothing is run twice, nothing is lost.

MariaDB has a fifth of the occurrences, because it takes longest.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import StoreAddress, open_store
from ansible_collections.lockstep.sync.plugins.module_utils._store.tables import tables

TICKER = Path(__file__).resolve().parents[1] / "support" / "ticker.py"
TICKERS = 8
SCHEDULES = 200
MINUTES = 10
START = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.timezone.utc)
EVERY_MINUTE = {"type": "daily", "at": "2026-01-01T00:00:00", "repeat": {"every": "1m", "for": "1d"}}


@pytest.fixture(params=["sqlite", "postgres_url", "mariadb_url"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    if request.param == "sqlite":
        yield StoreAddress(url=f"sqlite:///{tmp_path / 'state.db'}")
        return
    url = sa.make_url(request.getfixturevalue(request.param))
    assert url.password is not None
    yield StoreAddress(url=url._replace(password=None).render_as_string(), password=Secret(str(url.password)))
    outside = sa.create_engine(url)
    tables().metadata.drop_all(outside)
    outside.dispose()


def start_ticker(address: StoreAddress, folder: Path) -> subprocess.Popen[str]:
    roots = [entry for entry in sys.path if (Path(entry) / "ansible_collections" / "lockstep").exists()]
    password = "" if address.password is None else address.password.reveal()
    command = [sys.executable, str(TICKER), ",".join(roots), address.url, password, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


def read_until(process: subprocess.Popen[str], word: str) -> list[str]:
    """Give the lines of a ticker up to a word."""
    assert process.stdout is not None
    lines = []
    while (line := process.stdout.readline().strip()) != word:
        assert line, "a ticker has ended"
        lines.append(line)
    return lines


def test_2000_occurrences_are_run_once_each_by_eight_tickers(address: StoreAddress, tmp_path: Path) -> None:
    names = [f"s{number:03}" for number in range(SCHEDULES)]
    minutes = 2 if address.url.startswith(("mysql", "mariadb")) else MINUTES
    with open_store(address, create=True, clock=lambda: START) as store:
        store.providers.save(ProviderSpec(name="hr", type="csv", options={"path": "/hr.csv"}), {})
        store.jobs.save("j", {"source": {"provider": "hr"}, "destination": {"provider": "hr"}})
        with store.transaction():
            for name in names:
                store.schedules.save(name, {"jobs": ["j"], "triggers": [EVERY_MINUTE]})
    processes = [start_ticker(address, tmp_path) for _each in range(TICKERS)]
    runs: Counter[tuple[str, str]] = Counter()
    workers: Counter[int] = Counter()
    try:
        for process in processes:
            read_until(process, "ready")
        for minute in range(1, minutes + 1):
            now = (START + dt.timedelta(minutes=minute)).isoformat()
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{now}\n")
            for process in processes:
                lines = read_until(process, "ticked")
                workers[process.pid] += len(lines)
                runs.update((schedule, moment) for schedule, _job, moment in map(json.loads, lines))
    finally:
        for process in processes:
            process.communicate(timeout=60)

    assert len(runs) == SCHEDULES * minutes, "nothing is lost"
    assert set(runs.values()) == {1}, "nothing is run twice"
    assert len([count for count in workers.values() if count]) > 1, "they share the work"
    with open_store(address, create=True, clock=lambda: START) as store:
        recorded = Counter(each.status for name in names for each in store.occurrences.last(name, 100))
    assert recorded == {"succeeded": SCHEDULES * minutes}
