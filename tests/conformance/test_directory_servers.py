# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directories of the tests are what the tests take them for. Looked at with ldap3 only, never with a provider."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import typing as t
import uuid
from collections.abc import Callable
from pathlib import Path

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException, LDAPSocketOpenError
from servers import directories
from servers.directories import OpenLdap, SambaAd, remove_orphans
from servers.fixtures import wait_for_end
from servers.ldap_box import PERSON, DirectoryBox

PAGED = "1.2.840.113556.1.4.319"
SIZE_LIMIT_EXCEEDED, STRONGER_AUTH_REQUIRED = 4, 8
READER_PASSWORD = "letmein99"


def checked(ca: str | None) -> ldap3.Tls:
    return ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca)


def whoami(server: OpenLdap, url: str, ca: str | None = None) -> str:
    where = ldap3.Server(url, tls=checked(ca), get_info=ldap3.NONE)
    with ldap3.Connection(where, server.bind_dn, server.password, auto_bind=True) as connection:
        return str(connection.extend.standard.who_am_i())


def test_slapd_answers_on_three_ways(openldap: OpenLdap) -> None:
    local = ldap3.Server(openldap.ldapi_url.rstrip("/"), get_info=ldap3.NONE)
    external = ldap3.Connection(
        local, authentication=ldap3.SASL, sasl_mechanism=ldap3.EXTERNAL, sasl_credentials="", auto_bind=True
    )

    assert whoami(openldap, openldap.url) == f"dn:{openldap.bind_dn}"
    assert whoami(openldap, openldap.ldaps_url, openldap.ca) == f"dn:{openldap.bind_dn}"
    assert external.extend.standard.who_am_i().startswith("dn:")
    external.unbind()
    with pytest.raises(LDAPSocketOpenError, match="CERTIFICATE_VERIFY_FAILED"):
        whoami(openldap, openldap.ldaps_url)


def reader(box: DirectoryBox, server: OpenLdap) -> ldap3.Connection:
    """Log in as somebody for whom the limits hold; they do not for the root DN."""
    dn = box.person("reader", userPassword=READER_PASSWORD)
    where = ldap3.Server(server.url, get_info=ldap3.NONE)
    return ldap3.Connection(where, dn, READER_PASSWORD, auto_bind=True)


def count_paged(connection: ldap3.Connection, base: str, size: int) -> int:
    """Count the entries of all pages until the last, or until an error."""
    count, cookie = 0, None
    while True:
        connection.search(base, "(sn=*)", attributes=["1.1"], paged_size=size, paged_cookie=cookie)
        count += len(connection.response)
        cookie = connection.result.get("controls", {}).get(PAGED, {}).get("value", {}).get("cookie")
        if not cookie:
            return count


def test_pages_go_beyond_the_soft_limit(openldap: OpenLdap) -> None:
    box = DirectoryBox(openldap)
    limited = reader(box, openldap)
    for number in range(520):
        box.person(f"p{number}")

    limited.search(box.base, "(sn=*)", attributes=["1.1"])
    assert (limited.result["result"], len(limited.response)) == (SIZE_LIMIT_EXCEEDED, 500)
    assert count_paged(limited, box.base, 100) == 521
    limited.unbind()


def test_a_limit_of_pages_holds_too(start_openldap: Callable[..., OpenLdap]) -> None:
    server = start_openldap({"SLAPD_SIZE_PAGED": "7"})
    box = DirectoryBox(server)
    limited = reader(box, server)
    for number in range(10):
        box.person(f"p{number}")

    assert count_paged(limited, box.base, 5) == 7
    assert limited.result["result"] == SIZE_LIMIT_EXCEEDED
    limited.unbind()


def test_operations_are_counted(openldap: OpenLdap) -> None:
    box = DirectoryBox(openldap)
    with openldap.counting() as counts:
        somebody = box.person("somebody")
        box.modify(somebody, description="x")
        box.move(somebody, "cn=anybody")
        for _search in range(3):
            box.places()
        box.delete(f"cn=anybody,{box.base}")

    assert counts == {"ADD": 1, "MOD": 1, "MODRDN": 1, "SRCH": 3, "DEL": 1}


def memberships(server: OpenLdap) -> list[str]:
    box = DirectoryBox(server)
    member = box.person("member")
    box.add(f"cn=team,{box.base}", ("top", "groupOfNames"), member=member)
    return box.texts(member, "memberOf")


def test_overlays_and_the_suffix_can_be_chosen(openldap: OpenLdap, start_openldap: Callable[..., OpenLdap]) -> None:
    bare = start_openldap({"SLAPD_MEMBEROF": "0", "SLAPD_SUFFIX": "dc=corp,dc=example", "SLAPD_PPOLICY": "1"})

    assert len(memberships(openldap)) == 1
    assert memberships(bare) == []
    assert bare.base == "dc=corp,dc=example"


def test_slapd_keeps_its_data_when_it_is_killed(start_openldap: Callable[..., OpenLdap]) -> None:
    server = start_openldap()
    DirectoryBox(server).add(f"cn=kept,ou=people,{server.base}", PERSON, sn="kept")
    url = server.url

    server.kill()
    with pytest.raises(LDAPException):
        whoami(server, url)
    server.start()

    assert server.url == url
    assert DirectoryBox(server).texts(f"cn=kept,ou=people,{server.base}", "sn") == ["kept"]


