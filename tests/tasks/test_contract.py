"""What every task must keep; a new one inherits these tests by its line in the registry."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from keras_models import MODELS, random_candidates

from l1met_fpga.cli.summary_tables import summary_tables
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.run import RunConfig, load_run
from l1met_fpga.config.training import LossConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.slots import all_slots, first_slots
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.evaluation.draw import figures_of
from l1met_fpga.evaluation.evaluation import Estimate, evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.sample import Sample, load_store
from l1met_fpga.evaluation.summary import summary_lines
from l1met_fpga.firmware.reference import evaluate as evaluate_codes
from l1met_fpga.metrics.resolution import FIGURES
from l1met_fpga.models.build import build
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.models.heads import Head
from l1met_fpga.models.keras import keras, tf
from l1met_fpga.models.storage import predict
from l1met_fpga.report.page import Table
from l1met_fpga.report.physics_tables import physics_tables
from l1met_fpga.results.metrics_file import load_metrics, save_metrics
from l1met_fpga.tasks.registry import TASKS, task_named
from l1met_fpga.tasks.task import Heads, Task
from l1met_fpga.training.losses import head_losses
from l1met_fpga.training.mixture import packed_inputs

NETWORK = "jets"
"""Also the name of a baseline of other tasks: that must not matter."""
COLUMNS = ("pt", "eta", "phi", "pid", "puppi_weight", "dxy", "em_id")


@pytest.fixture(params=sorted(TASKS))
def task(request) -> Task:
    return task_named(request.param)


@pytest.fixture
def examples(task) -> Examples:
    return events(task, 60)


def events(task: Task, n: int, seed: int = 0) -> Examples:
    """Random candidates whose truth is half of what the trigger gives today."""
    rng = np.random.default_rng(seed)
    candidates = random_candidates(rng, n, n_slots=128 if task.rows == "event" else 16)
    candidates["pt"] = np.minimum(candidates["pt"], 400).astype(np.int16)
    candidates["dxy"] = np.where(candidates["pid"] >= 2, candidates["pt"] % 100, 0).astype(np.int16)
    candidates["em_id"] = np.where(candidates["pid"] < 2, candidates["pt"] % 64, 0).astype(np.int16)
    ids = np.stack([np.ones(n), np.ones(n), np.arange(n)], axis=1).astype(np.uint64)
    besides = {name: known(name, candidates) for name in task.besides}
    bare = Examples.from_padded(candidates, columns=COLUMNS, truth={}, ids=ids, besides=besides)
    today = task.reference(bare)
    truth = {
        name: as_stored(head, 0.5 * today[head.name])
        for head in task.heads
        for name in [task.truths[head.name]]
    }
    return replace(bare, truth=truth)


def known(name: str, candidates: dict[str, np.ndarray]) -> np.ndarray:
    """What is known of examples besides: a class, a pt, or an angle."""
    n = len(candidates["pt"])
    if name.endswith("_class"):
        return np.arange(n) % 6
    return (
        0.25 * candidates["pt"].sum(axis=1) if name.endswith("_pt_gev") else np.linspace(-2, 2, n)
    )


def as_stored(head: Head, values: np.ndarray) -> np.ndarray:
    if head.kind == "classes":
        return np.arange(len(values)) % head.size
    return values[:, 0] if head.kind == "scalar" else values


def shipped(task: Task) -> RunConfig:
    """The configuration of a network of this task that becomes firmware."""
    runs = [load_run(path) for path in sorted(MODELS.glob("*.yaml"))]
    return next(run for run in runs if run.task == task.name and not run.model.no_firmware)


def test_every_head_has_a_truth_and_a_loss(task):
    heads = {head.name for head in task.heads}
    assert heads == set(task.truths) == set(task.losses())
    assert task.words.task == task.name
    named = [figure.name for figure in task.figures]
    assert set(named) <= set(FIGURES)
    assert set(task.words.figures) | {w.figure for w in task.words.widths.values()} <= set(named)


def test_it_goes_to_other_processes(task):
    assert pickle.loads(pickle.dumps(task)).words == task.words


def test_truth_survives_the_store(task, examples, tmp_path):
    path = tmp_path / "signal.h5"
    write_store(
        path, candidates=all_slots(examples), truth=examples.truth, label="signal", rows=task.rows,
        besides=examples.besides,
    )  # fmt: skip
    found = load_store(path, task, None, columns=COLUMNS).examples
    for head, values in task.truth(examples).items():
        assert values.shape == (len(examples), next(h.size for h in task.heads if h.name == head))
        np.testing.assert_allclose(task.truth(found)[head], values, rtol=1e-6)
    np.testing.assert_array_equal(found.columns["pt"], examples.columns["pt"])


def test_a_network_starts_from_what_the_trigger_gives_today(task, examples):
    config = shipped(task).model
    model = build(config, task.heads, variant="float")
    found = predict(model, [head.name for head in task.heads], all_slots(examples))
    today = task.reference(examples)
    # a vector's momenta are rounded one by one, to half a count each
    count = config.momentum.output.lsb
    for head in task.heads:
        lost = 0.5 * count * examples.counts[:, None] if head.kind == "vector" else 0.0
        assert (np.abs(found[head.name] - today[head.name]) <= lost + 0.25).all()


def test_a_network_gives_the_same_integers_in_its_integer_form(task, examples):
    keras.utils.set_random_seed(3)
    model = build(shipped(task).model, task.heads)
    bake_weights(model)
    network = export_network(model, task.heads)
    slots = first_slots(all_slots(examples), network.n_candidates)
    given = network.codes(predict(model, [head.name for head in task.heads], slots))
    for head, codes in evaluate_codes(network, slots).items():
        np.testing.assert_array_equal(codes, given[head])


def test_augmentation_commutes_with_what_the_trigger_gives_today(task, examples):
    inputs = packed_inputs(examples, np.arange(len(examples)))
    before = {name: values.copy() for name, values in inputs.items()}
    seen, turned = task.augment(inputs, task.reference(examples), np.random.default_rng(1))
    for name, values in inputs.items():
        np.testing.assert_array_equal(values, before[name])
    columns = {name: seen[name].astype(np.int16) for name in COLUMNS}
    again = task.reference(replace(examples, columns=columns))
    for head in turned:
        np.testing.assert_allclose(again[head], turned[head], atol=1e-6)
    without_phi = {name: values for name, values in inputs.items() if name != "phi"}
    assert "phi" not in task.augment(without_phi, {}, np.random.default_rng(1))[0]


def test_each_loss_is_least_at_the_truth(task, examples):
    rng = np.random.default_rng(2)
    truth = task.truth(examples)
    for head, known in task.losses().items():
        q = truth[head]
        for kind in known:
            loss = head_losses(task, LossConfig(kind=kind, response_weight=1.0))[head]
            # the logits of a class that is certain are far above the rest
            best = 1e4 * q if head in task.words.classes else q
            least = loss.call(tf.constant(q), tf.constant(best)).numpy()
            assert least.shape == (len(examples),)
            for size in (0.1, 10.0, 300.0):
                other = loss.call(tf.constant(q), tf.constant(best + rng.normal(0, size, q.shape)))
                assert (other.numpy() >= least).all(), kind
                assert np.isfinite(other.numpy()).all()


def test_score_and_vector_are_finite_numbers_per_example(task, examples):
    empty = replace(
        examples.take(np.arange(1)).first_rows(0),
        truth={n: v[:1] for n, v in examples.truth.items()},
    )
    for some in (examples, empty):
        heads = task.measured(some, task.reference(some))
        assert task.score(heads).shape == (len(some),)
        assert task.vector(heads).shape == (len(some), 2)
        assert np.isfinite(task.score(heads)).all()
        assert np.isfinite(task.vector(heads)).all()


def test_baselines_estimate_every_head_and_the_fitted_ones_are_closer(task):
    training, test = events(task, 300, seed=4), events(task, 50, seed=5)
    found = task.baselines(training)
    assert next(iter(found)) == "puppi"
    truth = task.truth(test)
    assert np.isfinite(task.example_weights(training)).all()
    for name, baseline in found.items():
        heads = baseline.estimate(test)
        assert set(heads) == set(truth), name
        if baseline.weights is not None:
            assert distance(heads, truth) < distance(task.reference(test), truth), name


def distance(heads: Heads, truth: Heads) -> float:
    return sum(float(np.mean((heads[name] - q) ** 2)) for name, q in truth.items())


def sample(task: Task, n: int, *, background: bool) -> Sample:
    found = events(task, n, seed=int(background))
    measured = task.measured(found, task.truth(found))
    truth = {h: 0 * q if background else q for h, q in measured.items()}
    rng = np.random.default_rng(6)

    def smeared(width: float) -> Heads:
        return {h: 0.8 * q + rng.normal(0, width, q.shape) for h, q in truth.items()}

    given = {"puppi": smeared(30.0), NETWORK: smeared(20.0)}
    label = "pileup" if background else "ttbar"
    return Sample(label, truth, given, background, found.counts)


def test_figures_and_tables_render(task, tmp_path):
    config = EvaluationConfig(
        **task.evaluation.model_dump()
        | {"bootstrap_samples": 2, "rates_khz": (310.0,), "roc_above_gev": 10.0}
    )
    estimates = {"puppi": Estimate("baseline", "today"), NETWORK: Estimate("network", "net")}
    samples = [sample(task, 600, background=False), sample(task, 400, background=True)]
    found = evaluate(samples, task, estimates, config, primary=NETWORK)
    drawn = dict(figures_of(found, None))
    assert {f"{f.plot}_ttbar" for f in task.figures if f.plot} <= set(drawn)
    assert {"rate", "roc_ttbar", f"{task.plots.residual_name}_ttbar"} <= set(drawn)
    for name in ("rate", f"{task.plots.residual_name}_ttbar"):
        drawn[name].canvas.draw()
    metrics = to_metrics(found)
    save_metrics(metrics, tmp_path / "metrics.json")
    assert load_metrics(tmp_path / "metrics.json") == metrics
    text = "\n".join(cell for table in physics_tables(metrics) for cell in cells(table))
    assert task.words.truth in text
    gain = metrics.resolution["ttbar"].gain[NETWORK]["puppi"]
    assert set(gain) == set(task.words.widths)
    assert all(part.value == pytest.approx(1 / 3, abs=0.15) for part in gain.values())
    assert any(task.words.truth in line for line in summary_lines(metrics))
    assert set(metrics.classes) == ({"ttbar"} if task.words.classes else set())
    shown = list(summary_tables(metrics))
    assert len(shown) == 1 + len(task.words.classes)
    for table, names in zip(shown[1:], task.words.classes.values(), strict=True):
        headers = [f"{k}\n({600 // len(names)})" for k in names]
        assert [str(one.header) for one in table.columns[1:]] == headers
        assert table.row_count == len(metrics.estimates)
    for head, names in task.words.classes.items():
        assert {f"{head}_{what}_ttbar" for what in ("roc", "confusion", "efficiency")} <= set(drawn)
        assert f"{names[0]} ({600 // len(names)})" in text


def cells(table: Table) -> list[str]:
    return [table.title, *table.columns, *(cell for row in table.rows for cell in row)]
