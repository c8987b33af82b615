"""Outputs outside the range of their type, counted and searched for, against values by hand.

MET of the plain network is minus the sum of the candidates, in 18 bits of 1/32 GeV: 8 per count of
pt, from -131072 to 131071.
"""

import numpy as np
import pytest
from met_head import met_codes
from networks import NETWORKS
from plain_networks import plain_network

from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.saturation import count_saturated, events_at_the_edge
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.heads import Head

N_SLOTS = 4


def events(pt, phi):
    pt = np.array(pt, np.int16)
    return {"pt": pt, "phi": np.where(pt > 0, np.array(phi, np.int16)[:, None], 0).astype(np.int16)}


def test_what_does_not_fit_is_counted():
    network = plain_network(n_candidates=N_SLOTS)
    given = events(
        [[8000, 8383, 0, 0], [8000, 8384, 0, 0], [8000, 8384, 0, 0], [8000, 8385, 0, 0], [0] * 4],
        [720, 720, 0, 0, 0],
    )
    codes = [[131064, 0], [131071, 0], [-131072, 0], [-131072, 0], [0, 0]]
    np.testing.assert_array_equal(met_codes(network, given), codes)
    found = count_saturated(network, given)
    assert (found.network, found.events) == (network.digest, 5)
    met = found.heads["met"]
    assert (met.outputs, met.saturated, met.share) == (10, 2, 0.2)


def test_the_edge_is_found_to_the_count():
    found = events_at_the_edge(plain_network(n_candidates=N_SLOTS))
    total = found["pt"].astype(int).sum(axis=1)
    by_phi = {
        int(phi): total[found["phi"][:, 0] == phi].tolist() for phi in np.unique(found["phi"][:, 0])
    }
    assert by_phi[720] == by_phi[-360] == [16383, 16384]
    assert by_phi[0] == by_phi[360] == [16384, 16385]
    # at 45 degrees both axes are reached at 16384 times the square root of two
    assert by_phi[-180] == pytest.approx([23170, 23171], abs=3)
    assert len(by_phi) == 8


@pytest.mark.parametrize("name", NETWORKS)
def test_one_count_more_is_clipped(name):
    network = NETWORKS[name](n_candidates=16)
    found = events_at_the_edge(network)
    n = len(found["pt"]) // 2
    inside, outside = ({k: v[part] for k, v in found.items()} for part in (slice(n), slice(n, 99)))
    if n == 0:  # nothing that this network is given leaves the range
        full = {"pt": 16383, "phi": 0, "eta": 0, "pid": 3, "puppi_weight": 256}
        outside = {k: np.full((1, 16), v, np.int16) for k, v in full.items()}
        assert count_saturated(network, outside).heads["met"].saturated == 0
        return
    assert count_saturated(network, inside).heads["met"].saturated == 0
    assert count_saturated(network, outside).heads["met"].saturated >= n
    ends = (network.node("met_xy").type.min_code, network.node("met_xy").type.max_code)
    assert np.isin(met_codes(network, outside), ends).any(axis=1).all()


def test_heads_of_every_kind_are_counted():
    """Per event, per class, per candidate: what leaves the range stands at one of its ends."""
    network = NETWORKS["deepset"](n_candidates=16)
    kinds = {"pooled": ("pooled_scalars", "example"), "of_each": ("scalars", "row")}
    more = [
        Head(name=name, kind="classes", size=4, per=per).of_node(node)
        for name, (node, per) in kinds.items()
    ]
    network = network.model_copy(update={"heads": (*network.heads, *more)})
    given = stress_events(np.random.default_rng(2), n_random=100, n_slots=16)
    counted, codes = count_saturated(network, given).heads, evaluate(network, given)
    filled = np.asarray(given["pt"]) > 0
    for head in network.heads:
        found = codes[head.name][filled] if head.per == "row" else codes[head.name]
        kind = network.node(head.node).type
        at_an_end = np.isin(found, (kind.min_code, kind.max_code)).sum()
        assert counted[head.name].outputs == found.size
        assert counted[head.name].saturated <= at_an_end, head.name
    assert counted["met"].saturated > 0
    assert counted["of_each"].saturated > 0
    n_with_edges = len(events_at_the_edge(network)["pt"])
    assert n_with_edges >= len(events_at_the_edge(NETWORKS["deepset"](n_candidates=16))["pt"])


def test_no_event_has_no_share():
    network = plain_network(n_candidates=N_SLOTS)
    found = count_saturated(
        network, {"pt": np.zeros((0, 4), np.int16), "phi": np.zeros((0, 4), np.int16)}
    )
    assert (found.events, found.heads["met"].share) == (0, 0.0)
