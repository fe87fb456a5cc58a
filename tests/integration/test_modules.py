# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaring and the reading modules, each by a playbook that checks what they return."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from integration.harness import HERE, Database, Workplace, fields, job, task
from openpyxl import Workbook
from servers.fixtures import free_port

SECRET = "Sec-ret-of-the-crm-1"
OTHER_SECRET = "An0ther-one-2"


def test_providers_are_declared(place: Workplace) -> None:
    done = place.playbook(
        HERE / "playbooks" / "provider.yml",
        "-vvv",
        variables={"folder": str(place.folder), "secret": SECRET, "other_secret": OTHER_SECRET},
    )

    assert SECRET not in done.output
    assert OTHER_SECRET not in done.output
    for path in (place.folder / "providers").iterdir():
        content = path.read_bytes()
        assert SECRET.encode() not in content
        assert OTHER_SECRET.encode() not in content


def test_jobs_are_declared(place: Workplace) -> None:
    place.playbook(HERE / "playbooks" / "job.yml", variables={"folder": str(place.folder)})


def test_providers_are_tested_and_looked_into(place: Workplace, postgres: Database, mariadb: Database) -> None:
    people = [(1, "Ann"), (2, "Bob"), (3, "Cid")]
    columns = "id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL"
    place.write_csv("people.csv", ["id", "name"], people)
    book = Workbook()
    sheet = book.create_sheet("Staff", 0)
    for row in [("id", "name"), *people]:
        sheet.append(row)
    book.save(place.folder / "people.xlsx")
    file = sqlite3.connect(place.folder / "people.db")
    with closing(file), file:
        file.execute(f"CREATE TABLE people ({columns})")
        file.executemany("INSERT INTO people VALUES (?, ?)", people)
        file.execute("CREATE VIEW short AS SELECT id FROM people")

    place.playbook(
        HERE / "playbooks" / "provider_info.yml",
        variables={
            "folder": str(place.folder),
            "postgres": postgres.provider["sql"],
            "mariadb": mariadb.provider["sql"],
            "postgres_table": postgres.make(columns, people),
            "mariadb_table": mariadb.make(columns, people),
            "closed_url": f"postgresql://127.0.0.1:{free_port()}/nowhere",
        },
    )


def test_jobs_and_runs_are_looked_up(place: Workplace) -> None:
    place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob"), (3, "Cid")])

    place.playbook(HERE / "playbooks" / "histories.yml", variables={"folder": str(place.folder)})


def test_what_is_too_long_is_cut_and_says_so(place: Workplace) -> None:
    names = [f"column_{number:04}" for number in range(1, 400)]
    source = place.write_csv("wide.csv", ["id", *names], [(number, *names) for number in range(20)])
    wide = job("wide", "wide", "wide-out", fields("id", *names))
    provider = [{"name": name, "csv": {"path": str(source)}} for name in ("wide", "wide-out")]

    done = place.play(
        providers=task("provider", providers=provider),
        job=task("job", **wide),
        jobs=task("job_info"),
        sample=task("provider_info", name="wide", sample=20),
    )

    assert sum(done["job"]["truncated"].values()) > 0, done["job"]["truncated"]
    assert done["jobs"]["jobs"][0]["name"] == "wide"
    assert sum(done["jobs"]["truncated"].values()) > 0
    assert sum(done["sample"]["truncated"].values()) > 0
    for name in ("job", "jobs", "sample"):
        assert len(json.dumps(done[name])) < 64_000
        assert any("64 kB" in warning for warning in done[name]["warnings"])
