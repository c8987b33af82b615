"""Plots: a few guarded pixel by pixel, all of them with empty bins."""

from dataclasses import replace

import numpy as np
import pytest
from evaluation_samples import ESTIMATES, background, signal
from matplotlib.figure import Figure

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.errors import ReportError
from l1met_fpga.evaluation.draw import draw_all, figures_of, read_history
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.plot_network import plot_learning_curves, plot_weight_maps
from l1met_fpga.evaluation.plot_resolution import (
    plot_binned,
    plot_multiplicity,
    plot_residuals,
    plot_with_ratio,
)
from l1met_fpga.evaluation.plot_score import plot_rate, plot_roc, plot_turn_on
from l1met_fpga.metrics.binning import RESOLUTION_BINS, Bins
from l1met_fpga.metrics.trigger import rate_curve
from l1met_fpga.metrics.turn_on import turn_on
from l1met_fpga.metrics.weight_table import TABLE, WeightTable
from l1met_fpga.plots.curves import Curve
from l1met_fpga.puppi.columns import PARTICLE_KINDS
from l1met_fpga.tasks.met.task import TASK as MET

guarded = pytest.mark.mpl_image_compare(
    baseline_dir="baseline", tolerance=12, style="default", savefig_kwargs={"dpi": 60}
)
VALUES = np.array([48.0, 49.0, 50.0, np.nan, 50.0, 68.0, 118.0])


def curves() -> list[Curve]:
    return [
        Curve(name, k * VALUES, 0.02 * VALUES) for name, k in (("PUPPI MET", 1.0), ("net", 0.9))
    ]


@guarded
def test_resolution_with_ratio() -> Figure:
    ratios = [Curve(c.title, c.value / VALUES, 0.01 + 0 * VALUES) for c in curves()]
    return plot_with_ratio(
        RESOLUTION_BINS,
        curves(),
        ratios,
        label="width [GeV]",
        ratio_label="ratio",
        truth_label=MET.plots.truth,
        title="ttbar",
    )


@guarded
def test_turn_on() -> Figure:
    rng = np.random.default_rng(0)
    gen = rng.uniform(0, 400, 20_000)
    met = gen + rng.normal(0, 40, len(gen))
    found = {"PUPPI MET": turn_on(met, gen, 120.0), "net": turn_on(met, gen, 100.0)}
    return plot_turn_on(found, truth_label=MET.plots.truth, title="ttbar, 18 kHz")


@guarded
def test_rate() -> Figure:
    rng = np.random.default_rng(1)
    return plot_rate(
        {"PUPPI MET": rate_curve(rng.exponential(15, 5000))},
        score_label=MET.plots.score,
        title="pileup",
    )


@guarded
def test_weight_maps() -> Figure:
    weights = np.linspace(0, 2, len(TABLE)).reshape(TABLE.shape)
    seen = np.full(TABLE.shape, 1000)
    seen[0, 0] = 5
    return plot_weight_maps(
        weights,
        seen,
        types=list(PARTICLE_KINDS),
        pt_edges_gev=TABLE.pt_edges_gev,
        abs_eta_edges=TABLE.abs_eta_edges,
        title="network",
    )


def test_points_stand_where_the_values_are():
    made = plot_binned(RESOLUTION_BINS, curves(), label="response", truth_label="x")
    drawn = made.axes[0].containers[0].lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, VALUES)
    assert "last bin open" in made.axes[0].get_xlabel()


def test_the_axis_of_residuals_holds_nearly_all_of_them():
    spread = np.linspace(-420, 420, 1001)
    for scale, reach in ((1.0, 450), (0.3, 150), (0.01, 50)):
        axis = plot_residuals({"a": scale * spread, "b": spread[:3] * 0}, label="x").axes[0]
        assert axis.get_xlim() == (-reach, reach)
        assert axis.get_ylabel() == f"fraction / {reach / 50:g} GeV"


def test_empty_plots_are_empty_not_errors():
    nothing = np.full(len(RESOLUTION_BINS), np.nan)
    none = np.zeros(0)
    for made in (
        plot_binned(RESOLUTION_BINS, [Curve("a", nothing, nothing)], label="x", truth_label="x"),
        plot_residuals({"a": none}, label="x"),
        plot_multiplicity(np.zeros(0, np.int64), {"a": none}, label="x"),
        plot_multiplicity(np.full(3, 7), {"a": np.zeros(3)}, label="x"),
        plot_turn_on({"a": turn_on(none, none, 10.0)}, truth_label="x"),
        plot_turn_on({}, truth_label="x"),
        plot_rate({"a": rate_curve([3.0])}, score_label="x"),
        plot_roc({}),
        plot_learning_curves({}),
    ):
        assert isinstance(made, Figure)
        made.canvas.draw()


def test_all_plots_of_an_evaluation():
    table = WeightTable(TABLE, np.ones(TABLE.shape), np.full(TABLE.shape, 500))
    config = EvaluationConfig(bootstrap_samples=3, rates_khz=(18.0,))
    found = evaluate(
        [signal(300), background(100)], MET, ESTIMATES, config, primary="net",
        baselines={"table": table}, weights=table,
    )  # fmt: skip
    history = {"epoch": np.arange(3.0), "loss": np.ones(3), "val_loss": np.ones(3)}
    drawn = dict(figures_of(found, history))
    assert drawn.keys() >= {
        "response_ttbar", "resolution_par_ttbar", "resolution_perp_ttbar", "resolution_x_ttbar",
        "resolution_phi_ttbar", "residual_x_ttbar", "tails_ttbar", "turn_on_ttbar_lowest", "rate",
        "roc_ttbar", "weights_table", "weights_network", "multiplicity_ttbar", "learning_curves",
    }  # fmt: skip


def test_plots_are_written_as_pdf_and_png(tmp_path):
    config = EvaluationConfig(bootstrap_samples=3, resolution_edges_gev=(0.0, 100.0))
    found = evaluate([signal(50)], MET, ESTIMATES, config)
    one = replace(found, resolution={})  # the learning curves are enough here
    (path,) = draw_all(one, tmp_path, history={"epoch": np.arange(3.0), "loss": np.ones(3)})
    assert path.name == "learning_curves.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")


def test_history_columns(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss,val_loss\n0,3.5,\n1,2.5,4\n")
    history = read_history(path)
    np.testing.assert_array_equal(history["val_loss"], [np.nan, 4.0])
    path.write_text("epoch,loss\n0,oops\n")
    with pytest.raises(ReportError, match="not a number"):
        read_history(path)


def test_open_bin_is_drawn_from_its_edge():
    made = plot_binned(
        Bins((0.0, 100.0, np.inf)), [Curve("a", np.ones(2), np.ones(2))], label="x", truth_label="x"
    )
    assert made.axes[0].get_xlim() == (0.0, 125.0)
