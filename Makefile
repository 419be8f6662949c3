# Everything runs in a virtual environment of its own, made from pinned versions.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo spark test lint bench clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("corank needs Python 3.11 or later, found " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,bench]'
	touch $(READY)

demo: $(READY) ## Simulate, check, audit, samples, train two models, compare, report: under 5 minutes
	$(BIN)/corank demo demo --overwrite

spark: $(READY) ## Install Spark into the environment, so that its tests run
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[spark]'

# Two workers of one thread each: idle OpenMP threads spin, and on two cores would stop one another. A file's
# tests go to one worker, so that what they share is made once.
test: lint ## Lint, types, and every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --durations 10

lint: $(READY) ## Format, lint and types only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(READY) ## Benchmarks of speed and memory: each prints a table and writes its CSV in results/
	for b in gauc reader samples es3 es3_scale es3_memory audit mixing routing listwise steps; do \
		$(BIN)/python benchmarks/$$b.py || exit 1; done

clean: ## Remove the environment and what the demo made
	rm -rf $(VENV) demo
