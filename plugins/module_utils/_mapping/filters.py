# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters, tests and text methods expressions have beside those taken from Jinja2, with their limits."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import typing as t
from collections.abc import Callable, Iterable, Mapping

from .._model.dn import escape_value
from .._model.kinds import FALSE_TEXTS, TRUE_TEXTS
from .._model.values import show
from .dates import FORMAT_LENGTH, format_moment
from .limits import MAX_MATCHED, MAX_PATTERN, LimitError, check_length, check_width, measure

JINJA_FILTERS = (
    "abs", "capitalize", "count", "d", "default", "first", "float", "int", "last", "length", "list", "lower", "map",
    "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "string", "sum", "title", "trim",
    "truncate", "unique", "upper", "urlencode", "wordcount",
)  # fmt: skip
JINJA_TESTS = (
    "!=", "<", "<=", "==", ">", ">=", "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float",
    "ge", "greaterthan", "gt", "in", "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne", "none",
    "number", "odd", "sequence", "string", "true", "undefined", "upper",
)  # fmt: skip
REGEX_NAMES = frozenset({"regex_replace", "regex_search", "match", "search"})
"""Their pattern is part of the declaration: a record never brings its own."""

HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_MOST_DECIMALS = 15
# A conversion of printf style: width and precision of at most three digits, none taken from the arguments.
_PERCENT = re.compile(r"%(?:\([^()]*\))?[-+ #0]*(?:\d{1,3})?(?:\.\d{1,3})?[sdiuxXoeEfFgGc%]")
_PERCENT_COST = 2_500


def compile_pattern(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """Give the compiled regular expression. Raises ValueError that says what is wrong with it."""
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"a regular expression has at most {MAX_PATTERN:,} characters, this one has {len(pattern):,}")
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{show(pattern)} is not a regular expression: {error}") from None


def check_matched(text: str) -> str:
    """Give `text`. Raises ValueError when it is too long for a regular expression."""
    if len(text) > MAX_MATCHED:
        raise ValueError(
            f"a regular expression is tried on at most {MAX_MATCHED:,} characters, the value has {len(text):,}"
        )
    return text


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return str(value)
    raise ValueError(f"expected a text, got {type(value).__name__}")


def regex_replace(value: object, pattern: str, replacement: str = "", ignorecase: bool = False) -> str:
    """`source.Phone | regex_replace('[^0-9]', '')`"""
    length = 0

    def expand(match: re.Match[str]) -> str:
        nonlocal length
        text = match.expand(replacement)
        length += len(text)
        check_length(length)
        return text

    return compile_pattern(pattern, ignorecase).sub(expand, check_matched(_text(value)))


def regex_search(value: object, pattern: str, group: int | str = 0, ignorecase: bool = False) -> str:
    r"""`source.Room | regex_search('([A-Z])-(\d+)', 2)`: the found text or one group of it, '' when nothing is found.

    The group is a number, a name, or written as in a replacement (`'\\2'`).
    """
    match = compile_pattern(pattern, ignorecase).search(check_matched(_text(value)))
    if match is None:
        return ""
    if isinstance(group, str):
        group = group.removeprefix("\\g<").removesuffix(">").removeprefix("\\")
        group = int(group) if group.isdecimal() else group
    return match.group(group) or ""


def matches(value: object, pattern: str, ignorecase: bool = False) -> bool:
    """`source.Name is match('^A')`: from the start of the text."""
    return compile_pattern(pattern, ignorecase).match(check_matched(_text(value))) is not None


def contains_match(value: object, pattern: str, ignorecase: bool = False) -> bool:
    """`source.Name is search('x')`: anywhere in the text."""
    return compile_pattern(pattern, ignorecase).search(check_matched(_text(value))) is not None


def to_bool(value: object) -> bool:
    """`source.Active | bool`: true, yes, on, 1, t, y and their opposites in any case; an empty value is false."""
    if isinstance(value, bool):
        return value
    text = _text(value).strip().lower()
    if text in TRUE_TEXTS:
        return True
    if text in FALSE_TEXTS or text == "":
        return False
    raise ValueError(f"{show(text)} is neither true nor false. Valid: {', '.join(sorted(TRUE_TEXTS | FALSE_TEXTS))}")


def to_datetime(value: object, form: str = "%Y-%m-%d %H:%M:%S") -> dt.datetime:
    """`source.Hired | to_datetime('%d.%m.%Y')`: a date and time as read; without a zone it counts as UTC."""
    if len(form) > FORMAT_LENGTH:
        raise ValueError(f"a date format has at most {FORMAT_LENGTH} characters")
    moment = dt.datetime.strptime(_text(value), form)  # noqa: DTZ007 - the next line gives it one
    return moment.replace(tzinfo=dt.timezone.utc) if moment.tzinfo is None else moment


def strftime(value: object, other: object) -> str:
    """`now() | strftime('%Y')`, or as in Ansible `'%Y' | strftime(now())`; a number is seconds since 1970 UTC."""
    moment, form = (other, value) if isinstance(value, str) else (value, other)
    if isinstance(moment, (int, float)) and not isinstance(moment, bool):
        moment = dt.datetime.fromtimestamp(moment, dt.timezone.utc)
    if not isinstance(moment, dt.date) or not isinstance(form, str):
        raise TypeError("strftime takes a date and a format such as '%d.%m.%Y'")
    return format_moment(moment, form)


def b64encode(value: object) -> str:
    """`source.Photo | b64encode`: texts as UTF-8."""
    data = value if isinstance(value, bytes) else _text(value).encode()
    return base64.b64encode(data).decode("ascii")


