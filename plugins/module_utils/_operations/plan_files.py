# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kept plans for people: as JSON, CSV or Markdown, for a merge request or a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import typing as t
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .._model.errors import ConfigError

PlanFormat: t.TypeAlias = t.Literal["json", "csv", "markdown"]
FORMATS: tuple[PlanFormat, ...] = t.get_args(PlanFormat)
_BY_SUFFIX: Mapping[str, PlanFormat] = {".json": "json", ".csv": "csv", ".md": "markdown", ".markdown": "markdown"}
_COLUMNS = ("number", "object", "action", "key", "target", "field", "before", "after", "held")

Described: t.TypeAlias = Mapping[str, t.Any]
"""A plan as `plan_info` shows it, with all its changes."""


def choose_format(path: Path, wanted: PlanFormat | None) -> PlanFormat:
    """Give the format of the file: the one asked for, or that of its suffix. Raises ConfigError when there is none."""
    found = wanted or _BY_SUFFIX.get(path.suffix.lower())
    if found is None:
        raise ConfigError(
            f"path: {str(path)!r} does not say which format is wanted. Give `format` ({', '.join(FORMATS)}), or a name "
            f"that ends in {', '.join(_BY_SUFFIX)}."
        )
    return found


def plan_text(plan: Described, form: PlanFormat) -> str:
    """Give the plan in one of the formats. Equal plans give equal text."""
    writers: Mapping[PlanFormat, Callable[[Described], str]] = {"json": _json, "csv": _csv, "markdown": _markdown}
    return writers[form](plan)


def write_if_different(path: Path, text: str, *, check: bool) -> bool:
    """Write `text` unless the file has it; readable by its owner only, replaced as a whole. Gives whether it differed.

    Raises ConfigError when the file cannot be written; with `check` it is not tried.
    """
    try:
        if path.exists() and path.read_bytes() == text.encode("utf-8"):
            return False
        if check:
            return True
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"path: {str(path)!r} cannot be written: {error.strerror}.") from error
    return True


def _json(plan: Described) -> str:
    return json.dumps(plan, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _csv(plan: Described) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for change in plan["changes"]:
        first = [change[name] for name in ("number", "object", "action", "key", "target")]
        held = " ".join(change["held"])
        fields = change["fields"] or {"": {"before": None, "after": None}}
        for name, values in fields.items():
            writer.writerow([*first, name, _cell(values["before"]), _cell(values["after"]), held])
    return out.getvalue()


def _cell(value: t.Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _markdown(plan: Described) -> str:
    counts = ", ".join(f"{count} {action}" for action, count in plan["counts"].items()) or "nothing"
    lines = [
        f"# Plan {plan['id']} of job {_safe(plan['job'])}",
        "",
        f"- {plan['changes_total']} changes would be applied, {plan['held_total']} are held by guards: {counts}",
        f"- made {plan['created']} on {_safe(plan['host'])} by {_safe(plan['requester'])}",
        f"- digest `{plan['digest']}`",
    ]
    lines += [f"- **held, {_safe(held['class'])}**: {_safe(held['message'])}" for held in plan["held"]]
    lines += [
        "",
        "| # | object | action | key | field | before | after | held by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for change in plan["changes"]:
        lines += _markdown_rows(change)
    return "\n".join(lines) + "\n"


def _markdown_rows(change: Described) -> Sequence[str]:
    first = [str(change["number"]), change["object"], change["action"], change["key"] or change["target"] or ""]
    held = ", ".join(change["held"])
    fields = change["fields"] or {"": {"before": None, "after": None}}
    rows = []
    for name, values in fields.items():
        cells = [*first, name, _cell(values["before"]), _cell(values["after"]), held]
        rows.append(f"| {' | '.join(map(_safe, cells))} |")
        first = ["", "", "", ""]
    return rows


def _safe(text: str) -> str:
    """Keep a value from becoming Markdown: a name with a bar or a tag must not change the page."""
    escaped = "".join(f"\\{char}" if char in "\\`*_{}[]<>#|~" else char for char in text)
    return " ".join(escaped.splitlines())
