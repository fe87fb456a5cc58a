# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of directories that people come for: playbooks with data of the project, or with real data."""

from __future__ import annotations

import csv
import sqlite3
import typing as t
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from integration.harness import HERE, Workplace
from servers.directories import OpenLdap, SambaAd
from servers.ldap_box import DirectoryBox

PLAYBOOKS = HERE / "playbooks" / "directories"
HEADER = ["employee_id", "first_name", "last_name", "email", "phone_number", "hire_date", "job_id", "salary"]
HEADER += ["commission_pct", "manager_id", "department_id"]


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def secret_options(box: DirectoryBox, place: Workplace, name: str = "DIRECTORY_PASSWORD") -> dict[str, t.Any]:
    """Give the options of a provider whose password is in the environment."""
    place.variables[name] = box.server.password
    return {**box.options(), "password_from": {"env": name}}


def make_staging(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE employees (employee_id INTEGER PRIMARY KEY, department_id INTEGER)")
        connection.execute("CREATE TABLE departments (department_id INTEGER PRIMARY KEY, department_name TEXT)")
        connection.commit()


def play_hr_to_ldap(place: Workplace, openldap: OpenLdap, *, people: int, teams: int) -> DirectoryBox:
    box = DirectoryBox(openldap)
    box.unit("teams")
    make_staging(place.folder / "staging.db")
    place.playbook(
        PLAYBOOKS / "hr_to_ldap.yml",
        variables={
            "folder": str(place.folder),
            "directory": secret_options(box, place),
            "base": box.base,
            "people": people,
            "teams": teams,
        },
    )
    return box


def play_hr_to_ad(place: Workplace, samba: SambaAd, rows: Sequence[Sequence[t.Any]]) -> DirectoryBox:
    box = DirectoryBox(samba)
    later = [row for row in rows if str(row[0]) != "104"]
    later = [(row[0], "Adele", *row[2:-1], 80) if str(row[0]) == "100" else row for row in later]
    for name, content in (("first.csv", rows), ("employees.csv", rows), ("later.csv", later)):
        write(place.folder / name, HEADER, content)
    place.playbook(
        PLAYBOOKS / "hr_to_active_directory.yml",
        variables={
            "folder": str(place.folder),
            "domain": secret_options(box, place),
            "base": box.base,
            "people": len(rows),
        },
    )
    return box


CREW_COLUMNS = (
    "uid TEXT PRIMARY KEY, cn TEXT, sn TEXT, givenName TEXT, description TEXT, mail TEXT, employeeType TEXT, "
    "jpegPhoto BLOB"
)


def play_ldap_to_tables(place: Workplace, box: DirectoryBox, people: int) -> None:
    with closing(sqlite3.connect(place.folder / "crew.db")) as connection:
        connection.execute(f"CREATE TABLE crew ({CREW_COLUMNS})")
        connection.commit()
    place.playbook(
        PLAYBOOKS / "ldap_to_tables.yml",
        variables={
            "folder": str(place.folder),
            "directory": secret_options(box, place),
            "base": box.base,
            "people": people,
        },
    )