def ad_connection(server: SambaAd, url: str, ca: str | None, **more: t.Any) -> ldap3.Connection:
    where = ldap3.Server(url, tls=checked(ca), get_info=ldap3.NONE)
    return ldap3.Connection(where, server.username, server.password, **more)


def test_samba_answers_encrypted_only(samba: SambaAd) -> None:
    with ad_connection(samba, samba.url, samba.ca, auto_bind=True) as ldaps:
        assert ldaps.search(samba.base, "(objectClass=domain)", ldap3.BASE)
    with ad_connection(samba, samba.plain_url, samba.ca, auto_bind=ldap3.AUTO_BIND_TLS_BEFORE_BIND) as upgraded:
        assert upgraded.search(samba.base, "(objectClass=domain)", ldap3.BASE)

    plain = ad_connection(samba, samba.plain_url, None)
    assert not plain.bind()
    assert plain.result["result"] == STRONGER_AUTH_REQUIRED
    plain.unbind()
    with pytest.raises(LDAPSocketOpenError, match="CERTIFICATE_VERIFY_FAILED"):
        ad_connection(samba, samba.url, None, auto_bind=True)


def test_two_forests_run_side_by_side(samba: SambaAd, other_samba: SambaAd) -> None:
    name = f"u{uuid.uuid4().hex[:12]}"
    DirectoryBox(samba).person("only here", sAMAccountName=name)

    def found(server: SambaAd) -> int:
        with ad_connection(server, server.url, server.ca, auto_bind=True) as connection:
            connection.search(server.base, f"(sAMAccountName={name})", attributes=["1.1"])
            return sum(entry["type"] == "searchResEntry" for entry in connection.response)

    assert samba.address != other_samba.address
    assert (samba.base, other_samba.base) == ("DC=ad,DC=test", "DC=corp,DC=example")
    assert (found(samba), found(other_samba)) == (1, 0)
    with pytest.raises(LDAPSocketOpenError, match="CERTIFICATE_VERIFY_FAILED"):
        ad_connection(samba, samba.url, other_samba.ca, auto_bind=True)


@pytest.mark.parametrize("forest", ["samba", "other_samba"])
def test_forests_know_what_exchange_adds(forest: str, request: pytest.FixtureRequest) -> None:
    box = DirectoryBox(request.getfixturevalue(forest))
    mail = {
        "proxyAddresses": ["SMTP:a@example.test", "smtp:b@example.test"],
        "targetAddress": ["SMTP:a@other.test"],
        "mailNickname": ["a"],
        "msExchHideFromAddressLists": ["TRUE"],
        "msExchRecipientTypeDetails": ["2147483648"],
        "extensionAttribute15": ["last"],
    }
    user = box.person("mailbox", **mail)
    contact = box.add(f"CN=contact,{box.base}", ("top", "person", "organizationalPerson", "contact"), **mail)

    for dn in (user, contact):
        assert {name: box.texts(dn, name) for name in mail} == mail


KILLED = """
import os, sys
sys.path[:0] = sys.argv[1:]
from servers.directories import OpenLdap
server = OpenLdap()
server.start()
print(server.pid, server.folder, flush=True)
os._exit(1)
"""


def test_what_a_killed_process_left_is_removed() -> None:
    places = [str(directories.SCRIPTS.parent), str(directories.ROOT / ".cache" / "tree")]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *places], stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    pid, folder = done.stdout.split()
    mine = OpenLdap()
    try:
        mine.start()
        remove_orphans()

        wait_for_end(int(pid))
        assert not Path(folder).exists()
        assert whoami(mine, mine.url) == f"dn:{mine.bind_dn}"
    finally:
        mine.remove()


def test_an_address_is_given_once_and_only_where_nobody_listens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reserved = directories._Slot()  # so that no other test takes it meanwhile
    number = int(reserved.address.rpartition(".")[2])
    monkeypatch.setattr(directories, "SLOTS", tmp_path)
    monkeypatch.setattr(directories, "FIRST_SLOT", number)
    monkeypatch.setattr(directories, "LAST_SLOT", number + 1)

    with socket.create_server((reserved.address, 636)), pytest.raises(AssertionError, match="in use"):
        directories._Slot()
    only = directories._Slot()
    assert only.address == reserved.address
    with pytest.raises(AssertionError, match="in use"):
        directories._Slot()
    only.free()
    directories._Slot().free()
    reserved.free()


def test_samba_keeps_its_data_and_never_takes_another_server_for_itself() -> None:
    server = SambaAd(exchange=True)
    try:
        server.start()
        kept = DirectoryBox(server).person("kept", description="yes")
        server.kill()
        with (
            socket.create_server((server.address, 636)),
            pytest.raises(AssertionError, match=f"another server listens on {server.address}"),
        ):
            server.start()
        server.start()

        assert DirectoryBox(server).texts(kept, "description") == ["yes"]
    finally:
        server.remove()
