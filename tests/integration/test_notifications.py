# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications from playbooks, as people use them: declared, tried, sent, and waiting for a server that is away."""

from __future__ import annotations

import re
import typing as t

import yaml
from integration.harness import ROOT, Workplace, fields, job, run, task
from servers.channels import ChannelServer
from servers.mails import MailServer

GUIDE = ROOT / "docs" / "guides" / "notifications.md"
Options = dict[str, t.Any]


def declare(place: Workplace) -> None:
    """Declare the job `people` from one CSV file to another; one is new, one has another name, one is gone."""
    source = place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    target = place.write_csv("table.csv", ["id", "name"], [(2, "Rob"), (9, "Gone")])
    providers = [{"name": "hr", "csv": {"path": str(source)}}, {"name": "table", "csv": {"path": str(target)}}]
    place.declare(providers, [job("people", "hr", "table", fields("id", "name"))])


def test_a_mail_tells_of_a_run_and_waits_for_a_server_that_is_away(
    place: Workplace, mail_server: MailServer, channel_server: ChannelServer
) -> None:
    declare(place)
    smtp = mail_server.smtp(password=MailServer.password)
    told: Options = {"name": "ops", "enabled": True, "recipients": ["Ann <ann@example.com>"], "send": "updated"}
    done = place.play(
        "-vvv",
        planned=task("notification", **told, smtp=smtp, check=True, diff=True),
        made=task("notification", **told, smtp=smtp, diff=True),
        again=task("notification", **told, smtp=smtp),
        several=task("notification", notifications=[{"name": "old", "state": "absent"}]),
        unreadable=task("notification_info", store="nonsense", may_fail=True),
        wrong=task("job", name="people", notification="opps", may_fail=True),
        job=task("job", name="people", notification="ops"),
        kept=task("notification", name="ops", state="absent", may_fail=True),
        tried=task("notification_info", name="ops", test=True),
        preview=run("people", check=True),
        first=run("people"),
        second=run("people"),
        left=task("notification_info", name="ops"),
        chat=task("notification", name="chat", apprise={"urls": channel_server.url("ops")}),
        chatted=task("notification_info", name="chat", test=True),
    )
    assert done["chat"]["notification"]["apprise"] == {"urls": "********"}
    assert done["chatted"]["notifications"][0]["test"] == {"channels": [{"channel": "channel 1", "told": True}]}
    assert channel_server.told["ops"][0]["title"] == "[lockstep] Test of notification 'chat'"
    assert channel_server.url("ops") not in done.output
    assert (done["made"]["changed"], done["again"]["changed"]) == (True, False)
    assert done["several"]["notifications"] == [{"name": "old", "state": "absent", "changed": False}]
    assert done["unreadable"]["error"]["code"] == "config"
    assert done["planned"]["diff"] == done["made"]["diff"]
    assert "there is no notification 'opps'. Did you mean 'ops'?" in done["wrong"]["msg"]
    assert "it is used by job 'people'" in done["kept"]["msg"]
    assert done["tried"]["notifications"][0]["test"]["answer"] == "250 2.0.0 queued as 0001"
    assert MailServer.password not in done.output
    assert (done["first"]["changed"], done["second"]["changed"]) == (True, False)
    _test, mail = mail_server.mails
    assert (mail.to, mail.tls, mail.user) == (["ann@example.com"], True, "test")
    assert mail.message["Subject"] == (
        "[lockstep] Job 'people': succeeded (1 created, 1 updated, 1 deleted, 0 errors), run 1"
    )
    assert mail.text.splitlines()[0] == done["first"]["msg"]
    assert [line.split(",")[1:3] for line in mail.attachment("changes.csv").splitlines()[1:]] == [
        [change["action"], change["key"]] for change in done["first"]["run"]["changes"] for _field in change["fields"]
    ]
    assert done["left"]["notifications"][0]["outbox"] == []

    mail_server.stop()
    place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob"), (3, "Cy")])
    away = place.play(run=run("people"), left=task("notification_info", name="ops"))
    assert (away["run"]["changed"], away["run"]["run"]["status"]) == (True, "succeeded")
    assert away["run"]["run"]["log"][-1]["level"] == "warning"
    assert "the mail about run 3 was not delivered: mail server" in away["run"]["run"]["log"][-1]["message"]
    (waiting,) = away["left"]["notifications"][0]["outbox"]
    assert (waiting["run"], waiting["status"], waiting["attempts"]) == (3, "queued", 1)

    mail_server.start()
    place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    back = place.play(run=run("people"), left=task("notification_info", name="ops"))
    assert back["left"]["notifications"][0]["outbox"] == []
    assert sorted(str(mail.message["Subject"])[-5:] for mail in mail_server.mails[2:]) == ["run 3", "run 4"]


def test_the_example_of_the_guide_runs_as_it_stands(place: Workplace, mail_server: MailServer) -> None:
    text = re.findall(r"```yaml\n(- name: Tell somebody.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[0]
    path = place.folder / "notifications.yml"
    path.write_text(text, encoding="utf-8")
    variables = {"folder": str(place.folder / "example"), "mail_port": mail_server.smtp("none")["port"]}
    done = place.playbook(path, variables=variables)
    assert yaml.safe_load(text)[0]["vars"]["folder"] == "/tmp/lockstep-notifications"
    assert done["See whether mails arrive"]["notifications"][0]["test"]["sent"] is True
    assert done["Look for mails that did not arrive"]["notifications"][0]["outbox"] == []
    assert len(mail_server.mails) == 2
