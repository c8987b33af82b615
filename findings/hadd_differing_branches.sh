#!/usr/bin/env bash
# One would think: hadd joins files whose branches differ, or exits with an error.
# What happens: always exit code 0. A branch missing in the second file, or of another type there: without -O the second
# file's events are dropped with a warning; with -O a missing branch becomes zeros, and 64-bit integers are taken bit by bit
# for doubles. With the files in the other order the branch is lost. Compare entries before and after.
# Seen with ROOT 6.40.00 (its wheel 0.1a12).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check uproot==5.7.7 ROOT==0.1a12
env/bin/python - <<'PYTHON'
import subprocess
from pathlib import Path

import numpy as np
import ROOT  # noqa: F401  (its wheel brings hadd)
import uproot

HADD = next(Path(ROOT.__file__).parent.glob("bin/hadd"))
FILES = {
    "first": {"event": np.arange(3), "met": np.array([1.0, 2.0, 3.0])},
    "missing": {"event": np.arange(3, 6)},
    "integers": {"event": np.arange(3, 6), "met": np.array([4, 5, 6])},
}
for name, columns in FILES.items():
    with uproot.recreate(f"{name}.root") as file:
        file.mktree("Events", {key: values.dtype for key, values in columns.items()})
        file["Events"].extend(columns)


def merged(*names: str, options: tuple[str, ...] = ()) -> tuple[int, int, list[float] | None]:
    inputs = [f"{name}.root" for name in names]
    done = subprocess.run([HADD, "-f", *options, "out.root", *inputs], capture_output=True)
    with uproot.open("out.root:Events") as tree:
        met = tree["met"].array(library="np").tolist() if "met" in tree else None
        return done.returncode, tree.num_entries, met


print("ROOT", ROOT.gROOT.GetVersion(), "files of 3 events each: exit code, events, met")
results = {
    "first + missing": merged("first", "missing"),
    "first + missing -O": merged("first", "missing", options=("-O",)),
    "missing + first": merged("missing", "first"),
    "first + integers": merged("first", "integers"),
    "first + integers -O": merged("first", "integers", options=("-O",)),
}
for case, result in results.items():
    print(f"{case:20}", *result)
assert results["first + missing"] == (0, 3, [1.0, 2.0, 3.0]), "changed"
assert results["first + missing -O"] == (0, 6, [1.0, 2.0, 3.0, 0.0, 0.0, 0.0]), "changed"
assert results["missing + first"] == (0, 6, None), "changed"
assert results["first + integers"] == (0, 3, [1.0, 2.0, 3.0]), "changed"
code, events, met = results["first + integers -O"]
assert (code, events) == (0, 6) and max(met[3:]) < 1e-300, "changed"
PYTHON
