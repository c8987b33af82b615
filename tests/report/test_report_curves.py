"""Turn-on curves as histograms that the field's plotting takes."""

import math
from types import SimpleNamespace

import matplotlib.pyplot as plt
import mplhep
import numpy as np
import pytest
from uhi.typing.plottable import PlottableHistogram

from l1met_fpga.errors import DataError
from l1met_fpga.report.curves import turn_on
from l1met_fpga.results.metrics import TurnOnCurve

CURVE = TurnOnCurve(
    offline_gev=None, fit=None, edges_gev=[0, 50, 100, None], mean_gen_gev=[20, 70, None],
    efficiency=[0.25, 0.5, None], low=[0.2, 0.3, None], high=[0.3, 0.7, None], events=[40, 8, 0],
)  # fmt: skip
METRICS = SimpleNamespace(trigger={"ttbar": SimpleNamespace(turn_on={"lowest": {"net": CURVE}})})


def test_a_curve_is_a_histogram_with_the_half_interval_as_error() -> None:
    (found,) = turn_on(METRICS, "ttbar").values()
    assert isinstance(found, PlottableHistogram)
    np.testing.assert_array_equal(found.values(), [0.25, 0.5, math.nan])
    np.testing.assert_allclose(np.sqrt(found.variances()), [0.05, 0.2, math.nan])
    assert [tuple(edges) for edges in found.axes[0]] == [(0, 50), (50, 100), (100, math.inf)]


def test_mplhep_draws_it() -> None:
    closed = CURVE.model_copy(update={"edges_gev": [0.0, 50.0, 100.0, 150.0]})
    metrics = SimpleNamespace(trigger={"s": SimpleNamespace(turn_on={"62kHz": {"net": closed}})})
    figure, axis = plt.subplots()
    (drawn,) = mplhep.histplot(turn_on(metrics, "s", "62kHz")["net"], ax=axis, histtype="errorbar")
    plt.close(figure)
    line, _, (bars,) = drawn.errorbar.lines
    np.testing.assert_array_equal(line.get_xydata()[:2], [[25, 0.25], [75, 0.5]])
    np.testing.assert_allclose(bars.get_segments()[1][:, 1], [0.3, 0.7])


@pytest.mark.parametrize(
    ("sample", "point", "said"),
    [
        ("vbf", None, "no turn-on of sample 'vbf'; there are those of ttbar"),
        ("ttbar", "18kHz", "no turn-on at '18kHz'; there are those at lowest"),
    ],
)
def test_what_there_is_not_is_said(sample: str, point: str | None, said: str) -> None:
    with pytest.raises(DataError, match=said):
        turn_on(METRICS, sample, point)
