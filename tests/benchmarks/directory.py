# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OpenLDAP server with many people, and a provider on it: what the benches of directories share."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Directory
from ansible_collections.lockstep.sync.plugins.module_utils._model.providers import parse_provider
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider
from servers.fixtures import SCRIPTS, free_port

PEOPLE = "ou=people,dc=example,dc=test"
CLASSES = ("top", "person", "organizationalPerson", "inetOrgPerson")
FIELDS = (
    "employeeNumber",
    "cn",
    "sn",
    "givenName",
    "displayName",
    "uid",
    "mail",
    "telephoneNumber",
    "departmentNumber",
    "l",
    "title",
    "description",
)
# The map may grow to hold 100,000 people and the log of what was done to them.
_ENVIRONMENT = {**os.environ, "SLAPD_MAXSIZE": str(8 << 30)}


def person(number: int) -> dict[str, str]:
    """Give the twelve attributes of one person."""
    values = (
        f"{number}",
        f"First{number % 5000} Last{number}",
        f"Last{number}",
        f"First{number % 5000}",
        f"Last{number}, First{number % 5000}",
        f"user{number}",
        f"user{number}@example.test",
        f"+49 30 {number:07}",
        f"{number % 40}",
        "Berlin",
        f"Title {number % 300}",
        f"made for the bench, number {number}",
    )
    return dict(zip(FIELDS, values, strict=True))


def place_of(number: int) -> str:
    return f"uid=user{number},{PEOPLE}"


def write_ldif(path: Path, numbers: Iterable[int]) -> None:
    """Write people as LDIF, for slapadd and ldapadd."""
    classes = "".join(f"objectClass: {name}\n" for name in CLASSES)
    with path.open("w", encoding="utf-8") as file:
        for number in numbers:
            attributes = "".join(f"{name}: {value}\n" for name, value in person(number).items())
            file.write(f"dn: {place_of(number)}\n{classes}{attributes}\n")


def server_of(folder: Path) -> dict[str, str]:
    """Give what slapd.sh says of the server: LDAP_URI, LDAP_BIND_DN, ..."""
    lines = (folder / "s" / "env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def start(folder: Path) -> None:
    """Start the server, for the first time or again."""
    port = free_port()
    with (folder / "start.log").open("w") as log:
        # A file: what is started keeps a pipe open.
        command = [str(SCRIPTS / "slapd.sh"), "start", str(folder / "s"), str(port)]
        subprocess.run(command, check=True, stdout=log, stderr=log, env=_ENVIRONMENT)


def stop(folder: Path) -> None:
    """Stop the server."""
    subprocess.run([str(SCRIPTS / "slapd.sh"), "stop", str(folder / "s")], check=True, env=_ENVIRONMENT)


def start_with_people(folder: Path, count: int) -> None:
    """Make the server with `count` people in it, keep a copy of its data, and start it."""
    start(folder)
    stop(folder)
    if count:
        write_ldif(folder / "people.ldif", range(count))
        load(folder, folder / "people.ldif")
    save(folder)
    start(folder)


def save(folder: Path) -> None:
    """Keep a copy of the data of the stopped server."""
    for name in ("db", "accesslog"):
        _copy(folder / "s" / name, folder / "saved" / name)


def _copy(source: Path, target: Path) -> None:
    # Not with shutil: the files are holes for the most part, which it would fill.
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def load(folder: Path, ldif: Path) -> None:
    """Load entries while the server is stopped."""
    command = ["/usr/sbin/slapadd", "-q", "-w", "-F", str(folder / "s" / "config"), "-b", "dc=example,dc=test"]
    subprocess.run([*command, "-l", str(ldif)], check=True, env=_ENVIRONMENT)


def start_afresh(folder: Path) -> None:
    """Start the server anew with the data that was kept, and load what a provider needs."""
    stop(folder)
    for name in ("db", "accesslog"):
        _copy(folder / "saved" / name, folder / "s" / name)
    start(folder)
    open_directory(folder).close()


def run_tool(folder: Path, tool: str, arguments: Sequence[str], url: str = "LDAP_URI") -> None:
    """Run one of OpenLDAP's own tools, what it prints into a file."""
    server = server_of(folder)
    login = ["-x", "-H", server[url], "-D", server["LDAP_BIND_DN"], "-w", server["LDAP_BIND_PW"]]
    with (folder / f"{tool}.out").open("w") as out:
        environment = {**os.environ, "LDAPTLS_CACERT": server["LDAP_CA"]}
        subprocess.run([tool, *login, *arguments], check=True, stdout=out, env=environment)


def provider_options(folder: Path, url: str = "LDAPI_URI") -> Mapping[str, t.Any]:
    """Give the options of a provider that logs in over the server's socket, or over TLS or TCP as `url` says."""
    server = server_of(folder)
    return {"url": [server[url]], "auth": "external", "base_dn": server["LDAP_SUFFIX"]}


def open_directory(folder: Path, url: str = "LDAP_URI") -> Directory:
    """Give a provider that has connected and knows the schema."""
    from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret  # noqa: PLC0415

    server = server_of(folder)
    options = {
        "url": [server[url]],
        "bind_dn": server["LDAP_BIND_DN"],
        "base_dn": server["LDAP_SUFFIX"],
        "ca_cert": server["LDAP_CA"],
    }
    opened = open_provider(parse_provider("directory", {"ldap": options}), {"password": Secret(server["LDAP_BIND_PW"])})
    directory = t.cast("Directory", opened)
    directory.check()
    return directory
