import itertools

import numpy as np
import pytest
from keras_models import MODELS
from stores import SMALL, write_samples

from l1met_fpga.config.run import load_run
from l1met_fpga.config.training import PruningConfig
from l1met_fpga.data.samples import load_samples
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import ConfigError, TrainingError
from l1met_fpga.models.build import build, dense_layers
from l1met_fpga.models.export import export_network
from l1met_fpga.models.pruning_wrapper import kept_weights, pruned
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.loop import train_variant
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.monitor import Validation
from l1met_fpga.training.pruning import PruningSteps, check_sparsity, zero_fractions


def train(folder, **changes):
    paths = write_samples(folder / "stores")
    changes |= {"samples": [{"path": str(path)} for path in paths]}
    config = load_run(MODELS / "deepset.yaml", SMALL | changes)
    samples = load_samples(config.samples, config.model, (GEN_MET,), reference=MET.reference)
    mixture = TrainingMixture(
        [s.train for s in samples], [s.share for s in samples], config.training, MET
    )
    validation = Validation(samples, config.training.loss, MET, config.evaluation)
    return train_variant(config, MET, "pruned", mixture, validation, folder, identity={})


@pytest.fixture(scope="module")
def half_pruned(tmp_path_factory):
    """Trained to a sparsity of one half, which every kernel has exactly at the end."""
    return train(
        tmp_path_factory.mktemp("half"),
        **{
            "training.pruning": {
                "schedule": "polynomial", "sparsity": 0.5, "begin": 0, "end": 0.99,
                "every_steps": 7, "power": 1,
            },
            "training.epochs": 5,
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    "schedule", ["polynomial", pytest.param("constant", marks=pytest.mark.slow)]
)
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
    kernel = np.array(export_network(result.model, MET.heads).node("phi_0_dense").kernel)
    assert np.mean(kernel == 0) == result.zero_fractions["phi_0_dense"]


def test_stripping_equals_the_library(half_pruned):
    from tensorflow_model_optimization.sparsity.keras import strip_pruning

    from l1met_fpga.models.keras import keras
    from l1met_fpga.models.storage import custom_objects

    result = half_pruned
    with keras.utils.custom_object_scope(custom_objects()):
        stripped = strip_pruning(result.trained)
    ours, theirs = dense_layers(result.model), dense_layers(stripped)
    for name, layer in theirs.items():
        kernel = layer.kernel_quantizer_internal(layer.kernel).numpy()
        np.testing.assert_array_equal(ours[name].get_weights()[0], kernel)


def test_missing_zeros_are_an_error():
    model = build(load_run(MODELS / "deepset.yaml").model, MET.heads)
    with pytest.raises(
        TrainingError, match=r"layer 'phi_1_dense' has \d+ zeros among 1024 weights.*wanted 614"
    ):
        check_sparsity(model, {"phi_1_dense"}, 0.6)


def test_zero_fractions_are_those_of_quantized_kernels():
    model = build(load_run(MODELS / "deepset.yaml").model, MET.heads)
    layer = dense_layers(model)["phi_0_dense"]
    kernel, bias = layer.get_weights()
    kernel[:] = 0.5
    kernel[:3] = 0.01  # rounds to zero in steps of 1/32
    layer.set_weights([kernel, bias])
    assert zero_fractions(model)["phi_0_dense"] == pytest.approx(3 / 9)


@pytest.mark.parametrize("power", [1, 3])
@pytest.mark.parametrize("schedule", ["polynomial", "constant"])
def test_the_library_reaches_the_target_whatever_the_steps(schedule, power):
    from l1met_fpga.models.keras import tf

    wanted = np.float32(0.82)
    for total, begin, end, every in itertools.product(
        (1, 2, 3, 5, 20, 99, 499, 1000), (0.0, 0.15, 0.97), (0.05, 0.6, 0.98, 1.0), (1, 7, 100)
    ):
        if begin >= end:
            continue
        config = PruningConfig(
            schedule=schedule, sparsity=0.82, begin=begin, end=end, every_steps=every, power=power
        )
        steps = PruningSteps.of(config, total)
        assert 1 <= steps.end <= total
        changes, sparsity = steps.schedule_for_library()(tf.constant(steps.end, tf.int64))
        assert (bool(changes), float(sparsity)) == (True, wanted), (total, config)
        if schedule == "polynomial":
            assert abs(steps.end - end * total) <= 1
            assert -1 <= steps.begin - begin * total <= every + 1
        assert steps.first_counted_epoch(5, 4) <= 3


def test_trained_kernels_have_exactly_the_wanted_zeros(half_pruned):
    for wrapper in half_pruned.trained.layers:
        for kernel, mask, _ in getattr(wrapper, "pruning_vars", ()):
            kept = int(np.sum(mask.numpy()))
            assert kept == max(round(0.5 * np.size(kernel)), 1), wrapper.name


@pytest.mark.parametrize(
    "kernel",
    [np.full((6, 5), 0.25), np.zeros((6, 5)), np.tile([0.5, -0.5, 0.1, -0.1, 0.5], (6, 1))],
)
def test_equal_weights_do_not_escape_pruning(kernel):
    from qkeras import QDense, quantized_bits

    from l1met_fpga.models.keras import keras, tf

    layer = QDense(5, kernel_quantizer=quantized_bits(6, 0, alpha=1))
    config = PruningConfig(schedule="constant", sparsity=0.7, begin=0)
    wrapper = pruned(layer, PruningSteps.of(config, 3).schedule_for_library())
    model = keras.Sequential([keras.Input((6,)), wrapper])
    layer.set_weights([kernel, np.zeros(5)])
    keras.backend.set_value(wrapper.pruning_step, 1)
    wrapper.pruning_obj.conditional_mask_update()
    wrapper.pruning_obj.weight_mask_op()
    mask = wrapper.pruning_vars[0][1].numpy()
    assert int(mask.sum()) == kept_weights(30, 0.7) == 9
    left = np.abs(kernel)[mask > 0]
    assert left.min() >= np.abs(kernel)[mask == 0].max()
    assert np.count_nonzero(layer.get_weights()[0]) <= 9
    assert model(tf.ones((1, 6))).shape == (1, 5)


@pytest.mark.parametrize("name", ["quantized_po2", "binary", "stochastic_binary"])
def test_quantizers_without_zero_cannot_be_pruned(name):
    import qkeras

    layer = qkeras.QDense(3, kernel_quantizer=getattr(qkeras, name)(), name="phi_0_dense")
    with pytest.raises(ConfigError, match=r"'phi_0_dense' cannot be pruned: .* has no zero"):
        pruned(layer, None)
