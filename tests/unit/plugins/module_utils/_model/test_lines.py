# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace

from ansible_collections.lockstep.sync.plugins.module_utils._model.lines import change_line, change_text
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Change
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import AppliedChange
from hypothesis import given
from support.changes import any_applied


@given(any_applied())
def test_the_text_of_a_change_is_what_an_encoder_makes_of_its_line(item: AppliedChange) -> None:
    wanted = json.dumps(change_line(item, most=None), ensure_ascii=False, separators=(",", ":"))
    assert change_text(item) == wanted


@given(any_applied())
def test_new_and_deleted_records_have_one_side_only(item: AppliedChange) -> None:
    created = replace(item, change=replace(item.change, action="create", before={}))
    deleted = replace(item, change=replace(item.change, action="delete", after={}))
    for each in (created, deleted):
        assert json.loads(change_text(each)) == change_line(each, most=None)


def test_new_record_as_text() -> None:
    after = {"id": "1", 'na"me': "Größe %s\n", "none": None}
    change = Change(number=1, object="people", action="create", key=("1", "2"), before={}, after=after)
    assert change_text(AppliedChange(change=change, outcome=DONE)) == (
        '{"object":"people","action":"create","key":"1 + 2","target":null,"fields":{"id":{"before":null,"after":"1"},'
        '"na\\"me":{"before":null,"after":"Größe %s\\n"}},"status":"done","message":""}'
    )
