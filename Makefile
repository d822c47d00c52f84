# facegate: `make repro` from nothing to registered models, `make test` for the whole suite.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := requirements/lock.txt
PROFILE ?=
UI_PORT ?= 5000
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true
export NO_ALBUMENTATIONS_UPDATE := 1

.PHONY: help install repro test lint format ui serve lock clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## create the virtual environment from the lock

$(READY): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "facegate needs Python 3.11 or later; name one with make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	$(BIN)/facegate fetch
	@touch $@

repro: $(READY) ## run the graph; PROFILE=smoke|embedded|… writes params.yaml from that profile first
	$(if $(PROFILE),facegate profile use $(PROFILE))
	python -m pipelines.graph

test: $(READY) ## run the whole suite
	python -m pytest

lint: $(READY) ## style, types and the rules of the house
	ruff check .
	ruff format --check .
	pyright
	lint-imports

format: $(READY) ## put the code into shape
	ruff check --fix .
	ruff format .

ui: $(READY) ## open the MLflow UI on http://127.0.0.1:$(UI_PORT)
	facegate ui --port $(UI_PORT)

serve: $(READY) ## start the service
	facegate serve

lock: ## resolve the extras anew into requirements/lock.txt
	rm -rf .cache/lock-venv && $(PYTHON) -m venv .cache/lock-venv
	.cache/lock-venv/bin/python -m pip install --quiet ".[train,serve,dev]"
	{ echo "# made by 'make lock'; torch brings its own CUDA packages"; \
	  .cache/lock-venv/bin/python -m pip freeze --exclude facegate | grep -vE '^(nvidia-|cuda-|triton)'; } > $(LOCK)
	rm -rf .cache/lock-venv

clean: ## delete what the graph and the tools made (not data/external, not the registry)
	rm -rf artifacts scores reports data/assets data/samples data/crops .cache .optuna checkpoints
	rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis
