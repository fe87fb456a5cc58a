# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that stand in definitions: who mentions one, and how those follow its renaming."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from .tables import tables
from .texts import from_json_text, to_json_text

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import Connection


def jobs_that_mention(connection: Connection, option: str, name: str) -> list[str]:
    """Give the sorted names of the jobs whose `option`, a name or a list of names, mentions `name`."""
    return sorted(job for _number, job, _definition in _mentions(connection, tables().jobs, option, name))


def rename_in_jobs(connection: Connection, option: str, old: str, new: str) -> None:
    """Write `new` for `old` in that option of every job. As with the name of a provider, no job counts as modified."""
    _rename(connection, tables().jobs, option, old, new)


def users_of_notification(connection: Connection, name: str) -> list[str]:
    """Give whoever mentions the notification: jobs, then collections, then schedules, as `job 'people'`."""
    return [
        f"{noun} {owner!r}"
        for noun, table in _notifying()
        for owner in sorted(owner for _number, owner, _definition in _mentions(connection, table, "notification", name))
    ]


def rename_notification(connection: Connection, old: str, new: str) -> None:
    """Write `new` for `old` with all users of the notification; none counts as modified."""
    for _noun, table in _notifying():
        _rename(connection, table, "notification", old, new)


def drop_notification(connection: Connection, name: str) -> None:
    """Take the notification, and what is different from it, out of all its users; none counts as modified."""
    for _noun, table in _notifying():
        for number, _owner, definition in list(_mentions(connection, table, "notification", name)):
            rest = {option: value for option, value in definition.items() if option not in ("notification", "notify")}
            connection.execute(table.update().where(table.c.id == number).values(definition=to_json_text(rest)))


def _notifying() -> tuple[tuple[str, sa.Table], ...]:
    known = tables()
    return (("job", known.jobs), ("job collection", known.collections), ("schedule", known.schedules))


def rename_in_workflows(connection: Connection, option: str, old: str, new: str) -> None:
    """Write `new` for `old` in that option of every workflow; none counts as modified."""
    _rename(connection, tables().workflows, option, old, new)


def rename_in_collections(connection: Connection, option: str, old: str, new: str) -> None:
    """Write `new` for `old` in that option of every job collection; none counts as modified."""
    _rename(connection, tables().collections, option, old, new)


def collections_that_mention(connection: Connection, option: str, name: str) -> list[str]:
    """Give the sorted names of the job collections whose `option`, a name or a list of names, mentions `name`."""
    return sorted(owner for _number, owner, _definition in _mentions(connection, tables().collections, option, name))


def rename_in_schedules(connection: Connection, option: str, old: str, new: str) -> None:
    """Write `new` for `old` in that option of every schedule; none counts as modified."""
    _rename(connection, tables().schedules, option, old, new)


def schedules_that_mention(connection: Connection, option: str, name: str) -> list[str]:
    """Give the sorted names of the schedules whose `option`, a name or a list of names, mentions `name`."""
    return sorted(owner for _number, owner, _definition in _mentions(connection, tables().schedules, option, name))


def _rename(connection: Connection, table: sa.Table, option: str, old: str, new: str) -> None:
    for number, _name, definition in list(_mentions(connection, table, option, old)):
        value = definition[option]
        renamed = [_renamed(each, old, new) for each in value] if isinstance(value, list) else new
        text = to_json_text({**definition, option: renamed})
        connection.execute(table.update().where(table.c.id == number).values(definition=text))


def _mentions(
    connection: Connection, table: sa.Table, option: str, name: str
) -> Iterator[tuple[int, str, dict[str, t.Any]]]:
    query = table.select().with_only_columns(table.c.id, table.c.name, table.c.definition)
    for number, owner, text in connection.execute(query):
        definition = from_json_text(text)
        value = definition.get(option)
        if value == name or (isinstance(value, list) and name in map(_name_of, value)):
            yield number, owner, definition


def _name_of(entry: t.Any) -> t.Any:
    """Give the name that an entry of a list stands for: itself, or the job of a collection's entry."""
    return entry["job"] if isinstance(entry, dict) else entry


def _renamed(entry: t.Any, old: str, new: str) -> t.Any:
    if _name_of(entry) != old:
        return entry
    return {**entry, "job": new} if isinstance(entry, dict) else new
