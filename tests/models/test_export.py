import numpy as np
import pytest
from keras_models import NAMES, model_config, random_candidates, scrambled
from met_head import met_codes, predict_met

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.models.build import build, dense_layers
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.models.keras import keras
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import load_model, save_model
from l1met_fpga.tasks.met.task import MET


@pytest.mark.parametrize("name", NAMES)
def test_keras_equals_the_integer_network(name):
    model = scrambled(name, "quantized")
    network = export_network(model, (MET,))
    candidates = random_candidates(np.random.default_rng(1), 400)
    met = network.type_of("met").exactly(predict_met(model, candidates))
    assert np.count_nonzero(met) > 500
    np.testing.assert_array_equal(met, met_codes(network, candidates))


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_equals_its_node(name):
    model = scrambled(name, "quantized")
    network = export_network(model, (MET,))
    candidates = random_candidates(np.random.default_rng(2), 40)
    nodes = evaluate_nodes(network, candidates)
    inner = keras.Model(model.inputs, [layer.output for layer in model.layers])
    outputs = inner({k: v.astype(np.float32) for k, v in candidates.items()})
    for layer, value in zip(model.layers, outputs, strict=True):
        codes = network.node(layer.name).type.exactly(value.numpy())
        np.testing.assert_array_equal(codes, nodes[layer.name], err_msg=layer.name)


def test_network_survives_its_file(tmp_path):
    network = export_network(scrambled("deepset", "quantized"), (MET,))
    network.save(tmp_path / "network.json")
    assert Network.load(tmp_path / "network.json") == network


def test_the_heads_of_a_network_export_it_again():
    """Which its digest is checked by: they are heads of nodes already."""
    model = scrambled("deepmet", "quantized")
    network = export_network(model, (MET,))
    assert export_network(model, network.heads).digest == network.digest


def test_weights_that_are_not_baked_are_refused():
    model = build(model_config("deepset"), (MET,))
    with pytest.raises(ConversionError, match=r"phi_0_dense.*call bake_weights"):
        export_network(model, (MET,))
    bake_weights(model)
    assert export_network(model, (MET,)).columns == ("pt", "eta", "phi", "pid", "puppi_weight")


def test_kernels_of_one_digit_are_powers_of_two_and_export_bit_by_bit(tmp_path):
    rng = np.random.default_rng(3)
    types = {"kernel": "fixed<7,2>", "one_digit": True}
    phi = [{"units": 8, "output": "ufixed<6,2>"} | types, {"units": 8} | types]
    model = build(model_config("deepset", **{"model.phi": phi}), (MET,))
    for layer in dense_layers(model).values():
        layer.set_weights([rng.normal(0.1, 0.5, w.shape) for w in layer.get_weights()])
    bake_weights(model)
    save_model(model, tmp_path / "model.keras")
    network = export_network(load_model(tmp_path / "model.keras"), (MET,))
    for name in ("phi_0_dense", "phi_1_dense"):
        kernel = np.abs(network.node(name).kernel).ravel()
        assert {0, 1, 2, 4, 8, 16, 32} >= set(kernel) >= {8, 16, 32}
    candidates = random_candidates(rng, 200)
    met = network.type_of("met").exactly(predict_met(model, candidates))
    assert np.count_nonzero(met) > 100
    np.testing.assert_array_equal(met, met_codes(network, candidates))
