# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run as Ansible shows and keeps it: JSON-safe, capped, with the rest in the files."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Sequence

from .._model.lines import change_line, error_line, held_line, log_line
from .._model.runs import AppliedChange, RunResult
from .._model.values import show_key
from .results import size_of

RUN_BYTES = 20_000
"""How big `run` may be as JSON. It comes twice, as result and as fact, and a diff may stand beside it; the whole stays
below 64 kB.
"""
DIFF_BYTES = 16_000
LOG_LINES = 20
ERRORS = 50


def run_to_result(result: RunResult, limit: int = RUN_BYTES) -> dict[str, t.Any]:
    """Give `run` of the module's result; lists are cut until it has at most `limit` bytes, and `truncated` says how
    many were left out of each.
    """
    errors = [problem for problem in result.problems if problem.level == "error"]
    lists: dict[str, list[t.Any]] = {
        "changes": [change_line(item) for item in result.changes],
        "errors": [error_line(problem) for problem in errors[:ERRORS]],
        "log": [log_line(line) for line in result.log[-LOG_LINES:]],
        "objects": [{"name": name, "statistics": counts.as_dict()} for name, counts in result.objects],
        "held": [held_line(held) for held in result.held],
    }
    totals = {"changes": result.changes_total, "errors": len(errors), "log": len(result.log)} | {
        name: len(lists[name]) for name in ("objects", "held")
    }
    run: dict[str, t.Any] = {
        "id": result.id,
        "job": result.job,
        "collection": result.collection,
        "parent": result.parent_id,
        "status": result.status,
        "outcome": result.agreement,
        "preview": result.preview,
        "started": result.started,
        "finished": result.finished,
        "duration_seconds": result.duration,
        "statistics": result.statistics.as_dict(),
        "changes_file": result.changes_file,
        "log_file": result.log_file,
        "plan_digest": result.plan_digest,
        "plan": result.plan_id,
        "unchanged_since": result.stands_on,
        "request": result.request_ids[0] if result.request_ids else None,
        "requests": list(result.request_ids),
        "kind": result.kind,
        "origin": result.origin_id,
    }
    return run | _fit(run, lists, totals, limit)


def _fit(
    run: t.Mapping[str, t.Any], lists: dict[str, list[t.Any]], totals: t.Mapping[str, int], limit: int
) -> dict[str, t.Any]:
    """Cut the longest list by half, again and again, until the whole is small enough. The log keeps its end."""
    while size_of(run) + size_of(lists) > limit and any(lists.values()):
        longest = max(lists, key=lambda name: size_of(lists[name]))
        items = lists[longest]
        keep = len(items) // 2
        lists[longest] = (items[len(items) - keep :] if longest == "log" else items[:keep]) if keep else []
    left_out = {name: totals[name] - len(items) for name, items in lists.items() if totals[name] > len(items)}
    return {**lists, "truncated": left_out}


def make_diff(changes: Sequence[AppliedChange], total: int) -> list[dict[str, str]]:
    """Give one block per record that was changed, or in a preview would be; the last one says how many of `total` were
    left out.
    """
    blocks: list[dict[str, str]] = []
    size = 0
    for item in changes:
        if item.outcome is not None and item.outcome.status != "done":
            continue
        block = _diff_block(item)
        size += size_of(block)
        if size > DIFF_BYTES:
            break
        blocks.append(block)
    if total > len(blocks):
        rest = f"and {total - len(blocks)} more changes; `run.changes_file` has all of them\n"
        blocks.append({"before_header": "left out", "after_header": "left out", "before": "", "after": rest})
    return blocks


def fit_blocks(blocks: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Give the blocks of several runs until there are too many; the last one says how many were left out."""
    kept: list[dict[str, str]] = []
    size = 0
    for block in blocks:
        size += size_of(block)
        if size > DIFF_BYTES:
            rest = f"and {len(blocks) - len(kept)} more blocks; `changes_file` of each run has all of them\n"
            return [*kept, {"before_header": "left out", "after_header": "left out", "before": "", "after": rest}]
        kept.append(block)
    return kept


def _diff_block(item: AppliedChange) -> dict[str, str]:
    change = item.change
    words = (change.object, show_key(change.key), f"({change.action})", change.target)
    header = " ".join(word for word in words if word)
    fields = change_line(item)["fields"]
    return {
        "before_header": header,
        "after_header": header,
        "before": "" if change.action in ("create", "create_container") else _lines(fields, "before"),
        "after": "" if change.action == "delete" else _lines(fields, "after"),
    }


def _lines(fields: t.Mapping[str, t.Any], side: str) -> str:
    return "".join(
        f"{name}: {json.dumps(values[side], ensure_ascii=False)}\n"
        for name, values in sorted(fields.items())
        if values[side] is not None
    )
