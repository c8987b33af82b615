import zipfile

import numpy as np
import pytest
from keras_models import MODELS, NAMES, model_config, random_candidates, scrambled
from met_head import predict_met

from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ConfigError, RunFolderError
from l1met_fpga.models.build import build, copy_weights, dense_layers
from l1met_fpga.models.heads import Head
from l1met_fpga.models.importing.hgq2 import load_keras3
from l1met_fpga.models.registry import builder, register
from l1met_fpga.models.storage import load_model, save_model
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.tasks.met.task import MET

every_model = pytest.mark.parametrize("name", NAMES)
every_variant = pytest.mark.parametrize("variant", ["float", "quantized"])


@every_variant
@every_model
def test_training_starts_from_puppi_met(name, variant):
    candidates = random_candidates(np.random.default_rng(0), 50, filled=50)
    met = predict_met(build(model_config(name), (MET,), variant=variant), candidates)
    # 50 momenta rounded to 1/8 GeV and a table of 11 bits
    np.testing.assert_allclose(met, puppi_met_xy_gev(candidates), atol=2.0)
    assert np.abs(met - puppi_met_xy_gev(candidates)).mean() < 0.5


@every_variant
def test_biases_start_where_the_configuration_says(variant):
    model = build(
        model_config("deepset", **{"model.scalars.start_bias": 0.5, "model.rho.0.start_bias": 0.1}),
        (MET,),
        variant=variant,
    )
    start = {name: layer.get_weights()[1] for name, layer in dense_layers(model).items()}
    assert set(start["scalars_dense"]) == {0.5}
    assert set(start["rho_0_dense"]) == {np.float32(0.1)}
    assert not start["phi_0_dense"].any()
    assert start["weights_dense"].tolist() == start["coefficients_dense"].tolist() == [1, 0, 0]


@every_variant
@every_model
def test_packed_equals_padded(name, variant):
    padded = scrambled(name, variant)
    packed = build(model_config(name), (MET,), variant=variant, packed=True)
    copy_weights(padded, packed)
    candidates = random_candidates(np.random.default_rng(1), 80)
    candidates["pt"][5] = 0  # an event without candidates in between
    filled = candidates["pt"] > 0
    inputs = {k: candidates[k][filled].astype(np.float32) for k in model_config(name).columns}
    inputs["row_splits"] = np.concatenate([[0], np.cumsum(filled.sum(axis=1))])
    tolerance = {"rtol": 0, "atol": 0} if variant == "quantized" else {"rtol": 1e-5, "atol": 1e-3}
    np.testing.assert_allclose(packed(inputs).numpy(), predict_met(padded, candidates), **tolerance)


