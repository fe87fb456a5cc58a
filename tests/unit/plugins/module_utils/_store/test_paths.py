# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._store.paths import default_store_url, run_directory

UNUSED_UID = 4_000_000_000


@pytest.mark.parametrize(
    ("environ", "uid", "url"),
    [
        ({}, 0, "sqlite:////var/lib/lockstep/state.db"),
        ({"HOME": "/root", "XDG_DATA_HOME": "/x"}, 0, "sqlite:////var/lib/lockstep/state.db"),
        ({"HOME": "/home/ann"}, 1000, "sqlite:////home/ann/.local/share/lockstep/state.db"),
        ({"HOME": "/home/ann", "XDG_DATA_HOME": "/data"}, 1000, "sqlite:////data/lockstep/state.db"),
        (
            {"HOME": "/home/ann", "XDG_DATA_HOME": "relative"},
            1000,
            "sqlite:////home/ann/.local/share/lockstep/state.db",
        ),
    ],
)
def test_default_store_lies_where_the_user_keeps_data(environ: dict[str, str], uid: int, url: str) -> None:
    assert default_store_url(environ, uid) == url


def test_home_directory_is_looked_up_when_the_environment_has_none() -> None:
    home = Path("~nobody").expanduser()
    assert default_store_url({}, 65534) == f"sqlite:///{home}/.local/share/lockstep/state.db"


def test_user_without_home_directory_is_told_what_to_set() -> None:
    with pytest.raises(ConfigError, match=f"number {UNUSED_UID} .* Set store or HOME"):
        default_store_url({"HOME": ""}, UNUSED_UID)


@pytest.mark.parametrize(
    ("url", "uid", "directory"),
    [
        ("sqlite:////var/lib/lockstep/state.db", 0, "/var/log/lockstep"),
        ("sqlite:////home/ann/.local/share/lockstep/state.db", 1000, "/home/ann/.local/state/lockstep"),
        ("sqlite:////srv/sync/main.db", 0, "/srv/sync/main-runs"),
        ("sqlite:////srv/sync/main", 1000, "/srv/sync/main-runs"),
        ("postgresql://ann@db.example.org/sync", 0, "/var/log/lockstep/postgresql-db.example.org-sync"),
        ("postgresql+psycopg://db:5433/sync", 0, "/var/log/lockstep/postgresql-db-5433-sync"),
        ("mariadb://db.example.org/sync", 1000, "/home/ann/.local/state/lockstep/mysql-db.example.org-sync"),
        ("postgresql:///a!b", 0, "/var/log/lockstep/postgresql-localhost-a_b"),
        ("postgresql://db/..", 0, "/var/log/lockstep/postgresql-db-.."),
    ],
)
def test_each_store_has_its_own_folder_for_run_files(url: str, uid: int, directory: str) -> None:
    assert run_directory(url, {"HOME": "/home/ann"}, uid) == Path(directory)


def test_state_home_is_honoured() -> None:
    environ = {"HOME": "/home/ann", "XDG_STATE_HOME": "/state"}
    assert run_directory(default_store_url(environ, 1000), environ, 1000) == Path("/state/lockstep")


def test_relative_store_is_found_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_directory("sqlite:///a/state.db", os.environ, 0) == tmp_path / "a" / "state-runs"
