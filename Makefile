PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(sort $(wildcard plugins/*/pyproject.toml))
PROJECTS := sdk/python . $(patsubst %/pyproject.toml,%,$(PLUGINS)) runner scaffolding
EDITABLE := $(foreach project,$(PROJECTS),-e ./$(project))
STAMP := $(VENV)/.installed
# Where the environment forbids to keep compiled code, each process compiles all of it anew, and each test process every assertion.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast test-keycloak plane check sdk openapi docs bench bench-kube clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "make %-13s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the virtual environment with everything in it

$(STAMP): setup.cfg pyproject.toml constraints.txt $(PLUGINS) runner/pyproject.toml sdk/python/pyproject.toml scaffolding/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt $(EDITABLE) -r requirements-development.txt
	touch $(STAMP)

run: setup ## start the whole system on this machine; Ctrl-C stops it
	@$(BIN)/ambient dev $(ARGUMENTS)

test: setup plane tests/e2e/agui_client/node_modules tests/identity/provider/node_modules ## run every test
	$(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder

test-keycloak: setup ## run only the tests with a real Keycloak, and fail where it cannot be had
	@$(BIN)/python -m tests.identity.keycloak.distribution
	$(BIN)/python -m pytest tests/identity -m keycloak

test-fast: setup ## run what needs no Kubernetes, no provider and no waiting (about a minute)
	$(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder -p no:schemathesis --ignore tests/kube --durations 10 -m "not slow"

plane: ## build the Kubernetes API server and kustomize for the tests (needs Go; kept until their sources change)
	@$(PYTHON) -m tests.kube.binary

check: setup ## style, types, layers, sizes, contract and generated code
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check .
	$(BIN)/mypy ambient_core runner/ambient_runner scaffolding/ambient_scaffold $(patsubst %/__init__.py,%,$(wildcard plugins/*/ambient_*/__init__.py))
	$(BIN)/lint-imports
	$(BIN)/python tests/check_sizes.py
	AMBIENT_PROFILE=development $(BIN)/ambient openapi --check
	$(MAKE) --no-print-directory sdk docs
	git diff --exit-code -- sdk/python docs/configuration.md docs/hooks.md

openapi: setup ## write openapi.yaml from the code
	AMBIENT_PROFILE=development $(BIN)/ambient openapi --output openapi.yaml

sdk: setup ## generate the SDK from openapi.yaml
	$(BIN)/python sdk/python/generate.py openapi.yaml

docs: setup ## write the generated pages of docs/
	$(BIN)/ambient config --markdown > docs/configuration.md
	$(BIN)/python docs/generate_hooks.py > docs/hooks.md

bench: setup ## measure beside pgbench, in one run
	$(BIN)/python -m tests.bench.bench
	$(BIN)/python -m tests.bench.batch
	$(BIN)/python -m tests.bench.growth
	$(BIN)/python -m tests.bench.watchers
	$(BIN)/python -m tests.bench.backup

bench-kube: setup plane ## measure the control plane on a real Kubernetes API server
	$(BIN)/python -m tests.bench.kube

tests/e2e/agui_client/node_modules: tests/e2e/agui_client/package.json
	cd tests/e2e/agui_client && npm install --no-audit --no-fund --silent
	touch tests/e2e/agui_client/node_modules

tests/identity/provider/node_modules: tests/identity/provider/package.json
	cd tests/identity/provider && npm install --no-audit --no-fund --silent
	touch tests/identity/provider/node_modules

clean: ## remove what was made, the virtual environment too
	rm -rf $(VENV) .ambient build *.egg-info .pytest_cache .mypy_cache .ruff_cache tests/e2e/agui_client/node_modules tests/identity/provider/node_modules
