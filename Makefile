# Everything an ordinary user types. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup demo up test kills fuzz laws check mutations bench compose-local format generated lock clean

$(STAMP): requirements/all.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0])'
	@echo "Setting up $(VENV) (once; about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP)

demo: setup  ## a synthetic municipality through the whole hub, then what happened
	@$(BIN)/kallan demo

up: setup  ## embedded stack, workers and API until Ctrl-C
	@$(BIN)/kallan up

test: setup  ## everything this machine can run
	@$(BIN)/python -m pytest -m "not kills" -n $${KALLAN_TEST_PROCESSES:-2} --dist loadfile --no-loadscope-reorder

kills: setup  ## servers come late, everything is killed while events flow; KALLAN_KILL_EVENTS=5000 for the long run
	@$(BIN)/python -m pytest -m kills -o log_cli=true -o log_cli_level=INFO

fuzz: setup  ## bad input at every door for so many seconds each (KALLAN_FUZZ_SECONDS, default 60)
	@KALLAN_FUZZ_SECONDS=$${KALLAN_FUZZ_SECONDS:-60} $(BIN)/python -m pytest -o timeout=0 tests/unit/hostile/test_fuzz.py tests/integration/hostile/test_fuzz.py tests/integration/hostile/test_api.py

laws: setup  ## the laws of the master on so many times as many generated histories (KALLAN_LAWS, default 20)
	@KALLAN_LAWS=$${KALLAN_LAWS:-20} $(BIN)/python -m pytest -o timeout=0 tests/unit/mmd_domain/test_history_laws.py tests/integration/mmd/test_history_laws.py tests/integration/mmd/test_state_machine_laws.py

check: setup  ## format, lint, types, layers, docs freshness, personnummer guard
	@$(BIN)/ruff format --no-cache --check .
	@$(BIN)/ruff check --no-cache .  # a cache would remember how an import was sorted before its module was there
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m deploy.checks

mutations: setup  ## change named code in one place at a time: a named test must notice (docs/sparbarhet.md)
	@$(BIN)/python -m deploy.checks.mutations

bench: setup
	@$(BIN)/kallan bench

compose-local: setup  ## the containers of docker-compose.yml where no image registry can be reached: built, tried, taken down
	@$(BIN)/python -m deploy.compose.local

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generated: setup  ## write the generated pages and schemas again from the code
	@$(BIN)/python -m deploy.checks --write
	@$(BIN)/python -m tests.integration.hostile.page

lock:  ## pin again; needs uv. No index addresses are recorded
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements/run.txt
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements/all.txt
	sed -n '/^setuptools==/,/[^\\]$$/p' requirements/all.txt > requirements/build.txt
	sed -n '/^scim2-server==/,/[^\\]$$/p' requirements/all.txt > requirements/scim.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
