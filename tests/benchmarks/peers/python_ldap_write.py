# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add, modify or delete people with python-ldap, 64 requests on their way at a time.

usage: python_ldap_write.py URL BIND_DN PASSWORD CA_FILE add|modify|delete FILE COUNT      prints the seconds it took
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import ldap
from people import read_entries, read_places

WINDOW = 64
Send = Callable[[ldap.ldapobject.LDAPObject], int]


def requests_of(action: str, path: str, count: int) -> list[Send]:
    """Give what sends each request. Names are bound as defaults: a closure would see only the last."""
    if action == "add":
        entries = [
            (place, [(name, [value.encode() for value in values]) for name, values in attributes.items()])
            for place, attributes in read_entries(path, count)
        ]
        return [lambda to, place=place, values=values: to.add_ext(place, values) for place, values in entries]
    places = read_places(path, count)
    if action == "modify":
        change = [(ldap.MOD_REPLACE, "title", [b"Chief"])]
        return [lambda to, place=place: to.modify_ext(place, change) for place in places]
    return [lambda to, place=place: to.delete_ext(place) for place in places]


def main() -> None:
    url, user, password, _ca_file, action, path, count = sys.argv[1:]
    requests = requests_of(action, path, int(count))
    start = time.perf_counter()
    connection = ldap.initialize(url)
    connection.simple_bind_s(user, password)
    sent = done = 0
    while done < len(requests):
        while sent < len(requests) and sent - done < WINDOW:
            requests[sent](connection)
            sent += 1
        # Raises when the server refused.
        connection.result(ldap.RES_ANY, all=0)
        done += 1
    seconds = time.perf_counter() - start
    if done != int(count):
        raise SystemExit(f"{done} of {count} done")
    print(seconds)


main()
