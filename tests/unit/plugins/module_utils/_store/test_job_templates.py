# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._store.named import Stored
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

DEFINITION = {"description": "Größe \x00 \ud800", "job": {"missing_at_source": "disable", "objects": []}}
SIDES = {"source": {"provider": "hr"}, "destination": {"provider": "directory"}}


def get(store: Store, name: str = "leavers") -> Stored:
    template = store.job_templates.get(name)
    assert template is not None
    return template


def template_of(store: Store, job: str) -> object:
    stored = store.jobs.get(job)
    assert stored is not None
    return stored.definition.get("template")


def test_job_template_comes_back_as_it_was_saved(store: Store) -> None:
    store.job_templates.save("movers", {"job": {}})
    store.job_templates.save("leavers", DEFINITION)
    template = get(store)
    assert (template.name, template.definition) == ("leavers", DEFINITION)
    assert template.created == template.modified == "2026-11-21T08:30:00.000000+00:00"
    assert [each.name for each in store.job_templates.list()] == ["leavers", "movers"]
    assert store.job_templates.get("x") is None


def test_saving_again_replaces_the_definition_and_keeps_the_birthday(store: Store, clock: t.Any) -> None:
    store.job_templates.save("leavers", DEFINITION)
    clock.advance(60)
    store.job_templates.save("leavers", {"description": "", "job": {}})
    template = get(store)
    assert template.definition == {"description": "", "job": {}}
    assert (template.created[11:19], template.modified[11:19]) == ("08:30:00", "08:31:00")


def test_definition_may_be_long(store: Store) -> None:
    store.job_templates.save("leavers", {**DEFINITION, "note": "x" * 100_000})
    assert get(store).definition["note"] == "x" * 100_000


def test_impossible_names_are_refused(store: Store) -> None:
    store.job_templates.save("leavers", DEFINITION)
    with pytest.raises(ConfigError, match="job template 'x ': a name is"):
        store.job_templates.save("x ", DEFINITION)
    with pytest.raises(ConfigError, match="job template '': a name is"):
        store.job_templates.rename("leavers", "")


def test_jobs_follow_a_renamed_job_template(store_with_job: Store) -> None:
    store_with_job.job_templates.save("leavers", DEFINITION)
    store_with_job.jobs.save("people", {**SIDES, "template": "leavers"})
    store_with_job.jobs.save("guests", {**SIDES, "template": "movers"})
    assert store_with_job.job_templates.used_by("leavers") == ["people"]
    store_with_job.job_templates.rename("leavers", "gone")
    assert get(store_with_job, "gone").definition == DEFINITION
    assert store_with_job.job_templates.get("leavers") is None
    assert (template_of(store_with_job, "people"), template_of(store_with_job, "guests")) == ("gone", "movers")
    assert (store_with_job.job_templates.used_by("gone"), store_with_job.job_templates.used_by("leavers")) == (
        ["people"],
        [],
    )


def test_renaming_to_its_own_name_is_fine_and_to_a_taken_one_refused(store: Store) -> None:
    store.job_templates.save("leavers", DEFINITION)
    store.job_templates.save("movers", DEFINITION)
    store.job_templates.rename("leavers", "leavers")
    message = "job template 'leavers': it cannot be renamed, there is already a job template 'movers'"
    with pytest.raises(ConfigError, match=message):
        store.job_templates.rename("leavers", "movers")


def test_jobs_keep_what_they_took_from_a_deleted_job_template(store_with_job: Store) -> None:
    store_with_job.job_templates.save("leavers", DEFINITION)
    store_with_job.jobs.save("people", {**SIDES, "template": "leavers", "missing_at_source": "disable"})
    store_with_job.job_templates.delete("leavers")
    assert store_with_job.job_templates.list() == []
    job = store_with_job.jobs.get("people")
    assert job is not None
    assert job.definition["missing_at_source"] == "disable"


@pytest.mark.parametrize(
    "act", [lambda store: store.job_templates.delete("leaver"), lambda store: store.job_templates.rename("leaver", "x")]
)
def test_unknown_job_template_is_refused_with_the_valid_ones(act: t.Callable[[Store], None], store: Store) -> None:
    store.job_templates.save("leavers", DEFINITION)
    with pytest.raises(ConfigError, match=re.escape("there is no job template 'leaver'. Did you mean 'leavers'?")):
        act(store)


def test_check_mode_keeps_no_job_template(store: Store, open_at: t.Callable[..., Store], path: t.Any) -> None:
    rehearsal = open_at(path, create=False)
    with rehearsal.transaction():
        rehearsal.job_templates.save("leavers", DEFINITION)
        assert get(rehearsal).definition == DEFINITION
    assert store.job_templates.list() == []
