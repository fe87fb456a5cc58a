# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that declare or look up load no more than that takes: they start some hundred times in a large playbook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MODULES = Path(__file__).resolve().parents[4] / "plugins" / "modules"
TREE = MODULES.parents[1] / ".cache" / "tree"
RUNNERS = {"run", "request", "request_info", "bundle_export", "bundle_import"}
"""Modules that run jobs, or look into plans and files."""
PROGRAM = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(f"ansible_collections.lockstep.sync.plugins.modules.{name}")
print(json.dumps(sorted(sys.modules)))
"""


STORE_PROGRAM = """
import datetime, json, sys
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import StoreAddress, open_store
with open_store(StoreAddress(url=sys.argv[1]), create=True, clock=lambda: datetime.datetime.now(datetime.UTC)) as store:
    store.jobs.list()
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(*names: str, program: str = PROGRAM) -> set[str]:
    command = [sys.executable, "-c", program, *names]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(TREE)})
    return set(json.loads(done.stdout))


def test_declaring_modules_load_neither_libraries_nor_what_runs_jobs() -> None:
    loaded = loaded_by(*sorted({path.stem for path in MODULES.glob("[a-z]*.py")} - RUNNERS))
    assert {
        name for name in loaded if name.partition(".")[0] in {"sqlalchemy", "ldap3", "openpyxl", "smtplib"}
    } == set()
    own = {name.partition("module_utils.")[2] for name in loaded if "lockstep.sync" in name}
    assert {name for name in own if name.startswith(("_running.", "_execution."))} == set()
    assert {name for name in own if name.startswith("_providers.")} <= {
        "_providers.registry",
        "_providers.capabilities",
    }


def test_the_runner_loads_what_runs_jobs() -> None:
    """Otherwise the names above are wrong, and the test finds nothing."""
    loaded = loaded_by("run")
    assert any(name.endswith("_running.conductor") for name in loaded)
    assert any("._execution." in name for name in loaded)


def test_a_store_of_sqlite_loads_no_drivers_of_servers(tmp_path: Path) -> None:
    loaded = loaded_by(f"sqlite:///{tmp_path / 'state.db'}", program=STORE_PROGRAM)
    assert "sqlalchemy.dialects.sqlite.pysqlite" in loaded
    assert {name for name in loaded if name.startswith(("sqlalchemy.dialects.mysql", "psycopg", "pymysql"))} == set()
