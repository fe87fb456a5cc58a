# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare jobs on a real store: merging, copying, renaming, deleting, what they refer to, and several at once."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, LockedError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import JobSpec, ProviderType
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_job import (
    CompileCheck,
    JobRequest,
    declare_jobs,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_provider import (
    ProviderRequest,
    declare_providers,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._operations.job_templates import (
    TemplateRequest,
    declare_job_templates,
)
from ansible_collections.lockstep.sync.plugins.module_utils._store.jobs import job_lock
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

HERE = Holder(host="here", pid=1, boot_id="b", label="the declaration of a job")
RUN = Holder(host="there", pid=2, boot_id="c", label="a run of job 'j'")
KEY = {"name": "id", "source": "id", "key": True}
JOB: dict[str, t.Any] = {
    "source": {"provider": "hr"},
    "destination": {"provider": "crm", "table": "people"},
    "objects": [{"fields": [KEY]}],
}


def accept(_job: JobSpec, _destination: ProviderType) -> None:
    """Find no fault in any mapping."""


def declare(store: Store, name: str = "j", check_mapping: CompileCheck = accept, **options: t.Any) -> Declared:
    (declared,) = declare_jobs(store, [JobRequest(name=name, **options)], holder=HERE, check_mapping=check_mapping)
    return declared


def start_run(store: Store, name: str = "j") -> None:
    job = store.jobs.get(name)
    assert job is not None
    store.locks.acquire(job_lock(job), holder=RUN, lease_seconds=60)


@pytest.fixture
def store(open_again: Callable[..., Store]) -> Store:
    store = open_again()
    declare_providers(
        store,
        [
            ProviderRequest(name="hr", definition={"csv": {"path": "/hr.csv"}}),
            ProviderRequest(name="crm", definition={"sql": {"url": "sqlite:////crm.db"}}),
            ProviderRequest(name="xls", definition={"excel": {"path": "/a.xlsx"}}),
        ],
    )
    return store


def test_makes_a_job_once(store: Store) -> None:
    first = declare(store, definition={**JOB, "description": None})
    assert (first.changed, first.before, first.after) == (True, None, {"name": "j", **JOB})
    assert first.effective is not None
    assert first.effective["limits"]["deletes"] == "10% above 10"
    second = declare(store, definition=JOB)
    assert (second.changed, second.before, second.after) == (False, first.after, first.after)
    assert second.effective == first.effective


def test_options_not_given_keep_what_is_stored_and_given_ones_replace_it(store: Store) -> None:
    declare(store, definition={**JOB, "owners": ["a"], "limits": {"creates": "5", "deletes": "0"}})
    changed = declare(store, definition={"limits": {"creates": "6", "deletes": None}, "enabled": False})
    assert changed.after == {"name": "j", **JOB, "owners": ["a"], "limits": {"creates": "6"}, "enabled": False}


@pytest.mark.parametrize(
    ("option", "value"), [("owners", []), ("limits", {}), ("description", ""), ("changed_only", {})]
)
def test_an_empty_option_clears_what_is_stored(store: Store, option: str, value: object) -> None:
    stored = {"owners": ["a"], "limits": {"creates": "5"}, "description": "d", "changed_only": {"field": "m"}}
    declare(store, definition={**JOB, **stored})
    changed = declare(store, definition={option: value})
    assert changed.changed
    assert changed.after is not None
    assert option not in changed.after
    assert len(changed.after) == 7


def test_a_whole_definition_keeps_nothing_and_takes_nothing_from_its_template(store: Store) -> None:
    template = {"owners": ["t"], "limits": {"creates": "5"}, "objects": [{"fields": [KEY]}]}
    declare_job_templates(store, [TemplateRequest(name="t", definition=template)])
    declare(store, definition={**JOB, "description": "d", "enabled": False})
    changed = declare(store, definition={**JOB, "template": "t"}, whole=True)
    assert changed.after == {"name": "j", **JOB, "template": "t"}
    assert not declare(store, definition={**JOB, "template": "t"}, whole=True).changed


def test_a_new_job_needs_endpoints_and_objects(store: Store) -> None:
    with pytest.raises(ConfigError, match="job 'j': `destination`, `objects` is missing"):
        declare(store, definition={"source": {"provider": "hr"}})


def test_a_provider_that_does_not_exist_is_named_with_the_job(store: Store) -> None:
    with pytest.raises(ConfigError, match=r"job 'j', source: there is no provider 'hhr'. Did you mean 'hr'"):
        declare(store, definition={**JOB, "source": {"provider": "hhr"}})
    with pytest.raises(
        ConfigError, match=r"job 'j', destination: there is no provider 'ldap'. Valid: 'crm', 'hr', 'xls'"
    ):
        declare(store, definition={**JOB, "destination": {"provider": "ldap"}})


def test_options_must_fit_the_type_of_the_provider(store: Store) -> None:
    with pytest.raises(ConfigError, match="job 'j', object 'row', source: `sheet` does not fit provider 'hr'"):
        declare(store, definition={**JOB, "source": {"provider": "hr", "sheet": "s"}})
    with pytest.raises(ConfigError, match="object 'row', destination: `sheet` is missing; provider 'xls'"):
        declare(store, definition={**JOB, "destination": {"provider": "xls"}})


def test_a_copy_has_everything_but_the_name_and_what_the_task_gives(store: Store) -> None:
    declare(store, definition={**JOB, "owners": ["a"], "missing_at_source": "delete"})
    copied = declare(store, "k", copy_of="j", definition={"owners": ["b"]})
    assert copied.after == {"name": "k", **JOB, "owners": ["b"], "missing_at_source": "delete"}


def test_copy_of_counts_only_while_the_job_does_not_exist(store: Store) -> None:
    declare(store, definition=JOB)
    declare(store, "k", copy_of="j")
    declare(store, definition={"enabled": False})
    assert not declare(store, "k", copy_of="j").changed
    assert not declare(store, "k", copy_of="gone").changed
    with pytest.raises(ConfigError, match=r"job 'l', copy_of: there is no job 'jj'. Did you mean 'j'"):
        declare(store, "l", copy_of="jj")


def test_renaming_can_be_repeated_and_keeps_the_rest(store: Store) -> None:
    declare(store, definition=JOB)
    renamed = declare(store, "j", new_name="k")
    assert (renamed.changed, renamed.before, renamed.after) == (True, {"name": "j", **JOB}, {"name": "k", **JOB})
    assert not declare(store, "j", new_name="k").changed
    assert [job.name for job in store.jobs.list()] == ["k"]
    with pytest.raises(ConfigError, match="neither a job of this name nor one called 'y'"):
        declare(store, "x", new_name="y")


def test_renaming_and_changing_in_one_go(store: Store) -> None:
    declare(store, definition=JOB)
    declare(store, "j", new_name="k", definition={"enabled": False})
    job = store.jobs.get("k")
    assert job is not None
    assert job.definition == {**JOB, "enabled": False}


def test_renaming_onto_another_job_is_refused(store: Store) -> None:
    declare(store, definition=JOB)
    declare(store, "k", definition=JOB)
    with pytest.raises(ConfigError, match="job 'j': it cannot be renamed to 'k', there is a job of that name already"):
        declare(store, "j", new_name="k")
    with pytest.raises(ConfigError, match="`new_name` does not go with `state: absent`"):
        declare(store, "j", new_name="x", state="absent")


def test_deleting_keeps_the_history_and_can_be_repeated(store: Store) -> None:
    declare(store, definition=JOB)
    run = store.runs.start("j", host="h", pid=1, boot_id="b", started="2026-11-21T08:30:00+00:00")
    deleted = declare(store, state="absent")
    assert (deleted.changed, deleted.before, deleted.after) == (True, {"name": "j", **JOB}, None)
    stored = store.runs.get(run)
    assert stored is not None
    assert stored.job == "j"
    assert not declare(store, state="absent").changed


@pytest.mark.parametrize(("options", "done"), [({"state": "absent"}, "deleted"), ({"new_name": "k"}, "renamed")])
def test_a_running_job_is_deleted_or_renamed_only_by_force(store: Store, options: dict[str, t.Any], done: str) -> None:
    declare(store, definition=JOB)
    start_run(store)
    with pytest.raises(
        LockedError, match=f"job 'j': it cannot be {done} now, it is held by a run of job 'j'"
    ) as caught:
        declare(store, **options)
    assert "there" in caught.value.holder
    assert store.jobs.get("j") is not None
    assert declare(store, **options, force=True).changed
    assert store.jobs.get("j") is None


def test_after_renaming_the_job_is_free_again(store: Store) -> None:
    declare(store, definition=JOB)
    declare(store, "j", new_name="k")
    start_run(store, "k")


def test_a_running_job_may_be_changed(store: Store) -> None:
    declare(store, definition=JOB)
    start_run(store)
    assert declare(store, definition={"enabled": False}).changed


def test_the_mapping_is_checked_when_it_may_have_changed_and_nothing_is_kept_when_it_is_wrong(store: Store) -> None:
    checked: list[str] = []

    def refuse(job: JobSpec, destination: ProviderType) -> None:
        checked.append(f"{job.name} to {destination}")
        raise ConfigError(f"job {job.name!r}: bad expression.")

    with pytest.raises(ConfigError, match="bad expression"):
        declare(store, definition=JOB, check_mapping=refuse)
    assert store.jobs.list() == []
    declare(store, definition=JOB)
    assert not declare(store, definition=JOB, check_mapping=refuse).changed
    assert checked == ["j to sql"]


def test_several_are_all_or_none_and_later_ones_may_refer_to_earlier_ones(store: Store) -> None:
    first, second = JobRequest(name="a", definition=JOB), JobRequest(name="b", copy_of="a")
    with pytest.raises(ConfigError, match=r"jobs, entry 3 \('c'\): job 'c': .* Nothing was changed\.$"):
        declare_jobs(store, [first, second, JobRequest(name="c")], holder=HERE, check_mapping=accept)
    assert store.jobs.list() == []
    done = declare_jobs(store, [first, second], holder=HERE, check_mapping=accept)
    assert [(item.name, item.changed) for item in done] == [("a", True), ("b", True)]


def test_check_mode_says_the_same_and_keeps_nothing(store: Store, open_again: Callable[..., Store]) -> None:
    planned = declare(open_again(create=False), definition=JOB)
    assert store.jobs.list() == []
    assert declare(store, definition=JOB) == planned


def test_a_circular_flow_is_told_with_the_job_that_closes_it(store: Store) -> None:
    mail = {"name": "mail", "source": "mail"}
    forth = {**JOB, "objects": [{"fields": [KEY, mail]}]}
    back = {
        "source": {"provider": "crm", "table": "people"},
        "destination": {"provider": "hr"},
        "objects": [{"fields": [KEY, mail]}],
    }
    assert declare(store, "forth", definition=forth).warnings == ()
    (warning,) = declare(store, "back", definition=back).warnings
    assert "job 'back', object 'row', field 'mail' -> job 'forth', object 'row', field 'mail'" in warning
    assert declare(store, "back", definition=back).warnings == (warning,)
    assert declare(store, "back", definition={"allow_circular": True}).warnings == ()


def test_several_jobs_tell_a_circular_flow_between_them_once(store: Store) -> None:
    mail = {"name": "mail", "source": "mail"}
    forth = JobRequest(name="forth", definition={**JOB, "objects": [{"fields": [KEY, mail]}]})
    back = JobRequest(
        name="back",
        definition={
            "source": {"provider": "crm", "table": "people"},
            "destination": {"provider": "hr"},
            "objects": [{"fields": [KEY, mail]}],
        },
    )
    done = declare_jobs(store, [forth, back], holder=HERE, check_mapping=accept)
    assert sum(len(item.warnings) for item in done) == 1


# -- directories --------------------------------------------------------------------------------------------------


def directory(name: str, url: str | list[str], **options: t.Any) -> ProviderRequest:
    return ProviderRequest(name=name, definition={"ldap": {"url": url, "auth": "anonymous", **options}})


def domain(name: str, url: str, **options: t.Any) -> ProviderRequest:
    return ProviderRequest(name=name, definition={"active_directory": {"url": url, "username": "a@x", **options}})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (directory("d", "ldap://Dir:389", base_dn="dc=x"), directory("e", "ldaps://dir", base_dn="DC=X"), True),
        (directory("d", ["ldap://dir", "ldap://b"]), directory("e", "ldap://dir"), True),
        (domain("d", "ldaps://dc"), directory("e", "ldap://dc"), True),
        (directory("d", "ldapi://%2Frun%2Fa"), directory("e", "ldapi://%2Frun%2Fa"), True),
        (directory("d", "ldapi://%2Frun%2Fa"), directory("e", "ldapi://%2Frun%2Fb"), False),
        (directory("d", "ldap://dir", base_dn="dc=x"), directory("e", "ldap://dir", base_dn="dc=y"), False),
        (directory("d", "ldap://dir"), directory("e", "ldap://other"), False),
    ],
)
def test_directories_are_the_same_system_by_host_and_base(
    store: Store, one: ProviderRequest, other: ProviderRequest, same: bool
) -> None:
    declare_providers(store, [one, other])
    fields = [KEY, {"name": "mail", "source": "mail"}]
    forth = {"source": {"provider": "hr"}, "destination": {"provider": "d"}, "objects": [{"fields": fields}]}
    back = {"source": {"provider": "e"}, "destination": {"provider": "hr"}, "objects": [{"fields": fields}]}
    declare(store, "forth", definition=forth)
    assert len(declare(store, "back", definition=back).warnings) == same


