#!/usr/bin/env bash
# One would think: a tick label that lies outside of the axis limits, and is not drawn, is not visible.
# What happens: get_visible() is True, the text is there, and get_window_extent() gives a place outside of the axes.
# Seen with matplotlib 3.11.2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check matplotlib==3.11.2
env/bin/python - <<'PYTHON'
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

figure, axes = plt.subplots()
axes.plot([0, 1], [0, 1])
axes.set_xticks([0, 0.5, 1, 2, 3])
axes.set_xlim(0, 1)
figure.canvas.draw()
right = axes.get_window_extent().x1
beyond = [
    (label.get_text(), label.get_visible())
    for label in axes.get_xticklabels()
    if label.get_window_extent().x0 > right
]
drawn = [tick.label1.get_text() for tick in axes.xaxis._update_ticks()]
print("matplotlib", matplotlib.__version__, "beyond the limits:", beyond, "drawn:", drawn)
assert beyond == [("2.0", True), ("3.0", True)], "changed: labels beyond the limits"
assert drawn == ["0.0", "0.5", "1.0"], "changed: what is drawn"
PYTHON
