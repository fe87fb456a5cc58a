# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store


def test_mark_is_remembered_for_its_object_and_mapping(store_with_job: Store) -> None:
    marks = store_with_job.marks
    marks.set("people", "users", "d1", "2026-11-20")
    assert marks.get("people", "users", "d1") == "2026-11-20"
    assert marks.get("people", "groups", "d1") is None
    assert marks.get("nobody", "users", "d1") is None


def test_changed_mapping_forgets_the_mark(store_with_job: Store) -> None:
    marks = store_with_job.marks
    marks.set("people", "users", "d1", "2026-11-20")
    assert marks.get("people", "users", "d2") is None
    marks.set("people", "users", "d2", "2026-11-21")
    assert (marks.get("people", "users", "d1"), marks.get("people", "users", "d2")) == (None, "2026-11-21")


def test_mark_follows_the_job_and_ends_with_it(store_with_job: Store) -> None:
    marks, jobs = store_with_job.marks, store_with_job.jobs
    marks.set("people", "users", "d1", "2026-11-20")
    jobs.rename("people", "staff")
    assert marks.get("staff", "users", "d1") == "2026-11-20"
    jobs.delete("staff")
    jobs.save("staff", {"source": {"provider": "hr"}, "destination": {"provider": "hr"}})
    assert marks.get("staff", "users", "d1") is None


def test_mark_of_an_unknown_job_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match=re.escape("there is no job 'x'")):
        store.marks.set("x", "users", "d1", "2026-11-20")
