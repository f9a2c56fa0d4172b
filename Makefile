# What a contributor runs. `make` alone lists it.
#
# Everything is installed into .venv, once, and again only after pyproject.toml has changed.
# make PYTHON=python3.12 ...      another Python for a new .venv
# make test ARGS="-k handshake"   further arguments for pytest, serve, or the benchmarks
# make conformance STEPS=5000     random commands to compare with each real Dovecot; SEED=2: others

PYTHON ?= python3
ARGS ?=
# pytest processes: one per core that we may use
WORKERS ?= logical
# random commands that each real Dovecot is asked, and which
STEPS ?= 500
SEED ?= 1

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help serve test lint format conformance bench bench-check certs coverage docs build clean \
    compiler

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(READY)  ## run a fake Dovecot here, and say how to talk to it
	@$(VENV)/bin/fakedove serve $(ARGS)

test: lint compiler  ## lint, types and all tests that need no real Dovecot
	@$(PY) -m pytest -q -n $(WORKERS) $(ARGS)

# A program in C says how it was started: it is in the recordings of scripts.
compiler:
	@command -v cc >/dev/null || apt-get install -q -y gcc libc6-dev >/dev/null 2>&1 || \
	    echo "there is no C compiler (cc), and it cannot be installed: tests that need it are skipped"

lint: $(READY)  ## ruff and mypy
	@$(PY) -m ruff check --quiet --output-format concise
	@$(PY) -m ruff format --check --quiet --diff
	@$(PY) -m mypy

format: $(READY)  ## put the code into its form
	@$(PY) -m ruff check --fix --quiet
	@$(PY) -m ruff format --quiet

conformance: $(READY)  ## the same conversations with real Dovecots (installs them)
	@status=0; $(PY) -m tests.real.install || status=$$?; \
	case $$status in \
	    0) exec env FAKEDOVE_STEPS=$(STEPS) FAKEDOVE_SEED=$(SEED) \
	        $(PY) -m pytest -q -m real $(ARGS) ;; \
	    75) echo "conformance: not run, since the packages of the real Dovecot cannot be had" ;; \
	    *) exit $$status ;; \
	esac

bench: $(READY)  ## measure, beside raw Trio, and write docs/performance.md
	@$(PY) -m benchmarks $(ARGS)

bench-check: $(READY)  ## measure, and fail if a budget is exceeded
	@$(PY) -m benchmarks --check $(ARGS)

certs: $(READY)  ## write the test certificates in certs/ anew
	@$(VENV)/bin/fakedove certs certs

coverage: $(READY)  ## which lines the tests reach
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest -q -n $(WORKERS) $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report

docs: $(READY)  ## write the generated parts of README.md and docs/ anew
	@$(PY) -m tests.docs.generate

build: $(READY)  ## the wheel and the source distribution, in dist/
	@$(PY) -m build --outdir dist

clean:  ## remove what the other targets made, .venv too
	@rm -rf $(VENV) dist build htmlcov .coverage .coverage.* .hypothesis \
	    .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip reads the dependency groups of pyproject.toml from 25.1 on, hence its upgrade.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "fakedove needs Python 3.11 or newer and $(PYTHON) is not: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$(PYTHON) cannot make virtual environments: install python3-venv" >&2; exit 1; }
	@echo "installing fakedove and its tools into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(PY) -m pip install -qq --disable-pip-version-check --editable . --group dev
	@touch $@
