# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each type of provider can do, known without opening one or importing a library."""

from __future__ import annotations

from .._model.schema import Capabilities

CSV = Capabilities(option_names=frozenset({"replace_file"}))
EXCEL = Capabilities(option_names=frozenset({"sheet", "replace_file"}))
SQL = Capabilities(option_names=frozenset({"table", "query"}), transactional=True, fingerprints=True)
DIRECTORY = Capabilities(option_names=frozenset({"container", "include_subcontainers", "filter"}), directory=True)
