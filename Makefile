# Archipelago: what to run. A fresh machine needs Python 3.11 or newer, make, and the package registries; nothing else.
#
#   make run     set everything up and start the demo archipelago: three nodes on this machine, until Ctrl-C
#   make test    install what the tests need and run them          (make test ARGS="-k moon -x"; one after another: "-n 0")
#   make check   format, lint, types, imports, then the tests: what has to hold before anything is handed in
#   make bench   measure, print one table, write bench.json
#   make lock    work out the pinned versions anew (docs/adr/0005-lock-files.md)
#   make clean   remove what was set up here
#
# Chromium and hledger come from Debian when this runs as root where apt-get is; else the tests that need them skip and
# say so. DEBIAN=no leaves the system alone.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEBIAN ?= yes
ARGS ?=

# Quiet while it works; everything that pip said when it does not.
logged = $(1) >$(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; echo "That did not work. Mend it and run make again: it goes on from here."; exit 1; }

.PHONY: help run test check format lint types imports bench lock clean debian
.DEFAULT_GOAL := help

help:
	@sed -n '/^#   make/s/^#   //p' Makefile

run: $(VENV)/run.stamp
	@exec $(BIN)/archipelago demo $(ARGS)

test: $(VENV)/test.stamp debian
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

check: format lint types imports test

format: $(VENV)/test.stamp
	$(BIN)/ruff format --check .

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .

types: $(VENV)/test.stamp
	$(BIN)/mypy

imports: $(VENV)/test.stamp
	$(BIN)/lint-imports

bench: $(VENV)/run.stamp
	$(BIN)/archipelago bench --output bench.json $(ARGS)

# --- setting up: each stamp is older than what it was made from, so a second run does nothing ---

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and there is none. Install it and run make again."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is older or missing. Say which to use: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python could not make a virtual environment. On Debian install its venv package, then run make again."; exit 1; }

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the node needs ..."
	@$(call logged,$(PIP) install --require-hashes -r requirements.lock)
	@$(call logged,$(PIP) install --no-deps --no-build-isolation --editable .)
	@touch $@

$(VENV)/test.stamp: requirements-test.lock $(VENV)/run.stamp
	@echo "Installing what the tests need ..."
	@$(call logged,$(PIP) install --require-hashes -r requirements-test.lock)
	@touch $@

debian:
	@missing=""; for program in chromium hledger; do command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$(DEBIAN)" = yes ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing from Debian:$$missing ..."; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends fonts-dejavu-core $$missing; } \
	    >$(VENV)/debian.log 2>&1 || echo "Debian's packages could not be installed ($(VENV)/debian.log): the tests that need$$missing will skip."; \
	else \
	  echo "Not on this machine:$$missing. The tests that need them will skip; as root on Debian, make test installs them."; \
	fi

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command "make lock" pyproject.toml -

lock: | $(BIN)/python
	@$(PIP) install uv
	echo 'setuptools>=77' | $(LOCK) --output-file requirements.lock
	echo 'setuptools>=77' | $(LOCK) --extra test --constraint requirements.lock --output-file requirements-test.lock

clean:
	rm -rf $(VENV) *.egg-info build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench.json
