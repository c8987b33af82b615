#!/usr/bin/env bash
# One would think: a formula with parser TFormula means what ROOT's TFormula means.
# What happens: the minus sign binds tighter than the power: -x^2 is +9 at x = 3, and -2^2*x is +12; ROOT gives -9 and
# -12. No message. Write 0-x^2 or -(x^2).
# Seen with correctionlib 2.9.0, ROOT 6.40.00.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check correctionlib==2.9.0 ROOT==0.1a12
env/bin/python - <<'PYTHON'
import warnings

warnings.filterwarnings("ignore")
import correctionlib
import correctionlib.schemav2 as schema
import ROOT


def evaluated(expression: str, x: float) -> float:
    formula = schema.Formula(
        nodetype="formula", expression=expression, parser="TFormula", variables=["x"]
    )
    correction = schema.Correction(
        name="c",
        version=1,
        inputs=[schema.Variable(name="x", type="real")],
        output=schema.Variable(name="y", type="real"),
        data=formula,
    )
    return correction.to_evaluator().evaluate(x)


print("correctionlib", correctionlib.__version__, "ROOT", ROOT.gROOT.GetVersion())
for expression, ours, roots in (("-x^2", 9.0, -9.0), ("-2^2*x", 12.0, -12.0), ("-(x^2)", -9.0, -9.0)):
    got = evaluated(expression, 3.0), ROOT.TFormula("f", expression).Eval(3.0)
    print(f"{expression} at 3: correctionlib {got[0]}, ROOT {got[1]}")
    assert got == (ours, roots), "changed: another value"
PYTHON
