#!/usr/bin/env bash
# One would think: readString("Random:seed = 2") gives other events than seed 1.
# What happens: without Random:setSeed = on the seed is taken, shown and ignored: jobs of a batch with different seeds make
# the same events.
# Seen with pythia8mc 8.317.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check pythia8mc==8.317.0
env/bin/python - <<'PYTHON'
import pythia8mc

COMMON = (
    "Print:quiet = on",
    "HardQCD:all = on",
    "PhaseSpace:pTHatMin = 50",
    "PartonLevel:all = off",
    "HadronLevel:all = off",
)


def hard_pt_gev(*lines: str) -> float:
    pythia = pythia8mc.Pythia("", False)
    for line in COMMON + lines:
        assert pythia.readString(line)
    assert pythia.init() and pythia.next()
    return pythia.process[5].pT()


alone = [hard_pt_gev(f"Random:seed = {seed}") for seed in (1, 2)]
switched = [hard_pt_gev("Random:setSeed = on", f"Random:seed = {seed}") for seed in (1, 2)]
print("pythia8mc 8.317.0, pt of the first hard parton in GeV")
print("seed alone:", alone, "with setSeed:", switched)
assert alone[0] == alone[1], "changed: the seed alone has an effect"
assert switched[0] != switched[1]
PYTHON
