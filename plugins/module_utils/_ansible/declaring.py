# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a declaring module, for one declaration and for a list of them."""

from __future__ import annotations

from collections.abc import Sequence

from .._operations.declared import Declared
from .diffs import diff_block, diff_blocks
from .frame import Result


def declared_result(noun: str, declared: Sequence[Declared], *, bulk: bool, check: bool) -> Result:
    """Give what the module returns: the effective object, or for a list of declarations what became of each."""
    changed = [item for item in declared if item.changed]
    warnings = tuple(warning for item in declared for warning in item.warnings)
    if bulk:
        would = "would be" if check else "were"
        return Result(
            msg=f"{len(changed)} of {len(declared)} {noun}s {would} changed.",
            changed=bool(changed),
            values={f"{noun}s": [{"name": i.name, "state": i.state, "changed": i.changed} for i in declared]},
            diff=diff_blocks(noun, declared),
            warnings=warnings,
        )
    (item,) = declared
    return Result(
        msg=f"The {noun.replace('_', ' ')} {item.name!r} {_what_happened(item, check=check)}.",
        changed=item.changed,
        values={noun: item.effective},
        diff=diff_block(noun, item),
        warnings=warnings,
    )


def _what_happened(item: Declared, *, check: bool) -> str:
    if not item.changed:
        return "is as declared" if item.state == "present" else "does not exist, as declared"
    verb = "deleted" if item.after is None else "created" if item.before is None else "changed"
    return f"{'would be' if check else 'was'} {verb}"
