#!/usr/bin/env bash
# One would think: decision_function of a converted two-class classifier speaks of class 1.
# What happens: for a random forest of scikit-learn it returns the probability of class 0 (in two equal columns): a cut
# that kept the signal keeps the background.
# Seen with conifer 1.11, scikit-learn 1.9.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check conifer==1.11 scikit-learn==1.9.1 numpy==2.4.6
env/bin/python - <<'PYTHON'
import conifer
import numpy as np
from sklearn.ensemble import RandomForestClassifier

rng = np.random.default_rng(0)
x = rng.normal(size=(400, 3)).round(2)
forest = RandomForestClassifier(4, max_depth=3, random_state=0).fit(x, (x[:, 0] > 0).astype(int))
converted = conifer.converters.convert_from_sklearn(forest, None)
scores = np.asarray(converted.decision_function(x)).reshape(len(x), -1)
probabilities = forest.predict_proba(x)
print("conifer", conifer.__version__, "columns of the score:", scores.shape[1])
print("first event: score", scores[0].round(3), "probabilities", probabilities[0].round(3))
distance = [float(np.abs(scores[:, 0] - probabilities[:, k]).mean()) for k in (0, 1)]
print("mean distance from the probability of class 0 and of class 1:", distance)
assert distance[0] < 0.01, "changed: no longer the probability of class 0"
assert distance[1] > 0.1
PYTHON
