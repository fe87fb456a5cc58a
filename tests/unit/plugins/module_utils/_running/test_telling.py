# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that tell people how they ended, through a real mail server."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.notifications import (
    notification_definition,
    parse_notification,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.schedules import parse_schedule, schedule_definition
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._running.collections import run_collection
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran, run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.due import run_schedule
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest
from ansible_collections.lockstep.sync.plugins.module_utils._running.telling import deliver_waiting
from servers.mails import MailServer
from support.worlds import World, warnings

COUNTS = "(2 created, 1 updated, 1 deleted, 0 errors)"


def notification(world: World, server: MailServer, name: str = "ops", **options: t.Any) -> None:
    """Declare a notification that is sent for every run, unless `options` say otherwise."""
    given = {"enabled": True, "recipients": ["ann@example.com"], "smtp": server.smtp(), **options}
    definition = notification_definition(parse_notification(name, given))
    world.store.notifications.save(name, definition, {"password": Secret(MailServer.password)})


def subjects(server: MailServer) -> list[str]:
    return [str(mail.message["Subject"]) for mail in server.mails]


def test_a_run_tells_with_its_numbers_its_changes_and_its_log(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server)
    world.job(notification="ops", limits={"deletes": "100%"})
    ran = world.run()
    assert (ran.result.status, warnings(ran)) == ("succeeded", [])
    (mail,) = mail_server.mails
    assert subjects(mail_server) == [f"[lockstep] Job 'j': succeeded {COUNTS}, run 1"]
    assert mail.text.splitlines()[0] == ran.result.message
    assert "created              2" in mail.text
    assert "people,create,1" in mail.attachment("run-1-changes.csv")
    assert mail.attachment("run-1-changes.csv").count("\n") > 4
    assert "run 1 of job 'j' started on sync01" in mail.attachment("run-1-log.txt")
    assert "people" in mail.attachment("run-1-statistics.csv")
    assert MailServer.password in world.protected


def test_previews_explanations_and_runs_that_were_skipped_tell_nobody(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server)
    world.job(notification="ops")
    world.preview()
    world.run(explain="1")
    world.job(notification="ops", enabled=False)
    assert world.run().result.status == "skipped"
    assert mail_server.mails == []
    assert world.count_rows()["lockstep_messages"] == 0


def test_a_run_without_changes_is_not_told_when_only_updates_are(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server, send="updated")
    world.job(notification="ops", limits={"deletes": "100%"})
    world.run()
    world.run()
    assert subjects(mail_server) == [f"[lockstep] Job 'j': succeeded {COUNTS}, run 1"]


def test_a_job_overrides_who_is_told_and_when(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server, send="failed")
    world.job(notification="ops", notify={"recipients": ["bob@example.com"], "send": "always"})
    world.run()
    assert mail_server.mails[0].to == ["bob@example.com"]


def test_a_failed_run_is_told_with_its_reason(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server, send="failed")
    world.job(notification="ops")
    world.run()
    world.source.unlink()
    ran = world.run()
    assert ran.result.status == "failed"
    (mail,) = mail_server.mails
    assert "Job 'j': failed" in subjects(mail_server)[0]
    assert str(world.source) in mail.text


def test_a_mail_that_does_not_go_never_makes_a_run_fail(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server)
    world.job(notification="ops", limits={"deletes": "100%"})
    mail_server.stop()
    ran = world.run()
    assert (ran.result.status, ran.failure_code) == ("succeeded", "")
    (warning,) = warnings(ran)
    assert warning.startswith("the mail about run 1 was not delivered: mail server 127.0.0.1:")
    log_file = (world.runs / "1" / "run.log").read_text(encoding="utf-8")
    assert warning in log_file
    stored = world.store.runs.get(1)
    assert stored is not None
    assert warning in [line.message for line in stored.log]

    mail_server.start()
    assert warnings(world.run()) == []
    assert sorted(subject.rpartition(" ")[2] for subject in subjects(mail_server)) == ["1", "2"]


