# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill the process of a run at a random moment, go on with it, and count in the server's own books what was done."""

from __future__ import annotations

import os
import random
import signal
import struct
import time
import typing as t
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import ldap3
import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import process_exists
from servers.ldap_box import DirectoryBox
from support.directory_worlds import DirectoryWorld
from support.worlds import DEPT, KEY, NAME, World

ENDED_EARLY = ("running", "interrupted", "failed")
REPL_HEADER, REPL_ENTRY = 16, 48
PASSWORD_ATTRIBUTES = frozenset({0x90037, 0x9005A, 0x9005E, 0x90060, 0x9007D, 0x900A0})
"""dBCSPwd, unicodePwd, ntPwdHistory, pwdLastSet, supplementalCredentials, lmPwdHistory: a password that died with its
process before the account was enabled is known to nobody, so another one is made.
"""
SETTLING_LOOKS = 100
PEOPLE, PEOPLE_OF_OPENLDAP = 30, 150
ROWS = 1500


class Bed(t.Protocol):
    """A destination with a job `j` that has much to do.

    `state` is everything that is at the destination, `effects` how often the server itself says that each thing was
    written; neither depends on where or when the bed was made.
    """

    world: World

    def state(self) -> t.Any: ...

    def effects(self) -> Counter[t.Any]: ...


def run_and_kill(world: World, delay: float, look: Callable[[], None] = lambda: None) -> None:
    """Run job `j` in a process of its own, which is killed after `delay` seconds unless it has ended. `look` is called
    all the time.
    """
    child = os.fork()
    if child == 0:
        try:
            world.pid = os.getpid()
            world.store = world.open_store()
            world.run(max_changes=0)
        finally:
            os._exit(0)
    end = time.monotonic() + delay
    while time.monotonic() < end and os.waitpid(child, os.WNOHANG) == (0, 0):
        look()
        time.sleep(0.0005)
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # it had come to its end


class _Processes(set[int]):
    """All processes that exist."""

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and process_exists(number)


def run_together(world: World, count: int) -> list[str]:
    """Run job `j` in `count` processes that begin at the same moment, and give how each ended."""
    ready, start = os.pipe(), os.pipe()
    told = os.pipe()
    children = []
    for _number in range(count):
        child = os.fork()
        if child == 0:
            try:
                os.close(start[1])
                world.pid, world.alive = os.getpid(), _Processes()
                world.store = world.open_store()
                os.write(ready[1], b".")
                os.read(start[0], 1)  # gives nothing when the parent closes its end, to all at once
                os.write(told[1], f"{world.run(max_changes=0).result.status}\n".encode())
            finally:
                os._exit(0)
        children.append(child)
    for _number in range(count):
        os.read(ready[0], 1)
    os.close(start[1])
    for child in children:
        os.waitpid(child, 0)
    os.close(told[1])
    with os.fdopen(told[0]) as lines:
        statuses = lines.read().split()
    for end in (*ready, start[0]):
        os.close(end)
    return statuses


def bring_to_its_end(world: World, earlier: int) -> str:
    """Do what a person does after a crash: go on with the run, or run the job when it had not got to a plan.

    `earlier` is the last run before the one that was killed. Gives how it went: `ended`, `resumed` or `began anew`.
    """
    last = world.store.runs.last("j")
    if last is not None and last.id > earlier:
        if last.status not in ENDED_EARLY:
            return "ended"
        resumed = world.run("", resume=last.id, max_changes=0).result
        if resumed.status == "succeeded":
            return "resumed"
        assert "ended before it had a plan" in resumed.message, resumed.message
    result = world.run(max_changes=0).result
    assert result.status == "succeeded", result.message
    return "began anew"


def crash_once(
    make: Callable[[], Bed], wanted: tuple[t.Any, Counter[t.Any]], moments: tuple[float, float], seed: int
) -> str:
    """Make a bed, kill its run at a random moment, bring it to its end, and compare with a run nobody disturbed."""
    bed = make()
    before = bed.world.store.runs.last("j")
    run_and_kill(bed.world, random.Random(seed).uniform(*moments))
    how = bring_to_its_end(bed.world, 0 if before is None else before.id)
    state, effects = wanted
    found = bed.state()
    for _look in range(SETTLING_LOOKS):
        if found == state:
            break
        time.sleep(0.1)  # a server mends references to who was moved in its own time
        found = bed.state()
    assert found == state, (
        f"seed {seed}, {how}: the destination is not as an undisturbed run leaves it: {differences(found, state)}"
    )
    twice = bed.effects() - effects
    assert not twice, f"seed {seed}, {how}: written more often than by an undisturbed run: {dict(twice)}"
    return how


