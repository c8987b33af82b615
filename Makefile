# Every target makes the environment it needs; nothing has to be installed by hand.
# Needed on the machine: Python 3.11, gcc/g++, make, git.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
export TF_CPP_MIN_LOG_LEVEL ?= 2

.DEFAULT_GOAL := help
.PHONY: help env train hls rtl ci-report test test-long lint docs data data-full lock clean bench

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

env: $(READY) ## make the environment (every other target does it too)

$(READY): requirements.lock setup.cfg
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; v[:2] == (3, 11) or sys.exit(f"Python 3.11 is needed, {sys.executable} is {v[0]}.{v[1]}; set PYTHON=/path/to/python3.11")'
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

train: $(READY) ## train, prune and evaluate the default network on the built-in sample
	$(BIN)/l1met train models/deepset.yaml $(ARGS)

hls: $(READY) ## convert the last trained network, C-simulate it, check it bit by bit, report
	$(BIN)/l1met synthesize $(ARGS)

rtl: $(READY) ## the same and the streaming RTL with its resources
	$(BIN)/l1met synthesize --build $(ARGS)

ci-report: $(READY) ## the short main job: a few epochs, HLS and RTL, checks and report in build/ci-run; fails if a limit breaks
	$(BIN)/l1met train models/deepset.yaml --output build/ci-run --overwrite --set training.epochs=4
	$(BIN)/l1met synthesize build/ci-run --build --events 500
	$(BIN)/l1met report build/ci-run --check --require physics,pruning,bit_exactness,rtl

test: $(READY) ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

test-long: $(READY) ## run the tests that take minutes (fuzzing, 100,000 events, long resumes)
	$(BIN)/python -m pytest -m slow --dist loadfile -n 2 $(ARGS)

lint: $(READY) ## ruff, mypy, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

docs: $(READY) ## build the documentation, warnings are errors
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

data: $(READY) ## make the built-in samples again (data/*.root)
	$(BIN)/l1met simulate data/builtin_sample.yaml --overwrite $(ARGS)

data-full: $(READY) ## make the full samples and their stores in data/full (resumes)
	$(BIN)/l1met simulate data/full_sample.yaml $(ARGS)
	for sample in pileup ttbar znunu vbf_hinv; do \
	  test data/full/$$sample.h5 -nt data/full/$$sample || $(BIN)/l1met convert "data/full/$$sample/*.root" -o data/full/$$sample.h5 --overwrite || exit 1; \
	done

bench: bench-puppi bench-data bench-sim bench-train bench-eval bench-hls bench-rtl bench-export ## run every benchmark

bench-%: $(READY)
	$(BIN)/python benchmarks/bench_$*.py $(ARGS)

lock: $(READY) ## renew requirements.lock from the ranges in setup.cfg
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --python-version 3.11 --no-header --no-emit-index-url --extra simulation --extra test --extra docs setup.cfg -o requirements.lock

clean: ## remove build products, not runs
	rm -rf build docs/_build docs/_generated
