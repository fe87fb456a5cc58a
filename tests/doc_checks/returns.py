# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what modules really returned with what their RETURN promises."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from .module_docs import ROOT, Mapping

# Ansible's own keys, in every result.
OWN_KEYS = {"changed", "failed", "diff", "warnings", "deprecations", "exception", "attempts", "retries"}
ALWAYS = {"always", "success"}
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "path": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
    "complex": (dict, list),
    "raw": (object,),
}


class Recorded(t.TypedDict):
    """One file of the callback plugin record_results."""

    task: str
    failed: bool
    result: Mapping


def results_folder() -> Path:
    """Give the folder that the last integration tests wrote their results to."""
    return Path(os.environ.get("LOCKSTEP_RECORD_RESULTS", ROOT / ".cache" / "results"))


def recorded(module: str) -> list[Recorded]:
    """Load all results of a module."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((results_folder() / module).glob("*.json"))]


def compare(record: Recorded, documented: Mapping) -> list[str]:
    """Give complaints: a key that RETURN does not know, one it promises that is missing, a value of another type.

    A failed result may stop at any point, so nothing is promised for it; it always has `msg`.
    """
    result = {key: value for key, value in record["result"].items() if key not in OWN_KEYS}
    known = {key: value for key, value in documented.items() if key not in OWN_KEYS}
    if record["failed"]:
        result.pop("msg", None)
    return _compare_keys(result, known, "", promised=not record["failed"])


def _compare_keys(values: Mapping, documented: Mapping, where: str, *, promised: bool) -> list[str]:
    complaints = [f"{where}{key} is returned but not documented" for key in values if key not in documented]
    for key, entry in documented.items():
        if key in values:
            complaints += _compare_value(values[key], entry, f"{where}{key}", promised=promised)
        elif promised and entry.get("returned", "always") in ALWAYS:
            complaints.append(f"{where}{key} is documented as always there, but is missing")
    return complaints


def _compare_value(value: object, entry: Mapping, where: str, *, promised: bool) -> list[str]:
    if value is None:  # RETURN has no word for "no value"
        return []
    kind = entry.get("type", "raw")
    if not _fits(value, kind):
        return [f"{where} is documented as {kind}, but is {type(value).__name__}: {str(value)[:60]!r}"]
    if isinstance(value, list):
        inner = {"type": entry.get("elements", "raw")} | (
            {"contains": entry["contains"]} if "contains" in entry else {}
        )
        return [
            complaint
            for number, item in enumerate(value)
            for complaint in _compare_value(item, inner, f"{where}[{number}]", promised=promised)
        ]
    if isinstance(value, dict) and "contains" in entry:
        return _compare_keys(value, entry["contains"], f"{where}.", promised=promised)
    return []


def _fits(value: object, kind: str) -> bool:
    if isinstance(value, bool) and kind in ("int", "float"):  # True is an int to Python, not to a reader
        return False
    return isinstance(value, TYPES[kind])
