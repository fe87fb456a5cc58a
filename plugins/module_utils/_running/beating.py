# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs of life while something long goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .._model.errors import StoreError


@contextmanager
def beating(beat: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call `beat` every so many seconds in a thread of its own until the end."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(seconds):
            try:
                beat()
            except StoreError:
                # The run finds out by itself when the store stays away; a beat that fails may succeed the next time.
                continue

    thread = threading.Thread(target=go_on, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
