SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
CODEGEN := .venv-codegen/.installed
NODE := clients/typescript/node_modules/.installed

# What a machine lacks is said, never passed over in silence; under CI it is an error.
skip = echo "SKIPPED $(1): no $(2) on this machine" >&2; test "$${CI:-}" != true

# $(call venv,FOLDER): a virtual environment with pip. Debian's python3 comes without ensurepip (python3-venv).
define venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "callhopper needs Python 3.11 or newer; name one with make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(1)/bin/pip || $(PYTHON) -m venv $(1) >/dev/null 2>&1 || \
	  { rm -rf $(1); $(PYTHON) -m venv --without-pip $(1) && $(PYTHON) -m pip --python $(1)/bin/python install --quiet pip; } 2>/dev/null || \
	  { rm -rf $(1); $(PYTHON) -m virtualenv --quiet $(1); } 2>/dev/null || \
	  { rm -rf $(1); echo "$(PYTHON) cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
endef

.PHONY: help
help: ## List what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(INSTALLED) ## Make .venv with the server, the Python client and the tools
	@:

$(INSTALLED): pyproject.toml clients/python/pyproject.toml
	$(call venv,.venv)
	@echo "installing into .venv (a minute, the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable clients/python --editable '.[dev]'
	@touch $@

$(CODEGEN): proto/requirements-codegen.txt
	$(call venv,.venv-codegen)
	@.venv-codegen/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(NODE): clients/typescript/package.json clients/typescript/package-lock.json
	@cd clients/typescript && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: demo
demo: setup ## Show it: a database, demo contacts, a server and a simulated worker
	@$(BIN)/callhopper demo

.PHONY: serve
serve: setup ## Start the server (DATABASE_URL, or else an embedded PostgreSQL)
	@$(BIN)/callhopper serve

.PHONY: db
db: setup ## Open psql on the embedded database, running or not
	@$(BIN)/python -m server.embedded psql "$${CALLHOPPER_DATA:-.callhopper}"

.PHONY: test
test: setup ## Run every test
	@$(BIN)/pytest

.PHONY: test-fast
test-fast: setup ## Run the tests without tests/faults and without the slow ones
	@$(BIN)/pytest --ignore=tests/faults -m 'not faults and not slow'

.PHONY: bench
bench: setup ## Measure what the README claims
	@$(BIN)/python -m bench

FIRST_MIGRATION := server/sql/migrations/0001_create_schema.sql

.PHONY: schema
schema: ## Write migration 0001 from server/sql/schema (only until the first release)
	@{ echo "-- migrate:up"; echo "-- Written by make schema from server/sql/schema/*.sql, in order of name."; \
	  for file in server/sql/schema/*.sql; do echo; cat "$$file"; done; echo; echo "-- migrate:down"; } > $(FIRST_MIGRATION)

.PHONY: proto
proto: setup $(CODEGEN) $(NODE) ## Generate the stubs of every language from proto/
	@proto/generate.sh python go typescript

.PHONY: proto-check
proto-check: setup $(CODEGEN) ## Compare the committed stubs with proto/
	@proto/generate.sh --check python
	@if command -v go >/dev/null; then proto/generate.sh --check go; else $(call skip,Go stubs,go); fi
	@if command -v npm >/dev/null; then $(MAKE) --silent $(NODE) && proto/generate.sh --check typescript; \
	  else $(call skip,TypeScript stubs,npm); fi

.PHONY: check
check: check-python check-proto proto-check check-go check-typescript ## Check format, lint, types, imports, contract and stubs
	@echo "make check: all good"

.PHONY: check-python
check-python: setup
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: check-proto
check-proto: setup
	@$(BIN)/buf lint proto
	@$(BIN)/buf format proto --diff --exit-code
	@if test -e proto/baseline.binpb; then $(BIN)/buf breaking proto --against proto/baseline.binpb; \
	  else echo "buf breaking: not yet released, so proto/baseline.binpb does not exist"; fi

.PHONY: check-go
check-go:
	@if command -v go >/dev/null; then cd clients/go && test -z "$$(gofmt -l . | tee /dev/stderr)" && go build ./... && go vet ./...; \
	  else $(call skip,Go client,go); fi

.PHONY: check-typescript
check-typescript:
	@if command -v npm >/dev/null; then $(MAKE) --silent $(NODE) && cd clients/typescript && npx --no-install tsc --noEmit; \
	  else $(call skip,TypeScript client,npm); fi
