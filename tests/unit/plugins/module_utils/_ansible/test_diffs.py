# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diffs of declarations."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.diffs import MAX_BYTES, diff_block, diff_blocks
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.results import size_of
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared


def declared(name: str, *, size: int = 1, changed: bool = True) -> Declared:
    after = {"name": name, "description": "x" * size}
    return Declared(name=name, state="present", changed=changed, before=None, after=after, effective=after)


def test_a_block_has_both_sides_with_an_empty_one_where_nothing_was() -> None:
    assert diff_block("job", declared("j")) == {
        "before_header": "job j",
        "after_header": "job j",
        "before": {},
        "after": {"name": "j", "description": "x"},
    }


def test_there_is_a_block_for_each_that_changed() -> None:
    blocks = diff_blocks("job", [declared("a"), declared("b", changed=False), declared("c")])
    assert [block["before_header"] for block in blocks] == ["job a", "job c"]


def test_the_blocks_are_capped_and_the_last_one_says_what_is_left_out() -> None:
    blocks = diff_blocks("job", [declared(f"job {number}", size=1000) for number in range(100)])
    assert size_of(blocks) < MAX_BYTES + 1000
    assert blocks[-1]["after"] == f"{100 - len(blocks) + 1} more changed jobs are left out\n"
    assert blocks[-1]["before"] == ""
