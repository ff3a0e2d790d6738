# Needs GNU make and Python 3.11 or later, and nothing else: every target sets up what it needs.
# Settings: PYTHON (the Python to build the environment from), WORKERS (test processes),
# PYTEST_ARGS (more arguments to pytest), UPGRADE (empty: `make lock` keeps what still fits).

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --warn-undefined-variables
SHELL := /bin/sh

PYTHON ?=
WORKERS ?= auto
PYTEST_ARGS ?=
UPGRADE ?= --upgrade
ARGS ?=

is_recent := import sys; sys.exit(sys.version_info < (3, 11))
venv := .venv
python := $(venv)/bin/python
pip := $(python) -m pip --disable-pip-version-check
installed := $(venv)/installed
pytest := $(python) -m pytest
demo := .demo
bench := .bench
mutmut := 3.8.1
dealstate := $(venv)/bin/dealstate --db sqlite:///$(demo)/dealstate.db

.PHONY: help install demo serve test check drills mutants bench bench-page bench-long format lock clean
.PHONY: check-format check-lint check-types check-imports check-docs

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F '|' '{ printf "%-14s %s\n", $$1, $$2 }'

install: $(installed) ## Set up .venv with the locked packages and the `dealstate` command

$(installed): requirements.lock pyproject.toml $(python)
	$(pip) install --quiet --require-hashes -r requirements.lock
	$(pip) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(python):
	@$(make_venv)

demo: $(installed) ## Make up a portfolio in .demo and show the pipeline, a lost deal, why, and its trail
	@rm -rf $(demo)
	@$(MAKE) --no-print-directory $(demo)/dealstate.db
	$(dealstate) pipeline --by region --as-of 2026-06-30
	$(dealstate) pipeline --by stage --where currency=EUR --as-of 2026-06-30
	$(dealstate) pipeline --by region --as-of 2025-12-31 --known-at 2025-12-31
	$(dealstate) waterfall 2026-Q2 --currency EUR --plot $(demo)/waterfall.svg
	$(dealstate) figures 2026-Q2 --by territory --currency EUR
	$(dealstate) deals --status lost --sort -closed_at --limit 8
	@lost=$$($(dealstate) deals --outcome lost-to-competitor --stage P5 --sort -closed_at \
		--limit 1 --format csv | sed -n '2s/^[^,]*,\([^,]*\),.*/\1/p'); \
	set -ex; \
	$(dealstate) replay "$$lost"; \
	$(dealstate) postmortem "$$lost" -o $(demo)/lost.html; \
	$(dealstate) audit trail "$$lost" --limit 12
	$(dealstate) warnings --least mistake --limit 3
	@echo
	@echo "Try next:  source $(venv)/bin/activate; export DEALSTATE_DB=sqlite:///$(demo)/dealstate.db"
	@echo "           dealstate show S7-0001 --as-of 2025-12-31   or   make serve, and open its /docs"
	@echo "Open $(demo)/lost.html in a browser: where that deal was lost; and $(demo)/waterfall.svg."

$(demo)/dealstate.db: | $(installed)
	@rm -rf $(demo) && mkdir $(demo)
	$(dealstate) simulate --deals 300 --seed 7 --months 24

serve: $(installed) $(demo)/dealstate.db ## Serve the demo over HTTP on this machine only
	$(dealstate) serve

test: $(installed) ## Run the tests, in random order
	$(pytest) -n $(WORKERS) $(PYTEST_ARGS)

check: check-format check-lint check-types check-imports check-docs ## Check format, lint, types, imports, house rules and generated docs

check-format: $(installed)
	$(python) -m ruff format --check .

check-lint: $(installed)
	$(python) -m ruff check .

check-types: $(installed)
	$(python) -m mypy

check-imports: $(installed)
	$(venv)/bin/lint-imports --no-logo

check-docs: $(installed)
	$(pytest) -q -n $(WORKERS) -k "not example" tests/house tests/docs

drills: $(installed) ## Crash, fault and load at full size, and the laws on many more examples
	HYPOTHESIS_PROFILE=thorough $(pytest) -m drill $(PYTEST_ARGS)
	HYPOTHESIS_PROFILE=thorough $(pytest) -n $(WORKERS) $(PYTEST_ARGS) tests/laws

mutants: $(installed) ## Change the domain in small ways and see the tests fail (a quarter of an hour)
	$(pip) install --quiet mutmut==$(mutmut)
	$(python) -m tests.mutation.run

bench: $(installed) ## Measure speed against the raw floor and the stock library (twenty minutes)
	$(python) -m tests.benchmarks $(ARGS)

bench-page: $(installed) ## The same, and add the figures to docs/benchmarks.md
	$(python) -m tests.benchmarks --append-to --write $(ARGS)

bench-long: $(installed) ## Measure logs of a million and ten million events for the same page (an hour)
	@set -ex; \
	for rows in append,load-25 rebuild pg-rebuild snapshot as-of pg-as-of memory; do \
		$(python) -m tests.benchmarks --long --only $$rows --folder $(bench) --append-to --write; \
	done

format: $(installed) ## Format the code and repair what the linter can
	$(python) -m ruff format .
	$(python) -m ruff check --fix .

lock: | $(python) ## Renew requirements.lock: newest versions that fit, for Python 3.11 and later
	$(python) -m uv --version >/dev/null 2>&1 || $(pip) install --quiet uv
	$(python) -m uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
		--quiet $(UPGRADE) --output-file requirements.lock

clean: ## Remove the demo, caches and build artefacts (.venv stays)
	rm -rf $(demo) $(bench) build dist .coverage .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache mutants
	find . -path ./$(venv) -prune -o -name __pycache__ -type d -exec rm -rf {} +

define make_venv
python="$(PYTHON)"; \
for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if [ -z "$$python" ] && "$$name" -c '$(is_recent)' 2>/dev/null; then python=$$name; fi; \
done; \
if [ -z "$$python" ]; then \
	echo "dealstate needs Python 3.11 or later, and there is none on the PATH." >&2; \
	echo "Install one, or name it: make install PYTHON=/path/to/python3.12" >&2; \
	exit 1; \
fi; \
if ! "$$python" -c '$(is_recent)'; then \
	echo "dealstate needs Python 3.11 or later, and $$python is not one." >&2; \
	echo "Name another: make install PYTHON=/path/to/python3.12" >&2; \
	exit 1; \
fi; \
echo "Setting up $(venv) with $$("$$python" --version)"; \
if ! "$$python" -m venv --clear $(venv); then \
	rm -rf $(venv); \
	echo "$$python cannot make a virtual environment." >&2; \
	echo "On Debian and Ubuntu, install the package python3-venv and run make again." >&2; \
	exit 1; \
fi
endef
