# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read all people with ldap3 in pages of 1,000 and keep their values as text.

usage: ldap3_read.py URL BIND_DN PASSWORD CA_FILE BASE COUNT FIELD...      prints the seconds it took
"""

from __future__ import annotations

import ssl
import sys
import time

import ldap3


def main() -> None:
    url, user, password, ca_file, base, count, *fields = sys.argv[1:]
    start = time.perf_counter()
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca_file)
    # Without the schema ldap3 is at its fastest: it then gives text and asks for no type.
    server = ldap3.Server(url, get_info=ldap3.NONE, tls=tls)
    connection = ldap3.Connection(server, user, password, auto_bind=True, check_names=False)
    entries = connection.extend.standard.paged_search(
        base, "(uid=*)", attributes=fields, paged_size=1000, generator=True
    )
    rows = [tuple(entry["raw_attributes"][field][0].decode() for field in fields) for entry in entries]
    seconds = time.perf_counter() - start
    if len(rows) != int(count):
        raise SystemExit(f"read {len(rows)} of {count}")
    print(seconds)


main()
