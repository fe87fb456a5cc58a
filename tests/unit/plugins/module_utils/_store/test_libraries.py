# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import DependencyError
from ansible_collections.lockstep.sync.plugins.module_utils._store import libraries


@pytest.mark.parametrize(
    ("module", "need", "command"),
    [
        ("sqlalchemy", libraries.need_sqlalchemy, "pip install 'SQLAlchemy>=2.1'"),
        ("psycopg", lambda: libraries.need_driver("postgresql"), r"pip install 'psycopg\[binary\]'"),
        ("pymysql", lambda: libraries.need_driver("mysql"), "pip install pymysql"),
        ("cryptography", libraries.need_cryptography, "pip install cryptography"),
    ],
)
def test_missing_library_is_named_with_the_command_that_installs_it(
    module: str, need: Callable[[], None], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    need()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DependencyError, match=command):
        need()


def test_sqlite_needs_no_driver_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setitem(sys.modules, "pymysql", None)
    libraries.need_driver("sqlite")


def test_sqlalchemy_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlalchemy.__version__", "1.4.54")
    with pytest.raises(DependencyError, match=r"1\.4\.54 is installed"):
        libraries.need_sqlalchemy()
