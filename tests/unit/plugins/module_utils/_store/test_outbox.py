# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outbox and the notifications in the store."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.mails import Delivery, Mail, Recipient
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._store import outbox as outbox_module
from ansible_collections.lockstep.sync.plugins.module_utils._store.outbox import StoredMail
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store
from ansible_collections.lockstep.sync.plugins.module_utils._store.vault import StoredSecret

if t.TYPE_CHECKING:
    from .conftest import SetClock

MAIL = Mail(subject="news", recipients=("ann@x.test", "bob@x.test"), content="Subject: news\r\n\r\nhello\r\n")
DEFINITION = {"enabled": True, "smtp": {"host": "mail", "sender": "a@b.c"}}


@pytest.fixture
def number(store: Store) -> int:
    """The number of the notification `ops`."""
    return add_notification(store)


def add_notification(store: Store, name: str = "ops", secret: t.Any = None) -> int:
    store.notifications.save(name, DEFINITION, {} if secret is None else {"password": secret})
    found = store.notifications.get(name)
    assert found is not None
    return found.id


def claim(store: Store, **options: t.Any) -> StoredMail:
    mail = store.outbox.claim(**options)
    assert mail is not None
    return mail


def sent(*addresses: str, fault: str = "") -> Delivery:
    answers = {each: Recipient(address=each, status="sent", answer="250 ok") for each in addresses}
    return Delivery(answers=answers, server="250 ok", fault=fault)


AWAY = Delivery(answers={}, fault="nobody there", unreachable=True)


# -- notifications


def test_a_password_is_encrypted_for_its_place(store: Store) -> None:
    add_notification(store, secret=Secret("s3cr3t-words"))
    found = store.notifications.get("ops")
    assert found is not None
    secret = found.secrets["password"]
    assert isinstance(secret, StoredSecret)
    assert secret.reveal() == Secret("s3cr3t-words")
    with store._session.read() as connection:
        value = connection.exec_driver_sql("SELECT value FROM lockstep_notification_secrets").scalar_one()
    assert "s3cr3t" not in value


def test_a_token_of_a_provider_cannot_be_read_at_a_notification(store: Store) -> None:
    store.providers.save(ProviderSpec(name="hr", type="sql", options={}), {"password": Secret("of-provider")})
    add_notification(store, secret=Secret("of-notification"))
    with store._session.write() as connection:
        connection.exec_driver_sql(
            "UPDATE lockstep_notification_secrets SET value = (SELECT value FROM lockstep_provider_secrets)"
        )
    found = store.notifications.get("ops")
    assert found is not None
    with pytest.raises(StoreError, match="notification 'ops', option password: the secret cannot be decrypted"):
        t.cast("StoredSecret", found.secrets["password"]).reveal()


def test_a_lost_key_names_owners_of_both_nouns(store: Store, path: Path) -> None:
    store.providers.save(ProviderSpec(name="hr", type="sql", options={}), {"password": Secret("of-provider")})
    add_notification(store, secret=Secret("of-notification"))
    path.with_name("state.key").unlink()
    with pytest.raises(StoreError, match=r"Encrypted secrets have: provider 'hr', notification 'ops'\."):
        add_notification(store, "other", Secret("another"))
    with pytest.raises(StoreError, match="notification 'ops'"):
        store.providers.save(ProviderSpec(name="new", type="sql", options={}), {"password": Secret("another")})


def test_a_secret_that_stays_needs_no_key_and_one_that_is_moved_does(store: Store, path: Path) -> None:
    add_notification(store, secret=Secret("s3cr3t-words"))
    kept = store.notifications.get("ops")
    assert kept is not None
    store.notifications.save("other", DEFINITION, kept.secrets)
    path.with_name("state.key").unlink()
    store.notifications.save("ops", {**DEFINITION, "enabled": False}, kept.secrets)
    with pytest.raises(StoreError, match="does not exist"):
        store.notifications.save("third", DEFINITION, kept.secrets)


def test_references_and_short_literals(store: Store) -> None:
    reference = SecretReference(kind="env", name="MAIL_PASSWORD")
    add_notification(store, secret=reference)
    found = store.notifications.get("ops")
    assert found is not None
    assert found.secrets == {"password": reference}
    with pytest.raises(ConfigError, match="notification 'ops', option password: a literal secret must have at least 4"):
        add_notification(store, secret=Secret("abc"))


def test_users_follow_a_renaming_and_lose_what_is_deleted(store_with_job: Store) -> None:
    store = store_with_job
    add_notification(store)
    add_notification(store, "other")
    job = store.jobs.get("people")
    assert job is not None
    store.jobs.save("people", {**job.definition, "notification": "ops", "notify": {"send": "failed"}})
    store.jobs.save("rooms", {**job.definition, "notification": "other"})
    store.collections.save("all", {"jobs": [{"job": "people"}], "notification": "ops"})
    assert store.notifications.used_by("ops") == ["job 'people'", "job collection 'all'"]
    store.notifications.rename("ops", "operators")
    assert store.notifications.used_by("operators") == ["job 'people'", "job collection 'all'"]
    store.notifications.delete("operators")
    people, rooms, collection = store.jobs.get("people"), store.jobs.get("rooms"), store.collections.get("all")
    assert people is not None
    assert rooms is not None
    assert collection is not None
    assert {"notification", "notify"} & set(people.definition) == set()
    assert rooms.definition["notification"] == "other"
    assert collection.definition == {"jobs": [{"job": "people"}]}
    assert [each.name for each in store.notifications.list()] == ["other"]


