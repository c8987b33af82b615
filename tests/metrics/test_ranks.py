"""Ranks against SciPy's."""

import numpy as np
import pytest
from scipy.stats import rankdata

from l1met_fpga.metrics.ranks import average_ranks


@pytest.mark.parametrize("values", [1, 3, 1000])
@pytest.mark.parametrize("size", [0, 1, 500])
def test_are_those_of_scipy_with_ties(values, size):
    scores = np.random.default_rng(1).integers(values, size=size) / 7
    assert (average_ranks(scores) == rankdata(scores)).all()


def test_of_a_missing_score_are_missing():
    assert np.isnan(average_ranks(np.array([1.0, np.nan, 2.0]))).all()
