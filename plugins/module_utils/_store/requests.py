# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests in the store, and what happened to them: events are added, never changed, and each proves the one before.

The code of an event (HMAC-SHA256 with a key derived from the store's) covers the request with its rules, the digest of
its plan, the event, and the code of the event before. So nobody without the key can add, change or take out one, nor
put another plan or other rules in the place of what was decided.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from .._model.approvals import Actor, Event, EventKind, Request, RequestStatus, Terms
from .._model.errors import StoreError
from .jobs import job_id
from .session import Session, inserted_id
from .tables import tables
from .texts import clean, from_json_text, to_json_text
from .times import Clock, to_text
from .vault import Vault

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import Connection, Row

PAGE = 100
_ALIVE: tuple[RequestStatus, ...] = ("pending", "approved")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRequest:
    """A request as stored. `plan_digest` is that of its plan, `head` the code of the last event that was noted."""

    request: Request
    plan_digest: str
    workflow_id: int | None
    head: str


class Requests:
    """The requests of one store."""

    def __init__(self, session: Session, vault: Vault, clock: Clock) -> None:
        self._session = session
        self._vault = vault
        self._clock = clock

    def add(self, job_name: str, terms: Terms, workflow_id: int | None) -> Request:
        """Make a request; its first event says who asked.

        Raises ConfigError when the store has no key, StoreError when the plan does not exist or the key is wrong.
        """
        table = tables().requests
        with self._session.write() as connection:
            result = connection.execute(
                table.insert().values(
                    run_id=terms.run_id,
                    plan_id=terms.plan_id,
                    job_id=job_id(connection, job_name),
                    job_name=job_name,
                    workflow_id=workflow_id,
                    workflow=terms.workflow,
                    approvers=to_json_text(terms.approvers),
                    quorum=terms.quorum,
                    expires=terms.expires,
                    accepted=to_json_text(sorted(terms.accepted)),
                    after_run_id=terms.after_run_id,
                    requester=terms.requester.person,
                    requester_role=terms.requester.role,
                    created=terms.created,
                    status="pending",
                    head="",
                )
            )
            number = inserted_id(result)
            self._add_event(connection, self._need(number), self._event("created", terms.requester))
        return self._need(number).request

    def add_event(
        self, request_id: int, kind: EventKind, actor: Actor, *, reason: str = "", run_id: int | None = None
    ) -> Request:
        """Add what happened to a request, and give the request afterwards. Raises StoreError, ConfigError."""
        with self._session.write() as connection:
            self._add_event(connection, self._need(request_id), self._event(kind, actor, reason, run_id))
            return self._need(request_id).request

    def get(self, request_id: int) -> StoredRequest | None:
        """Give one request with its events, or None."""
        found = self._select(tables().requests.c.id == request_id, limit=1, offset=0)
        return found[0] if found else None

    def of_plan(self, plan_id: int) -> list[StoredRequest]:
        """Give all requests of a plan, the oldest first."""
        return self._select(tables().requests.c.plan_id == plan_id, limit=None, offset=0)[::-1]

    def find(
        self,
        *,
        job: str | None = None,
        status: RequestStatus | None = None,
        workflow_id: int | None = None,
        limit: int | None = PAGE,
        offset: int = 0,
    ) -> list[StoredRequest]:
        """Give requests, the newest first.

        Args:
            job: of jobs that have this name, or had it when they were deleted.
            status: that have it now; those whose time is over count as expired, noted or not.
            workflow_id: that this workflow asked for.
            limit: at most so many.
            offset: without the first so many.
        """
        table = tables().requests
        conditions: list[sa.ColumnElement[bool]] = []
        if job is not None:
            conditions.append(table.c.job_name == job)
        if workflow_id is not None:
            conditions.append(table.c.workflow_id == workflow_id)
        if status is not None:
            conditions.append(self._has(status))
        return self._select(*conditions, limit=limit, offset=offset)

    def overdue(self, job: str) -> list[StoredRequest]:
        """Give the requests of a job whose time is over, which nobody has noted yet."""
        table = tables().requests
        over = table.c.status.in_(_ALIVE) & (table.c.expires <= to_text(self._clock()))
        return self._select(table.c.job_name == job, over, limit=None, offset=0)

    def fault(self, stored: StoredRequest) -> str:
        """Say what is wrong with a request and its events, empty when all of them are as they were written."""
        request = stored.request
        before = ""
        try:
            for event in request.events:
                if not self._vault.is_signed(_message(stored, event, before), event.mac):
                    return f"the event {event.kind!r} of {event.time} is not what was written"
                before = event.mac
        except StoreError as error:
            return f"nobody can tell whether it is as it was written: {error.message.rstrip('.')}"
        if not request.events or request.events[0].kind != "created" or before != stored.head:
            return "an event was added or taken away"
        return ""

    # -- inside

    def _has(self, status: RequestStatus) -> sa.ColumnElement[bool]:
        table = tables().requests
        if status in ("denied", "executed"):
            return table.c.status == status
        now = to_text(self._clock())
        alive = table.c.status.in_(_ALIVE)
        if status == "expired":
            return (table.c.status == status) | (alive & (table.c.expires <= now))
        return (table.c.status == status) & (table.c.expires > now)

    def _event(self, kind: EventKind, actor: Actor, reason: str = "", run_id: int | None = None) -> Event:
        return Event(time=to_text(self._clock()), kind=kind, actor=actor, reason=clean(reason), run_id=run_id, mac="")

    def _add_event(self, connection: Connection, stored: StoredRequest, event: Event) -> None:
        mac = self._vault.sign(connection, _message(stored, event, stored.head))
        connection.execute(
            tables()
            .request_events.insert()
            .values(
                request_id=stored.request.id,
                time=event.time,
                event=event.kind,
                actor=event.actor.person,
                role=event.actor.role,
                reason=event.reason,
                run_id=event.run_id,
                mac=mac,
            )
        )
        status = self._need(stored.request.id).request.status(self._clock())
        table = tables().requests
        connection.execute(table.update().where(table.c.id == stored.request.id).values(status=status, head=mac))

    def _need(self, request_id: int) -> StoredRequest:
        stored = self.get(request_id)
        if stored is None:
            raise StoreError(f"The state store {self._session.location} has no request {request_id}.")
        return stored

    def _select(self, *conditions: sa.ColumnElement[bool], limit: int | None, offset: int) -> list[StoredRequest]:
        table, plans = tables().requests, tables().plans
        query = (
            table.select()
            .add_columns(plans.c.digest.label("plan_digest"))
            .join_from(table, plans, plans.c.id == table.c.plan_id)
            .where(*conditions)
            .order_by(table.c.id.desc())
            .limit(limit)
            .offset(offset)
        )
        with self._session.read() as connection:
            rows = connection.execute(query).all()
            events = _events(connection, [row.id for row in rows])
        return [_to_request(row, events.get(row.id, ())) for row in rows]


def _events(connection: Connection, numbers: Sequence[int]) -> Mapping[int, list[Event]]:
    table = tables().request_events
    found: dict[int, list[Event]] = {}
    for row in connection.execute(table.select().where(table.c.request_id.in_(numbers)).order_by(table.c.id)):
        event = Event(
            time=row.time,
            kind=row.event,
            actor=Actor(person=row.actor, role=row.role),
            reason=row.reason,
            run_id=row.run_id,
            mac=row.mac,
        )
        found.setdefault(row.request_id, []).append(event)
    return found


def _message(stored: StoredRequest, event: Event, before: str) -> bytes:
    """Give what the code of an event covers. The job is not in it: it may be renamed; the plan says what it does."""
    terms = asdict(stored.request.terms)
    content = {
        "request": stored.request.id,
        "plan": stored.plan_digest,
        "terms": {**terms, "accepted": sorted(terms["accepted"]), "approvers": list(terms["approvers"])},
        "event": [event.kind, event.time, event.actor.person, event.actor.role, event.reason, event.run_id],
        "before": before,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


def _to_request(row: Row[t.Any], events: Sequence[Event]) -> StoredRequest:
    terms = Terms(
        run_id=row.run_id,
        plan_id=row.plan_id,
        accepted=frozenset(from_json_text(row.accepted)),
        after_run_id=row.after_run_id,
        workflow=row.workflow,
        approvers=tuple(from_json_text(row.approvers)),
        quorum=row.quorum,
        requester=Actor(person=row.requester, role=row.requester_role),
        created=row.created,
        expires=row.expires,
    )
    request = Request(id=row.id, job=row.job_name, terms=terms, events=tuple(events))
    return StoredRequest(request=request, plan_digest=row.plan_digest, workflow_id=row.workflow_id, head=row.head)
