# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read one mapping of a declaration option by option; messages name the place, what was got and what is valid."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from .errors import ConfigError, unknown

Choice = t.TypeVar("Choice", bound=str)


def as_text(value: object) -> str | None:
    """Give the text of a plain scalar (`true`, `5`, `1.5`, text), None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else None


def drop_none(value: object) -> object:
    """Leave out every mapping entry whose value is None, at any depth: that is how Ansible says "not given"."""
    if isinstance(value, Mapping):
        return {str(key): drop_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [drop_none(part) for part in value]
    return value


class Section:
    """One mapping of a declaration. An option that is None counts as not given; an option not in `valid` is refused.

    Attributes:
        place: where it is, for messages: `job 'hr', object 'people'`.
        given: the options that are given.
    """

    __slots__ = ("given", "place")

    def __init__(self, data: object, place: str, valid: Iterable[str]) -> None:
        self.place = place
        if not isinstance(data, Mapping):
            raise ConfigError(f"{place}: expected a mapping of options, got {data!r}.")
        self.given: dict[str, object] = {str(name): value for name, value in data.items() if value is not None}
        names = tuple(valid)
        for name in self.given:
            if name not in names:
                raise ConfigError(unknown("option", name, names, where=place))

    def wrong(self, name: str, wanted: str) -> ConfigError:
        """Give the error for the value of option `name`, which should be `wanted`."""
        return ConfigError(f"{self.place}: `{name}` must be {wanted}, got {self.given.get(name)!r}.")

    def text(self, name: str, default: str = "") -> str:
        """Give the text of option `name`; numbers and truth values become text."""
        if name not in self.given:
            return default
        text = as_text(self.given[name])
        if text is None:
            raise self.wrong(name, "text")
        return text

    def optional_text(self, name: str) -> str | None:
        """Give the text of option `name`, None when it is empty or not given."""
        return self.text(name) or None

    def required_text(self, name: str) -> str:
        """Give the text of option `name`, which must not be empty or missing."""
        text = self.text(name)
        if not text:
            raise ConfigError(f"{self.place}: `{name}` is missing.")
        return text

    def flag(self, name: str, default: bool) -> bool:
        """Give the truth value of option `name`."""
        value = self.given.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def integer(self, name: str, default: int | None = None, *, minimum: int, maximum: int | None = None) -> int:
        """Give the whole number of option `name`; without a default it is required."""
        if name not in self.given and default is not None:
            return default
        value = self.given.get(name)
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < minimum
            or (maximum is not None and value > maximum)
        ):
            upper = "" if maximum is None else f" and at most {maximum}"
            raise self.wrong(name, f"a whole number of at least {minimum}{upper}")
        return value

    def optional_integer(self, name: str, *, minimum: int) -> int | None:
        """Give the whole number of option `name`, None when it is not given."""
        return self.integer(name, minimum=minimum) if name in self.given else None

    def seconds(self, name: str, default: float) -> float:
        """Give the number of seconds of option `name`, not negative."""
        value = self.given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise self.wrong(name, "a number of seconds, not negative")
        return value

    def choice(self, name: str, choices: Sequence[Choice], default: Choice) -> Choice:
        """Give the option `name`, which is one of `choices`."""
        value = self.given.get(name, default)
        for choice in choices:
            if value == choice:
                return choice
        raise self.wrong(name, f"one of {', '.join(map(repr, choices))}")

    def texts(self, name: str) -> tuple[str, ...]:
        """Give the list of texts of option `name`, empty when it is not given."""
        items = self.items(name)
        texts = tuple(text for text in map(as_text, items) if text is not None)
        if len(texts) != len(items):
            raise self.wrong(name, "a list of texts")
        return texts

    def items(self, name: str) -> Sequence[object]:
        """Give the list of option `name`, empty when it is not given."""
        value = self.given.get(name, ())
        if not isinstance(value, (list, tuple)):
            raise self.wrong(name, "a list")
        return value

    def section(self, name: str, valid: Iterable[str]) -> Section:
        """Give the mapping of option `name`, empty when it is not given."""
        return Section(self.given.get(name, {}), f"{self.place}, {name}", valid)
