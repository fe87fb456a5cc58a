# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server that takes what apprise posts to `json://` addresses, and answers as it is told."""

from __future__ import annotations

import json
import threading
import typing as t
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class ChannelServer:
    """The server. `told` has what arrived, by path; `refusing` the paths that answer 500."""

    def __init__(self) -> None:
        self.told: dict[str, list[dict[str, t.Any]]] = {}
        self.refusing: set[str] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                path = self.path.strip("/")
                if path not in server.refusing:
                    server.told.setdefault(path, []).append(json.loads(body))
                self.send_response(500 if path in server.refusing else 200)
                self.end_headers()

            def log_message(self, format: str, *arguments: t.Any) -> None:  # noqa: A002 - as its base names it
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def url(self, path: str) -> str:
        """Give the address of a channel for apprise."""
        return f"json://127.0.0.1:{self._server.server_address[1]}/{path}"

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def channel_server() -> Iterator[ChannelServer]:
    """A server of the test's own."""
    server = ChannelServer()
    yield server
    server.close()
