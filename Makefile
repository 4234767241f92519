# Two commands: `make run` shows the map, `make test` runs the tests. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test test-long lint check lock clean

run: $(VENV)/.run
	$(BIN)/truso run

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2

# Everything that CI runs.
check: lint test test-long

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-long: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 -m "(slow or hypothesis) and not browser" --hypothesis-profile=thorough
	$(BIN)/python -m pytest -m browser

$(VENV)/.run: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --editable .
	touch $@

$(VENV)/.test: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --editable .
	touch $@ $(VENV)/.run

# Needs uv. Hashed and without the name of a host, for every platform and Python from 3.11 on.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) static out
