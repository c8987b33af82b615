"""The jets of a picture are those of the trigger, and lie where their candidates are."""

import numpy as np
import pytest
from matplotlib.patches import Circle

from l1met_fpga.data.event_jets import EventJet, event_jets
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.plots import plot_event


def event(*rows: tuple[int, int, int]) -> Examples:
    """One event of candidates (pt, eta, phi) in counts."""
    pt, eta, phi = (np.array(column, np.int16) for column in zip(*rows, strict=True))
    columns = {"pt": pt, "eta": eta, "phi": phi, "pid": np.full_like(pt, 2)}
    return Examples.of(np.array([len(rows)]), columns)


def test_jets_are_found_in_falling_pt_with_the_sum_of_their_candidates() -> None:
    found = event_jets(event((160, 0, 0), (120, 500, 700), (100, 510, 695), (40, 0, 300)))
    assert [jet.pt_gev for jet in found] == [55.0, 40.0]  # 10 GeV are no jet of the picture
    assert found[1] == EventJet(40.0, 0.0, 0.0)
    assert found[0].eta == pytest.approx(505 * np.pi / 720, abs=0.02)


def test_a_cone_at_the_edge_in_phi_is_drawn_at_both_ends() -> None:
    (jet,) = event_jets(event((200, 0, 715)))
    (first, second) = jet.centres
    assert first[1] - second[1] == pytest.approx(2 * np.pi)
    assert EventJet(50.0, 0.0, 1.0).centres == ((0.0, 1.0),)
    figure = plot_event(event((200, 0, 715)), {}, title="an event", jets=(jet,))
    cones = [patch for patch in figure.axes[0].patches if isinstance(patch, Circle)]
    assert [cone.get_center() for cone in cones] == [first, second]
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "jets (cone 0.4, above 30 GeV): 50 GeV" in labels
