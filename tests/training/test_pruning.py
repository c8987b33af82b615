import numpy as np
import pytest
from keras_models import MODELS
from stores import SMALL, write_samples

from l1met_fpga.config.run import load_run
from l1met_fpga.config.training import PruningConfig
from l1met_fpga.errors import TrainingError
from l1met_fpga.models.build import build, dense_layers
from l1met_fpga.models.export import export_network
from l1met_fpga.training.loop import train_variant
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.monitor import Validation
from l1met_fpga.training.pruning import check_sparsity, pruning_schedule, zero_fractions
from l1met_fpga.training.samples import load_samples


def train(folder, **changes):
    paths = write_samples(folder / "stores")
    changes |= {"samples": [{"path": str(path)} for path in paths]}
    config = load_run(MODELS / "deepset.yaml", SMALL | changes)
    samples = load_samples(config.samples, config.model.columns)
    mixture = TrainingMixture(
        [s.train for s in samples], [s.share for s in samples], config.training
    )
    validation = Validation(samples, config.training.loss)
    return train_variant(config, "pruned", mixture, validation, folder)


@pytest.mark.parametrize("schedule", ["polynomial", "constant"])
def test_sparsity_survives_early_stopping_and_stripping(tmp_path, schedule):
    result = train(
        tmp_path,
        **{
            "training.pruning.schedule": schedule,
            "training.pruning.sparsity": 0.7,
            "training.epochs": 8,
            "training.early_stopping.patience": 1,
        },
    )
    assert not any("prune" in layer.name for layer in result.model.layers)
    for name in ("phi_0_dense", "weights_dense", "scalars_dense"):
        assert result.zero_fractions[name] >= 0.65
    assert result.zero_fractions["rho_0_dense"] < 0.4  # prune: false
    # the exported integers hold the same zeros
    kernel = np.array(export_network(result.model).node("phi_0_dense").kernel)
    assert np.mean(kernel == 0) == result.zero_fractions["phi_0_dense"]


def test_stripping_equals_the_library(tmp_path):
    from tensorflow_model_optimization.sparsity.keras import strip_pruning

    from l1met_fpga.models.keras import keras
    from l1met_fpga.models.storage import custom_objects

    result = train(tmp_path)
    with keras.utils.custom_object_scope(custom_objects()):
        stripped = strip_pruning(result.trained)
    ours, theirs = dense_layers(result.model), dense_layers(stripped)
    for name, layer in theirs.items():
        kernel = layer.kernel_quantizer_internal(layer.kernel).numpy()
        np.testing.assert_array_equal(ours[name].get_weights()[0], kernel)


def test_missing_zeros_are_an_error():
    model = build(load_run(MODELS / "deepset.yaml").model)
    with pytest.raises(TrainingError, match=r"layer 'phi_1_dense' has 0\.\d+ zeros.*wanted 0\.6"):
        check_sparsity(model, {"phi_1_dense"}, 0.6)


def test_zero_fractions_are_those_of_quantized_kernels():
    model = build(load_run(MODELS / "deepset.yaml").model)
    layer = dense_layers(model)["phi_0_dense"]
    kernel, bias = layer.get_weights()
    kernel[:] = 0.5
    kernel[:3] = 0.01  # rounds to zero in steps of 1/32
    layer.set_weights([kernel, bias])
    assert zero_fractions(model)["phi_0_dense"] == pytest.approx(3 / 9)


def test_short_trainings_still_reach_the_final_sparsity():
    schedule = pruning_schedule(PruningConfig(sparsity=0.8, begin=0.1, end=0.5, every_steps=50), 20)
    reached = [float(schedule(step)[1]) for step in range(1, 20) if bool(schedule(step)[0].numpy())]
    assert reached[-1] == pytest.approx(0.8)
