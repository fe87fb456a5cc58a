# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs by itself, from end to end: declared by a playbook, started by a ticker, told by a mail, looked up."""

from __future__ import annotations

from integration.directory_cases import HEADER, PLAYBOOKS, secret_options, write
from integration.harness import Workplace, task
from servers.directories import SambaAd
from servers.ldap_box import DirectoryBox
from servers.mails import MailServer

STAFF = [
    (100, "Ada", "Operator", "AOPER", "", "2013-06-17", "PRES", "", "", "", 90),
    (101, "Björn", "Åperator", "BOPER", "", "2015-09-21", "VP", "", "", 100, 90),
    (102, "Chloé", "Operator, Jr.", "COPER", "", "2015-09-21", "VP", "", "", 101, 60),
]


def test_hr_becomes_users_and_groups_every_night_and_a_mail_tells_of_it(
    place: Workplace, samba: SambaAd, mail_server: MailServer
) -> None:
    box = DirectoryBox(samba)
    # Names of accounts are unique in the whole domain, which other tests share.
    unit = box.base.split(",")[0].removeprefix("OU=")
    write(place.folder / "employees.csv", HEADER, STAFF)
    write(
        place.folder / "teams.csv",
        ["team", "members"],
        [(f"IT {unit}", "100;102"), (f"Board {unit}", "100;101")],
    )
    variables = {
        "folder": str(place.folder),
        "domain": secret_options(box, place),
        "base": box.base,
        "unit": unit,
        "smtp": mail_server.smtp(password=MailServer.password),
    }
    everybody = box.add(f"CN=Everybody {unit},{box.base}", ("top", "group"), sAMAccountName=f"everybody-{unit}")
    declared = place.playbook(PLAYBOOKS / "operations.yml", variables=variables)
    assert declared["Declare when it runs"]["schedule"]["targets"]["collections"] == ["staff"]
    again = place.playbook(PLAYBOOKS / "operations.yml", variables=variables)
    assert [name for name, result in again.results.items() if result["changed"]] == []

    tick = place.adhoc("run", due="true")
    assert tick.code == 0, tick.output
    (run,) = tick.only["runs"]
    assert (run["collection"], run["status"], run["statistics"]["created"]) == ("staff", "succeeded", 5)
    assert run["statistics"]["updated"] == 1
    assert [part["job"] for part in run["jobs"]] == ["hr-to-ad", "teams-to-ad"]
    people = f"OU=Staff,{box.base}"
    assert box.texts(f"CN=IT {unit},OU=Teams,{box.base}", "member") == [
        f"CN=Ada Operator,{people}",
        f"CN=Chloé Operator\\, Jr.,{people}",
    ]

    assert len(box.texts(everybody, "member")) == 3

    subjects = [str(mail.message["Subject"]) for mail in mail_server.mails]
    made = "succeeded (5 created, 1 updated, 0 deleted, 0 errors)"
    assert sorted(subjects) == [
        f"[lockstep] Job collection 'staff': {made}, run 1",
        f"[lockstep] Schedule 'nightly': {made}",
    ]
    assert all(mail.to == ["operators@example.com"] for mail in mail_server.mails)
    of_run = next(mail for mail in mail_server.mails if "collection" in str(mail.message["Subject"]))
    assert "hr-to-ad: 3 created" in of_run.text
    assert "teams-to-ad: 2 created" in of_run.text

    done = place.play(
        idle=task("run", due=True),
        story=task("run_info", collection="staff"),
        change=task("run_info", id=run["jobs"][1]["id"], changes=True),
        schedule=task("schedule_info", name="nightly"),
        missing=task("run_info", job="hr-to-ad", status="failed"),
    )
    assert done["idle"]["runs"] == []
    (told,) = done["story"]["runs"]
    assert (told["id"], told["schedule"], told["statistics"]["created"]) == (run["id"], "nightly", 5)
    assert {change["key"] for change in done["change"]["runs"][0]["changes"]} >= {f"IT {unit}"}
    assert [each["status"] for each in done["schedule"]["schedules"][0]["occurrences"]] == ["succeeded"]
    assert done["missing"]["runs"] == []
    assert len(mail_server.mails) == 2
