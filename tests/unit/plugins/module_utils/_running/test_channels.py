# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that tell other channels than mail how they ended, through apprise and a real web server."""

from __future__ import annotations

import datetime as dt
import sys
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import MASK, Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._operations.notifications import (
    NotificationRequest,
    declare_notifications,
    list_notifications,
)
from ansible_collections.lockstep.sync.plugins.module_utils._running.telling import deliver_waiting, post_of
from servers.channels import ChannelServer
from servers.mails import MailServer
from support.worlds import World, warnings

TITLE = "[lockstep] Job 'j': succeeded (2 created, 1 updated, 1 deleted, 0 errors), run 1"


def declare(world: World, urls: str | SecretReference | None, **options: t.Any) -> Declared:
    secret = Secret(urls) if isinstance(urls, str) else urls
    password = options.pop("password", None)
    request = NotificationRequest(name="ops", definition={"enabled": True, **options}, urls=secret, password=password)
    return declare_notifications(world.store, [request])[0]


def outbox(world: World) -> list[dict[str, t.Any]]:
    return t.cast("list[dict[str, t.Any]]", list_notifications(world.store, "ops")[0]["outbox"])


def test_channels_get_subject_and_numbers_without_any_mail_server(world: World, channel_server: ChannelServer) -> None:
    urls = f"# the chats\n{channel_server.url('ops')}\n\n{channel_server.url('hr')}\n"
    declared = declare(world, urls)
    assert declared.effective is not None
    assert declared.effective["apprise"] == {"urls": MASK}
    assert "smtp" not in declared.effective
    assert declare(world, urls).changed is False
    assert declare(world, None).changed is False
    world.job(notification="ops", limits={"deletes": "100%"})
    ran = world.run()
    assert warnings(ran) == []
    assert [len(channel_server.told[path]) for path in ("ops", "hr")] == [1, 1]
    message = channel_server.told["ops"][0]
    assert message["title"] == TITLE
    assert message["message"].splitlines()[0] == ran.result.message
    assert outbox(world) == []
    assert channel_server.url("ops") in world.protected


def test_a_channel_that_does_not_answer_is_told_later_and_the_others_once(
    world: World, channel_server: ChannelServer
) -> None:
    declare(world, f"{channel_server.url('ops')}\n{channel_server.url('hr')}")
    world.job(notification="ops", limits={"deletes": "100%"})
    channel_server.refusing.add("hr")
    ran = world.run()
    assert ran.result.status == "succeeded"
    (warning,) = warnings(ran)
    assert warning.startswith("the mail about run 1 was not delivered: channel 2 (json) did not take it.")
    assert channel_server.url("hr") not in warning
    (waiting,) = outbox(world)
    assert [(each["address"], each["status"]) for each in waiting["recipients"]] == [
        ("channel 1", "sent"),
        ("channel 2", "waiting"),
    ]
    channel_server.refusing.clear()
    world.now += dt.timedelta(minutes=5)
    assert deliver_waiting(world.store, world.runtime) == []
    assert [len(channel_server.told[path]) for path in ("ops", "hr")] == [1, 1]
    assert outbox(world) == []


def test_people_and_channels_are_told_of_one_run(
    world: World, channel_server: ChannelServer, mail_server: MailServer
) -> None:
    options = {"recipients": ["ann@example.com"], "smtp": mail_server.smtp(), "password": Secret(MailServer.password)}
    world.environ["CHANNELS"] = channel_server.url("ops")
    declared = declare(world, SecretReference(kind="env", name="CHANNELS"), **options)
    assert declared.effective is not None
    assert declared.effective["apprise"] == {"urls_from": {"env": "CHANNELS"}}
    assert declared.effective["smtp"]["password"] == MASK
    world.job(notification="ops", limits={"deletes": "100%"})
    mail_server.stop()
    assert "the mail about run 1 was not delivered: mail server" in warnings(world.run())[0]
    assert [message["title"] for message in channel_server.told["ops"]] == [TITLE]
    mail_server.start()
    world.now += dt.timedelta(minutes=5)
    assert deliver_waiting(world.store, world.runtime) == []
    assert [mail.to for mail in mail_server.mails] == [["ann@example.com"]]
    assert len(channel_server.told["ops"]) == 1