# -- the outbox


def test_a_mail_is_claimed_once_sent_and_forgotten(store: Store, clock: SetClock, number: int) -> None:
    made = store.outbox.add(number, 7, MAIL)
    mail = claim(store)
    assert (mail.id, mail.run_id, mail.content, mail.attempts) == (made, 7, MAIL.content, 1)
    assert store.outbox.claim() is None
    after = store.outbox.settle(mail, sent("ann@x.test", "bob@x.test"))
    assert (after.status, after.error, after.next_try) == ("sent", "", None)
    stored = store.outbox.get(mail.id)
    assert stored == after
    assert after.content == ""
    assert store.outbox.find(number) == []
    clock.advance(31 * 86400)
    store.outbox.add(number, 8, MAIL)
    assert store.outbox.get(mail.id) is None


def test_a_mail_that_does_not_go_is_tried_again_more_and_more_rarely_and_given_up(
    store: Store, clock: SetClock, number: int
) -> None:
    store.outbox.add(number, 1, MAIL)
    waits = []
    while True:
        after = store.outbox.settle(claim(store), AWAY)
        if after.next_try is None:
            break
        wait = (type(clock.now).fromisoformat(after.next_try) - clock.now).total_seconds()
        waits.append(wait)
        clock.advance(wait - 1)
        assert store.outbox.claim() is None
        clock.advance(1)
    assert waits[:6] == [60, 300, 900, 3600, 14400, 14400]
    assert sum(waits) == 2 * 86400
    assert (after.status, after.content) == ("failed", "")
    assert after.error == "nobody there; given up after 2 days"
    assert [each.status for each in store.outbox.find(number)] == ["failed"]


def test_only_who_still_waits_is_tried_again(store: Store, clock: SetClock, number: int) -> None:
    store.outbox.add(number, 1, MAIL)
    first = store.outbox.settle(claim(store), sent("ann@x.test", fault="bob@x.test: 451 later"))
    assert [each.status for each in first.recipients] == ["sent", "waiting"]
    assert (first.status, first.error) == ("queued", "bob@x.test: 451 later")
    clock.advance(60)
    refused = Recipient(address="bob@x.test", status="refused", answer="550 no such user")
    last = store.outbox.settle(claim(store), Delivery(answers={"bob@x.test": refused}))
    assert (last.status, last.error) == ("partly_sent", "bob@x.test: 550 no such user")


def test_a_mail_that_all_refuse_has_failed_at_once(store: Store, number: int) -> None:
    store.outbox.add(number, 1, MAIL)
    refused = {each: Recipient(address=each, status="refused", answer="550 no") for each in MAIL.recipients}
    after = store.outbox.settle(claim(store), Delivery(answers=t.cast("t.Any", refused)))
    assert (after.status, after.error) == ("failed", "ann@x.test: 550 no; bob@x.test: 550 no")


def test_a_claim_ends_after_fifteen_minutes_and_whoever_lost_it_notes_nothing(
    store: Store, clock: SetClock, number: int
) -> None:
    store.outbox.add(number, 1, MAIL)
    lost = claim(store)
    clock.advance(15 * 60 - 1)
    assert store.outbox.claim() is None
    clock.advance(1)
    mine = claim(store)
    assert (mine.id, mine.attempts) == (lost.id, 2)
    store.outbox.settle(lost, AWAY)
    stored = store.outbox.get(mine.id)
    assert stored is not None
    assert stored.error == ""
    store.outbox.settle(mine, sent("ann@x.test", "bob@x.test"))
    stored = store.outbox.get(mine.id)
    assert stored is not None
    assert stored.status == "sent"


def test_a_claim_can_leave_out_and_can_take_what_is_not_due(store: Store, number: int) -> None:
    other = add_notification(store, "other")
    store.outbox.add(number, 1, MAIL)
    store.outbox.settle(claim(store), AWAY)
    theirs = store.outbox.add(other, 2, MAIL)
    assert store.outbox.claim(without=[other]) is None
    assert store.outbox.claim(tried=[theirs or 0]) is None
    assert claim(store, of=number).notification_id == number
    assert store.outbox.claim(of=number) is None
    assert claim(store).id == theirs


def test_a_server_that_is_away_for_long_does_not_fill_the_store(
    store: Store, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MOST_QUEUED", 2)
    assert [store.outbox.add(number, run, MAIL) is None for run in (1, 2, 3)] == [False, False, True]
    store.outbox.settle(claim(store), sent("ann@x.test", "bob@x.test"))
    assert store.outbox.add(number, 4, MAIL) is not None


def test_mails_go_with_their_notification(store: Store, number: int) -> None:
    made = store.outbox.add(number, 1, MAIL)
    store.notifications.delete("ops")
    assert store.outbox.get(made or 0) is None


def test_a_mail_and_the_history_it_tells_of_are_kept_together_or_not_at_all(store: Store, number: int) -> None:
    def fail_later() -> None:
        with store.transaction():
            store.outbox.add(number, 1, MAIL)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_later()
    assert store.outbox.claim() is None


def test_two_processes_never_have_the_same_mail(open_at: Callable[..., Store], path: Path) -> None:
    stores = [open_at(path) for _process in range(4)]
    number = add_notification(stores[0])
    for run in range(20):
        stores[0].outbox.add(number, run, MAIL)
    taken: list[int] = []

    def take(store: Store) -> None:
        while (mail := store.outbox.claim()) is not None:
            taken.append(mail.id)

    threads = [threading.Thread(target=take, args=(each,)) for each in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 20
