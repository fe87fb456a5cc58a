# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the store and the files of runs are when nobody says otherwise."""

from __future__ import annotations

import pwd
import re
from collections.abc import Mapping
from pathlib import Path

from .._model.errors import ConfigError
from .address import Target, parse_url


def default_store_url(environ: Mapping[str, str], uid: int) -> str:
    """Give the URL of the store of the user `uid` (0 = root).

    Raises ConfigError when the user has no home directory.
    """
    return f"sqlite:///{_default_store_file(environ, uid)}"


def run_directory(url: str, environ: Mapping[str, str], uid: int) -> Path:
    """Give the folder for the logs, plans and change files of the runs that the store at `url` remembers.

    Two stores never share a folder, because their run numbers would meet there. Nothing is made on disk.
    Raises ConfigError (see `address.parse_url`) and DependencyError.
    """
    target = parse_url(url)
    if target.path is None:
        return _default_run_directory(environ, uid) / _server_folder(target)
    if target.path == _default_store_file(environ, uid):
        return _default_run_directory(environ, uid)
    return target.path.with_name(f"{target.path.stem}-runs")


def _default_store_file(environ: Mapping[str, str], uid: int) -> Path:
    if uid == 0:
        return Path("/var/lib/lockstep/state.db")
    return _xdg_directory(environ, uid, "XDG_DATA_HOME", ".local/share") / "lockstep" / "state.db"


def _default_run_directory(environ: Mapping[str, str], uid: int) -> Path:
    if uid == 0:
        return Path("/var/log/lockstep")
    return _xdg_directory(environ, uid, "XDG_STATE_HOME", ".local/state") / "lockstep"


def _xdg_directory(environ: Mapping[str, str], uid: int, variable: str, fallback: str) -> Path:
    # The XDG base directory specification: a relative path is ignored.
    given = Path(environ.get(variable, ""))
    return given if given.is_absolute() else _home(environ, uid) / fallback


def _home(environ: Mapping[str, str], uid: int) -> Path:
    home = Path(environ.get("HOME", ""))
    if home.is_absolute():
        return home
    try:
        return Path(pwd.getpwuid(uid).pw_dir)
    except KeyError:
        raise ConfigError(
            f"store: the user with number {uid} has no home directory for the default state store. Set store or HOME."
        ) from None


def _server_folder(target: Target) -> str:
    url = target.url
    parts = [target.dialect, url.host or "localhost", str(url.port or ""), url.database or ""]
    return re.sub(r"[^A-Za-z0-9._-]", "_", "-".join(part for part in parts if part))
