"""What a candidate does to an event's MET: against the event without it, given by hand."""

import contract
import networks
import numpy as np
import pytest

from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import ConfigError
from l1met_fpga.prediction.effects import candidate_effects
from l1met_fpga.prediction.loaded import LoadedNetwork
from l1met_fpga.puppi.sums import momentum_xy_gev


@pytest.fixture
def event() -> Examples:
    rng = np.random.default_rng(3)
    columns = {
        "pt": rng.integers(4, 400, 20),
        "eta": rng.integers(-900, 900, 20),
        "phi": rng.integers(-720, 720, 20),
        "pid": rng.integers(0, 8, 20),
        "puppi_weight": rng.integers(1, 256, 20),
    }
    return Examples.of(np.array([20]), {k: v.astype(np.int16) for k, v in columns.items()})


def test_an_effect_is_the_difference_to_the_event_without_the_candidate(event):
    network = networks.random_deepset()
    found = candidate_effects(network, event)
    ask = LoadedNetwork(network).predict
    whole = ask({name: codes[None] for name, codes in event.columns.items()}).xy_gev[0]
    np.testing.assert_array_equal(found.value, whole)
    for k in (0, 7, 19):
        left = {name: np.delete(codes, k)[None] for name, codes in event.columns.items()}
        np.testing.assert_array_equal(found.effect[k], whole - ask(left).xy_gev[0])


def test_a_weight_is_the_effect_along_the_candidate(event):
    found = candidate_effects(networks.random_deepset(), event)
    momentum = momentum_xy_gev(event.columns)
    along = -(found.effect * momentum).sum(axis=1) / np.hypot(*momentum.T)
    np.testing.assert_allclose(found.weight, along / np.hypot(*momentum.T))


def test_candidates_without_a_slot_have_no_effect(event):
    network = networks.random_deepset()
    many = {name: np.tile(codes, 10) for name, codes in event.columns.items()}
    found = candidate_effects(network, Examples.of(np.array([200]), many))
    assert np.isfinite(found.weight[: network.n_candidates]).all()
    assert np.isnan(found.weight[network.n_candidates :]).all()
    np.testing.assert_allclose(found.opacity[network.n_candidates :], 0.08)


def test_a_number_is_shown_by_what_each_candidate_adds_to_it(event):
    network = contract.random_network("deepset", ("scalar",), seed=2)
    few = event.first_rows(network.n_candidates)  # without one, none moves up into a slot
    found = candidate_effects(network, few)
    ask = LoadedNetwork(network).predict_heads
    whole = ask({name: codes[None] for name, codes in few.columns.items()})["activity"][0]
    assert found.title == "ACTIVITY"
    np.testing.assert_array_equal(found.value, whole)
    left = {name: np.delete(codes, 5)[None] for name, codes in few.columns.items()}
    np.testing.assert_array_equal(found.effect[5], whole - ask(left)["activity"][0])
    np.testing.assert_allclose(found.weight, found.effect[:, 0] / (few.columns["pt"] * 0.25))


def test_a_network_without_a_sum_of_candidates_is_refused(event):
    network = networks.random_deepset()
    head = network.heads[0].model_copy(update={"unit": ""})
    with pytest.raises(ConfigError, match=r"gives met \(vector per example\); .* in GeV, choose"):
        candidate_effects(network.model_copy(update={"heads": (head,)}), event)
