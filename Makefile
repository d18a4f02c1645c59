# povertyaid: every step that a person or CI takes. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# A database other than var/povertyaid.sqlite3: make run DATABASE=postgres://user:password@host/name
DATABASE ?=
JOBS ?= 2

PY := .venv/bin/python
# -qq: pip's remarks about its own configuration are no news; errors are still printed.
PIP_INSTALL := .venv/bin/pip install -qq --disable-pip-version-check --require-hashes
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
PYTEST := $(PY) -m pytest -n $(JOBS)
# Tests get a data folder of their own and nothing from the caller's settings.
CLEAN_ENV := env $(foreach name,$(filter POVERTYAID_%,$(shell compgen -e)),-u $(name)) \
	POVERTYAID_HOME=$(CURDIR)/var/test

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

# --- set-up -----------------------------------------------------------------------------------------------

.PHONY: system-run system-test fonts
system-run:
	@scripts/system-packages.sh run
	@scripts/fonts.sh

system-test:
	@scripts/system-packages.sh run test
	@scripts/fonts.sh

fonts: ## try again to get the free FangSong, Kai and Hei typefaces
	@scripts/fonts.sh --again

.venv/bin/python: | system-run
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Name another: make run PYTHON=…"; exit 1; }
	@echo "Making .venv …"
	@$(PYTHON) -m venv .venv

.venv/.run: requirements/run.txt .venv/bin/python
	@echo "Installing the libraries of requirements/run.txt …"
	@$(PIP_INSTALL) -r requirements/run.txt
	@touch $@

.venv/.test: requirements/test.txt .venv/.run
	@echo "Installing the libraries of requirements/test.txt …"
	@$(PIP_INSTALL) -r requirements/test.txt
	@touch $@

%.mo: %.po
	@msgfmt --check --output-file=$@ $<

.PHONY: setup setup-test catalogue clean-venv lock
catalogue: $(CATALOGUES) ## compile the translations

setup: system-run .venv/.run catalogue ## system packages, .venv, libraries, translations

setup-test: system-test .venv/.test catalogue ## … and what the tests need

clean-venv: ## remove .venv, so that the next `make run` makes it anew
	rm -rf .venv

# No address of an index may stand in the files: the hashes name the packages wherever they come from.
LOCK := CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/pip-compile --quiet --strip-extras --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(UPGRADE)
lock: ## write requirements/*.txt anew from pyproject.toml (newer versions: make lock UPGRADE=--upgrade)
	$(LOCK) --output-file requirements/run.txt pyproject.toml
	$(LOCK) --allow-unsafe --extra test --constraint requirements/run.txt \
		--output-file requirements/test.txt pyproject.toml

# --- use --------------------------------------------------------------------------------------------------

STATIC := $(or $(POVERTYAID_HOME),var)/static
# Gathered and compressed once, and again when a source or a library changed.
$(STATIC)/.collected: .venv/.run $(shell find static */static */*/static -type f -not -path 'var/*' 2>/dev/null)
	@$(PY) manage.py collectstatic --noinput --verbosity 0
	@touch $@

.PHONY: run
run: export POVERTYAID_DATABASE_URL := $(or $(DATABASE),$(POVERTYAID_DATABASE_URL))
run: setup $(STATIC)/.collected ## the server and its worker with a demo county (HOST=… PORT=… DATABASE=postgres://… change where)
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py setup_demo
	@$(PY) manage.py start_checks
	@exec $(PY) manage.py serve --bind $(HOST):$(PORT)

# --- checks and tests -------------------------------------------------------------------------------------

.PHONY: pictures benchmarks test fast check lint types layers migrations deploy-check test-sqlite test-postgres audit
test: setup-test check test-sqlite test-postgres ## everything: checks, the suite on SQLite, the suite on PostgreSQL

fast: setup-test test-sqlite ## the suite on SQLite only

check: setup-test lint types layers migrations deploy-check ## style, types, layers, translations, migrations, deployment

lint:
	@echo "== ruff" && .venv/bin/ruff check .
	@echo "== translations" && for po in locale/*/LC_MESSAGES/*.po; do msgfmt --check --statistics -o /dev/null "$$po"; done

types:
	@echo "== mypy" && $(CLEAN_ENV) .venv/bin/mypy

layers:
	@echo "== import-linter" && .venv/bin/lint-imports --no-logo

migrations:
	@echo "== migrations" && $(CLEAN_ENV) $(PY) manage.py makemigrations --check --dry-run

deploy-check:
	@echo "== check --deploy" && $(CLEAN_ENV) scripts/deploy-check.sh

test-sqlite:
	@echo "== tests on SQLite" && $(CLEAN_ENV) $(PYTEST)

# The browser sees the same pages on either database, and readers of files, arithmetic and style know none: one of the two
# runs is enough for them.
test-postgres:
	@echo "== tests on PostgreSQL" && $(CLEAN_ENV) scripts/with-postgres.sh $(PYTEST) -m "not browser and not nodatabase"

audit: .venv/.test ## known vulnerabilities of the libraries that run
	@echo "== pip-audit" && $(PY) scripts/audit.py requirements/run.txt

# Not a part of `test`: it takes minutes, and other work on the machine moves it.
benchmarks: setup-test ## the speed of a large import on SQLite and on PostgreSQL (benchmarks/README.md)
	@found=0; $(CLEAN_ENV) $(PY) -m benchmarks.import_students || found=1; \
		$(CLEAN_ENV) scripts/with-postgres.sh $(PY) -m benchmarks.import_students || found=1; exit $$found

pictures: setup-test ## take the pictures of the documents anew (docs/pictures)
	@$(CLEAN_ENV) POVERTYAID_PICTURES=1 $(PYTEST) -q tests/browser
