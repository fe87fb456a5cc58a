# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories beside OpenLDAP's own tools, which are written in C: writing and whole runs."""

from __future__ import annotations

import csv
import typing as t
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._model.access import WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, ValueChanges
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from benchmarks import directory, engine, programs
from benchmarks.bench_commands import ping, run_small_job
from benchmarks.cases import Case, Peer

READ, WRITTEN, MEMBERS = 100_000, 20_000, 50_000
STANDING = 10_000, 1_000_000
# ldap3 waits for each answer, and is said per record.
WRITTEN_ONE_BY_ONE = 2_000
TARGET = WriteTarget(
    container=directory.PEOPLE,
    key_fields=("employeeNumber",),
    fields=directory.FIELDS,
    object_classes=directory.CLASSES,
)
GROUP = "cn=everybody,ou=groups,dc=example,dc=test"

# -- P2 -------------------------------------------------------------------------------------------------------------


def prepare_adding(folder: Path) -> None:
    directory.start_with_people(folder, 0)
    directory.write_ldif(folder / "add.ldif", range(WRITTEN))


def prepare_changing(folder: Path) -> None:
    directory.start_with_people(folder, WRITTEN)
    with (folder / "modify.ldif").open("w", encoding="utf-8") as file:
        for number in range(WRITTEN):
            file.write(f"dn: {directory.place_of(number)}\nchangetype: modify\nreplace: title\ntitle: Chief\n\n")
    names = "".join(f"{directory.place_of(number)}\n" for number in range(WRITTEN))
    (folder / "delete.txt").write_text(names, encoding="utf-8")


def apply(folder: Path, changes: Iterable[Change]) -> None:
    provider = directory.open_directory(folder)
    pending = list(changes)
    with provider.writer(TARGET) as writer:
        size = writer.batch_size or len(pending)
        for start in range(0, len(pending), size):
            outcomes = writer.apply(pending[start : start + size])
            wrong = [outcome for outcome in outcomes if outcome.status != "done"]
            if wrong:
                raise RuntimeError(str(wrong[0]))
    provider.close()


def change(action: str, number: int, before: dict[str, Value], after: dict[str, Value]) -> Change:
    return Change(
        number=number + 1,
        object="people",
        action=action,  # type: ignore[arg-type]
        key=(str(number),),
        target=directory.place_of(number),
        before=before,
        after=after,
    )


def add(folder: Path) -> None:
    apply(folder, (change("create", number, {}, {**directory.person(number)}) for number in range(WRITTEN)))


def modify(folder: Path) -> None:
    people = ((number, {**directory.person(number)}) for number in range(WRITTEN))
    apply(folder, (change("update", number, {"title": each["title"]}, {"title": "Chief"}) for number, each in people))


def delete(folder: Path) -> None:
    people = ((number, {**directory.person(number)}) for number in range(WRITTEN))
    apply(folder, (change("delete", number, {"employeeNumber": each["employeeNumber"]}, {}) for number, each in people))


def write_with(program: str, action: str, file: str, count: int, folder: Path) -> float:
    return programs.run_on_server(program, folder, action, folder / file, count)


# -- P3 -------------------------------------------------------------------------------------------------------------


