# Everything from a fresh clone with python3 (3.11 or later) and make. `make help` lists the targets.
# The virtual environment is made on first use and renewed when a lock file or pyproject.toml changes.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

OLD_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# The first of these that is new enough; `make PYTHON=/path/to/python3.12 run` overrides it.
PYTHON ?= $(firstword $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(OLD_ENOUGH)' 2>/dev/null && command -v $$python; done))

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install --no-warn-script-location
# One more than the processors of CI: much of what a test does is to wait.
JOBS ?= 3

sum = $(shell cat requirements/$(1).lock pyproject.toml | cksum | cut -d ' ' -f 1)
RUN := $(VENV)/.run-$(call sum,run)
DEV := $(VENV)/.dev-$(call sum,dev)
BENCH := $(VENV)/.bench-$(call sum,bench)

.PHONY: help run demo test check static conformance proof chaos bench lock clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "%-14s%s\n", $$1, $$2 }'

run: $(RUN) ## Serve all tiers on 127.0.0.1:8000 (TIERGATE_PORT, TIERGATE_HOME)
	@exec $(BIN)/tiergate serve

demo: $(RUN) ## Narrate one order from price to invoice
	@exec $(BIN)/tiergate demo

test: $(DEV) ## Run the tests
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

check: test static ## Everything that CI runs

static: $(DEV) ## Everything that CI runs, apart from the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/pyright -p tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/architecture/dead_code.py
	@$(BIN)/deptry .
	@$(BIN)/tiergate contracts export --check
	@$(BIN)/python tests/conformance/tables.py --check
	@$(BIN)/python -m pytest -qq -n $(JOBS) --dist worksteal -m check

conformance: $(DEV) ## Write docs/conformance.md from the tests' markers
	@$(BIN)/python tests/conformance/tables.py

proof: $(DEV) ## Kill, flood and starve a running gateway for some minutes, and count
	@$(BIN)/python -m pytest -q -m proof --timeout 1800

chaos: $(DEV) ## Kill gateways under 1,000 orders and failing systems, and check every ledger (ARGS)
	@exec $(BIN)/tiergate chaos --orders 1000 --kills 50 --lost 5% --failing 10% $(ARGS)

mutants: $(DEV) ## Break enforcement on purpose, fault by fault; the proof must see each
	@exec $(BIN)/python -m tests.mutants

bench: $(BENCH) ## Measure what governance costs; print ratios and save them as JSON
	@exec $(BIN)/python tests/bench $(ARGS)

lock: $(DEV) ## Renew the lock files
	@$(PIP) uv
	@for lock in run:"--group build" \
		dev:"--group build --group test --group check --all-extras --constraints requirements/run.lock" \
		bench:"--group build --group bench --constraints requirements/dev.lock"; do \
		$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
			$${lock#*:} pyproject.toml --output-file requirements/$${lock%%:*}.lock || exit 1; \
	done

clean: ## Remove the virtual environment and every cache; the state in var/ stays
	@rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): | $(BIN)/python
	@$(call install,run)

$(DEV): | $(BIN)/python
	@$(call install,dev)
	@touch $(RUN)

$(BENCH): | $(BIN)/python
	@$(call install,bench)
	@touch $(RUN)

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Tiergate needs Python 3.11 or later, and none was found; name one with make PYTHON=/path/to/python3." >&2; exit 1; fi
	@if ! $(PYTHON) -c '$(OLD_ENOUGH)'; then \
		echo "Tiergate needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; exit 1; fi
	@if ! $(PYTHON) -m venv $(VENV) >/dev/null 2>&1; then rm -rf $(VENV); \
		echo "$(PYTHON) can't make a virtual environment; install its venv module (on Debian: apt install python3-venv)." >&2; exit 1; fi

# Installs one lock file, every package checked against its hash, then the project itself as it stands here.
define install
	echo "Installing $$(grep -c '^[a-z].*==' requirements/$(1).lock) locked packages; this takes a minute, once ..." && \
	$(PIP) --require-hashes -r requirements/$(1).lock && \
	$(PIP) --no-index --no-deps --no-build-isolation --editable . && \
	rm -f $(VENV)/.$(1)-* && touch $@
endef