def test_the_run_has_let_go_of_its_lock_when_the_mail_is_sent(
    world: World, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification(world, mail_server)
    world.job(notification="ops")
    held: list[int] = []
    claim = world.store.outbox.claim

    def look(**options: t.Any) -> t.Any:
        held.append(world.count_rows()["lockstep_locks"])
        return claim(**options)

    monkeypatch.setattr(world.store.outbox, "claim", look)
    world.run()
    assert set(held) == {0}


def test_a_notification_that_reaches_nobody_is_a_warning_of_the_run(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server, recipients=[])
    world.job(notification="ops")
    ran = world.run()
    assert ran.result.status == "succeeded"
    assert "notification 'ops' has no recipients" in warnings(ran)[0]
    assert "has no recipients" in (world.runs / "1" / "run.log").read_text(encoding="utf-8")


def test_an_outbox_that_cannot_be_read_is_a_warning_of_the_run(
    world: World, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification(world, mail_server)
    world.job(notification="ops")

    def fail(*_arguments: object, **_options: object) -> t.NoReturn:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(world.store.outbox, "claim", fail)
    monkeypatch.setattr(world.store.runs, "replace_log", fail)
    ran = world.run()
    assert ran.result.status == "succeeded"
    assert warnings(ran) == [
        "mails that are due could not be sent: the disk is gone",
        "the log in the history lacks what became of mails: the disk is gone",
    ]


def test_no_secret_that_the_run_resolved_is_in_its_mail(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server)
    world.environ["HR_PASSWORD"] = "Engineering"
    secret = SecretReference(kind="env", name="HR_PASSWORD")
    world.provider("hr", "csv", secrets={"password": secret}, path=str(world.source))
    world.write("1,Ann,Engineering")
    world.job(notification="ops", limits={"deletes": "100%"})
    world.run()
    (mail,) = mail_server.mails
    assert "********" in mail.attachment("changes.csv")
    assert "Engineering" not in mail.message.as_string() + mail.attachment("changes.csv")


def test_an_interrupted_run_is_told_by_the_next_one(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server, send="failed")
    world.job(notification="ops")
    world.store.runs.start(
        "j", host="sync01", pid=99, boot_id="boot", started="2026-11-21T02:00:00+00:00", requester=""
    )
    ran = world.run()
    assert ran.result.status == "succeeded"
    (mail,) = mail_server.mails
    assert "Job 'j': interrupted" in subjects(mail_server)[0]
    assert mail.text.startswith("Run 1 of job 'j' was interrupted")


def test_an_undo_and_a_resumed_run_are_told_as_what_they_are(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server)
    world.job(notification="ops", limits={"deletes": "100%"})
    world.run()
    world.run("", undo=1)
    assert subjects(mail_server)[1].startswith("[lockstep] The undo of run 1 of job 'j': succeeded")


# -- collections


def collect(world: World, **options: t.Any) -> Ran:
    world.store.collections.save("all", {"jobs": [{"job": "j"}], **options})
    return run_collection(RunRequest(collection="all"), world.store, world.runtime)


def test_a_collection_tells_as_a_whole_and_its_jobs_do_not(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server)
    notification(world, mail_server, "of-all", recipients=["all@example.com"])
    world.job(notification="ops", limits={"deletes": "100%"})
    assert collect(world).result.status == "succeeded"
    assert mail_server.mails == []
    world.sql("DELETE FROM people")
    ran = collect(world, notification="of-all")
    assert ran.result.id is not None
    (mail,) = mail_server.mails
    assert mail.to == ["all@example.com"]
    assert subjects(mail_server)[0].startswith("[lockstep] Job collection 'all': succeeded (3 created,")
    assert "j: " not in mail.text.splitlines()[0]
    assert "j,3," in mail.attachment("statistics.csv")


def test_errors_of_its_jobs_are_in_the_mail_of_a_collection(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server, send="errors")
    world.write("1,Ann,E", ",Nobody,F")
    world.job(limits={"deletes": "100%"})
    collect(world, notification="ops")
    (mail,) = mail_server.mails
    assert "Error: people" in mail.text


def test_a_collection_whose_mail_does_not_go_has_a_warning(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server)
    world.job()
    mail_server.stop()
    ran = collect(world, notification="ops")
    assert ran.result.status in ("succeeded", "held")
    assert "was not delivered: mail server" in warnings(ran)[0]
    assert collect(world, enabled=False, notification="ops").result.status == "skipped"


def schedule(world: World, **options: t.Any) -> None:
    """Declare a schedule that runs the jobs `j` and `k` and names the notification `ops`."""
    trigger = {"type": "daily", "at": "2026-01-01T00:00:00"}
    definition = {"jobs": ["j", "k"], "triggers": [trigger], "notification": "ops", **options}
    world.store.schedules.save("nightly", schedule_definition(parse_schedule("nightly", definition)))


def test_a_schedule_tells_of_all_that_it_ran_in_one_mail(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server)
    world.job("j", missing_at_source="skip")
    world.job("k", missing_at_source="skip", missing_at_destination="skip")
    schedule(world)
    runners: t.Any = {"job": run_job, "collection": run_collection}
    assert mail_server.mails == []
    ticked = run_schedule("nightly", RunRequest(), world.store, world.runtime, runners=runners)
    assert (len(ticked.runs), ticked.warnings) == (2, [])
    assert deliver_waiting(world.store, world.runtime) == []
    (mail,) = mail_server.mails
    assert subjects(mail_server) == [
        "[lockstep] Schedule 'nightly': succeeded (2 created, 1 updated, 0 deleted, 0 errors)"
    ]
    assert mail.text.splitlines()[0] == "Schedule 'nightly': job 'j' succeeded; job 'k' succeeded."
    assert "j: 2 created, 1 updated, 0 deleted, 0 errors" in mail.text
    assert "run 2 of job 'k' started on sync01" in mail.attachment("log.txt")


def test_a_schedule_whose_target_cannot_be_run_tells_that(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server, send="failed")
    world.job("j")
    world.job("k", objects=[{"name": "people", "fields": [{"name": "nowhere", "source": "id", "key": True}]}])
    schedule(world)
    runners: t.Any = {"job": run_job, "collection": run_collection}
    run_schedule("nightly", RunRequest(preview=True), world.store, world.runtime, runners=runners)
    run_schedule("nightly", RunRequest(), world.store, world.runtime, runners=runners)
    deliver_waiting(world.store, world.runtime)
    assert ["Schedule 'nightly': failed" in subject for subject in subjects(mail_server)] == [True]


def test_a_schedule_without_recipients_warns(world: World, mail_server: MailServer) -> None:
    notification(world, mail_server, recipients=[])
    world.job("j")
    world.job("k")
    schedule(world)
    runners: t.Any = {"job": run_job, "collection": run_collection}
    ticked = run_schedule("nightly", RunRequest(), world.store, world.runtime, runners=runners)
    assert ticked.warnings == [
        "Schedule 'nightly': nobody was told: notification 'ops' has no recipients. Give some, or disable it."
    ]
