# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look-up from one file to another, and, where it is at hand, on real data: employees with their departments."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from integration.harness import ROOT, Database, Workplace, counts, fields, job, run

REAL = ROOT.parent / "shared" / "data" / "hr"
MADE_DEPARTMENTS = [("10", "Administration"), ("20", "Marketing"), ("90", "Executive")]
MADE_EMPLOYEES = [
    ("100", "Steven", "King", "2013-06-17", "24000", "90"),
    ("200", "Jennifer", "Whalen", "2013-09-17", "4400", "10"),
    ("201", "Zoë", "Martinez", "2014-02-17", "13000", "20"),
]
HEADER = ["employee_id", "first_name", "last_name", "hire_date", "salary", "department_id"]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# Chosen when tests are collected: the data is not part of the project.
@pytest.mark.parametrize("data", ["made up", *(["real"] if (REAL / "employees.csv").exists() else [])])
def test_employees_get_the_names_of_their_departments(place: Workplace, postgres: Database, data: str) -> None:
    folder = REAL
    if data == "made up":
        folder = place.folder
        place.write_csv("departments.csv", ["department_id", "department_name"], MADE_DEPARTMENTS)
        place.write_csv("employees.csv", HEADER, MADE_EMPLOYEES)
    departments = postgres.make("id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE", name="departments")
    employees = postgres.make(
        "id INTEGER PRIMARY KEY, name VARCHAR(60) NOT NULL, hired DATE NOT NULL, salary NUMERIC(8, 2), "
        f"department INTEGER REFERENCES {departments}",
        name="employees",
    )
    view = f"{employees}_named"
    postgres.execute(
        f"CREATE VIEW {view} AS SELECT e.id, e.name, coalesce(d.name, 'none') AS department FROM {employees} e "
        f"LEFT JOIN {departments} d ON d.id = e.department"
    )
    names = {row["department_id"]: row["department_name"] for row in read(folder / "departments.csv")}
    out = place.folder / "named.csv"
    person = fields(
        id={"source": "employee_id", "key": True},
        name={"transform": [{"join": {"fields": ["first_name", "last_name"]}}]},
        hired={"source": "hire_date"},
        salary={"source": "salary"},
        department={"source": "department_id"},
    )
    looked_up = fields(
        id={"source": "employee_id", "key": True},
        name={"transform": [{"join": {"fields": ["first_name", "last_name"]}}]},
        department={
            "source": "department_id",
            "transform": [{"default": "0"}, {"map": {"values": {**names, "0": "none"}}}],
        },
    )
    department = fields(id={"source": "department_id", "key": True}, name={"source": "department_name"})
    place.declare(
        [
            {"name": "departments", "csv": {"path": str(folder / "departments.csv")}},
            {"name": "employees", "csv": {"path": str(folder / "employees.csv")}},
            {"name": "named", "csv": {"path": str(out)}},
            {"name": "db", **postgres.provider},
        ],
        [
            job("departments", "departments", {"provider": "db", "table": departments}, department),
            job("employees", "employees", {"provider": "db", "table": employees}, person),
            job("looked-up", "employees", "named", looked_up),
            job("in-step", {"provider": "db", "table": view}, "named", fields("id", "name", "department")),
        ],
    )

    done = place.play(
        departments=run("departments"),
        employees=run("employees"),
        looked_up=run("looked-up"),
        again=run("employees", check=True, fail_on=["failed", "changes"]),
        in_step=run("in-step", check=True, fail_on=["failed", "changes"]),
    )
    postgres.execute(f"DROP VIEW {view}")

    people = read(folder / "employees.csv")
    assert counts(done["employees"])["created"] == len(people) == len(postgres.content(employees))
    # The look-up in the mapping and the join of the database agree on everybody.
    assert done["in_step"]["run"]["statistics"]["unchanged"] == len(people)
    assert {row["department"] for row in read(out)} <= {*names.values(), "none"}
