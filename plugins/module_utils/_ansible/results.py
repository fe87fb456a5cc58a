# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results that Ansible can carry: plain JSON, below 64 kB, with messages that hold no secret."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import math
import typing as t
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from pathlib import PurePath

from .._model.secrets import MASK, GeneratedPassword, Secret, redact
from .._model.values import to_json

MAX_BYTES = 60_000
"""How big the values of a result may be, so that the whole stays below 64 kB."""
_FOR_PEOPLE = frozenset({"msg", "message", "details", "server"})


def json_safe(data: object) -> t.Any:
    """Give `data` as plain JSON data that every Ansible can carry; unknown types become their text."""
    if data is None or isinstance(data, (bool, int)):
        return int(data) if isinstance(data, enum.Enum) else data
    for types, convert in _CONVERTERS:
        if isinstance(data, types):
            return convert(data)
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        return {item.name: json_safe(getattr(data, item.name)) for item in dataclasses.fields(data)}
    return _text(str(data))


def size_of(data: object) -> int:
    """Give the size of JSON-safe `data` as Ansible carries it, in bytes: JSON in ASCII."""
    return len(json.dumps(data))


def shrink(values: Mapping[str, t.Any], limit: int = MAX_BYTES) -> tuple[dict[str, t.Any], dict[str, int]]:
    """Cut the biggest lists of JSON-safe `values`, again and again, until they are below `limit` bytes.

    Returns:
        The values, and for each list that was cut its place (`jobs`, `job.objects`) and how many entries were left out.
    """
    kept: dict[str, t.Any] = json.loads(json.dumps(values))
    left_out: dict[str, int] = {}
    while (size := size_of(kept)) > limit:
        lists = sorted(_lists(kept, ""), key=lambda found: size_of(found[1]))
        if not lists:
            break
        place, biggest = lists[-1]
        # At least one goes; about as many stay as the excess allows, taking all entries as equally big.
        share = 1 - (size - limit) / max(size_of(biggest), 1)
        keep = max(0, min(len(biggest) - 1, int(len(biggest) * share)))
        left_out[place] = left_out.get(place, 0) + len(biggest) - keep
        del biggest[keep:]
    return kept, left_out


def redact_messages(data: t.Any, secrets: Collection[str]) -> t.Any:
    """Give JSON-safe `data` with the secrets masked in texts for people; names and values stay."""
    if isinstance(data, dict):
        return {
            name: redact(value, secrets)
            if name in _FOR_PEOPLE and isinstance(value, str)
            else redact_messages(value, secrets)
            for name, value in data.items()
        }
    return [redact_messages(item, secrets) for item in data] if isinstance(data, list) else data


def _lists(data: object, place: str) -> Iterable[tuple[str, list[t.Any]]]:
    """Give the lists that are not empty, the outermost of each branch only; of a list of one entry those in it."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _lists(value, f"{place}.{name}" if place else name)
    elif isinstance(data, list) and data:
        inner = list(_lists(data[0], place)) if len(data) == 1 and isinstance(data[0], dict) else []
        yield from inner or [(place, data)]


def _text(text: str) -> str:
    # Lone surrogates, as in file names that are not UTF-8, cannot leave as UTF-8.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _float(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


def _mapping(data: Mapping[object, object]) -> dict[str, t.Any]:
    return {_text(str(key)): json_safe(value) for key, value in data.items()}


def _list(data: Iterable[object]) -> list[t.Any]:
    return [json_safe(item) for item in data]


def _set(data: Iterable[object]) -> list[t.Any]:
    return sorted(_list(data), key=str)


_CONVERTERS: tuple[tuple[tuple[type, ...], Callable[[t.Any], t.Any]], ...] = (
    ((Secret, GeneratedPassword), lambda _data: MASK),
    ((enum.Enum,), lambda data: json_safe(data.value)),
    ((str,), _text),
    ((float,), _float),
    ((bytes,), to_json),
    ((Decimal, PurePath, uuid.UUID), lambda data: _text(str(data))),
    ((dt.datetime, dt.date, dt.time), lambda data: data.isoformat()),
    ((dt.timedelta,), lambda data: data.total_seconds()),
    ((Mapping,), _mapping),
    ((list, tuple), _list),
    ((set, frozenset), _set),
)
