"""Every figure of an evaluation: nothing lies on anything else, and its numbers are kept."""

import csv
import itertools

import numpy as np
import pytest
from evaluation_samples import ESTIMATES, background, signal
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.class_figures import OneEstimate
from l1met_fpga.evaluation.draw import figures_of
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.plot_classes import (
    plot_class_efficiency,
    plot_class_roc,
    plot_confusion,
)
from l1met_fpga.evaluation.plot_cost import cost_figures
from l1met_fpga.evaluation.plot_resolution import plot_binned, plot_with_ratio
from l1met_fpga.evaluation.shown import shown
from l1met_fpga.metrics.binning import RESOLUTION_BINS, Bins
from l1met_fpga.metrics.classes import (
    against_rest,
    area,
    confusion,
    efficiency_at_mistag,
    roc_points,
)
from l1met_fpga.metrics.weight_table import TABLE, WeightTable
from l1met_fpga.plots.curves import Curve
from l1met_fpga.plots.drawing import COLUMNS, Drawing
from l1met_fpga.plots.figure import labelled, save_figure
from l1met_fpga.report.captions import caption
from l1met_fpga.tasks.met.task import TASK as MET


@pytest.fixture(scope="module")
def drawn() -> dict[str, Figure]:
    """All figures of samples of a few hundred events, where some bins hold one."""
    table = WeightTable(TABLE, np.ones(TABLE.shape), np.full(TABLE.shape, 500))
    config = EvaluationConfig(bootstrap_samples=20, rates_khz=(18.0, 310.0))
    found = evaluate(
        [signal(1500), background(1000)], MET, ESTIMATES, config, primary="net",
        baselines={"table": table}, weights=table,
    )  # fmt: skip
    history = {"epoch": np.arange(3.0), "loss": np.ones(3), "val_loss": np.ones(3)}
    with labelled("Phase-2 fast simulation", "200 PU (14 TeV)"):
        costs = cost_figures(to_metrics(found), {"net": 10_180.0, "net_float": 14_134.0})
        return {**dict(figures_of(found, history)), **dict(costs), **figures_of_classes()}


CLASSES = ("b", "charm", "light", "gluon", "taup", "taum", "muon", "electron")


def figures_of_classes() -> dict[str, Figure]:
    """All figures of a head of eight classes, of some hundred jets."""
    rng = np.random.default_rng(0)
    true = rng.integers(len(CLASSES), size=800)
    logits = rng.normal(2.0 * np.eye(len(CLASSES))[true], 1.5)
    pt_gev, bins = rng.exponential(40.0, len(true)), Bins.of((15.0, 30.0, 60.0, float("inf")))
    scores = [(against_rest(logits, k), true == k) for k in range(len(CLASSES))]
    found = OneEstimate(
        areas=[area(score, one) for score, one in scores],
        pairs=np.full((len(CLASSES),) * 2, np.nan),
        confusion=confusion(logits, true),
        at_mistag=[efficiency_at_mistag(*one, pt_gev, mistag=0.1, bins=bins) for one in scores],
        curves=[roc_points(*one) for one in scores],
        response=[], width=[],
    )  # fmt: skip
    title = "jets_htautau, jets"
    return {
        "flavour_roc_jets": plot_class_roc(found, CLASSES, title=title),
        "flavour_confusion_jets": plot_confusion(found, CLASSES, title=title),
        "flavour_efficiency_jets": plot_class_efficiency(
            found, CLASSES, bins, truth_label="generated $p_T$ [GeV]", title=f"{title}, mistag 10 %"
        ),
    }


def laid_out(made: Figure) -> RendererAgg:
    canvas = FigureCanvasAgg(made)
    canvas.draw()
    return canvas.get_renderer()


def words(made: Figure) -> list[tuple[str, Bbox]]:
    """Return every text that is seen, with its place; ticks beyond an axis are not drawn."""
    renderer = laid_out(made)
    beyond = {
        id(label)
        for axes in made.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        for label in (tick.label1, tick.label2)
    }
    found = []
    for text in made.findobj(Text):
        if text.get_visible() and text.get_text().strip() and id(text) not in beyond:
            box = text.get_window_extent(renderer).padded(-1.0)
            if box.width > 0 and made.bbox.overlaps(box):
                found.append((text.get_text(), box))
    return found


def test_no_word_lies_on_another_and_none_is_cut(drawn):
    wrong = []
    for name, made in drawn.items():
        seen = words(made)
        for (first, box), (second, other) in itertools.combinations(seen, 2):
            if box.overlaps(other) and box != other:
                wrong.append(f"{name}: {first!r} on {second!r}")
        for text, box in seen:
            if not (made.bbox.x0 <= box.x0 and box.x1 <= made.bbox.x1):
                wrong.append(f"{name}: {text!r} is cut")
    assert not wrong, "\n".join(wrong)


