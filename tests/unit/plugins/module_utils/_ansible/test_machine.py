# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine and process of a module."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.machine import (
    mapping_checker,
    read_boot_id,
    this_process,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import parse_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError


def test_the_boot_id_is_read_and_empty_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "boot_id"
    assert read_boot_id(file) == ""
    file.write_text("1234-5678\n", encoding="ascii")
    assert read_boot_id(file) == "1234-5678"


def test_this_process_is_this_one() -> None:
    holder = this_process("a test")
    assert (holder.host, holder.pid, holder.label) == (socket.gethostname(), os.getpid(), "a test")


def test_mappings_are_checked_on_this_machine() -> None:
    field = {"name": "id", "key": True, "transform": [{"expression": "source.a | nothing"}]}
    endpoints = {"source": {"provider": "a"}, "destination": {"provider": "b"}}
    job = parse_job("j", {**endpoints, "objects": [{"fields": [field]}]})
    with pytest.raises(ConfigError, match="there is no filter 'nothing'"):
        mapping_checker(lambda: datetime(2026, 11, 21, tzinfo=UTC))(job, "csv")
