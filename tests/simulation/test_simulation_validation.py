import numpy as np
import pytest
from simulation_events import random_collisions

from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import DataError
from l1met_fpga.simulation.crossings import simulate_crossings
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.ntuple import write_root
from l1met_fpga.simulation.pool import empty_pool
from l1met_fpga.simulation.validation import (
    SAMPLES,
    MetSample,
    components,
    count_figures,
    met_figures,
)
from l1met_fpga.simulation.validation_page import validate
from l1met_fpga.simulation.validation_table import (
    Target,
    Verdict,
    compare,
    load_targets,
    markdown,
    read_reference,
)


def _target(value, tolerance, *, relative=False):
    return Target(value=value, tolerance=tolerance, relative=relative, unit="GeV", source="test")


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        (10.9, 0.01, Verdict.AGREES),
        (9.0, 0.01, Verdict.AGREES),
        (11.3, 0.2, Verdict.OPEN),
        (11.3, 0.1, Verdict.DISAGREES),
        (8.5, 0.1, Verdict.DISAGREES),
    ],
)
def test_verdicts(value, error, verdict):
    row = compare({"x": (value, error)}, {"x": _target(10.0, 0.1, relative=True)})[0]
    assert row.verdict is verdict
    assert verdict.value in markdown([row])


def test_missing_figure_is_named():
    with pytest.raises(DataError, match=r"\['x'\]"):
        compare({}, {"x": _target(1, 1)})


def test_met_figures_of_a_known_estimate():
    rng = np.random.default_rng(0)
    gen = rng.uniform(20, 300, 60_000)[:, None] * [[1.0, 0.0]]
    puppi = 0.8 * gen + rng.normal(0, [20.0, 10.0], gen.shape)
    figures = met_figures(MetSample(puppi, gen))
    value, error = figures["perpendicular half width, genMET 80-100"]
    assert value == pytest.approx(10.0 * 0.9945, abs=4 * error)
    assert 0.05 < error < 0.5
    assert figures["median response, genMET 200-300"][0] == pytest.approx(0.8, abs=0.01)
    # The residual to genMET itself, so the missing 20 % spread over the bin widens it a little.
    assert figures["parallel half width, genMET 80-100"][0] == pytest.approx(20.0, rel=0.05)
    # 0.8 x 124 = 99.3: half of the events at 124 GeV pass.
    assert figures["efficiency above 99.3 GeV, genMET 120-140"][0] == pytest.approx(0.64, abs=0.05)


def test_components_by_hand():
    # Two events: a photon of 10 GeV in the barrel along x, and a muon of 4 GeV in HGCal along y.
    columns = {
        "pt": [40, 16], "eta": [0, 460], "phi": [0, 360], "pid": [1, 7], "puppi_weight": [256, 256],
    }  # fmt: skip
    events = Examples.of(
        np.array([1, 1]),
        {name: np.array(values, np.int16) for name, values in columns.items()},
        besides={"n_candidates": np.array([1, 1])},
    )
    photon, muon = components(events)
    assert (photon.region, photon.species, photon.per_event) == ("barrel", "photons", 0.5)
    # Mean square of a component: (100 + 0) / 2 / 2 events = 25.
    assert photon.noise_gev == pytest.approx(5.0)
    assert (muon.region, muon.species, muon.sum_pt_gev) == ("HGCal", "muons", 2.0)
    assert count_figures("x", events)["x candidates, mean"] == (1.0, 0.0)


def test_page_and_plots_are_written(tmp_path):
    detector = load_detector()
    hard = random_collisions(60, np.random.default_rng(1), mean_pt_gev=5.0)
    size, angle = np.linspace(20, 290, 60), np.linspace(0, 6, 60)
    hard.gen_met_xy_gev[:] = np.stack([size * np.cos(angle), size * np.sin(angle)], axis=1)
    crossings = simulate_crossings(hard, empty_pool(detector), detector, seed=(1,))
    for name in SAMPLES:
        write_root(tmp_path / f"{name}.root", crossings)
    rows = validate(tmp_path, tmp_path / "page", None)
    assert {row.name for row in rows} == set(load_targets())
    text = (tmp_path / "page" / "validation.md").read_text()
    assert text.startswith("Events: pileup 60, ttbar_inclusive 60, ttbar_dilepton 60.")
    # Soft random particles are no CMS events, and the page says so.
    assert text.count("does not agree") > 10
    for plot in ("multiplicity", "bins", "turn_on", "residual", "components"):
        assert (tmp_path / "page" / f"{plot}.png").stat().st_size > 5000


def test_published_table_is_what_the_real_arrays_give(reference_data):
    measured = met_figures(read_reference(reference_data))
    for name, (value, _) in measured.items():
        published = load_targets()[name].value
        # The table is rounded to 0.01 and 0.1 GeV.
        assert value == pytest.approx(published, abs=0.006 if published < 2 else 0.16), name
