# Everything runs in .venv, made from the hash-pinned requirements-dev.lock. Only python3 (3.11 or newer) and make are needed.

# Python 3.11 to 3.13 first: every dependency comes ready-built for those.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && exit; done; \
	python3 -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' 2>/dev/null && echo python3)
BIN := .venv/bin
INSTALLED := .venv/installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --custom-compile-command 'make lock' pyproject.toml

# Without cached bytecode, pytest rewrites thousands of assertions on every run.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench burst faults delivery-faults soak fuzz mutants lock clean alerts dashboards long pictures ui site-chaos

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

install: $(INSTALLED)  ## installs into .venv, with the `vn` command

demo: $(INSTALLED)  ## runs the five stages on the sample feed and shows what came out
	@$(BIN)/vn demo

test: $(INSTALLED)  ## the whole suite, the tests against a real broker and store included
	@$(BIN)/python -m pytest -n 2 -q -m "not broker"
	@$(BIN)/python -m pytest -ra -m "broker and not long"  # one after another: two pipelines at once would starve each other on two cores

long: $(INSTALLED)  ## the tests on the real broker that take many minutes: fault matrix, simulated month, guides
	@$(BIN)/python -m pytest -ra -m long

ui: $(INSTALLED)  ## the public's site on a real pipeline in Chromium: every page, language and width, the whole journey; PICTURES=1 makes those of the docs
	@PICTURES=$(PICTURES) $(BIN)/python -m pytest -ra -p no:xdist tests/ui

site-chaos: $(INSTALLED)  ## a thousand registrations while the site is killed again and again; REGISTRATIONS=100 makes fewer
	@REGISTRATIONS=$(REGISTRATIONS) $(BIN)/python -m pytest -ra -s -p no:xdist tests/broker/test_site_chaos.py

check: $(INSTALLED)  ## format, lint, types and the fast tests: under a minute
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q -n 2 -m "not broker and not slow and not long" --timeout-method signal --hypothesis-profile check --ignore tests/broker --ignore tests/ui

fuzz: $(INSTALLED)  ## fuzzes everything that reads outside data, a million inputs each; make fuzz FOR=60 stops after 60 s in all
	@$(BIN)/python -m tests.fuzz $(if $(FOR),--seconds $(FOR))

bench: $(INSTALLED)  ## the benchmark
	@$(BIN)/python -m bench

alerts: $(INSTALLED)  ## faults on a real pipeline, seen by Debian's Prometheus and Alertmanager: each alert arrives and clears (docs/alert-times.md); an hour
	@ALERT_TIMES=1 $(BIN)/python -m pytest -ra -m broker tests/broker/test_alerts.py

faults: $(INSTALLED)  ## every fault at every point of the protocol in every stage (docs/guarantees.md), half an hour; goes on where it was interrupted
	@$(BIN)/python -m tests.broker.fault_matrix

delivery-faults: $(INSTALLED)  ## every fault at every point of deliver, answer and the providers, and vendors that misbehave (docs/delivery-faults.md); goes on where it was interrupted
	@$(BIN)/python -m tests.broker.delivery_matrix

burst: $(INSTALLED)  ## one event, 10,000 registrants by SMTP, the provider killed ten times; some minutes
	@$(BIN)/python -m bench.burst

soak: $(INSTALLED)  ## random faults under load, for MINUTES (60) minutes
	@$(BIN)/python -m tests.broker.soak --minutes $(or $(MINUTES),60)

dashboards: $(INSTALLED)  ## Grafana's dashboards and docs/dashboards.md, made from processors/watch/boards
	@$(BIN)/python deploy/grafana/build.py

pictures: $(INSTALLED)  ## pictures of the dashboards, drawn in Chromium from a pipeline under load and faults; needs no Grafana
	@BOARD_PICTURES=docs/images/dashboards $(BIN)/python -m pytest -ra -m broker tests/broker/test_boards.py

mutants: $(INSTALLED)  ## mutation testing of dates, transitions, deadlines and duplicates (docs/mutation.md), a quarter of an hour
	@nice -n 15 $(BIN)/python -m tests.mutation.run

lock: $(INSTALLED)  ## pins the newest versions of everything, and the jars of the local Kafka, with their hashes
	@$(LOCK) --output-file requirements.lock
	@$(LOCK) --extra local --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(BIN)/python -m processors.runtime.local.jars
	@$(BIN)/python -m bench.peers.lock

clean:  ## stops the local broker and store and removes what was made
	@if [ -x $(BIN)/vn ] && [ -d .vn ]; then $(BIN)/vn local down; fi
	@rm -rf .venv .vn .mypy_cache .pytest_cache .ruff_cache .hypothesis dist mutants

# uv, pinned like the rest, installs in seconds what takes pip a minute; where it cannot reach the packages (it does not
# read pip's settings) pip does it.
$(INSTALLED): pyproject.toml requirements-dev.lock
	@[ -n "$(PYTHON)" ] || { echo "vn needs Python 3.11 or newer: install it, or name one with make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Installing into .venv ..." >&2
	@$(PYTHON) -m venv .venv
	@awk '/^uv==/ { on = 1 } on { print; if (!/\\$$/) exit }' requirements-dev.lock >.venv/uv.lock
	@$(PIP) --require-hashes --only-binary :all: -r .venv/uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-build -r requirements-dev.lock || \
		$(PIP) --require-hashes --only-binary :all: -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