def write_csv(folder: Path, count: int) -> None:
    with (folder / "hr.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(directory.FIELDS)
        writer.writerows(directory.person(number).values() for number in range(count))


def declare(folder: Path, **options: t.Any) -> None:
    fields = [{"name": name, "source": name, "key": name == "employeeNumber"} for name in directory.FIELDS]
    engine.declare(
        folder,
        {"hr": {"csv": {"path": str(folder / "hr.csv")}}, "directory": {"ldap": directory.provider_options(folder)}},
        {
            "source": {"provider": "hr"},
            "destination": {"provider": "directory", "container": directory.PEOPLE},
            "missing_at_destination": "create",
            "missing_at_source": "delete",
            "objects": [{"name": "people", "type": "inetOrgPerson", "rdn": "uid", "fields": fields}],
            **options,
        },
    )


def prepare_run(folder: Path) -> None:
    directory.start_with_people(folder, READ)
    write_csv(folder, READ)
    declare(folder)
    if engine.run(folder).statistics.unchanged != READ:
        raise RuntimeError("not all unchanged")


def prepare_first_load(folder: Path) -> None:
    prepare_adding(folder)
    write_csv(folder, WRITTEN)


def declare_afresh(folder: Path) -> None:
    directory.start_afresh(folder)
    for leftover in folder.glob("state.db*"):
        leftover.unlink()
    declare(folder)


def run_first_load(folder: Path) -> None:
    statistics = engine.run(folder).statistics
    if statistics.created != WRITTEN:
        raise RuntimeError(f"not all created: {statistics}")


# -- P5 -------------------------------------------------------------------------------------------------------------


def prepare_standstill(folder: Path, count: int) -> None:
    directory.start_with_people(folder, count)
    write_csv(folder, count)
    declare(folder, changed_only={"proof": True})
    results = [engine.run(folder), engine.run(folder)]
    if results[0].statistics.unchanged != count or results[1].stands_on != results[0].id:
        raise RuntimeError(f"does not stand still: {results[1].message}")


# -- P6 -------------------------------------------------------------------------------------------------------------


def prepare_group(folder: Path) -> None:
    directory.start_with_people(folder, 0)
    directory.stop(folder)
    members = "".join(f"member: {directory.place_of(number)}\n" for number in range(MEMBERS))
    text = f"dn: {GROUP}\nobjectClass: groupOfNames\ncn: everybody\n{members}\n"
    (folder / "group.ldif").write_text(text, encoding="utf-8")
    directory.load(folder, folder / "group.ldif")
    directory.save(folder)
    directory.start(folder)
    joins = f"dn: {GROUP}\nchangetype: modify\nadd: member\nmember: {directory.place_of(MEMBERS)}\n"
    (folder / "join.ldif").write_text(joins, encoding="utf-8")


def join(folder: Path) -> None:
    joined = ValueChanges(added=(directory.place_of(MEMBERS),), removed=())
    apply(
        folder,
        [
            Change(
                number=1,
                object="groups",
                action="update",
                key=("everybody",),
                target=GROUP,
                before={},
                after={"member": joined},
            )
        ],
    )


def bench_directories() -> list[Case]:
    writing = [
        Case(
            name=f"P2: {WRITTEN:,} {what}",
            size=WRITTEN,
            prepare=prepare,
            before=directory.start_afresh,
            ours=ours,
            floor=lambda folder, tool=tool, file=file: directory.run_tool(folder, tool, ["-f", str(folder / file)]),
            floor_name=tool,
            peers=(
                Peer(
                    name="python-ldap, 64 at a time",
                    work=partial(write_with, "python_ldap_write", action, names, WRITTEN),
                ),
                Peer(
                    name="ldap3",
                    work=partial(write_with, "ldap3_write", action, names, WRITTEN_ONE_BY_ONE),
                    size=WRITTEN_ONE_BY_ONE,
                ),
            ),
            cleanup=directory.stop,
            max_ratio=1,
        )
        for action, what, prepare, ours, tool, file, names in (
            ("add", "adds", prepare_adding, add, "ldapadd", "add.ldif", "add.ldif"),
            ("modify", "modifies", prepare_changing, modify, "ldapmodify", "modify.ldif", "delete.txt"),
            ("delete", "deletes", prepare_changing, delete, "ldapdelete", "delete.txt", "delete.txt"),
        )
    ]
    return [
        *writing,
        Case(
            name=f"P3: CSV to LDAP, {READ:,} x {len(directory.FIELDS)}, nothing to change, whole command",
            prepare=prepare_run,
            ours=run_small_job,
            floor=ping,
            floor_name="ansible -m ping",
            cleanup=directory.stop,
            max_seconds=5,
            max_megabytes=400,
        ),
        *(
            Case(
                name=f"P5: CSV to LDAP, {count:,} x {len(directory.FIELDS)}, proven unchanged, whole command",
                prepare=partial(prepare_standstill, count=count),
                ours=run_small_job,
                floor=ping,
                floor_name="ansible -m ping",
                cleanup=directory.stop,
                max_seconds=2,
            )
            for count in STANDING
        ),
        Case(
            name=f"P3: first load of {WRITTEN:,}: plan, journal, write, history",
            prepare=prepare_first_load,
            before=declare_afresh,
            ours=run_first_load,
            floor=lambda folder: directory.run_tool(folder, "ldapadd", ["-f", str(folder / "add.ldif")]),
            floor_name="ldapadd",
            cleanup=directory.stop,
        ),
        Case(
            name=f"P6: one joins a group of {MEMBERS:,}",
            prepare=prepare_group,
            before=directory.start_afresh,
            ours=join,
            floor=lambda folder: directory.run_tool(folder, "ldapmodify", ["-f", str(folder / "join.ldif")]),
            floor_name="ldapmodify of one value",
            cleanup=directory.stop,
        ),
    ]
