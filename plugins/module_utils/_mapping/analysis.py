# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read an expression before it runs: which source fields it needs, and whether every name in it exists."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._model.errors import ConfigError, unknown
from .filters import JINJA_FILTERS, JINJA_TESTS, OWN_FILTERS, OWN_TESTS, REGEX_NAMES, compile_pattern
from .sandbox import CONCAT, PART, Sandbox

if t.TYPE_CHECKING:
    from jinja2 import Template, nodes

MAX_LENGTH = 10_000
FILTERS = frozenset({*JINJA_FILTERS, *OWN_FILTERS})
TESTS = frozenset({*JINJA_TESTS, *OWN_TESTS})
NAMES = ("source", "context", "skip", "now", "range")
"""The names of an expression about a source record; `value` is the value so far."""
DESTINATION_NAMES = ("destination", "context", "now", "range")
"""The names of an expression about a destination record."""
RESULT = "result"

# Which argument of these names another filter or test.
_BY_NAME = {
    "map": (0, FILTERS),
    "select": (0, TESTS),
    "reject": (0, TESTS),
    "selectattr": (1, TESTS),
    "rejectattr": (1, TESTS),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedExpression:
    """One expression, checked.

    Attributes:
        template: assigns the value of the expression to `result`.
        record: the name of the record it is about, `source` or `destination`.
        fields: the fields of the record that it names, in the order of appearance.
        whole: it uses the record in a way that can reach any field.
        uses_value: it reads `value`.
    """

    text: str
    template: Template
    record: str
    fields: tuple[str, ...]
    whole: bool
    uses_value: bool


def parse_expression(text: str, sandbox: Sandbox, *, names: tuple[str, ...]) -> ParsedExpression:
    """Give the expression `text`, checked; `names` are those it may use, first that of the record.

    Raises ConfigError that says what is wrong and what is valid.
    """
    from jinja2 import nodes

    if len(text) > MAX_LENGTH:
        raise ConfigError(
            f"an expression has at most {MAX_LENGTH:,} characters, this one has {len(text):,}. Use `function`."
        )
    if text.lstrip().startswith(("{{", "{%")):
        raise ConfigError(f"write the expression without braces: {text.strip(' {}%')!r}.")
    try:
        tree = _parse(text, sandbox)
        check = _Check(names)
        check.visit(tree, None)
        body: list[nodes.Node] = [nodes.Assign(nodes.Name(RESULT, "store"), _limit(tree), lineno=1)]
        module = nodes.Template(body, lineno=1)
        module.set_environment(sandbox.environment)
        template = sandbox.environment.from_string(module)
    except sandbox.mistakes as error:
        raise ConfigError(f"{_short(text)} is not an expression: {_reason(error)}.") from None
    return ParsedExpression(
        text=text,
        template=template,
        record=names[0],
        fields=tuple(check.fields),
        whole=check.whole,
        uses_value=check.uses_value,
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 200 else f"{text[:200]}...")


def _reason(error: Exception) -> str:
    if isinstance(error, (RecursionError, MemoryError, SyntaxError)):
        return "it has too many parts in a row. Use `function`"
    # Jinja2 adds a line number of its own template, which tells the reader nothing.
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    return first_line[:300].rstrip(".")


def _parse(text: str, sandbox: Sandbox) -> nodes.Expr:
    from jinja2.exceptions import TemplateSyntaxError
    from jinja2.parser import Parser

    parser = Parser(sandbox.environment, text, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        found = parser.stream.current
        raise TemplateSyntaxError(f"unexpected {str(found.value)[:50]!r} after its end", found.lineno)
    return tree


def _limit(tree: nodes.Expr) -> nodes.Expr:
    """Replace `a ~ b` and `a[1:2]` by the filters that do the same within the limits."""
    from jinja2 import nodes
    from jinja2.visitor import NodeTransformer

    class Transformer(NodeTransformer):
        def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 - the name the visitor looks for
            self.generic_visit(node)
            parts = nodes.List(node.nodes, lineno=node.lineno)
            return nodes.Filter(parts, CONCAT, [], [], None, None, lineno=node.lineno)

        def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802
            self.generic_visit(node)
            if not isinstance(node.arg, nodes.Slice):
                return node
            ends = [end or nodes.Const(None) for end in (node.arg.start, node.arg.stop, node.arg.step)]
            return nodes.Filter(node.node, PART, ends, [], None, None, lineno=node.lineno)

    return t.cast("nodes.Expr", Transformer().visit(tree))


class _Check:
    """Walks over an expression: collects what it reads, refuses what does not exist."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.fields: dict[str, None] = {}
        self.whole = False
        self.uses_value = False
        self._names = names

    def visit(self, node: nodes.Node, parent: nodes.Node | None) -> None:
        from jinja2 import nodes

        if isinstance(node, nodes.Name):
            self._name(node, parent)
        elif isinstance(node, nodes.Getattr):
            self._attribute(node)
        elif isinstance(node, (nodes.Filter, nodes.Test)):
            self._filter_or_test(node, "filter" if isinstance(node, nodes.Filter) else "test")
        elif isinstance(node, nodes.CondExpr) and node.expr2 is None:
            raise ConfigError("an `if` in an expression needs an `else` that gives the other value.")
        if isinstance(node, (nodes.Filter, nodes.Test, nodes.Call)) and (node.dyn_args or node.dyn_kwargs):
            raise ConfigError("an expression cannot spread arguments with * or **. Write them one by one.")
        for child in node.iter_child_nodes():
            self.visit(child, node)

    def _name(self, node: nodes.Name, parent: nodes.Node | None) -> None:
        if node.name not in self._names:
            raise ConfigError(unknown("name", node.name, self._names, where="expression"))
        self.uses_value = self.uses_value or node.name == "value"
        if node.name == self._names[0]:
            self._record(node, parent)

    def _record(self, node: nodes.Name, parent: nodes.Node | None) -> None:
        from jinja2 import nodes

        if isinstance(parent, nodes.Getattr):
            self.fields[parent.attr] = None
        elif isinstance(parent, nodes.Getitem) and parent.node is node and isinstance(parent.arg, nodes.Const):
            if not isinstance(parent.arg.value, str):
                raise ConfigError(
                    f"{node.name}[{parent.arg.value!r}]: fields are named by text, such as {node.name}['Name']."
                )
            self.fields[parent.arg.value] = None
        else:
            self.whole = True

    @staticmethod
    def _attribute(node: nodes.Getattr) -> None:
        if node.attr.startswith("__"):
            raise ConfigError(f"an expression cannot reach {node.attr!r}: names with two underscores are internal.")

    def _filter_or_test(self, node: nodes.Filter | nodes.Test, what: str) -> None:
        valid = FILTERS if what == "filter" else TESTS
        if node.name not in valid:
            raise ConfigError(unknown(what, node.name, valid, where="expression", limit=100))
        arguments = list(node.args)
        name = node.name
        if name in _BY_NAME:
            place, valid = _BY_NAME[name]
            named = self._named(name, arguments[place : place + 1], valid)
            if named is None:
                return
            name, arguments = named, arguments[place + 1 :]
        if name in REGEX_NAMES:
            self._pattern(name, arguments, node.kwargs)

    @staticmethod
    def _named(outer: str, arguments: list[nodes.Expr], valid: frozenset[str]) -> str | None:
        from jinja2 import nodes

        if not arguments:
            return None
        name = arguments[0]
        if not isinstance(name, nodes.Const) or name.value not in valid:
            got = name.value if isinstance(name, nodes.Const) else "(computed)"
            raise ConfigError(unknown(f"filter or test for {outer}", got, valid, where="expression", limit=100))
        return str(name.value)

    @staticmethod
    def _pattern(name: str, arguments: list[nodes.Expr], keywords: list[nodes.Pair]) -> None:
        from jinja2 import nodes

        given = arguments[:1] or [pair.value for pair in keywords if pair.key == "pattern"]
        if not given or not isinstance(given[0], nodes.Const) or not isinstance(given[0].value, str):
            raise ConfigError(
                f"{name} takes its pattern as a text written in the expression, so that no record brings its own: "
                f"{name}('[0-9]+')."
            )
        try:
            compile_pattern(given[0].value)
        except ValueError as error:
            raise ConfigError(f"{error}.") from None
