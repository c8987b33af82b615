#!/usr/bin/env bash
# One would think: nextBatch(n) returns the particles of n events as next() makes them, each with its production vertex.
# What happens: momenta, codes and mothers are right, but vProd stands k + 1 particles further down in event k (counted
# from 0), and the last vertices of an event open the next one: displaced tracks belong to other particles.
# Seen with pythia8mc 8.317.0, awkward 2.14.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check pythia8mc==8.317.0 awkward==2.14.0
env/bin/python - <<'PYTHON'
import awkward as ak
import numpy as np
import pythia8mc

SETTINGS = (
    "Print:quiet = on", "Beams:eCM = 14000", "HardQCD:all = on", "PhaseSpace:pTHatMin = 20",
    "Random:setSeed = on", "Random:seed = 5",
)  # fmt: skip


def started():
    pythia = pythia8mc.Pythia("", False)
    for setting in SETTINGS:
        pythia.readString(setting)
    pythia.init()
    return pythia


print("pythia8mc 8.317.0, awkward", ak.__version__)
one_by_one, batch = started(), started().nextBatch(3).prt
for k in range(3):
    one_by_one.next()
    px, x = np.array([(p.px(), p.xProd()) for p in one_by_one.event]).T
    there = np.array([p.hasVertex() for p in one_by_one.event])
    in_batch = ak.to_numpy(ak.fill_none(batch.vProd[k].px, np.nan))
    assert np.array_equal(px, ak.to_numpy(batch.p[k].px)), "the events themselves are others"
    by = k + 1
    expected = np.where(there, x, np.nan)
    print(
        f"event {k}: {there.sum()} particles with a vertex, the first is number {np.argmax(there)}; "
        f"in the batch {np.isfinite(in_batch).sum()}, behind the first {by} number "
        f"{np.argmax(np.isfinite(in_batch[by:])) + by}"
    )
    assert not np.array_equal(in_batch, expected, equal_nan=True), "changed: vertices are in place"
    assert np.array_equal(in_batch[by:], expected[:-by], equal_nan=True), "changed: other places"
PYTHON
