# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of `run` on the controller: shows how far the module is, and stops it when Ansible is stopped.

The module runs as any other. Beside it a thread looks, through a connection of its own, into a folder on the host that
the module makes for it (`module_utils/_ansible/watching.py` is the other end).
"""

from __future__ import annotations

import contextlib
import copy
import os
import secrets
import shlex
import signal
import threading
import time
import types
import typing as t
from collections.abc import Iterator

from ansible.errors import AnsibleError
from ansible.utils.display import Display
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.watching import WATCH
from ansible_collections.lockstep.sync.plugins.plugin_utils.packing import PackedAction

INTERVAL = 10
"""Seconds between two lines, unless `progress_interval` says otherwise."""
TOUCH = 10.0
"""Seconds between two touches of the lease at most; after 60 without one the module takes Ansible to be gone."""
TICK = 0.2
"""Seconds between two looks at whether Ansible goes on."""
LAST_WORD = 1.5
"""Seconds that a signal waits for the module to be told."""
MARK = "lockstep: "
WATCHED = ("ansible.builtin.local", "ansible.builtin.ssh", "ansible.legacy.local", "ansible.legacy.ssh")
"""Connections that start a program for each command, so that two may go on at once."""

display = Display()


class ActionModule(PackedAction):
    """Runs the module `run` and watches it."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give the module's result. With `async`, or over a connection that cannot be shared, nobody watches."""
        folders = self.get_shell_option("system_tmpdirs")
        if self._task.async_val or self._connection.ansible_name not in WATCHED or not folders:
            return self._as_ever(tmp, task_vars)
        environment = self._task.environment
        folder = f"{folders[0].rstrip('/')}/lockstep-{secrets.token_hex(16)}"
        # Put back at the end: each item of a loop and each retry has a folder of its own.
        present = environment if isinstance(environment, list) else [environment]
        self._task.environment = [*present, {WATCH: folder}]
        try:
            with _Watch(self, folder, self._interval(), self._prefix(task_vars or {})).going_on():
                return self._as_ever(tmp, task_vars)
        finally:
            self._task.environment = environment

    def _as_ever(self, tmp: str | None, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))

    def _interval(self) -> float:
        """Give the seconds between two lines, 0 for none. What is no number the module refuses, not this."""
        if self._task.no_log:
            return 0
        try:
            return max(0, int(self._task.args.get("progress_interval", INTERVAL)))
        except (TypeError, ValueError):
            return 0

    def _prefix(self, variables: dict[str, t.Any]) -> str:
        """Name the host as Ansible's own lines do."""
        host, delegated = variables.get("inventory_hostname", ""), self._task.delegate_to
        return f"[{host} -> {delegated}]" if delegated else f"[{host}]"

    @property
    def is_here(self) -> bool:
        """Whether the module runs on this host, as a child of this process."""
        return str(self._connection.ansible_name).endswith(".local")

    def on_the_side(self) -> ActionModule:
        """Give a copy that may run commands while this one waits for the module."""
        connection = copy.copy(self._connection)
        # It keeps what it waits for, such as the prompt for a password.
        connection.become = copy.copy(connection.become)
        other = copy.copy(self)
        other._connection = connection  # noqa: SLF001 - one of the same class
        return other

    def execute(self, command: str) -> str:
        """Run a command on the host as the user that the module runs as, and give its output. Raises AnsibleError."""
        return str(self._low_level_execute_command(command)["stdout"])


class _Watch:
    """Looks at one module while it works."""

    def __init__(self, action: ActionModule, folder: str, interval: float, prefix: str) -> None:
        self._action = action
        # Everybody may see its name, and put something else there first: only what the module has made is entered.
        self._enter = f"cd {shlex.quote(folder)} 2>/dev/null && [ -O . ] && [ -O mark ]"
        self._interval = interval
        self._prefix = prefix
        self._parent = os.getppid()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        # Set by signal handlers, which must not touch a lock.
        self._cancelled = False

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """Watch until the end. Whatever ends it early, a signal or `timeout` of the task, stops the module, too."""
        found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before = {number: handler for number, handler in found.items() if handler not in (None, signal.SIG_IGN)}

        def stop(number: int, _frame: types.FrameType | None) -> None:
            self._stop_here()
            self._tell_to_stop()
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)

        for number in before:
            signal.signal(number, stop)
        self._thread.start()
        try:
            yield
        except BaseException:
            self._tell_to_stop()
            raise
        finally:
            self._ended.set()
            self._thread.join(LAST_WORD)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop_here(self) -> None:
        """Tell a module on this host by a signal, which needs no command to be run: Ansible may not live that long."""
        if self._action.is_here and os.getpgrp() == os.getpid():
            before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.killpg(os.getpgrp(), signal.SIGTERM)
            signal.signal(signal.SIGTERM, before)

    def _tell_to_stop(self) -> None:
        self._cancelled = True
        self._thread.join(LAST_WORD)

    def _watch(self) -> None:
        side = self._action.on_the_side()
        pause = min(self._interval or TOUCH, TOUCH)
        now = time.monotonic()
        next_look, next_line = now + pause, now + self._interval
        while not self._ended.wait(TICK):
            if self._cancelled or os.getppid() != self._parent:
                self._cancel(side)
                return
            if time.monotonic() < next_look:
                continue
            lines = self._look(side)
            now = time.monotonic()
            next_look = now + pause
            if self._interval and now >= next_line:
                next_line = now + self._interval
                for line in lines:
                    # Where warnings go, so that what reads the output of a callback gets nothing else.
                    display.display(f"{self._prefix} {line}", stderr=True)

    def _look(self, side: ActionModule) -> list[str]:
        command = f"{self._enter} && touch lease && sed 's/^/{MARK}/' status 2>/dev/null"
        try:
            # A terminal of ssh or of become may say something in between.
            told = side.execute(command).splitlines()
            return [line.removeprefix(MARK) for line in told if line.startswith(MARK)]
        except AnsibleError as error:
            display.vv(f"{self._prefix} cannot look at the run now: {error}")
            return []

    def _cancel(self, side: ActionModule) -> None:
        """Tell the module to stop, as soon as it is there to be told."""
        while not self._ended.is_set():
            try:
                if "told" in side.execute(f"{self._enter} && touch cancel && echo told"):
                    return
            except AnsibleError as error:
                display.vv(f"{self._prefix} cannot stop the run yet: {error}")
            self._ended.wait(TICK)
