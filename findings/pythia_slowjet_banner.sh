#!/usr/bin/env bash
# One would think: with Print:quiet = on Pythia writes nothing on standard output.
# What happens: the first SlowJet that clusters prints FastJet's banner of 12 lines there, in the middle of what the program
# itself writes, and past Python's sys.stdout.
# Seen with pythia8mc 8.317.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check pythia8mc==8.317.0
cat >jets.py <<'PYTHON'
import contextlib
import io

import pythia8mc

pythia = pythia8mc.Pythia("", False)
for setting in (
    "Print:quiet = on", "Beams:eCM = 14000", "HardQCD:all = on", "PhaseSpace:pTHatMin = 50",
    "PartonLevel:MPI = off", "Random:setSeed = on", "Random:seed = 1",
):
    pythia.readString(setting)
pythia.init()
pythia.next()
print("event made", flush=True)
jets = pythia8mc.SlowJet(-1, 0.4, 30.0)
with contextlib.redirect_stdout(io.StringIO()):
    jets.analyze(pythia.event)
print("jets:", jets.sizeJet(), flush=True)
PYTHON
env/bin/python jets.py >out.txt
echo "pythia8mc 8.317.0, Print:quiet = on, standard output:"
cat out.txt
test "$(head -n 1 out.txt)" = "event made" || { echo "changed: it speaks earlier"; exit 1; }
grep -q "FastJet release" out.txt || { echo "changed: no banner"; exit 1; }