def test_addresses_that_cannot_be_had_wait_and_say_why(world: World, channel_server: ChannelServer) -> None:
    declare(world, SecretReference(kind="env", name="CHANNELS"))
    world.job(notification="ops", limits={"deletes": "100%"})
    assert "the environment variable CHANNELS is not set" in warnings(world.run())[0]
    world.environ["CHANNELS"] = channel_server.url("ops")
    world.now += dt.timedelta(minutes=5)
    assert deliver_waiting(world.store, world.runtime) == []
    assert len(channel_server.told["ops"]) == 1


def test_a_channel_that_was_taken_out_meanwhile_is_told_no_more(world: World, channel_server: ChannelServer) -> None:
    declare(world, f"{channel_server.url('ops')}\n{channel_server.url('hr')}")
    world.job(notification="ops", limits={"deletes": "100%"})
    channel_server.refusing |= {"ops", "hr"}
    world.run()
    declare(world, channel_server.url("ops"))
    channel_server.refusing.clear()
    world.now += dt.timedelta(minutes=5)
    (warning,) = deliver_waiting(world.store, world.runtime)
    assert "was delivered in part only: channel 2: it is not declared any more" in warning
    assert list(channel_server.told) == ["ops"]


@pytest.mark.parametrize("urls", ["nonsense://x", "no address at all", "xoxb-0123456789-token"])
def test_an_address_that_nobody_understands_is_named_by_its_line(world: World, urls: str) -> None:
    declare(world, urls)
    world.job(notification="ops", limits={"deletes": "100%"})
    (warning,) = warnings(world.run())
    assert "apprise: line 1 of the addresses" in warning
    assert "is none that apprise understands" in warning
    assert urls not in warning
    assert urls.split("://", maxsplit=1)[0] not in warning
    assert urls not in repr(world.store.outbox.find(1))


def test_without_the_library_it_is_said_what_to_install(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    declare(world, "json://127.0.0.1/ops")
    world.job(notification="ops", limits={"deletes": "100%"})
    (warning,) = warnings(world.run())
    assert "pip install apprise" in warning
    assert outbox(world)[0]["status"] == "queued"


def test_people_get_their_mail_whatever_is_wrong_with_channels(world: World, mail_server: MailServer) -> None:
    declare(world, "nonsense://x", recipients=["ann@example.com"], smtp=mail_server.smtp("none"))
    world.job(notification="ops", limits={"deletes": "100%"})
    assert "is none that apprise understands" in warnings(world.run())[0]
    assert [mail.to for mail in mail_server.mails] == [["ann@example.com"]]


def test_a_test_tries_every_channel(world: World, channel_server: ChannelServer) -> None:
    declare(world, f"{channel_server.url('ops')}\n{channel_server.url('hr')}")
    channel_server.refusing.add("hr")
    (found,) = list_notifications(world.store, "ops", test=post_of(world.runtime))
    assert found["test"]["channels"] == [
        {"channel": "channel 1", "told": True},
        {"channel": "channel 2", "told": False},
    ]
    assert found["test"]["error"]["message"] == "channel 2 (json) did not take it."
    assert "reached" not in found["test"]
    (found,) = list_notifications(world.store, "ops", test=post_of(world.runtime), send=False)
    assert found["test"] == {}


def test_an_empty_text_takes_the_channels_out_and_something_must_stay(
    world: World, mail_server: MailServer, channel_server: ChannelServer
) -> None:
    declare(world, channel_server.url("ops"))
    with pytest.raises(
        ConfigError, match=r"`smtp` is missing\. Give the mail server, .* or other channels with `apprise`"
    ):
        declare(world, "")
    declared = declare(world, "", smtp=mail_server.smtp("none"), recipients=["ann@example.com"])
    assert declared.effective is not None
    assert "apprise" not in declared.effective
    with pytest.raises(ConfigError, match="a password without `username` is used by nobody"):
        declare(world, channel_server.url("ops"), password=Secret("whatever"))


def test_a_mail_whose_server_was_taken_out_is_given_up(
    world: World, mail_server: MailServer, channel_server: ChannelServer
) -> None:
    declare(world, channel_server.url("ops"), smtp=mail_server.smtp("none"), recipients=["ann@example.com"])
    world.job(notification="ops", limits={"deletes": "100%"})
    mail_server.stop()
    world.run()
    stored = world.store.notifications.get("ops")
    assert stored is not None
    definition = {option: value for option, value in stored.definition.items() if option != "smtp"}
    world.store.notifications.save("ops", definition, stored.secrets)
    world.now += dt.timedelta(minutes=5)
    (warning,) = deliver_waiting(world.store, world.runtime)
    assert "ann@example.com: the notification has no mail server any more" in warning
