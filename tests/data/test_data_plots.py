"""Figures of a file's content: what is drawn is what was counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.patches import StepPatch

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.plots import (
    plot_columns,
    plot_event,
    plot_multiplicity,
    plot_pt,
    plot_sums,
)
from l1met_fpga.data.totals import Totals
from l1met_fpga.data.truth import GEN_HT, GEN_MET, Kind
from l1met_fpga.plots.figure import save_figure


def make_batch(n_events: int = 200, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 140, n_events)
    n = int(counts.sum())
    pid = rng.integers(0, 8, n)
    columns = {
        "pt": rng.integers(4, 800, n),
        "eta": rng.integers(-1100, 1100, n),
        "phi": rng.integers(-720, 721, n),
        "pid": pid,
        "puppi_weight": np.where(pid > 1, 256, rng.integers(0, 257, n)),
    }
    return Examples.of(
        counts,
        {name: column.astype(np.int16) for name, column in columns.items()},
        truth={
            GEN_MET: rng.normal(scale=60, size=(n_events, 2)),
            GEN_HT: rng.exponential(300, n_events),
        },
        besides={"n_candidates": counts},
    )


@pytest.fixture
def totals() -> Totals:
    result = Totals()
    result.add(make_batch())
    return result


def stairs(axes: object) -> list[StepPatch]:
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]  # type: ignore[attr-defined]


def test_multiplicity_shows_every_event_and_the_slots(totals: Totals) -> None:
    (axes,) = plot_multiplicity(totals).axes
    (histogram,) = stairs(axes)
    assert histogram.get_data().values.sum() == 200
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    mean = float(make_batch().counts.mean())
    assert labels == [f"mean {mean:.1f}", "128 slots"]


def test_pt_spectra_integrate_to_the_number_of_candidates(totals: Totals) -> None:
    (axes,) = plot_pt(totals).axes
    per_event = 0.0
    for histogram in stairs(axes):
        density, edges, _ = histogram.get_data()
        per_event += float(density @ np.diff(edges))
    assert per_event == pytest.approx(make_batch().counts.sum() / 200)


def test_columns_show_each_column_once(totals: Totals) -> None:
    axes = plot_columns(totals).axes
    names = [ax.get_xlabel() for ax in axes]
    assert names == ["eta", "phi [rad]", "pid", "puppi_weight"]
    density, edges, _ = stairs(axes[1])[0].get_data()
    n_codes = np.rint(np.diff(edges) / (np.pi / 720))
    assert float(density @ n_codes) == pytest.approx(make_batch().counts.sum())


@pytest.mark.parametrize(
    ("kind", "names"),
    [("vector", ["generator MET", "PUPPI MET"]), ("scalar", ["generator HT", "sum of pt"])],
)
def test_sums_show_only_what_there_is(totals: Totals, kind: Kind, names: list[str]) -> None:
    (axes,) = plot_sums(totals, kind).axes
    assert [h.get_data().values.sum() for h in stairs(axes)] == [200, 200]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == names
    without = Totals()
    without.add(replace(make_batch(), truth={}))
    (axes,) = plot_sums(without, kind).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == names[1:]


def test_event_display_shows_candidates_and_met(tmp_path: Path) -> None:
    batch = make_batch(1, seed=3)
    met = {"generator MET": np.array([30.0, 40.0]), "network MET": np.array([0.0, -12.0])}
    figure = plot_event(batch, met, title="an event")
    eta_phi, plane = figure.axes
    points = [c for c in eta_phi.collections if isinstance(c, PathCollection)]
    drawn = np.concatenate([c.get_offsets() for c in points])
    drawn = drawn[~np.isnan(np.asarray(drawn)).any(axis=1)]
    assert len(drawn) == batch.counts[0]
    area = np.sort(np.concatenate([c.get_sizes() for c in points[:5]]))
    np.testing.assert_allclose(
        area / area.sum(), np.sort(batch.columns["pt"]) / batch.columns["pt"].sum()
    )
    labels = [text.get_text() for text in plane.get_legend().get_texts()]
    assert labels == ["generator MET 50.0 GeV", "network MET 12.0 GeV", "candidates"]
    ends = [line.get_xydata()[-1].tolist() for line in plane.lines[:4:2]]
    assert ends == [[30.0, 40.0], [0.0, -12.0]]
    angles = [line.get_ydata()[0] for line in eta_phi.lines if line.get_linestyle() != "None"]
    np.testing.assert_allclose(angles[:2], [np.arctan2(40, 30), -np.pi / 2])
    paths = save_figure(figure, tmp_path, "event")
    assert [path.name for path in paths] == ["event.pdf", "event.png"]
    assert all(path.stat().st_size > 5000 for path in paths)


def test_candidates_are_as_dark_as_they_weigh() -> None:
    batch = make_batch(1, seed=3)
    opacity = np.linspace(0.1, 0.8, batch.n_rows)
    figure = plot_event(batch, {}, title="an event", opacity=opacity)
    points = [c for c in figure.axes[0].collections if isinstance(c, PathCollection)][:5]
    drawn = np.concatenate([np.broadcast_to(c.get_alpha(), len(c.get_offsets())) for c in points])
    np.testing.assert_allclose(np.sort(drawn), opacity)
