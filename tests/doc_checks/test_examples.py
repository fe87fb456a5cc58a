# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every documented example is one that the modules would take."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from doc_checks.examples import check_commands, check_page, check_yaml, plausible
from doc_checks.module_docs import ROOT, Mapping, argument_spec, capture_spec, documentation, module_names

PAGES = sorted(
    [
        ROOT / "README.md",
        *(page for part in ("docs", "examples", "playbooks", "roles") for page in (ROOT / part).rglob("*.md")),
    ]
)
PLAYBOOKS = sorted(path for folder in ("examples", "playbooks") for path in (ROOT / folder).rglob("*.y*ml"))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORE", "STORE_PASSWORD", "STORE_KEY_FILE"):
        monkeypatch.delenv(f"LOCKSTEP_{name}", raising=False)


@pytest.mark.parametrize("module", module_names())
def test_the_examples_of_the_module_would_run(module: str) -> None:
    text = documentation(module, "EXAMPLES")

    assert f"lockstep.sync.{module}:" in text, "no example uses the module itself"
    assert check_yaml(text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_the_page_would_run(page: Path) -> None:
    assert check_page(page.read_text(encoding="utf-8")) == []


def test_the_playbooks_would_run() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in PLAYBOOKS}

    assert {
        path: found for path, text in texts.items() if "lockstep.sync." in text and (found := check_yaml(text))
    } == {}


def test_the_checks_see_all_modules() -> None:
    assert module_names()
    for module in module_names():
        assert argument_spec(module)["supports_check_mode"] is True


SPEC: Mapping = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"]},
        "limit": {"type": "int", "aliases": ["max"]},
        "key": {"type": "str"},
        "key_from": {"type": "dict", "options": {"env": {"type": "str"}, "file": {"type": "path"}}},
        "fields": {
            "type": "list",
            "elements": "dict",
            "options": {"name": {"required": True}, "key": {"type": "bool"}},
        },
        "values": {"type": "dict"},
    },
    "mutually_exclusive": [["key", "key_from"]],
}


def spec_of(module: str) -> Mapping:
    return {"thing": SPEC}[module]


def complaints(task: str) -> list[str]:
    return check_yaml(f"- name: One\n  lockstep.sync.thing:\n    {task}\n", spec_of)


def test_a_good_example_has_no_complaint() -> None:
    text = """
- name: A play
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/lockstep.sync.all:
      key: from the defaults
  tasks:
    - name: A block
      when: true
      block:
        - name: One
          lockstep.sync.thing:
            name: "{{ item.name }}"
            state: "{{ wanted | default('present') }}"
            max: "{{ 5 }}"
            key: "{{ y | default(omit) }}"
            key_from: "{{ z | default(omit, true) }}"
            fields:
              - {name: "x{{ item }}", key: "{{ yes }}"}
            values: {anything: "{{ x }}"}
          loop: [1]
          register: result
        - name: Show
          ansible.builtin.debug:
            var: result
"""
    assert check_yaml(text, spec_of) == []


@pytest.mark.parametrize(
    ("task", "complaint"),
    [
        ("{name: x, sate: present}", "sate"),
        ("{name: x, sate: '{{ y | default(omit) }}'}", "sate"),
        ("{state: present}", "missing required arguments: name"),
        ("{name: x, state: gone}", "value of state must be one of: present, absent, got: gone"),
        ("{name: x, limit: many}", "limit"),
        ("{name: x, limit: many, key: '{{ y | default(omit) }}'}", "limit"),
        ("{name: x, key: a, key_from: {env: B}}", "mutually exclusive: key|key_from"),
        ("{name: x, key_from: {url: B}}", "url"),
        ("{name: x, fields: [{key: true}]}", "missing required arguments: name found in fields"),
        ("name=x", "its options are not a mapping"),
    ],
)
def test_a_wrong_option_is_found(task: str, complaint: str) -> None:
    found = complaints(task)

    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- name: One\n  lockstep.sync.think: {name: x}\n", "there is no module 'lockstep.sync.think'"),
        ("- name: One\n  ansible.builtin.debugg: {msg: x}\n", "there is no module 'ansible.builtin.debugg'"),
        ("- name: One\n  debug: {msg: x}\n", "there is no module 'debug'"),
        (
            "- name: One\n  lockstep.sync.thing: {name: x}\n  regster: y\n",
            "expected one module, found lockstep.sync.thing, regster",
        ),
        ("- name: One\n", "expected one module, found none"),
        ("- hosts: all\n  taks: []\n", "there is no keyword 'taks'"),
        ("- block:\n    - lockstep.sync.thing: {}\n", "missing required arguments: name"),
        ("- module_defaults: {lockstep.sync.thing: {bad: 1}}\n  lockstep.sync.thing: {name: x}\n", "bad"),
        ("- a: [", "this is not YAML"),
        ("a: b", "this is not a list of tasks or plays"),
        ("- text", "neither a task nor a play"),
    ],
)
def test_a_wrong_task_is_found(text: str, complaint: str) -> None:
    found = check_yaml(text, spec_of)

    assert len(found) == 1
    assert complaint in found[0]


def test_a_page_is_searched_for_tasks_and_commands() -> None:
    page = """
Words, and `lockstep.sync.thing: {bad: 1}` in a line.

```yaml
- lockstep.sync.thing:
    bad: 1
    name: x
```

```yaml
collections:
  - name: lockstep.sync
```

```console
$ ansible localhost -m lockstep.sync.thing -a "name=x worse=1"
$ ansible localhost -m lockstep.sync.thing -a name=x --check
$ ansible localhost -m lockstep.sync.thing \\
    -a '{"name": "x", "worst": {}}'
```
"""
    found = check_page(page, spec_of)

    assert [word for complaint in found for word in ("bad", "worse", "worst") if word in complaint] == [
        "bad",
        "worse",
        "worst",
    ]


def test_a_command_without_arguments_is_checked() -> None:
    assert check_commands("ansible all -m lockstep.sync.thing\n", spec_of) != []


def test_a_plausible_value_has_what_is_required() -> None:
    option = {"type": "list", "elements": "dict", "options": {"a": {"required": True, "type": "int"}, "b": {}}}

    assert plausible(option) == [{"a": 1}]
    assert plausible({"type": "list", "elements": "str", "choices": ["x", "y"]}) == ["x"]


def test_the_spec_is_the_one_that_main_builds() -> None:
    class OurModule(AnsibleModule):
        def __init__(self) -> None:
            super().__init__({"a": {}}, supports_check_mode=True, mutually_exclusive=[["a", "b"]])

    captured = capture_spec(OurModule)

    assert captured["argument_spec"] == {"a": {}}
    assert captured["mutually_exclusive"] == [["a", "b"]]
    with pytest.raises(AssertionError, match="built no AnsibleModule"):
        capture_spec(lambda: None)
