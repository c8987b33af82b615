#!/usr/bin/env bash
# One would think: NaN in a binned correction with flow=clamp gives NaN or an error, the same for both kinds of edges.
# What happens: with listed edges NaN gets the content of the last bin, with uniform edges that of the first: a failed
# regression becomes a plausible factor, and rewriting the edges changes it.
# Seen with correctionlib 2.9.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check correctionlib==2.9.0
env/bin/python - <<'PYTHON'
import correctionlib
import correctionlib.schemav2 as schema


def at_nan(edges: object) -> float:
    binning = schema.Binning(
        nodetype="binning", input="pt", edges=edges, content=[1.0, 2.0, 3.0], flow="clamp"
    )
    correction = schema.Correction(
        name="c",
        version=1,
        inputs=[schema.Variable(name="pt", type="real")],
        output=schema.Variable(name="factor", type="real"),
        data=binning,
    )
    return correction.to_evaluator().evaluate(float("nan"))


listed = at_nan([0.0, 10.0, 20.0, 30.0])
uniform = at_nan(schema.UniformBinning(n=3, low=0.0, high=30.0))
print("correctionlib", correctionlib.__version__, "NaN: listed edges", listed, "uniform", uniform)
assert (listed, uniform) == (3.0, 1.0), "changed: another answer for NaN"
PYTHON
