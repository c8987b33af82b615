"""Generator HT against anti-kt written down from its definition."""

import sys

import numpy as np
import pytest
from require import require_module
from simulation_events import collision, random_collisions

from l1met_fpga.errors import SimulationError
from l1met_fpga.simulation.gen_jets import gen_ht_gev
from l1met_fpga.simulation.particles import ParticleEvents


@pytest.fixture(autouse=True)
def _pythia(request):
    if "without_pythia" not in request.fixturenames:
        require_module("pythia8mc", extra="simulation")


@pytest.fixture
def without_pythia(monkeypatch):
    monkeypatch.setitem(sys.modules, "pythia8mc", None)


def delta_phi(a, b):
    return abs((a - b + np.pi) % (2 * np.pi) - np.pi)


def anti_kt(momenta, radius=0.4):
    """Jets of (px, py, pz, E), by the definition: merge the closest pair or take the jet."""
    left, jets = [np.array(p) for p in momenta], []

    def of(p):
        return (
            np.hypot(p[0], p[1]),
            0.5 * np.log((p[3] + p[2]) / (p[3] - p[2])),
            np.arctan2(p[1], p[0]),
        )

    while left:
        seen = [of(p) for p in left]
        best = min((1 / pt**2, i, None) for i, (pt, _, _) in enumerate(seen))
        for i, (pt_i, y_i, phi_i) in enumerate(seen):
            for j, (pt_j, y_j, phi_j) in enumerate(seen[:i]):
                distance = (y_i - y_j) ** 2 + delta_phi(phi_i, phi_j) ** 2
                best = min(best, (distance / radius**2 / max(pt_i, pt_j) ** 2, i, j))
        _, i, j = best
        if j is None:
            jets.append(left.pop(i))
        else:
            merged = left[i] + left[j]
            left = [p for k, p in enumerate(left) if k not in (i, j)] + [merged]
    return jets


def expected_ht(events, number):
    own = slice(events.offsets[number], events.offsets[number + 1])
    pt, eta, phi = (a[own].astype(float) for a in (events.pt_gev, events.eta, events.phi_rad))
    momenta = np.stack(
        [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)], 1
    )
    total = 0.0
    for jet in anti_kt(momenta):
        size = np.hypot(jet[0], jet[1])
        if size > 30 and abs(np.arcsinh(jet[2] / size)) < 2.4:
            total += size
    return total


def test_ht_is_that_of_anti_kt_jets():
    events = random_collisions(25, np.random.default_rng(4), mean_particles=40, mean_pt_gev=12.0)
    got = gen_ht_gev(events)
    want = [expected_ht(events, number) for number in range(25)]
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)
    assert (np.array(want) > 0).sum() > 15


def test_ht_by_hand():
    events = ParticleEvents.concatenate(
        [
            collision((40, 0.0, 0.0, 0, 1), (20, 0.1, 0.1, 3, 0)),  # one jet of about 60 GeV
            collision((29, 0.0, 0.0, 0, 1), (31, 0.0, 2.0, 0, 1)),  # one is too soft
            collision((50, 2.5, 0.0, 0, 1), (50, 2.3, 2.0, 0, 1)),  # one is too far forward
            collision((50, 0.0, 3.1, 2, 1)),  # a muon is a jet, too
            collision(),
        ]
    )
    want = [np.hypot(40 + 20 * np.cos(0.1), 20 * np.sin(0.1)), 31, 50, 50, 0]
    np.testing.assert_allclose(gen_ht_gev(events), want, rtol=1e-6)


def test_without_pythia_only_empty_collisions_have_an_ht(without_pythia):
    np.testing.assert_array_equal(gen_ht_gev(ParticleEvents.empty(3)), np.zeros(3))
    with pytest.raises(SimulationError, match="generator HT needs the package pythia8mc"):
        gen_ht_gev(collision((40, 0.0, 0.0, 0, 1)))
