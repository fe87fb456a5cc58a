# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check tasks that documentation shows: do the modules exist, and would they take these options?

Templates are replaced by a value that fits the option, because what they would give is not known.
"""

from __future__ import annotations

import itertools
import json
import re
import shlex
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import ansible.modules
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv
from ansible.playbook.block import Block
from ansible.playbook.handler import Handler
from ansible.playbook.play import Play

from .module_docs import NAMESPACE, Mapping, argument_spec

SpecOf: t.TypeAlias = Callable[[str], Mapping]

TASK_LISTS = ("block", "rescue", "always", "pre_tasks", "tasks", "post_tasks", "handlers")
KEYWORDS = set(Handler.fattributes) | {"args", "vars"}
BLOCK_KEYWORDS = set(Block.fattributes)
PLAY_KEYWORDS = set(Play.fattributes) | {"hosts", "user"}
CORE_MODULES = {f"ansible.builtin.{path.stem}" for path in Path(ansible.modules.__file__).parent.glob("*.py")}
MAY_BE_OMITTED = re.compile(r"default\(omit\b")
TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
FENCE = re.compile(r"^```+ *([\w+-]*)[^\n]*\n(.*?)^```+ *$", re.MULTILINE | re.DOTALL)
PLAUSIBLE: dict[str, object] = {
    "str": "text",
    "path": "/tmp/text",
    "int": 1,
    "float": 1.0,
    "bool": True,
    "raw": "text",
    "bytes": "1K",
    "bits": "1Kb",
    "json": "{}",
    "jsonarg": "{}",
}


def check_yaml(text: str, spec_of: SpecOf = argument_spec) -> list[str]:
    """Check the tasks and plays of a YAML text; give complaints."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f"this is not YAML: {error}"]
    if not isinstance(document, list) or not document:
        return ["this is not a list of tasks or plays"]
    return [complaint for item in document for complaint in _check_item(item, {}, spec_of)]


def check_page(text: str, spec_of: SpecOf = argument_spec) -> list[str]:
    """Check a Markdown page: YAML blocks that use our modules, and `ansible -m` commands."""
    complaints = []
    for language, block in FENCE.findall(text):
        if language in ("yaml", "yml", "yaml+jinja") and re.search(
            rf"^[ -]*{re.escape(NAMESPACE)}\.\w+:", block, re.MULTILINE
        ):
            complaints += check_yaml(block, spec_of)
        elif language in ("sh", "bash", "shell", "console", ""):
            complaints += check_commands(block, spec_of)
    return complaints


def check_commands(text: str, spec_of: SpecOf = argument_spec) -> list[str]:
    """Check the `ansible HOST -m MODULE -a ARGUMENTS` lines of a shell text."""
    complaints = []
    for line in text.replace("\\\n", " ").splitlines():
        if f"{NAMESPACE}." not in line or not re.search(r"\bansible [^|]*(-m|--module-name)\b", line):
            continue
        words = shlex.split(line, comments=True)
        module = _after(words, "-m", "--module-name")
        arguments = _after(words, "-a", "--args")
        given = json.loads(arguments) if arguments.startswith("{") else parse_kv(arguments)
        complaints += _check_arguments(module, given, spec_of)
    return complaints


def _after(words: list[str], *options: str) -> str:
    return next((after for word, after in itertools.pairwise(words) if word in options), "")


def _check_item(item: object, defaults: Mapping, spec_of: SpecOf) -> Iterator[str]:
    if not isinstance(item, dict):
        yield f"{item!r} is neither a task nor a play"
        return
    defaults = defaults | item.get("module_defaults", {})
    inner = [name for name in TASK_LISTS if name in item]
    if "hosts" in item or inner:
        valid = PLAY_KEYWORDS if "hosts" in item else BLOCK_KEYWORDS
        yield from (f"there is no keyword {key!r}" for key in item if key not in valid)
        for name in inner:
            for task in item[name] or []:
                yield from _check_item(task, defaults, spec_of)
        return
    modules = [key for key in item if key not in KEYWORDS and not key.startswith("with_")]
    if len(modules) == 1:
        yield from _check_task(modules[0], item[modules[0]], defaults, spec_of)
    else:
        yield f"task {item.get('name', '?')!r}: expected one module, found {', '.join(modules) or 'none'}"


def _check_task(module: str, arguments: object, defaults: Mapping, spec_of: SpecOf) -> Iterator[str]:
    if not module.startswith(f"{NAMESPACE}."):
        if module not in CORE_MODULES:
            yield f"there is no module {module!r} here or in ansible.builtin"
        return
    if arguments is not None and not isinstance(arguments, dict):
        yield f"{module}: its options are not a mapping"
        return
    common = defaults.get(f"group/{NAMESPACE}.all", {}) | defaults.get(module, {})
    yield from _check_arguments(module, common | (arguments or {}), spec_of)


def _check_arguments(module: str, arguments: Mapping, spec_of: SpecOf) -> Iterator[str]:
    try:
        frame = spec_of(module.removeprefix(f"{NAMESPACE}."))
    except KeyError:
        yield f"there is no module {module!r}"
        return
    rules = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
    spec = frame["argument_spec"]
    validator = ArgumentSpecValidator(spec, **{rule: frame.get(rule) for rule in rules})
    # What may be left out is left out, but for one at a time: of options that exclude each other one is given.
    known = {alias for name, option in spec.items() for alias in (name, *option.get("aliases", ()))}
    optional = [
        name
        for name, value in arguments.items()
        if name in known and isinstance(value, str) and MAY_BE_OMITTED.search(value)
    ]
    given = [{n: v for n, v in arguments.items() if n not in optional or n == kept} for kept in (None, *optional)]
    found = [validator.validate(_fill_options(each, spec)).error_messages for each in given]
    yield from (f"{module}: {message}" for message in min(found, key=len))


def _fill_options(arguments: Mapping, spec: Mapping) -> Mapping:
    by_name = {alias: option for name, option in spec.items() for alias in (name, *option.get("aliases", ()))}
    return {name: _fill(value, by_name.get(name, {"type": "raw"})) for name, value in arguments.items()}


def _fill(value: object, option: Mapping) -> object:
    """Replace the templates in `value` by what fits `option`; the rest stays as it is."""
    kind = option.get("type", "str")
    if isinstance(value, str) and TEMPLATE.search(value):
        whole = TEMPLATE.fullmatch(value.strip())
        return plausible(option) if whole or kind not in ("str", "path", "raw") else TEMPLATE.sub("text", value)
    if isinstance(value, dict):
        return _fill_options(value, option.get("options") or {})
    if isinstance(value, list):
        return [_fill(item, _element(option)) for item in value]
    return value


def _element(option: Mapping) -> Mapping:
    return {**option, "type": option.get("elements", "raw"), "elements": "raw"}


def plausible(option: Mapping) -> object:
    """Give a value that an option takes: its first choice, or one of its type, with all that is required inside."""
    kind = option.get("type", "str")
    if kind == "list":
        return [plausible(_element(option))]
    if option.get("choices"):
        return option["choices"][0]
    if kind == "dict":
        inner = option.get("options") or {}
        return {name: plausible(inner[name]) for name in inner if inner[name].get("required")}
    return PLAUSIBLE[kind]
