.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
BIN := .venv/bin
# One pytest worker per core; `make test WORKERS=1` for a quiet machine.
WORKERS ?= auto
export PYTHON

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9%-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make the environment for development (only when something changed)
	@tools/setup test

.PHONY: run up
run: ## Start the whole platform in the foreground; Ctrl-C ends it
	@tools/setup run
	@exec $(BIN)/darkroom up
up: run ## The same as run

.PHONY: format
format: setup ## Rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

.PHONY: format-check
format-check: setup ## Tell which files are not in the house format
	$(BIN)/ruff format --check .

.PHONY: lint
lint: setup ## Check with ruff and with our own rules
	$(BIN)/ruff check .
	$(BIN)/python -m tools.lint

.PHONY: types
types: setup ## Check types, strictly
	$(BIN)/mypy

.PHONY: boundaries
boundaries: setup ## Check who may import whom
	$(BIN)/lint-imports --no-logo --no-cache

.PHONY: drift
drift: setup ## Check that generated pages and schemas are up to date
	$(BIN)/python -m tools.generate --check

.PHONY: check
check: format-check lint types boundaries drift ## All of the above, changing nothing

.PHONY: test
test: setup ## Every test: unit, integration, end to end, faults, architecture; in parallel
	$(BIN)/pytest -n $(WORKERS)

.PHONY: test-fast
test-fast: setup ## Only what needs no server
	$(BIN)/pytest -n $(WORKERS) -m "not slow" packages/contracts services/*/tests/unit tests/architecture tools

.PHONY: test-e2e
test-e2e: setup ## The whole platform from outside
	$(BIN)/pytest -n $(WORKERS) tests/e2e

.PHONY: test-resilience
test-resilience: setup ## Kill processes and stores with work in flight
	$(BIN)/pytest tests/resilience

.PHONY: coverage
coverage: setup ## Run the tests and show which lines they miss
	$(BIN)/pytest -n $(WORKERS) --cov --cov-report=term --cov-report=html

.PHONY: contracts
contracts: setup ## Export the events' JSON Schemas and test the contracts
	$(BIN)/python -m tools.generate schemas events
	$(BIN)/pytest -q packages/contracts

.PHONY: docs
docs: setup ## Rewrite the generated pages
	$(BIN)/python -m tools.generate

.PHONY: lock
lock: ## Resolve requirements/*.in again (needs uv)
	@tools/lock

# make bench-pipeline, bench-gateway, bench-latency, bench-paging: each is a script in benchmarks/.
bench-%: ## Measure: bench-pipeline, bench-gateway, bench-latency, bench-paging
	@tools/setup bench
	$(BIN)/python -m benchmarks.$*

.PHONY: clean
clean: ## Remove caches; the environment and your pictures stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
	find packages services tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
