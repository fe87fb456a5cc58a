# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a whole directory beside OpenLDAP's ldapsearch, which is written in C."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from benchmarks import directory, programs
from benchmarks.cases import Case, Peer

READ = 100_000


def prepare_reading(folder: Path) -> None:
    directory.start_with_people(folder, READ)


def warm_up(folder: Path) -> None:
    directory.open_directory(folder).close()


def read_all(url: str, folder: Path) -> None:
    provider = directory.open_directory(folder, url)
    rows = []
    with provider.read(Query(container=directory.PEOPLE, filter="(uid=*)"), directory.FIELDS) as reading:
        for batch in reading.batches():
            rows.extend(batch)
        if len(rows) != READ or not reading.completeness.proven:
            raise RuntimeError(f"read {len(rows)}: {reading.completeness}")
    provider.close()


def ldapsearch(url: str, folder: Path) -> None:
    paged = ["-LLL", "-E", "pr=1000/noprompt", "-b", directory.PEOPLE, "(uid=*)", *directory.FIELDS]
    directory.run_tool(folder, "ldapsearch", paged, url)


def read_with(program: str, url: str, folder: Path) -> float:
    return programs.run_on_server(program, folder, directory.PEOPLE, READ, *directory.FIELDS, url=url)


def bench_directory_reading() -> list[Case]:
    return [
        Case(
            name=f"P1: read {READ:,} LDAP entries x {len(directory.FIELDS)}, {scheme}",
            prepare=prepare_reading,
            before=warm_up,
            ours=partial(read_all, url),
            floor=partial(ldapsearch, url),
            floor_name="ldapsearch, the same pages",
            peers=(
                Peer(name="python-ldap, the same pages", work=partial(read_with, "python_ldap_read", url)),
                Peer(name="ldap3, the same pages", work=partial(read_with, "ldap3_read", url)),
            ),
            cleanup=directory.stop,
            max_ratio=ratio,
        )
        for scheme, url, ratio in (("ldap", "LDAP_URI", 1.5), ("ldaps", "LDAPS_URI", 2))
    ]
