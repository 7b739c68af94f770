.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help: ## what there is to make
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

setup: $(VENV)/installed ## make .venv and install what constraints.txt pins

run: setup ## train, score and draw FactorVAE on dSprites for a few minutes
	$(BIN)/disent-run model=factorvae dataset=dsprites trainer=quick

test: setup ## every test that runs on this machine
	$(BIN)/pytest --numprocesses 2 --dist loadgroup -m "not gpu and not data"

lint: setup ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright

fast: setup
	$(BIN)/pytest --numprocesses 2 -m "not slow and not gpu and not data"

check: setup ## format, lint, types and the fast tests side by side, two minutes on two cores
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint fast

bench: setup ## measure this machine: training, start-up, metrics, memory; half an hour on two cores
	$(BIN)/python scripts/benchmark.py --out outputs/benchmark/latest

wheel: setup ## build the wheel and try it in a clean environment
	scripts/check_wheel.sh

.PHONY: help setup run test lint fast check bench wheel
