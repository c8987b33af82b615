"""The figures of MET are the ones they were, to the last digits that processors agree on."""

import json

import pytest
from figures import GOLDEN_FIGURES, leaves, measure_figures


def test_figures_of_made_up_samples_are_the_ones_they_were():
    expected = dict(leaves(json.loads(GOLDEN_FIGURES.read_text(encoding="utf-8"))))
    found = dict(leaves(measure_figures()))
    assert found.keys() == expected.keys()
    for place, value in found.items():
        wanted = expected[place]
        same = value == pytest.approx(wanted, rel=1e-9) if isinstance(wanted, float) else (
            value == wanted
        )  # fmt: skip
        assert same, (
            f"{place} was {wanted}, is {value}; if that is meant, renew it with "
            "`python tests/golden/renew.py`"
        )
