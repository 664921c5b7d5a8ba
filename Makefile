# The door to the laboratory. `make help` lists what can be done.
PYTHON ?= python3
SANDBOX ?= process
NAME ?= seed-reset
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help scenario scenarios matrix compare serve doctor clean distclean \
  test test-fast coverage golden snapshots check format sabotage speed equivalence level fixes clients fidelity picture schemas lock lock-images

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  SANDBOX=process|docker   where functions run (now: $(SANDBOX))"
	@echo "  ARGS='--repeat 20 ...'   more options for thawlab"
	@echo
	@echo "For maintainers:"
	@awk -F ':.*#@ ' '/^[a-z-]+:.*#@ / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

scenario: $(READY) ## run one scenario: make scenario NAME=seed-reset
	@$(BIN)/thawlab run $(NAME) --sandbox $(SANDBOX) $(ARGS)

scenarios: $(READY) ## run every scenario
	@$(BIN)/thawlab run --all --sandbox $(SANDBOX) $(ARGS)

matrix: $(READY) ## which client survives: every client, close mode and preset
	@$(BIN)/thawlab matrix --sandbox $(SANDBOX) $(ARGS)

compare: $(READY) ## what changed between two runs: make compare A=RUN [B=RUN]
	@$(BIN)/thawlab compare $(or $(A),$(error say which runs: make compare A=RUN B=RUN; without B it is the latest)) $(or $(B),latest) $(ARGS)

clients: $(READY) #@ write docs/clients.md from matrices: make clients MATRIX="latest ..."
	@$(BIN)/python -m lab.tools.clients $(or $(MATRIX),latest)

test: $(READY) #@ run the tests
	@$(BIN)/pytest $(ARGS)

test-fast: $(READY) #@ the tests that need nothing: no process, no socket; seconds
	@HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-fast} $(BIN)/pytest -q -n 2 --dist worksteal -m "pure and not slow" $(ARGS) $$($(BIN)/python -m tests.needs pure)

coverage: $(READY) #@ which branches of scenario, plan and verdict no pure test takes
	@HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-fast} $(BIN)/coverage run -m pytest -q -m "pure and not slow" $(ARGS) $$($(BIN)/python -m tests.needs pure)
	@$(BIN)/coverage report

golden: $(READY) #@ record the golden runs of the tests again; ARGS="NAME ...": only these
	@$(BIN)/python -m tests.golden.record $(ARGS)

snapshots: $(READY) #@ write down what the golden runs are judged and reported to be
	@$(BIN)/python -m tests.golden.record --snapshots $(ARGS)

speed: $(READY) #@ how fast the Python matrix is, beside another checkout: make speed AGAINST=../other
	@$(BIN)/python -m lab.tools.speed $(if $(AGAINST),--against $(AGAINST)) $(ARGS)

equivalence: $(READY) #@ gaps in jumps beside gaps that are waited for; ARGS=--short: seconds, not minutes
	@$(BIN)/python -m lab.tools.equivalence $(ARGS)

level: $(READY) #@ whether memory stays level over a million requests; takes long
	@$(BIN)/python -m tests.level.upstream
	@$(BIN)/python -m tests.level.serve

sabotage: $(READY) #@ lie to the lab: no lie may be believed; ARGS=--short: one of each kind
	@$(BIN)/python -m tests.sabotage --sandbox $(SANDBOX) $(ARGS)

check: $(READY) #@ lint, format, types, and which room imports which
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/test_flow.py

format: $(READY) #@ let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

serve: $(READY) ## keep the Invoke API, a function and an upstream up
	@$(BIN)/thawlab serve --sandbox $(SANDBOX) $(ARGS)

fixes: $(READY) #@ run every scenario and write docs/fixes.md from it
	@$(BIN)/thawlab run --all --sandbox $(SANDBOX) $(ARGS)
	@$(BIN)/thawlab fixes --write docs/fixes.md

doctor: $(READY) ## what this machine can do
	@$(BIN)/thawlab doctor

clean: $(READY) ## remove what a killed run left; ARGS="--keep 20" removes older runs too
	@$(BIN)/thawlab clean $(ARGS)

picture: $(READY) #@ draw the README's picture from a new run
	@$(BIN)/thawlab run seed-reset > /dev/null
	@$(BIN)/python -m lab.tools.picture latest docs/img/seed-reset.svg --title "make scenario NAME=seed-reset"

distclean: ## remove .venv, built functions and every run
	rm -rf $(VENV) .build runs

schemas: $(READY) #@ write the published JSON Schemas
	@$(BIN)/python -m lab.tools.schemas

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet

lock: $(READY) #@ pin the dependencies (needs the network)
	$(BIN)/$(LOCK) pyproject.toml --upgrade --output-file requirements.lock
	$(BIN)/$(LOCK) pyproject.toml --extra dev --constraints requirements.lock --output-file requirements-dev.lock
	$(BIN)/$(LOCK) upstream_server/requirements.in --constraints requirements.lock --output-file upstream_server/requirements.lock
	$(BIN)/$(LOCK) lambda_app/python/installer.in --constraints requirements.lock --output-file lambda_app/python/installer.lock
	for client in lambda_app/python/clients/*/; do \
	  $(BIN)/$(LOCK) $${client}requirements.in --upgrade --output-file $${client}requirements.lock || exit; done
	for folder in lambda_app/node/ $$(dirname lambda_app/node/clients/*/package.json); do \
	  (cd $$folder && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved) || exit; done

fidelity: $(READY) #@ measure close mode × link and write docs/fidelity.md from it
	@$(BIN)/python -m lab.tools.fidelity $(ARGS)

lock-images: $(READY) #@ pin the base images (needs an engine and a registry)
	@$(BIN)/python -m lab.tools.image_digests

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "thawlab needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "making $(VENV) from requirements-dev.lock (once)" >&2
	@$(PYTHON) -m venv --clear $(VENV) || { echo "no venv module: on Debian and Ubuntu, apt install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