def differences(found: t.Any, wanted: t.Any) -> t.Any:
    """Give the parts of a state that are not as they should be."""
    if isinstance(wanted, dict):
        return {
            name: (found.get(name), wanted.get(name))
            for name in sorted({*found, *wanted})
            if found.get(name) != wanted.get(name)
        }
    return sorted(set(found) ^ set(wanted))[:20]


def measure(make: Callable[[], Bed]) -> tuple[tuple[t.Any, Counter[t.Any]], tuple[float, float]]:
    """Give what an undisturbed run leaves, and from about when to when (seconds) it writes in a process of its own."""
    bed = make()
    start = time.monotonic()
    seen: dict[int, float] = {}

    def look() -> None:
        written = sum(path.stat().st_size for path in bed.world.runs.glob("*/journal-*.jsonl"))
        seen.setdefault(written, time.monotonic() - start)

    look()
    run_and_kill(bed.world, 600, look)
    last = bed.world.store.runs.last("j")
    assert last is not None
    assert (last.status, last.statistics.changes > 0) == ("succeeded", True), last.message
    return (bed.state(), bed.effects()), (0.95 * sorted(seen.values())[1], 1.05 * max(seen.values()))


class TableBed:
    """A table of a PostgreSQL database; a trigger writes down each row that is written."""

    def __init__(self, folder: Path, url: str, *, store: str = "") -> None:
        folder.mkdir()
        self.world = World(folder=folder, server=store)
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        full = sa.make_url(url)
        with self._engine.begin() as connection:
            for statement in _TABLE:
                connection.exec_driver_sql(statement)
            rows = [{"id": number, "name": "old", "dept": None} for number in range(1, ROWS, 3)]
            rows += [{"id": -number, "name": "gone", "dept": "x"} for number in range(1, ROWS // 3)]
            connection.execute(sa.text("INSERT INTO people VALUES (:id, :name, :dept)"), rows)
            connection.exec_driver_sql("DELETE FROM written")
        self.world.environ["BED_PASSWORD"] = str(full.password or "")
        plain = full._replace(username=None, password=None).render_as_string(hide_password=False)
        reference = {"password": SecretReference(kind="env", name="BED_PASSWORD")} if full.password else {}
        self.world.provider("db", "sql", url=plain, username=full.username, secrets=reference)
        self.world.write(*(f"{number},N{number},{number % 7}" for number in range(1, ROWS)))
        self.world.job(limits={"deletes": "100%"}, objects=[{"name": "people", "fields": [KEY, NAME, DEPT]}])

    def state(self) -> t.Any:
        with self._engine.connect() as connection:
            return sorted(map(tuple, connection.exec_driver_sql("SELECT id, name, dept FROM people")))

    def effects(self) -> Counter[t.Any]:
        with self._engine.connect() as connection:
            return Counter(map(tuple, connection.exec_driver_sql("SELECT op, id FROM written")))


_TABLE = (
    "DROP TABLE IF EXISTS people",
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20), dept TEXT)",
    "CREATE TABLE IF NOT EXISTS written (op TEXT, id INTEGER)",
    """CREATE OR REPLACE FUNCTION note_writing() RETURNS trigger AS $$ BEGIN
    INSERT INTO written VALUES (TG_OP, CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END); RETURN NULL;
    END $$ LANGUAGE plpgsql""",
    "CREATE TRIGGER noting AFTER INSERT OR UPDATE OR DELETE ON people FOR EACH ROW EXECUTE FUNCTION note_writing()",
)