def test_options_of_directories_are_checked_against_both_providers(store: Store) -> None:
    declare_providers(store, [domain("ad", "ldaps://dc")])
    leavers = {"missing_at_source": "disable"}
    with pytest.raises(ConfigError, match="`missing_at_source: disable` needs a directory as destination"):
        declare(store, definition={**JOB, **leavers})
    job = {**JOB, **leavers, "destination": {"provider": "ad"}, "on_disable": {"move_to": " OU=Gone , DC=x"}}
    made = declare(store, definition=job)
    assert made.after is not None
    assert made.after["on_disable"] == {"move_to": "OU=Gone,DC=x"}
    assert not declare(store, definition=job).changed
    with pytest.raises(ConfigError, match="a new user needs 'cn', 'sAMAccountName'"):
        declare(store, definition={"missing_at_destination": "create"})


def test_a_provider_does_not_become_a_table_while_a_job_needs_a_directory(store: Store) -> None:
    declare_providers(store, [domain("ad", "ldaps://dc")])
    declare(store, definition={**JOB, "missing_at_source": "disable", "destination": {"provider": "ad"}})
    with pytest.raises(
        ConfigError, match=r"'ad' cannot become csv, because a job that uses it does not fit: .*disable"
    ):
        declare_providers(store, [ProviderRequest(name="ad", definition={"csv": {"path": "/a.csv"}})])
