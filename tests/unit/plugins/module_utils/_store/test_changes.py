# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import types
from dataclasses import replace

from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import AppliedChange
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import MASK, GeneratedPassword
from ansible_collections.lockstep.sync.plugins.module_utils._store.changes import change_from_row, change_to_row
from ansible_collections.lockstep.sync.plugins.module_utils._store.texts import to_json_text
from hypothesis import given
from support.changes import any_applied


@given(any_applied())
def test_a_change_comes_back_from_its_row_with_passwords_masked(item: AppliedChange) -> None:
    row = change_to_row(item)
    for name in ("key", "before", "after"):
        assert row[name] == to_json_text(json.loads(row[name]))
    found = change_from_row(types.SimpleNamespace(**row)).change  # type: ignore[arg-type]
    shown = {name: MASK if isinstance(value, GeneratedPassword) else value for name, value in item.change.after.items()}
    assert (found.key, found.before, found.after) == (item.change.key, item.change.before, shown)
    assert found.image == item.change.image
    assert replace(found, target=item.change.target, anchor=item.change.anchor, after=item.change.after) == item.change
