# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain one record: what was read, whether it is in scope, each mapping step, the match, and what a run would do.
Writes nothing.
"""

from __future__ import annotations

import typing as t

from .._model.errors import RecordError, SkipRecord
from .._model.plans import Change, ObjectPlan
from .._model.values import Key, Row, show, show_key
from .fields import canonical_key_part, make_rules, prepare_row
from .index import KeyReader, fold_of
from .planner import plan_object
from .request import ObjectRequest


def explain_object(request: ObjectRequest, key: Key) -> dict[str, t.Any] | None:
    """Give the explanation of the source record with `key` (JSON-safe), None when this object has no such record.

    `request.wanted_keys` must be just `key`, so that the decision is the one a run would take.
    """
    rules = make_rules(request.spec, request.mapping, request.source.info, request.destination.info)
    key_rules = [rule for rule in rules if rule.spec.key]
    reader = KeyReader(
        positions=tuple(rule.position for rule in key_rules), folds=tuple(fold_of(rule.info) for rule in key_rules)
    )
    wanted = reader.of_key(tuple(canonical_key_part(rule, text) for rule, text in zip(key_rules, key, strict=True)))

    def has_key(row: Row) -> bool:
        try:
            values: list[t.Any] = [None] * len(rules)
            for rule, value in zip(key_rules, request.mapping.map_key(row), strict=True):
                values[rule.position] = value if rule.prepare is None else rule.prepare(value)
            return bool(reader.of_key(reader.texts(values)) == wanted)
        except (RecordError, SkipRecord):
            # A record whose key cannot be read is not the one asked for.
            return False

    rows: list[Row] = []
    with request.source.provider.read(request.source.query, request.mapping.source_fields) as reading:
        for batch in reading.batches():
            rows.extend(row for row in batch if has_key(row))
    if not rows:
        return None
    plan = plan_object(request)
    return {
        "object": request.spec.name,
        "key": show_key(key),
        "records": [_explain_row(request, rules, row) for row in rows],
        "decision": _decision(plan),
        "changes": [_show_change(change) for change in plan.all_changes()],
        "problems": [f"{problem.code}: {problem.message}" for problem in plan.problems],
    }


def _explain_row(request: ObjectRequest, rules: t.Any, row: Row) -> dict[str, t.Any]:
    mapping = request.mapping
    fields = [
        {
            "field": trace.field,
            "source": trace.source,
            "steps": [{"step": step.step, "value": step.value} for step in trace.steps],
            "result": trace.result,
            **({"error": trace.error} if trace.error else {}),
        }
        for trace in mapping.explain(row)
    ]
    return {
        "source": {name: show(value) for name, value in zip(mapping.source_fields, row, strict=True)},
        "in_scope": _scope(request, row),
        "fields": fields,
        "error": _error(request, rules, row),
    }


def _scope(request: ObjectRequest, row: Row) -> bool | str:
    if request.mapping.in_scope is None:
        return True
    try:
        return request.mapping.in_scope(row)
    except (RecordError, SkipRecord) as error:
        return f"{error.code}: {error.message}"


def _error(request: ObjectRequest, rules: t.Any, row: Row) -> str:
    try:
        prepare_row([rule for rule in rules if rule.prepare is not None], request.mapping.map_row(row))
    except (RecordError, SkipRecord) as error:
        return f"{error.code}: {error.message}"
    return ""


def _decision(plan: ObjectPlan) -> str:
    if plan.changes or plan.held_changes:
        action = next((each.action for each in plan.all_changes() if each.action != "create_container"), "create")
        return f"held: {action}" if not plan.changes else action
    if plan.statistics.errors:
        return "error"
    if plan.statistics.unchanged:
        return "unchanged"
    if plan.statistics.skipped:
        return "skip"
    return "out of scope"


def _show_change(change: Change) -> dict[str, t.Any]:
    names = change.after if change.action != "delete" else change.before
    return {
        "action": change.action,
        "fields": {name: _before_after(change, name) for name in names},
    }


def _before_after(change: Change, name: str) -> dict[str, str]:
    after = change.after.get(name)
    return {
        "before": show(change.before.get(name)),
        "after": show(after) if after is None or isinstance(after, (str, bytes, tuple)) else repr(after),
    }
