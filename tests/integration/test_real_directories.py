# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of directories with real data sets, which are no part of the project: conftest.py leaves this out there."""

from __future__ import annotations

import base64
import csv
import typing as t

from integration.conftest import REAL_DATA
from integration.directory_cases import play_hr_to_ad, play_hr_to_ldap, play_ldap_to_tables
from integration.harness import Workplace
from servers.directories import OpenLdap, SambaAd
from servers.ldap_box import DirectoryBox


def test_oracles_hr_sample_becomes_an_ldap_directory(place: Workplace, openldap: OpenLdap) -> None:
    for name in ("employees.csv", "departments.csv"):
        (place.folder / name).write_bytes((REAL_DATA / "hr" / name).read_bytes())
    box = play_hr_to_ldap(place, openldap, people=107, teams=11)
    assert len(box.places("(objectClass=inetOrgPerson)")) == 107
    assert len(box.places("(manager=*)")) == 106


def test_oracles_hr_sample_becomes_an_active_directory(place: Workplace, samba: SambaAd) -> None:
    with (REAL_DATA / "hr" / "employees.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    box = play_hr_to_ad(place, samba, rows)
    assert len(box.places("(&(objectClass=user)(userAccountControl=512))")) == 107


def test_planet_express_becomes_a_table_and_a_sheet_and_comes_back(place: Workplace, openldap: OpenLdap) -> None:
    box = DirectoryBox(openldap)
    for path in sorted((REAL_DATA / "planetexpress").glob("10_*.ldif")):
        _add_ldif(box, path.read_text(encoding="utf-8"))
    play_ldap_to_tables(place, box, 7)


def _add_ldif(box: DirectoryBox, text: str) -> None:
    """Add one entry in LDIF (RFC 2849), moved below the box."""
    attributes: dict[str, list[t.Any]] = {}
    dn = ""
    for line in text.replace("\n ", "").splitlines():
        name, _colon, value = line.partition(":")
        if not value:
            continue
        parsed: t.Any = base64.b64decode(value[1:]) if value.startswith(":") else value.strip()
        if name == "dn":
            dn = str(parsed).replace("ou=people,dc=planetexpress,dc=com", box.base)
        else:
            attributes.setdefault(name, []).append(parsed)
    classes = attributes.pop("objectClass")
    box.add(dn, classes, **attributes)
