# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether a file is what it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: digest
short_description: Digests of files
description: Gives the SHA-256 of each file, C(missing) for one that is not there.
options:
  _terms:
    description: Paths.
"""


class LookupModule(LookupBase):
    """Give digests."""

    def run(self, terms: list[str], variables: object = None, **kwargs: object) -> list[str]:
        return [
            hashlib.sha256(Path(path).read_bytes()).hexdigest() if Path(path).exists() else "missing" for path in terms
        ]