class DirectoryBed:
    """People of a directory. `later` says whether the first run, which makes all of them, is the one to be killed, or
    the second: some are changed, renamed, moved, new, or leave their groups and the company.
    """

    def __init__(self, folder: Path, server: t.Any, *, later: bool) -> None:
        folder.mkdir()
        self._later = later
        self.box = DirectoryBox(server)
        self.place = DirectoryWorld(folder, self.box)
        self.world = self.place.world
        self._people = PEOPLE if self.box.is_ad else PEOPLE_OF_OPENLDAP
        self.place.staff(*(self._person(number) for number in range(1, self._people + 1)))
        self.place.job(limits={"disables": "100%", "deletes": "100%"})
        if later:
            self._begin()

    def _begin(self) -> None:
        assert self.world.run(max_changes=0).result.status == "succeeded"
        people = [self.place.place(f"F{number} L{number}", f"U{number % 3}") for number in range(1, self._people + 1)]
        login = {"sAMAccountName": f"team{abs(hash(self.box.base)) % 10**8}"} if self.box.is_ad else {}
        classes = ("top", "group") if self.box.is_ad else ("top", "groupOfNames")
        self.box.add(f"{self.place.naming}=team,{self.box.base}", classes, **login, member=people)
        staff = [self._person(number) for number in range(1, self._people + 1) if number % 5]
        staff = [line.replace("L7", "Renamed") for line in staff]
        staff = [line.replace(",U1,", ",U2,") if number % 4 == 0 else line for number, line in enumerate(staff)]
        self.place.staff(*staff, *(self._person(number) for number in range(500, 510)))

    @staticmethod
    def _person(number: int) -> str:
        boss = "" if number == 1 else str(max(1, number // 2 if number < 500 else 1))
        return f"{number},F{number},L{number},U{number % 3},{boss}"

    def state(self) -> t.Any:
        base = self.box.base.lower().encode()
        left_out = {"samaccountname", "name", "distinguishedname"}
        if self._later and not self.box.is_ad:
            # OpenLDAP's refint overlay mends references after the answer, and misses entries that move meanwhile.
            left_out |= {"manager", "member"}
        return {
            place.replace(base.decode(), "BASE"): {
                name: [value.lower().replace(base, b"BASE") for value in values]
                for name, values in entry.items()
                if name.lower() not in left_out and not (name.lower() == "ou" and place == base.decode())
            }
            for place, entry in self.box.photograph(("userAccountControl",)).items()
        }

    def effects(self) -> Counter[t.Any]:
        return self._versions() if self.box.is_ad else self._access_log()

    def _access_log(self) -> Counter[t.Any]:
        """Count the successful writes of OpenLDAP's accesslog overlay by kind and entry."""
        base = self.box.base.lower()
        self.box.connection.search(
            "cn=accesslog",
            f"(&(objectClass=auditWriteObject)(reqResult=0)(reqDN=*{base})(reqAuthzID={self.box.server.bind_dn}))",
            ldap3.SUBTREE,
            attributes=["reqType", "reqDN", "reqMod"],
        )
        found: Counter[t.Any] = Counter()
        for entry in self.box.connection.response:
            if entry["type"] == "searchResEntry":
                values = entry["raw_attributes"]
                kind, place = values["reqType"][0].decode(), values["reqDN"][0].decode().lower()
                names = sorted({mod.split(b":", 1)[0].decode().lower() for mod in values.get("reqMod", [])})
                own = [name for name in names if name not in _STAMPS]
                found[kind, place.replace(base, "BASE"), tuple(own) if kind == "modify" else ()] += 1
        return found

    def _versions(self) -> Counter[t.Any]:
        """Give how often Active Directory has written each attribute of each entry, from its replication data."""
        base = self.box.base.lower()
        self.box.connection.search(self.box.base, "(objectClass=*)", ldap3.SUBTREE, attributes=["replPropertyMetaData"])
        found: Counter[t.Any] = Counter()
        for entry in self.box.connection.response:
            if entry["type"] != "searchResEntry":
                continue
            blob = entry["raw_attributes"]["replPropertyMetaData"][0]
            for start in range(REPL_HEADER, len(blob) - REPL_ENTRY + 1, REPL_ENTRY):
                attribute, version = struct.unpack_from("<II", blob, start)
                if attribute not in PASSWORD_ATTRIBUTES:
                    found[entry["dn"].lower().replace(base, "BASE"), attribute] = version
        return found


_STAMPS = frozenset({"entrycsn", "modifiersname", "modifytimestamp"})
