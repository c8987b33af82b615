"""Cone jets of the trigger beside fastjet's anti-kt jets of the same radius and recombination.

For groups of candidates that lie well inside a cone and far from each other both are one jet per
group: the sum of pt and the pt-weighted axis. In simulated events the hard jets are the same ones.
"""

import subprocess
from importlib.resources import as_file, files

import awkward as ak
import numpy as np
import pytest
import uproot
from oracle_tools import environment_python

from l1met_fpga.puppi.columns import N_CANDIDATES
from l1met_fpga.puppi.jets import RADIUS, seeded_cone_jets

pytestmark = pytest.mark.oracle("fastjet")

COUNT_RAD = np.pi / 720
CLUSTER = """
import sys
import fastjet
import numpy as np
given = np.load(sys.argv[1])
definition = fastjet.JetDefinition(fastjet.antikt_algorithm, float(sys.argv[3]), fastjet.pt_scheme)
jets = np.zeros((*given["pt"].shape, 3))
for event, rows in enumerate(zip(given["pt"], given["eta"], given["phi"])):
    particles = []
    for pt, eta, phi in zip(*rows):
        if pt > 0:
            particle = fastjet.PseudoJet()
            particle.reset_PtYPhiM(pt, eta, phi, 0.0)
            particles.append(particle)
    found = fastjet.sorted_by_pt(fastjet.ClusterSequence(particles, definition).inclusive_jets())
    for slot, jet in enumerate(found):
        jets[event, slot] = jet.pt(), jet.rap(), jet.phi_std()
np.save(sys.argv[2], jets)
"""


def anti_kt(candidates, folder):
    """Jets of fastjet in falling pt: GeV, rad, shape (n_events, n_slots, 3), zero where none."""
    scale = {"pt": 0.25, "eta": COUNT_RAD, "phi": COUNT_RAD}
    np.savez(folder / "in.npz", **{name: candidates[name] * lsb for name, lsb in scale.items()})
    done = subprocess.run(
        [environment_python("fastjet"), "-c", CLUSTER, "in.npz", "out.npy", str(RADIUS)],
        cwd=folder, check=False, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return np.load(folder / "out.npy")


def cones(candidates):
    """Our jets in the same form."""
    jets = seeded_cone_jets(candidates).in_falling_pt()
    return np.stack([jets.pt * 0.25, jets.eta * COUNT_RAD, jets.phi * COUNT_RAD], axis=-1)


def turned(phi):
    return (phi + np.pi) % (2 * np.pi) - np.pi


def groups(n_events, rng):
    """Four groups per event of six candidates within 0.12, more than 1 apart, pt all different."""
    eta = np.array([-600, -200, 200, 600])[:, None] + rng.integers(-20, 21, (n_events, 4, 6))
    phi = rng.integers(-720, 721, (n_events, 4, 1)) + rng.integers(-20, 21, (n_events, 4, 6))
    phi = (phi + 720) % 1440 - 720
    pt = rng.integers(8, 200, eta.shape) + np.array([0, 200, 400, 600])[:, None]
    columns = {"pt": pt, "eta": eta, "phi": phi}
    return {name: codes.reshape(n_events, -1).astype(np.int16) for name, codes in columns.items()}


def test_separate_groups_are_the_jets_of_anti_kt(tmp_path):
    events = groups(200, np.random.default_rng(6))
    theirs, ours = anti_kt(events, tmp_path), cones(events)
    assert np.count_nonzero(theirs[:, 4:, 0]) == 0
    np.testing.assert_allclose(ours[:, :4, 0], theirs[:, :4, 0], rtol=1e-9)
    # the trigger's axis: distances rounded down, 1/pt from a table, the shift cut to whole counts
    distinct = (np.diff(theirs[:, :4, 0], axis=1) < 0).all(axis=1)
    away = np.abs(ours[distinct, :4, 1:] - theirs[distinct, :4, 1:])
    away[..., 1] = np.abs(turned(away[..., 1]))
    assert away.max() < 2.5 * COUNT_RAD


def simulated(n_events):
    """Candidates of the built-in ttbar sample, from their physical values."""
    lsb = {"pt": 0.25, "eta": COUNT_RAD, "phi": COUNT_RAD}
    columns = {}
    with (
        as_file(files("l1met_fpga.shipped") / "data" / "ttbar.root") as path,
        uproot.open(path) as f,
    ):
        for name, size in lsb.items():
            values = f["Events"][f"L1PuppiCands_{name}"].array(entry_stop=n_events) / size
            padded = ak.fill_none(ak.pad_none(values, N_CANDIDATES, clip=True), 0)
            columns[name] = np.rint(ak.to_numpy(padded)).astype(np.int16)
    return columns


@pytest.mark.slow
def test_hard_jets_of_simulated_events_are_the_same(tmp_path):
    columns = simulated(500)
    theirs, ours = anti_kt(columns, tmp_path)[:, 0], cones(columns)[:, 0]
    hard = theirs[:, 0] > 40
    distance = np.hypot(ours[:, 1] - theirs[:, 1], turned(ours[:, 2] - theirs[:, 2]))
    same = distance < RADIUS / 2
    ratio = ours[:, 0] / theirs[:, 0]
    assert hard.sum() > 200
    assert same[hard].mean() > 0.95
    assert 0.97 < np.median(ratio[hard & same]) < 1.03
