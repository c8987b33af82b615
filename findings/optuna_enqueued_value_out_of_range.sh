#!/usr/bin/env bash
# One would think: a value given to enqueue_trial is held to the range that the objective suggests.
# What happens: suggest_float("x", 0, 1) returns the enqueued 5.0 with a warning, the trial is evaluated there, and it can
# become the study's best: a resumed scan with narrowed ranges reports a point that is no longer allowed.
# Seen with optuna 5.0.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check optuna==5.0.0
env/bin/python - <<'PYTHON'
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore")
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
study.enqueue_trial({"x": 5.0})
study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=5)
print("optuna", optuna.__version__, "range 0 to 1, best", study.best_params)
print("states", {trial.state.name for trial in study.trials})
assert study.best_params == {"x": 5.0}, "changed: the value was refused or moved into the range"
PYTHON
