# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether anything was written to a directory at all: what its server counts, in one search or two."""

from __future__ import annotations

import uuid

from ..._model.dn import fold_dn, is_within_folded
from .session import Session

_CSN = "contextCSN"
_USN, _SERVICE, _INVOCATION = "highestCommittedUSN", "dsServiceName", "invocationId"


def read_token(session: Session) -> str | None:
    """Give a text that every write to the directory changes; None when the server does not tell. Raises ProviderError.

    Active Directory: the update sequence number of this domain controller and its identity, which is another one after
    a restore (MS-ADTS 3.1.1.1.9, 3.1.1.1.14). Others: contextCSN of each naming context that is read (OpenLDAP with the
    overlay syncprov, slapo-syncprov(5)), one value for each server that takes writes.
    """
    return _usn(session) if session.flavour.guid else _csns(session)


def _usn(session: Session) -> str | None:
    # Not from `session.root`, which is kept.
    root = session.read_one("", (_USN, _SERVICE))
    if root is None or not all(root):
        return None
    (number,), (service,) = root
    found = session.read_one(service.decode("utf-8"), (_INVOCATION,))
    if found is None or not found[0]:
        return None
    return f"usn:{uuid.UUID(bytes_le=found[0][0])}:{number.decode('ascii')}"


def _csns(session: Session) -> str | None:
    base = fold_dn(session.base)
    contexts = {fold_dn(name): name for name in session.root.values["namingContexts"] if name}
    # The one that holds the base is the longest of those above it; others can begin further down.
    above = max((name for name in contexts if is_within_folded(base, name)), key=len, default=None)
    if above is None:
        return None
    tokens = []
    for folded in sorted({above, *(name for name in contexts if is_within_folded(name, base))}):
        found = session.read_one(contexts[folded], (_CSN,))
        if found is None or not found[0]:
            return None
        tokens.append(f"{folded}:{','.join(sorted(value.decode('ascii') for value in found[0]))}")
    return f"csn:{';'.join(tokens)}"
