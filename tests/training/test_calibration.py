"""The told size of MET: the line that is fitted, when it can be, and what the report says of it."""

import json
from itertools import pairwise

import numpy as np
import pytest
from keras_models import MODELS
from stores import SMALL, write_sample

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.evaluation.estimates import Estimate
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.run_network import calibration_of, network_digest
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.size_calibration import fit_line
from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.report.physics_tables import physics_tables
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.session import train_run

EDGES = np.linspace(80, 200, 7)


def shrunken(rng, n=60_000):
    """genMET and an estimate of 0.6 times its size less 8 GeV, smeared along and across."""
    size, turn = rng.uniform(20, 260, n), rng.uniform(-np.pi, np.pi, n)
    along = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    across = along[:, ::-1] * [-1, 1]
    u = (0.6 * size - 8 + rng.normal(0, 6, n))[:, None] * along + rng.normal(0, 6, (n, 1)) * across
    return u, size[:, None] * along


def responses(u, q):
    size = np.hypot(*q.T)
    along = (u * q).sum(axis=1) / size
    return [
        along[(size >= low) & (size < high)].sum() / size[(size >= low) & (size < high)].sum()
        for low, high in pairwise(EDGES)
    ]


def test_the_line_brings_every_bin_to_one():
    rng = np.random.default_rng(1)
    u, q = shrunken(rng)
    assert max(responses(u, q)) < 0.58
    slope, offset = fit_line(u, q, (80, 200))
    line = SizeCalibration.of(slope, offset)
    assert abs(line.factor - slope) < 0.001
    size = np.hypot(*u.T)
    told = u * (line.told_gev(size) / size)[:, None]
    np.testing.assert_allclose(responses(told, q), 1, atol=0.006)


def test_too_few_events_are_refused_with_the_bin_that_has_them():
    u, q = shrunken(np.random.default_rng(2), n=300)
    inside = np.hypot(*q.T) < 180
    with pytest.raises(
        DataError, match=r"20 events in each of 6 bins .* got 0 between 180 and 200"
    ):
        fit_line(u[inside], q[inside], (80, 200))


def test_the_report_shows_both_responses():
    rng = np.random.default_rng(3)
    u, q = shrunken(rng, n=12_000)
    puppi = q + rng.normal(0, 20, q.shape)
    line = SizeCalibration.of(*fit_line(u, q, (80, 200)))
    sample = Sample("ttbar", {"met": q}, {"puppi": {"met": puppi}, "net": {"met": u}})
    about = {
        "puppi": Estimate("baseline", "PUPPI MET"),
        "net": Estimate("network", "net", "quantized", "0" * 16, line),
    }
    found = to_metrics(
        evaluate([sample], MET, about, EvaluationConfig(bootstrap_samples=10), primary="net")
    )
    ttbar = found.resolution["ttbar"]
    assert set(ttbar.told) == {"net"}
    assert ttbar.told_response["net"].value == pytest.approx(1, abs=0.006)
    assert 0 < ttbar.told_response["net"].error < 0.004
    assert ttbar.response["net"].value < 0.58
    table = next(t for t in physics_tables(found) if "global trigger tells" in t.title)
    assert [row[0] for row in table.rows] == ["ttbar, as it is", "ttbar, told"]
    assert table.rows[1][-1].startswith("1.00")
    assert f"{line.factor:.3f} times the size" in table.note


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    return [
        write_sample(folder / "ttbar.h5", "ttbar", n_events=4000, seed=1),
        write_sample(folder / "pileup.h5", "pileup", n_events=400, seed=2),
    ]


def settings(stores, **changes):
    one_network = {
        "training.float_twin": False, "training.unpruned_twin": False, "training.epochs": 1,
        "training.pruning.enabled": False, "evaluation.response_range_gev": [10, 70],
    }  # fmt: skip
    samples = {"samples": [{"path": str(path)} for path in stores]}
    return load_run(MODELS / "deepset.yaml", SMALL | one_network | samples | changes)


def test_a_training_ends_with_it(stores, tmp_path):
    run = train_run(
        settings(stores, **{"training.calibrate": "ttbar"}), MET, tmp_path / "run", command="test"
    )
    line = calibration_of(run.folder)
    assert line is not None
    plain = train_run(settings(stores), MET, tmp_path / "plain", command="test")
    assert calibration_of(plain.folder) is None
    with_line, without = (
        json.loads(folder.network.read_text()) for folder in (run.folder, plain.folder)
    )
    assert with_line["heads"][0].pop("calibration") == dict(line)
    assert with_line == without, "the same bits but for the line"
    assert network_digest(run.folder) != network_digest(plain.folder)


def test_a_sample_that_is_too_small_is_refused_before_the_training(stores, tmp_path):
    changes = {"training.calibrate": "ttbar", "evaluation.response_range_gev": [5000, 6000]}
    with pytest.raises(
        DataError, match="6 bins of the truth from 5000 to 6000 GeV, got 0 between 5000"
    ):
        train_run(settings(stores, **changes), MET, tmp_path / "run", command="test")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"training.calibrate": "pileup"}, r"'pileup'; .* signal samples .*: ttbar"),
        ({"training.calibrate": "znunu"}, r"'znunu'; .* signal samples .*: ttbar"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_before_the_training(stores, changes, match, tmp_path):
    with pytest.raises(ConfigError, match=match):
        train_run(settings(stores, **changes), MET, tmp_path / "run", command="test")
    assert not (tmp_path / "run").exists()
