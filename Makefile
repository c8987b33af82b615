# Every target makes the environment it needs; nothing has to be installed by hand.
# Needed on the machine: Python 3.11, 3.12 or 3.13, gcc/g++, make, git.

# the first that runs: names that a version manager has put on PATH may lead nowhere
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do $$p -c '' 2>/dev/null && command -v $$p && break; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# what meets every library in a few minutes: numbers, files, networks, a training, its firmware, reports
FAST := -n 2 --dist loadfile -m "not slow and not fpga and not mpl_image_compare" $(wildcard tests/test_*.py) \
  tests/golden tests/puppi tests/config tests/data tests/metrics tests/models tests/results tests/prediction \
  tests/report tests/training/test_session.py tests/firmware/test_hls_project.py tests/firmware/test_rtl_simulation.py \
  tests/cli/test_error_sentences.py tests/cli/test_terminal.py
LOCKED_EXTRAS := --extra simulation --extra test --extra docs
# the network of a task: models/TASK.yaml, the default network for met and without TASK
TASK ?=
MODEL_met := deepset
MODEL_candidate_weight := flow_l1
MODEL := $(or $(MODEL_$(TASK)),$(TASK),deepset)
# samples that are too large for the repository, made (with Pythia) when a task first needs them
MADE_flow := data/flow/flow_ttbar.root
MADE_candidate_weight := data/weights/weights_ttbar.root
export TF_CPP_MIN_LOG_LEVEL ?= 2
# without its bytecode every process compiles TensorFlow anew, which takes longer than most tests
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env train hls rtl ci-report test test-long test-oracles test-workflow findings lint docs data data-full lock minimums test-python wheel-test clean bench

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

env: $(READY) ## make the environment (every other target does it too)

$(READY): requirements.lock setup.cfg
	@echo "making the environment in $(VENV): one to two minutes, 3.2 GB"
	.ci/make-env "$(PYTHON)" $(VENV)
	touch $@

train: $(READY) $(MADE_$(TASK)) ## train, prune and evaluate the default network, or that of TASK=ht, jets, flow or candidate_weight, on a small sample
	$(BIN)/l1met train models/$(MODEL).yaml $(ARGS)

data/flow/flow_ttbar.root: data/flow_sample.yaml | $(READY)
	$(BIN)/l1met simulate $<

data/weights/weights_ttbar.root: data/weights_sample.yaml | $(READY)
	$(BIN)/l1met simulate $<

hls: $(READY) ## convert the last trained network, C-simulate it, check it bit by bit, report
	$(BIN)/l1met synthesize $(if $(TASK),-m $(MODEL)) $(ARGS)

rtl: $(READY) ## the same and the streaming RTL with its resources
	$(BIN)/l1met synthesize $(if $(TASK),-m $(MODEL)) --build $(ARGS)

ci-report: $(READY) ## the short main job: a few epochs, HLS and RTL, checks and report in build/ci-run; fails if a limit breaks
	$(BIN)/l1met train models/deepset.yaml --output build/ci-run --overwrite --set training.epochs=12 --set training.stages.float.epochs=4
	$(BIN)/l1met synthesize build/ci-run --build --events 500
	$(BIN)/l1met report build/ci-run --check --require physics,pruning,bit_exactness,rtl --without hls

test: $(READY) ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

test-long: $(READY) ## run the tests that take minutes (fuzzing, 100,000 events, long resumes)
	$(BIN)/python -m pytest -m "slow and not oracle" --dist loadfile -n 2 $(ARGS)

test-oracles: $(READY) ## hold ours against real tools (ROOT, simulators, compilers, a server, a browser), which it installs
	.ci/make-oracles $(BIN)/python
	@# the library of XRootD ends a process that has TensorFlow's in it
	PYTHONPATH=$(CURDIR)/build/oracles/xrootd $(BIN)/python -m pytest -m oracle tests/oracles/test_xrootd.py
	L1MET_PACKAGES=$(CURDIR)/build/oracles/models $(BIN)/python -m pytest -m oracle --ignore tests/oracles/test_xrootd.py --dist loadfile -n 2 $(ARGS)

test-workflow: $(READY) ## run the workflow (workflow/Snakefile) small, end to end, and see that nothing is left to do
	$(BIN)/python -m pip install --quiet -e '.[workflow]'
	rm -rf build/workflow-small
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake -s workflow/Snakefile -c2 --configfile workflow/small.yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake -s workflow/Snakefile -c2 --configfile workflow/small.yaml | grep -q "Nothing to be done"

findings: ## run every script of findings/ (what outside packages do against good guesses; no part of CI)
	@mkdir -p build/findings; failed=; for script in findings/*.sh; do \
	  echo "== $$script"; errors=build/findings/$$(basename $$script .sh).txt; \
	  bash $$script 2>$$errors || { tail -n 5 $$errors; failed="$$failed $$script"; }; \
	done; test -z "$$failed" || { echo "changed or failed:$$failed (what they said: build/findings)"; exit 1; }

lint: $(READY) ## ruff, mypy, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

docs: $(READY) ## build the documentation, warnings are errors
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

data: $(READY) ## make the built-in samples again (data/*.root)
	$(BIN)/l1met simulate data/builtin_sample.yaml --overwrite $(ARGS)
	$(BIN)/l1met simulate data/jets_sample.yaml --overwrite $(ARGS)

data-full: $(READY) ## make the full samples and their stores in data/full (resumes)
	$(BIN)/l1met simulate data/full_sample.yaml $(ARGS)
	for sample in pileup ttbar znunu vbf_hinv; do \
	  test data/full/$$sample.h5 -nt data/full/$$sample || $(BIN)/l1met convert "data/full/$$sample/*.root" -o data/full/$$sample.h5 --overwrite || exit 1; \
	done

bench: bench-puppi bench-jets bench-data bench-sim bench-train bench-pairs bench-eval bench-hls bench-rtl bench-export bench-predict ## run every benchmark

bench-%: $(READY)
	$(BIN)/python benchmarks/bench_$*.py $(ARGS)

lock: $(READY) ## renew requirements.lock, exact versions for every Python, from the ranges in setup.cfg
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url $(LOCKED_EXTRAS) setup.cfg -o requirements.lock

test-python: ## run the fast tests on another Python, in an environment of its own (make test-python PYTHON=3.12)
	.ci/make-env "$(PYTHON)" build/python-$(notdir $(PYTHON))
	PATH="$(CURDIR)/build/python-$(notdir $(PYTHON))/bin:$$PATH" build/python-$(notdir $(PYTHON))/bin/python -m pytest $(FAST) $(ARGS)

minimums: $(READY) ## run the fast tests with the lowest versions that setup.cfg allows
	$(BIN)/python -m pip install --quiet uv
	rm -rf build/minimums
	$(BIN)/uv venv --quiet --seed --python $(BIN)/python build/minimums
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --python build/minimums/bin/python --no-header $(LOCKED_EXTRAS) setup.cfg -o build/minimums/requirements.txt
	$(BIN)/uv pip install --quiet --python build/minimums/bin/python -r build/minimums/requirements.txt
	build/minimums/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	PATH="$(CURDIR)/build/minimums/bin:$$PATH" build/minimums/bin/python -m pytest $(FAST) $(ARGS)

wheel-test: $(READY) ## install the wheel outside the checkout and run the program there
	.ci/wheel-test $(VENV)

clean: ## remove build products, not runs
	rm -rf build docs/_build docs/_generated
