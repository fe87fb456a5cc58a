# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every check by a short name. Each target makes what it needs first (.venv, a link to the checkout, Debian packages).
# ARGS="..." is handed on:  make unit ARGS="-k csv -x";  make test ARGS="lint unit" runs only these.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test lint format types unit fuzz conformance integration sanity docs-check bench growth prove install clean \
	venv venv-test venv-peers tree packages

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Ansible wants a UTF-8 locale; a minimal system has none set.
export LC_ALL := C.UTF-8
# Compiled once, not by each of the many processes.
unexport PYTHONDONTWRITEBYTECODE
# Nothing that was installed for the user plays a part in a check.
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/tree

ARGS ?=
# Tests run side by side; 2 fits a small machine.
WORKERS ?= 2
# Percent of branches that unit tests must reach.
COVERAGE ?= 95
# Examples that each property test tries in `make fuzz`.
EXAMPLES ?= 5000
COLLECTIONS ?= $(HOME)/.ansible/collections
LINK := .cache/tree/ansible_collections/lockstep/sync
PYTEST = .venv/bin/python -m pytest -q

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: venv tree ## see it work: an HR file kept in step with a database table, one minute
	@mkdir -p .cache/demo && cd .cache/demo && ansible-playbook lockstep.sync.quickstart $(ARGS)
	@echo "In this shell first:  export PATH=$(CURDIR)/.venv/bin:\$$PATH ANSIBLE_COLLECTIONS_PATH=$(ANSIBLE_COLLECTIONS_PATH)"

install: venv ## build the collection and install it for your user (COLLECTIONS=folder for another place)
	ANSIBLE_COLLECTIONS_PATH="$(COLLECTIONS)" ansible-galaxy collection install . --force -p "$(COLLECTIONS)"

test: venv-test tree packages ## every check, fast ones first, with a summary
	@.venv/bin/python scripts/test_all.py $(ARGS)

lint: venv-test ## code style: ruff, ruff format, yamllint
	@scripts/every 'ruff check --quiet --cache-dir .cache/ruff .' 'ruff format --check --quiet --cache-dir .cache/ruff .' \
		'yamllint --strict .'

format: venv-test ## bring the code into the style
	ruff check --quiet --cache-dir .cache/ruff --fix .
	ruff format --quiet --cache-dir .cache/ruff .

types: venv-test tree ## mypy, strict, over plugins
	cd .cache/tree && mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.cache/mypy -p ansible_collections.lockstep.sync.plugins $(ARGS)

unit: venv-test tree ## unit tests with branch coverage
	$(PYTEST) tests/unit -n $(WORKERS) --dist loadgroup --cov --cov-report=term-missing:skip-covered --cov-fail-under=$(COVERAGE) $(ARGS)

fuzz: venv-test tree ## property tests with 50 times as many examples (EXAMPLES=number)
	LOCKSTEP_EXAMPLES=$(EXAMPLES) $(PYTEST) tests/unit -n $(WORKERS) -m hypothesis $(ARGS)

conformance: venv-test tree packages ## providers and state store on real servers
	$(PYTEST) tests/conformance $(wildcard tests/store) -n $(WORKERS) --dist loadscope $(ARGS)

integration: venv-test tree packages ## playbooks and ad hoc runs, then RETURN against what they returned
	@rm -rf .cache/results
	@LOCKSTEP_RECORD_RESULTS=$(CURDIR)/.cache/results scripts/every '$(PYTEST) tests/integration -n $(WORKERS) --dist loadscope $(ARGS)' \
		'$(PYTEST) tests/doc_checks/test_returns.py'

sanity: venv-test ## ansible-test sanity
	scripts/sanity $(ARGS)

docs-check: venv-test tree ## documentation, playbooks, changelog; examples against the real argument specs
	@scripts/every 'antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self --check-extra-docs-refs .' \
		'ansible-lint --offline --nocolor --profile production -q' 'antsibull-changelog lint' \
		'$(PYTEST) tests/doc_checks --ignore=tests/doc_checks/test_returns.py $(ARGS)'

bench: venv-test tree venv-peers ## measure, and write the table into docs/performance.md
	.venv/bin/python tests/benchmarks/run.py $(ARGS)

growth: venv-test tree venv-peers ## measure runs of 10,000 to 1,000,000 records, and draw docs/growth.png
	.venv/bin/python tests/benchmarks/growth.py $(ARGS)

prove: venv-test tree packages ## kill 200 runs and take back 1,000 more, and say what came of it (docs/promises.md)
	LOCKSTEP_TRIALS=40 $(PYTEST) -s tests/conformance/test_crashes.py $(ARGS)
	LOCKSTEP_ROUND_TRIPS=1000 $(PYTEST) tests/unit/plugins/module_utils/_running/test_undo.py -k taken_back $(ARGS)
	LOCKSTEP_ROUND_TRIPS=50 $(PYTEST) tests/conformance/test_round_trips.py $(ARGS)

clean: ## remove everything that the other targets made
	rm -rf .venv .cache .ansible .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* collections tests/output *.tar.gz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@scripts/venv runtime

venv-test:
	@scripts/venv test

# Packages first: one of the peers is compiled.
venv-peers:
	@scripts/debian-packages bench
	@scripts/venv peers

tree:
	@mkdir -p $(dir $(LINK)) && ln -sfn "$(CURDIR)" $(LINK)

packages:
	@scripts/debian-packages tests
