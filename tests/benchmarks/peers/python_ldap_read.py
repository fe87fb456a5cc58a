# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read all people with python-ldap in pages of 1,000 and keep their values as text.

usage: python_ldap_read.py URL BIND_DN PASSWORD CA_FILE BASE COUNT FIELD...      prints the seconds it took
"""

from __future__ import annotations

import sys
import time

import ldap
from ldap.controls import SimplePagedResultsControl


def read_pages(connection: ldap.ldapobject.LDAPObject, base: str, fields: list[str]) -> list[tuple[str, ...]]:
    rows = []
    page = SimplePagedResultsControl(criticality=True, size=1000, cookie="")
    while True:
        request = connection.search_ext(base, ldap.SCOPE_SUBTREE, "(uid=*)", fields, serverctrls=[page])
        _kind, entries, _id, controls = connection.result3(request)
        rows += [tuple(entry[field][0].decode() for field in fields) for _dn, entry in entries]
        page.cookie = controls[0].cookie
        if not page.cookie:
            return rows


def main() -> None:
    url, user, password, ca_file, base, count, *fields = sys.argv[1:]
    start = time.perf_counter()
    ldap.set_option(ldap.OPT_X_TLS_CACERTFILE, ca_file)
    connection = ldap.initialize(url)
    connection.simple_bind_s(user, password)
    rows = read_pages(connection, base, fields)
    seconds = time.perf_counter() - start
    if len(rows) != int(count):
        raise SystemExit(f"read {len(rows)} of {count}")
    print(seconds)


main()
