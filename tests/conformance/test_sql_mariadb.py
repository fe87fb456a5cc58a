# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database of Mariadb behind the SQL provider does what every provider must do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conformance.suite import ProviderConformance
from servers.sql_box import SqlBox


class TestSqlMariadb(ProviderConformance):
    @pytest.fixture
    def box(self, mariadb_url: str) -> Iterator[SqlBox]:
        box = SqlBox(mariadb_url, bad_value=b"\xff\x00")
        yield box
        box.close()
