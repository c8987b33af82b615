#!/usr/bin/env bash
# One would think: scatter() of no points draws nothing, whatever is given for each of them.
# What happens: empty sizes and colours are taken, empty opacities (alpha=[]) end in an error about a minimum of nothing.
# Seen with matplotlib 3.11.2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check matplotlib==3.11.2
MPLCONFIGDIR=$folder MPLBACKEND=agg env/bin/python - <<'PYTHON'
import matplotlib
import matplotlib.pyplot as plt
import numpy as np

print("matplotlib", matplotlib.__version__)


def drawn(n, *given):
    _, axes = plt.subplots()
    try:
        axes.scatter(np.zeros(n), np.zeros(n), **{name: np.full(n, 0.5) for name in given})
    except ValueError as err:
        return str(err)
    return "drawn"


found = {(n, name): drawn(n, name) for n in (2, 0) for name in ("s", "c", "alpha")}
for (n, name), what in found.items():
    print(f"{n} points, {name} of each: {what}")
assert "zero-size array" in found.pop((0, "alpha")), "changed: opacities of no points are taken"
assert set(found.values()) == {"drawn"}, "changed: another one is refused"
PYTHON
