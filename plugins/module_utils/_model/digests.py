# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One digest for all that is remembered by what it is: definitions, runs to stand on, records as they were written."""

from __future__ import annotations

import hashlib
import json


def content_digest(content: object) -> str:
    """Give the BLAKE2b digest, 32 hexadecimal digits, of JSON-safe data; the order of a mapping does not count. Stores
    keep such digests: the form never changes.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
