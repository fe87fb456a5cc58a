# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine and process that this module runs in."""

from __future__ import annotations

import datetime as dt
import functools
import os
import pwd
import socket
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

from .._store.locks import Holder

if t.TYPE_CHECKING:
    from .._model.jobs import JobSpec, ProviderType

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def read_boot_id(path: Path = _BOOT_ID) -> str:
    """Give the id of this boot of the machine; empty where the system has none."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def up_seconds() -> float:
    """Give how long this machine has been up, in seconds; where the system counts it, with the time that it slept."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def mapping_checker(clock: Callable[[], dt.datetime]) -> Callable[[JobSpec, ProviderType], None]:
    """Give the check of a job's mapping with the names and environment of this machine."""
    from .._operations.check_mapping import check_mapping

    return functools.partial(check_mapping, computer_name=socket.gethostname(), environ=os.environ, clock=clock)


def this_process(label: str) -> Holder:
    """Give this process as the holder of a lock, known to people as `label`."""
    return Holder(host=socket.gethostname(), pid=os.getpid(), boot_id=read_boot_id(), label=label)


def this_user() -> str:
    """Give the name of the person who runs this process, also behind `sudo`; the number where there is no name."""
    number = int(os.environ.get("SUDO_UID", "") or os.getuid()) if os.geteuid() == 0 else os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
