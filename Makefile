# `make help` says what there is. Nothing here needs root, a compiler or a terminal; packages come
# through pip alone, so your own pip configuration (an index, a wheelhouse, no index) holds.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo serve test lint check docs dist bench soak lock clean

PYTHON ?= python3
PIP = .venv/bin/python -m pip --disable-pip-version-check install
LOCKED = --no-deps --require-hashes --only-binary :all:
COMPILE = .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-emit-index-url --no-annotate --no-header

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

install: .venv/.installed ## Make .venv with Likeness and its locked dependencies

demo: install ## Find and name the people of a group picture and of a clip (writes demo-out/)
	@.venv/bin/python -m likeness.demo

serve: install ## Answer Amazon Rekognition's clients on port 8020 of this machine
	@.venv/bin/likeness serve

test: .venv/.installed-dev ## Run the tests, those that need weights and system packages too
	@.venv/bin/python -m pytest -m "not online" -n 3 --dist loadfile --no-loadscope-reorder

lint: .venv/.installed-dev ## Check form, lint, types, layers and workflows
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy
	.venv/bin/lint-imports
	.venv/bin/zizmor --offline --quiet .github

check: lint ## The same, and how much of the code the quick tests reach
	.venv/bin/python -m pytest --quiet --cov --cov-report=
	@echo "Statements of likeness that those tests reach, in percent:"
	@.venv/bin/python -m coverage report --format=total

docs: .venv/.installed-dev ## Write docs/api.md from the docstrings
	.venv/bin/python -m tools.reference

dist: .venv/.installed-dev ## Build the wheel and the source distribution, and try the wheel
	rm -rf dist
	.venv/bin/python -m uv build --quiet --offline --no-build-isolation --python .venv/bin/python --out-dir dist
	.ci/wheel "$(PYTHON)"

bench: .venv/.installed-dev .venv-bench/.installed ## Measure (ONLY=name for one figure or group, FULL=1 for the long ones too)
	@.venv/bin/python -m bench $(if $(ONLY),--only "$(ONLY)") $(if $(FULL),--full)

soak: .venv/.installed-dev ## Serve at 80% of capacity for ten minutes, watch a stream for an hour: does memory stay flat? (SOAK_S=600: both so long)
	@.venv/bin/python -m bench.server_soak $(or $(SOAK_S),600)
	@.venv/bin/python -m bench.live_soak $(or $(SOAK_S),3600)

lock: .venv/.installed-dev ## Resolve requirements/*.lock anew
	$(COMPILE) --upgrade --no-emit-package openvino-telemetry \
		pyproject.toml requirements/runtime.in -o requirements/runtime.lock
	$(COMPILE) --upgrade requirements/dev.in -o requirements/dev.lock
	$(COMPILE) --upgrade --override requirements/overrides.txt \
		requirements/bench.in -o requirements/bench.lock
	$(COMPILE) --upgrade requirements/bench-sdist.in -o requirements/bench-sdist.lock

clean: ## Remove what the other targets made (not the cache of weights)
	rm -rf .venv .venv-bench demo-out bench-out dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# A stamp is touched last, so an interrupted step is done again from its start.

.venv/.made:
	@$(call make-venv,.venv)

.venv/.installed: .venv/.made requirements/runtime.lock pyproject.toml
	@echo "Installing Likeness's locked dependencies into .venv ..."
	@$(PIP) $(LOCKED) -r requirements/runtime.lock
	@echo "Installing Likeness itself ..."
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements/dev.lock
	@echo "Installing what checks and tests need into .venv ..."
	@$(PIP) $(LOCKED) -r requirements/dev.lock
	@touch $@

.venv-bench/.made:
	@$(call make-venv,.venv-bench)

.venv-bench/.installed: PIP = .venv-bench/bin/python -m pip --disable-pip-version-check install
.venv-bench/.installed: .venv-bench/.made requirements/bench.lock requirements/bench-sdist.lock
	@echo "Installing what Likeness is measured against into .venv-bench ..."
	@$(PIP) $(LOCKED) -r requirements/bench.lock
	@$(PIP) --no-deps --require-hashes --no-build-isolation -r requirements/bench-sdist.lock
	@touch $@

# Debian's python3 has venv without ensurepip until python3-venv is installed.
define make-venv
	"$(PYTHON)" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Likeness needs Python 3.11 or newer with its venv module; $(PYTHON) is" \
			"$$("$(PYTHON)" --version 2>&1 | tail -n 1): make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" \
			"(on Debian and Ubuntu, apt-get install python3-venv)" >&2; exit 1; }; \
	echo "Making $(1) with $$("$(PYTHON)" --version) ..." && \
	"$(PYTHON)" -m venv --clear $(1) && touch $(1)/.made
endef
