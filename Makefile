# Two commands: `make demo` and `make test`. Python >= 3.11 and make are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?= -n auto

.DEFAULT_GOAL := help
.PHONY: help demo test slow lint docs lock clean

help:  ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.demo: pyproject.toml requirements/demo.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.demo requirements/test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.lock
	@touch $@

demo: $(VENV)/.demo  ## run the example project through the pipeline, then attack it
	$(BIN)/shipworthy demo --folder demo-run --attack all

test: $(VENV)/.test  ## the tests, less those that take minutes
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

slow: $(VENV)/.test  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow $(ARGS)

lint: $(VENV)/.test  ## ruff, formatting, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.demo  ## write the pages that are made from the code
	$(BIN)/python scripts/make_docs.py

lock:  ## pin every dependency anew (needs uv)
	uv pip compile --quiet --universal --no-annotate --no-header --generate-hashes --python-version 3.11 \
	  --extra demo pyproject.toml --output-file requirements/demo.lock
	uv pip compile --quiet --universal --no-annotate --no-header --generate-hashes --python-version 3.11 \
	  --extra demo --extra test --extra dev --extra dask --extra parquet pyproject.toml --output-file requirements/test.lock

clean:  ## remove what these commands made
	rm -rf $(VENV) demo-run build dist