@every_variant
@every_model
def test_saved_model_gives_the_same(name, variant, tmp_path):
    model = scrambled(name, variant)
    save_model(model, tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    candidates = random_candidates(np.random.default_rng(2), 30)
    np.testing.assert_array_equal(predict_met(again, candidates), predict_met(model, candidates))
    for before, after in zip(model.layers, again.layers, strict=True):
        assert before.get_config() == after.get_config()


def test_missing_and_damaged_models_are_refused(tmp_path):
    with pytest.raises(RunFolderError, match="no model"):
        load_model(tmp_path / "model.keras")
    (tmp_path / "model.keras").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(RunFolderError, match="cannot be read as a Keras model"):
        load_model(tmp_path / "model.keras")


@pytest.mark.parametrize("inside", ["config.json", "model.weights.h5"])
def test_a_damaged_byte_inside_a_model_is_one_sentence(inside, tmp_path):
    whole = (MODELS / "deepset" / "model.keras").read_bytes()
    with zipfile.ZipFile(MODELS / "deepset" / "model.keras") as archive:
        place = archive.getinfo(inside).header_offset + 400
    (tmp_path / "model.keras").write_bytes(whole[:place] + b"\xff\x00" + whole[place + 2 :])
    for read in (load_model, load_keras3):
        with pytest.raises(RunFolderError, match="cannot be read as a Keras model"):
            read(tmp_path / "model.keras")


def test_weights_go_between_the_same_networks_only():
    with pytest.raises(ConfigError, match="networks differ"):
        copy_weights(scrambled("deepmet", "quantized"), build(model_config("garnet"), (MET,)))


def test_own_layers_have_nothing_to_prune():
    model = scrambled("garnet", "quantized")
    own = [la for la in model.layers if la.__module__ == "l1met_fpga.models.layers"]
    assert own
    assert all(layer.get_prunable_weights() == [] for layer in own)
    assert all(layer.get_prunable_weights() for layer in dense_layers(model).values())


def test_unknown_variant_and_missing_schedule():
    with pytest.raises(ConfigError, match=r"unknown variant 'pruned_float'; choose from"):
        build(model_config("deepset"), (MET,), variant="pruned_float")
    with pytest.raises(ConfigError, match="needs a pruning schedule"):
        build(model_config("deepset"), (MET,), variant="pruned")


def test_registry_names_the_choices():
    with pytest.raises(
        ConfigError, match=r"unknown architecture 'pointnet'; choose from \['attention', 'deep"
    ):
        builder("pointnet", (MET,))
    with pytest.raises(ConfigError, match="registered already"):
        register("deepset", kinds=("vector",))(lambda *_: None)
    with pytest.raises(ConfigError, match="no configuration class declares"):
        register("pointnet", kinds=("vector",))(lambda *_: None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.architecture": "transformer"}, "unknown architecture 'transformer'; choose from"),
        ({"model.phi": [{"units": -4}]}, r"phi.0.units: .*greater than or equal to 1.*got -4"),
        ({"model.phi": [{"units": 4, "kernel": "fixed<-6,1>"}]}, "width must be 1 to 62 bits"),
        ({"model.phi": [{"units": 4, "kernel": "ufixed<6,1>"}]}, "a weight is signed"),
        ({"model.phi": [{"units": 4, "output": "ufixed<6,2,RND,WRAP>"}]}, "must saturate"),
        ({"model.phi": [{"units": 4, "kernl": "fixed<6,1>"}]}, "did you mean 'kernel'"),
        ({"model.features": ["pt", "ptt"]}, "unknown feature 'ptt'; choose from"),
        ({"model.weights.output": "fixed<8,1>"}, r"must hold 1\.0"),
        ({"model.momentum.table": "fixed<12,1>"}, r"must hold 1\.0"),
        ({"model.scalar_weights.output": "ufixed<8,0>"}, r"scalar_weights: .* must hold 1\.0"),
        ({"model.scalars": None}, "without scalars there is one vector pool"),
        ({"training.pruning.sparsity": 1.2}, r"sparsity: .*less than 1.*got 1\.2"),
        ({"training.pruning.begin": 0.9}, "pruning must begin before it ends"),
        ({"training.epoch": 3}, "did you mean 'epochs'"),
        ({"training.truth_edges_gev": [100]}, "truth_weights needs 2 values"),
    ],
)
def test_bad_configuration_ends_with_one_sentence(changes, message):
    with pytest.raises(ConfigError, match=message):
        load_run(MODELS / "deepset.yaml", changes)


def test_heads_that_cannot_be_built_are_refused_by_name():
    weight = Head(name="w", kind="scalar", size=1, per="row")
    with pytest.raises(ConfigError, match="'deepset' cannot give head 'w', a scalar per row"):
        build(model_config("deepset"), [weight])
    two = [MET, MET.model_copy(update={"name": "other"})]
    with pytest.raises(ConfigError, match=r"at most one vector; got \['met', 'other'\]"):
        build(model_config("deepset"), two)
    flavour = Head(name="flavour", kind="classes", size=3)
    with pytest.raises(ConfigError, match=r"made of scalar pools; set model\.scalars"):
        build(model_config("deepmet"), [flavour])
