# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jinja2 environment expressions run in: allow-lists of filters, tests, methods and names, and a budget of work."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .._model.errors import DependencyError, unknown
from .context import RowView
from .filters import (
    JINJA_FILTERS,
    JINJA_TESTS,
    OWN_FILTERS,
    OWN_TESTS,
    attribute_names,
    concat_items,
    cut_part,
    read_attribute,
)
from .limits import MAX_ITEMS, Budget, LimitError, check_operation

if t.TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

CONCAT = "concatenate"
PART = "part"
"""The filters that stand for `a ~ b` and `a[1:2]`, whose own code has no limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sandbox:
    """The environment, the budget its user refills for each evaluation, and the errors an evaluation may end with."""

    environment: ImmutableSandboxedEnvironment
    budget: Budget
    mistakes: tuple[type[Exception], ...]


def safe_range(*limits: int) -> list[int]:
    """`range(3)` as a list. Raises LimitError for one of more elements than a list may have."""
    numbers = range(*limits)
    # len() fails with OverflowError beyond the machine's word, which is reported as well.
    if len(numbers) > MAX_ITEMS:
        raise LimitError(f"a range of more than {MAX_ITEMS:,} numbers is too long")
    return list(numbers)


def make_sandbox() -> Sandbox:
    """Give a fresh sandbox. Raises DependencyError when Jinja2 is not installed."""
    try:
        from jinja2 import StrictUndefined, TemplateError, Undefined
        from jinja2.filters import FILTERS
        from jinja2.sandbox import ImmutableSandboxedEnvironment
        from jinja2.tests import TESTS
    except ImportError as error:
        raise DependencyError(
            "Jinja2 is needed for `when` and for the transform `expression`. Install it: pip install jinja2"
        ) from error

    budget = Budget(Undefined)

    class ExpressionEnvironment(ImmutableSandboxedEnvironment):
        """Gives out only what the allow-lists name, and looks at every operation."""

        intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

        def getattr(self, obj: t.Any, attribute: str) -> t.Any:
            try:
                return _attribute(obj, attribute, Undefined)
            except KeyError:
                return self.undefined(obj=obj, name=attribute)

        def getitem(self, obj: t.Any, argument: t.Any) -> t.Any:
            try:
                return _item(obj, argument, Undefined)
            except LookupError:
                return self.undefined(obj=obj, name=argument)

        def call(self, _context: t.Any, obj: t.Any, /, *args: t.Any, **kwargs: t.Any) -> t.Any:
            budget.spend(*args, *kwargs.values())
            return budget.keep(_callable(obj, Undefined)(*args, **kwargs))

        def call_binop(self, _context: t.Any, operator: str, left: t.Any, right: t.Any) -> t.Any:
            budget.spend(left, right)
            check_operation(operator, left, right)
            return budget.keep(self.binop_table[operator](left, right))

    # Without the optimizer nothing of an expression runs before a record asks for it.
    environment = ExpressionEnvironment(undefined=StrictUndefined, optimized=False, autoescape=False, cache_size=0)
    environment.globals = {}
    environment.filters = _guard_all(
        {**{name: FILTERS[name] for name in JINJA_FILTERS}, **OWN_FILTERS, CONCAT: concat_items, PART: cut_part}, budget
    )
    tests: dict[str, t.Any] = {name: TESTS[name] for name in JINJA_TESTS}
    environment.tests = _guard_all({**tests, **OWN_TESTS}, budget)
    mistakes = (
        TemplateError, LimitError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError,
        MemoryError, AssertionError, SyntaxError,
    )  # fmt: skip
    return Sandbox(environment=environment, budget=budget, mistakes=mistakes)


def _attribute(obj: t.Any, name: str, undefined: type) -> t.Any:
    if isinstance(obj, RowView):
        return obj[name]
    if name in attribute_names(obj):
        return read_attribute(obj, name)
    if isinstance(obj, dict):
        return obj[name]
    if isinstance(obj, undefined):
        return str(obj)  # raises what is missing
    what = "texts" if isinstance(obj, str) else f"values of the kind {type(obj).__name__}"
    raise LimitError(unknown(f"attribute of {what} called", name, attribute_names(obj), limit=50))


def _item(obj: t.Any, name: t.Any, undefined: type) -> t.Any:
    if isinstance(obj, undefined):
        return str(obj)  # raises what is missing
    if not isinstance(obj, (RowView, str, list, tuple, dict)):
        raise LimitError(f"a value of the kind {type(obj).__name__} has no parts")
    return obj[name]


def _callable(obj: t.Any, undefined: type) -> Callable[..., t.Any]:
    if isinstance(obj, undefined) or not callable(obj):
        raise LimitError("only methods and the functions now, range and skip can be called")
    return t.cast("Callable[..., t.Any]", obj)


def _guard_all(functions: Mapping[str, Callable[..., t.Any]], budget: Budget) -> dict[str, t.Any]:
    return {name: _guard(function, budget) for name, function in functions.items()}


def _guard(function: Callable[..., t.Any], budget: Budget) -> Callable[..., t.Any]:
    # Jinja2 puts an environment or context before the value where a function asks for it by this mark.
    first = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def guarded(*args: t.Any, **kwargs: t.Any) -> t.Any:
        budget.spend(*args[first:], *kwargs.values())
        return budget.keep(function(*args, **kwargs))

    return guarded