def test_no_point_lies_under_a_legend(drawn):
    wrong = []
    for name, made in drawn.items():
        laid_out(made)
        for axis in made.axes:
            if axis.get_legend() is None:
                continue
            box = axis.get_legend().get_window_extent()
            for bars in axis.containers:
                if isinstance(bars, ErrorbarContainer):
                    points = axis.transData.transform(bars.lines[0].get_xydata())
                    wrong += [f"{name}: {bars.get_label()}" for p in points if box.contains(*p)]
    assert wrong == []


def test_legends_stay_inside_their_axes(drawn):
    wrong = []
    for name, made in drawn.items():
        laid_out(made)
        for axis in made.axes:
            if axis.get_legend() is not None:
                box, room = axis.get_legend().get_window_extent(), axis.get_window_extent()
                if box.x0 < room.x0 or box.x1 > room.x1 or box.y1 > room.y1:
                    wrong.append(name)
    assert wrong == []


def test_conditions_stand_above_every_physics_plot(drawn):
    for name, made in drawn.items():
        if isinstance(made, Drawing) and made.has_numbers:
            above = made.get_suptitle() or made.axes[0].get_title(loc="left")
            above += made.axes[0].get_title(loc="right")
            assert "fast simulation" in above, name
            assert "200 PU (14 TeV)" in above, name


def test_every_figure_has_a_caption_of_its_own(drawn):
    words_of = {name: caption(name) for name in drawn}
    assert not [name for name, text in words_of.items() if text == name.replace("_", " ")]
    assert len(set(words_of.values())) == len(words_of)
    assert words_of["turn_on_ttbar_lowest"].endswith(" (ttbar lowest)")
    assert caption("of_another_hand") == "of another hand"
    assert caption("particle_roc_flow_ttbar").endswith("of each class (flow ttbar)")


def test_bars_end_where_their_bins_end():
    n = len(RESOLUTION_BINS)
    curves = [Curve(name, np.full(n, 1.0), np.full(n, 0.1)) for name in "abc"]
    made = plot_binned(RESOLUTION_BINS, curves, label="response", truth_label="truth")
    for bars in made.axes[0].containers:
        across = bars.lines[2][0].get_segments()
        assert [s[:, 0].tolist() for s in across[:2]] == [[0.0, 40.0], [40.0, 80.0]]


def test_an_axis_is_not_stretched_by_a_badly_measured_point():
    n = len(RESOLUTION_BINS)
    value, error = np.full(n, 40.0), np.full(n, 2.0)
    value[-1], error[-1] = 400.0, 900.0
    curves = [Curve("first", value, error), Curve("second", value * 0.9, error)]
    ratios = [Curve(c.title, c.value / 40.0, c.error / 40.0) for c in curves]
    made = plot_with_ratio(
        RESOLUTION_BINS, curves, ratios, label="width", ratio_label="ratio", truth_label="truth"
    )
    top, bottom = made.axes
    assert top.get_ylim()[1] < 70
    assert 0.8 < bottom.get_ylim()[0] < 0.9
    assert bottom.get_ylim()[1] < 1.1


def test_curves_differ_without_colour(drawn):
    handles, names = drawn["turn_on_ttbar_lowest"].axes[0].get_legend_handles_labels()
    looks = {(h.lines[0].get_marker(), h.lines[0].get_markerfacecolor()) for h in handles}
    assert len(looks) == len(names) == 5


def test_plots_leave_out_what_lies_on_others():
    assert shown(ESTIMATES) == ["puppi", "scaled_puppi", "net_float", "net", "flat"]
    two = ESTIMATES | {"other": ESTIMATES["net"], "net_int64": ESTIMATES["net_float"]}
    assert shown(two) == ["puppi", "scaled_puppi", "net", "other", "flat"]


def test_the_numbers_stand_beside_the_plot(drawn, tmp_path):
    made = drawn["resolution_par_ttbar"]
    save_figure(made, tmp_path, "widths")
    with (tmp_path / "widths.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert {row["curve"] for row in rows} >= {"PUPPI MET", "net"}
    points = [row for row in rows if row["curve"] == "net" and not row["panel"].startswith("ratio")]
    assert len(points) == len(EvaluationConfig().resolution_edges_gev) - 1, (
        "every bin, drawn or not"
    )
    assert (points[0]["x_low"], points[0]["x_high"], points[-1]["x_high"]) == ("0", "40", "")
    line = made.axes[0].containers[3].lines[0]
    assert float(points[1]["y"]) == pytest.approx(line.get_ydata()[1], rel=1e-5)


def test_efficiency_stands_over_luts(drawn):
    made = drawn["cost_ttbar"]
    net, quiet = (bars.lines[0].get_xydata()[0] for bars in made.axes[0].containers)
    assert (net[0], quiet[0]) == pytest.approx((10.18, 14.134))
    (puppi,) = (line for line in made.axes[0].lines if line.get_label() == "PUPPI MET")
    assert 0 < puppi.get_ydata()[0] < min(net[1], quiet[1]) <= 1