def b64decode(value: object) -> str:
    """The text of a base64 text that holds UTF-8."""
    return base64.b64decode(_text(value), validate=True).decode()


def hash_text(value: object, algorithm: str) -> str:
    """`source.Id | hash('sha256')`: hexadecimal."""
    if algorithm not in HASHES:
        raise ValueError(f"there is no hash {show(str(algorithm))}. Valid: {', '.join(HASHES)}")
    data = value if isinstance(value, bytes) else _text(value).encode()
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


def join_items(value: t.Any, separator: str = "", attribute: t.Any = None) -> str:
    """`source.Mails | join(';')`"""
    if attribute is not None:
        raise LimitError("join takes no attribute here. Use map(attribute=...) before it")
    parts = [str(part) for part in value]
    check_length(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def concat_items(parts: Iterable[t.Any]) -> str:
    """What `a ~ b` becomes."""
    return join_items(parts)


def cut_part(value: t.Any, start: int | None, stop: int | None, step: int | None) -> t.Any:
    """What `a[start:stop:step]` becomes."""
    if not isinstance(value, (str, bytes, list, tuple)):
        raise LimitError(f"a value of the kind {type(value).__name__} has no parts")
    return value[start:stop:step]


def replace_text(value: object, old: str, new: str, count: int = -1) -> str:
    """`source.Name | replace('a', 'b')`"""
    text = _text(value)
    found = text.count(old) if count < 0 else min(count, text.count(old))
    check_length(len(text) + found * (len(new) - len(old)))
    return text.replace(old, new, count)


def format_percent(value: object, *args: t.Any, **kwargs: t.Any) -> str:
    """`'%05d' | format(number)`: conversions s d i u x X o e E f F g G c, width and precision below 1,000."""
    form = _text(value)
    rest, conversions = _PERCENT.subn("", form)
    if "%" in rest:
        raise LimitError("format takes conversions such as %s, %05d and %.2f, with numbers below 1,000 and no `*`")
    given = kwargs or args
    size = measure(given)
    check_length(len(form) + conversions * (_PERCENT_COST + size * 2))
    return form % given


def round_number(value: t.Any, precision: int = 0) -> float:
    """`number | round(2)`"""
    if not isinstance(precision, int) or abs(precision) > _MOST_DECIMALS:
        raise LimitError(f"round takes a precision of at most {_MOST_DECIMALS}")
    return round(float(value), precision)


def center_text(value: object, width: int = 80) -> str:
    """`source.Name | center(20)`"""
    check_width(width)
    return _text(value).center(width)


OWN_FILTERS: Mapping[str, Callable[..., t.Any]] = {
    "dn_value": lambda value: escape_value(str(value)),
    "b64decode": b64decode,
    "b64encode": b64encode,
    "bool": to_bool,
    "center": center_text,
    "format": format_percent,
    "hash": hash_text,
    "join": join_items,
    "regex_replace": regex_replace,
    "regex_search": regex_search,
    "replace": replace_text,
    "round": round_number,
    "strftime": strftime,
    "to_datetime": to_datetime,
}
OWN_TESTS: Mapping[str, Callable[..., bool]] = {"match": matches, "search": contains_match}


# -- methods: what may be called on a value, by its kind -----------------------------------------------------------


def _join_method(text: str) -> Callable[..., str]:
    return lambda parts: join_items(parts, text)


def _replace_method(text: str) -> Callable[..., str]:
    return lambda old, new, count=-1: replace_text(text, old, new, count)


def _padded(name: str) -> Callable[[str], Callable[..., str]]:
    def make(text: str) -> Callable[..., str]:
        def pad(width: int, *fill: str) -> str:
            check_width(width)
            return t.cast("str", getattr(text, name)(width, *fill))

        return pad

    return make


def _strftime_method(moment: dt.date) -> Callable[..., str]:
    return lambda form: strftime(moment, form)


GUARDED_TEXT_METHODS: Mapping[str, Callable[[str], Callable[..., str]]] = {
    "join": _join_method,
    "replace": _replace_method,
    **{name: _padded(name) for name in ("center", "ljust", "rjust", "zfill")},
}
_TEXT = frozenset({
    "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii", "isdecimal",
    "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "lower", "lstrip", "partition",
    "removeprefix", "removesuffix", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines",
    "startswith", "strip", "swapcase", "title", "upper",
})  # fmt: skip
_DATE = frozenset({"day", "isoformat", "isoweekday", "month", "weekday", "year"})
ATTRIBUTES: Mapping[type, frozenset[str]] = {
    str: _TEXT,
    dt.datetime: _DATE | {"date", "hour", "microsecond", "minute", "second", "timestamp"},
    dt.date: _DATE,
    dt.timedelta: frozenset({"days", "seconds", "total_seconds"}),
    tuple: frozenset({"count", "index"}),
    list: frozenset({"count", "index"}),
    dict: frozenset(),
}


def attribute_names(value: object) -> frozenset[str]:
    """Give the names that may follow a dot after `value`."""
    names = ATTRIBUTES.get(type(value), frozenset())
    if isinstance(value, str):
        return names | GUARDED_TEXT_METHODS.keys()
    return names | {"strftime"} if isinstance(value, dt.date) else names


def read_attribute(value: t.Any, name: str) -> t.Any:
    """Give the attribute or method `name` of `value`, one of `attribute_names`, within the limits."""
    if isinstance(value, str) and name in GUARDED_TEXT_METHODS:
        return GUARDED_TEXT_METHODS[name](value)
    if name == "strftime":
        return _strftime_method(value)
    return getattr(value, name)
