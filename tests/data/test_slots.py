import logging

import numpy as np
import pytest
from keras_models import random_candidates

from l1met_fpga.data.slots import count_cut, first_slots


@pytest.mark.parametrize("n_slots", [1, 64, 127, 128, 200])
def test_the_first_slots_stay_as_they_are(n_slots, caplog):
    candidates = random_candidates(np.random.default_rng(0), 50)
    with caplog.at_level(logging.WARNING):
        seen = first_slots(candidates, n_slots, of="events of x.h5")
    cut = sum(int((row[n_slots:] > 0).sum()) for row in candidates["pt"])
    total = int((candidates["pt"] > 0).sum())
    assert count_cut(candidates, n_slots) == (cut, total)
    for name, codes in candidates.items():
        np.testing.assert_array_equal(seen[name], codes[:, :n_slots])
    said = f"events of x.h5: the network has {n_slots} slots; {cut} of {total} candidates"
    assert (said in caplog.text) == (cut > 0)
