# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add, modify or delete people with ldap3, one request after the other.

usage: ldap3_write.py URL BIND_DN PASSWORD CA_FILE add|modify|delete FILE COUNT      prints the seconds it took
"""

from __future__ import annotations

import sys
import time

import ldap3
from people import read_entries, read_places


def main() -> None:
    url, user, password, _ca_file, action, path, count = sys.argv[1:]
    entries = read_entries(path, int(count)) if action == "add" else []
    places = [] if action == "add" else read_places(path, int(count))
    start = time.perf_counter()
    server = ldap3.Server(url, get_info=ldap3.NONE)
    connection = ldap3.Connection(server, user, password, auto_bind=True, check_names=False, raise_exceptions=True)
    done = 0
    for place, attributes in entries:
        done += connection.add(place, attributes=attributes)
    for place in places:
        if action == "modify":
            done += connection.modify(place, {"title": [(ldap3.MODIFY_REPLACE, ["Chief"])]})
        else:
            done += connection.delete(place)
    seconds = time.perf_counter() - start
    if done != int(count):
        raise SystemExit(f"{done} of {count} done")
    print(seconds)


main()
