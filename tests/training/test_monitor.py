import numpy as np
import pytest
from keras_models import model_config
from stores import write_sample, write_samples

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.training import (
    EarlyStoppingConfig,
    LossConfig,
    TrainingConfig,
    TrainingSample,
)
from l1met_fpga.data.samples import load_samples
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.build import build
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.callbacks import Plateau, best_weights
from l1met_fpga.training.monitor import Validation, packed_predictor

MODEL = model_config("deepset")


@pytest.fixture
def stores(tmp_path):
    return write_samples(tmp_path)


def test_puppi_figures_equal_those_from_the_store(stores):
    samples = load_samples(
        [TrainingSample(path=path) for path in stores], MODEL, (GEN_MET,), reference=MET.reference
    )
    figures = Validation(samples, LossConfig(kind="mse"), MET, EvaluationConfig()).reference
    met, gen = {}, {}
    for path in stores:
        with Store.open(path) as store:
            events = store.events_of(Part.VALIDATION)
            columns = store.candidates(events)
            phi = columns["phi"] * (np.pi / 720)
            direction = np.stack([np.cos(phi), np.sin(phi)], axis=-1)
            met[store.label] = -np.sum(columns["pt"][..., None] / 4 * direction, axis=1)
            gen[store.label] = store.truth(GEN_MET, events)
    share = [len(s.train) for s in samples] / np.sum([len(s.train) for s in samples])
    losses = [np.mean((met[label] - gen[label]) ** 2) for label in ("ttbar", "pileup")]
    assert figures["val_loss"] == pytest.approx(share @ losses, rel=1e-4)
    size, u = np.hypot(*gen["ttbar"].T), np.hypot(*met["ttbar"].T)
    error = np.hypot(*(met["ttbar"] - gen["ttbar"]).T)
    assert figures["val_ttbar_error_above_100_gev"] == pytest.approx(error[size > 100].mean())
    # by the definition of a rate: crossings with beam (2760 bunches, 11.246 kHz) that pass
    cut = figures["val_threshold_gev"]
    background = np.sort(np.hypot(*met["pileup"].T))[::-1]
    wanted = figures["val_rate_khz"] / (2760 * 11.246) * len(background)
    assert np.sum(background >= cut) <= wanted + 1e-6
    assert np.sum(background >= background[background < cut].max()) > wanted - 1e-6
    chosen = (size >= 100) & (size < 150)
    assert figures["val_ttbar_efficiency"] == pytest.approx(np.mean(u[chosen] >= cut))
    assert figures["val_efficiency"] == figures["val_ttbar_efficiency"]


@pytest.fixture(scope="module")
def validation(tmp_path_factory):
    paths = write_samples(tmp_path_factory.mktemp("stores"))
    samples = load_samples(
        [TrainingSample(path=path) for path in paths], MODEL, (GEN_MET,), reference=MET.reference
    )
    return Validation(samples, LossConfig(), MET, EvaluationConfig())


def test_a_network_with_a_largest_value_is_not_taken_for_an_efficient_one(validation):
    def capped(events):
        met = events.besides["met"]
        size = np.hypot(*met.T)
        return {"met": met * np.minimum(1, 1.0 / np.maximum(size, 1e-9))[:, None]}

    figures = validation.figures(capped)
    assert figures["val_efficiency"] == 0
    assert figures["val_threshold_gev"] == np.inf
    assert validation.reference["val_efficiency"] > 0


@pytest.mark.parametrize(
    ("monitor", "direction"),
    [
        ("val_loss", "min"),
        ("val_ttbar_u_par_gev", "min"),
        ("val_ttbar_u_perp_gev", "min"),
        ("val_ttbar_error_above_100_gev", "min"),
        ("val_ttbar_efficiency", "max"),
        ("val_efficiency", "max"),
    ],
)
def test_direction_of_a_figure_is_that_of_its_definition(validation, monitor, direction):
    assert validation.direction(EarlyStoppingConfig(monitor=monitor)) == direction
    other = {"min": "max", "max": "min"}[direction]
    with pytest.raises(ConfigError, match=f"mode is '{other}', but '{monitor}' is better when"):
        validation.direction(EarlyStoppingConfig(monitor=monitor, mode=other))


@pytest.mark.parametrize("monitor", ["val_threshold_gev", "val_rate_khz"])
def test_a_figure_without_direction_needs_the_mode(validation, monitor):
    with pytest.raises(ConfigError, match=r"neither less nor more is better; say which .*\.mode"):
        validation.direction(EarlyStoppingConfig(monitor=monitor))
    assert validation.direction(EarlyStoppingConfig(monitor=monitor, mode="max")) == "max"


def test_every_figure_has_a_direction_or_is_known_to_have_none(validation):
    without = {"val_ttbar_response", "val_threshold_gev", "val_rate_khz"}
    assert set(validation.reference) - set(validation._directions()) == without


def test_a_figure_that_cannot_be_measured_is_refused_with_the_others(tmp_path):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=60)
    few = Validation(
        load_samples([TrainingSample(path=path)], MODEL, (GEN_MET,), reference=MET.reference),
        LossConfig(),
        MET,
        EvaluationConfig(),
    )
    with pytest.raises(
        ConfigError, match=r"monitor is 'val_ttbar_u_par_gev', which is nan: too few .*\['val_loss'"
    ):
        few.direction(EarlyStoppingConfig(monitor="val_ttbar_u_par_gev"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_becomes_nan_ends_the_training_at_a_counted_epoch(validation, value):
    config = TrainingConfig(early_stopping=EarlyStoppingConfig(monitor="val_efficiency"))
    callback = best_weights(config, validation, first_counted_epoch=3)
    callback.on_train_begin()
    logs = {"val_loss": 1.0, "val_efficiency": value}
    callback.on_epoch_end(2, logs)  # epochs before the final sparsity do not count
    with pytest.raises(ConfigError, match=r"after epoch 4 .* choose from \['val_loss'\]"):
        callback.on_epoch_end(3, logs)
    with pytest.raises(ConfigError, match=r"after epoch 1 .*plateau"):
        Plateau(patience=2).on_epoch_end(0, {"val_loss": value})


def test_short_trainings_one_after_the_other_are_not_said_to_trace_too_often(stores, monkeypatch):
    model = build(MODEL, MET.heads, variant="float", packed=True)
    (sample, _) = load_samples([TrainingSample(path=path) for path in stores], MODEL, (GEN_MET,))
    warnings = []
    monkeypatch.setattr(
        tf.get_logger(), "warning", lambda text, *more: warnings.append(text % more)
    )
    found = [packed_predictor(model, MET)(sample.validation)["met"] for _ in range(6)]
    assert warnings == []
    assert all((one == found[0]).all() for one in found)
