"""Examples against the padded form, which is written down independently of them."""

import numpy as np
import pytest
from keras_models import random_candidates

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.slots import first_slots

COLUMNS = ("pt", "eta", "phi", "pid", "puppi_weight")


@pytest.fixture
def padded():
    return random_candidates(np.random.default_rng(5), 40, n_slots=20)


def examples_of(candidates):
    n = len(candidates["pt"])
    ids = np.stack([np.ones(n), np.ones(n), np.arange(n)], axis=1).astype(np.uint64)
    return Examples.from_padded(
        candidates,
        columns=COLUMNS,
        truth={"truth": np.arange(2.0 * n).reshape(n, 2)},
        ids=ids,
        besides={"other": np.arange(n)},
    )


def same(found, wanted):
    assert found.keys() == wanted.keys()
    for name, codes in wanted.items():
        np.testing.assert_array_equal(found[name], codes)


def test_padding_gives_back_what_was_packed(padded):
    same(examples_of(padded).padded(20), padded)
    with pytest.raises(ValueError, match="more than 3"):
        examples_of(padded).padded(3)


def test_first_rows_are_the_first_slots(padded):
    seen = examples_of(padded).first_rows(7)
    same(seen.padded(7), first_slots(padded, 7))
    assert seen.n_rows == sum(min(int(n), 7) for n in (padded["pt"] > 0).sum(axis=1))


def test_taken_examples_keep_their_rows_truth_and_ids(padded):
    examples, chosen = examples_of(padded), np.array([3, 39, 3, 0])
    some = examples.take(chosen)
    same(some.padded(20), {name: codes[chosen] for name, codes in padded.items()})
    np.testing.assert_array_equal(some.truth["truth"], examples.truth["truth"][chosen])
    assert some.ids[:, 2].tolist() == some.besides["other"].tolist() == [3, 39, 3, 0]
    assert len(examples.take(np.zeros(0, np.int64))) == 0


def test_parts_put_together_are_the_whole(padded):
    examples = examples_of(padded)
    parts = [examples.take(np.arange(a, b)) for a, b in ((0, 15), (15, 15), (15, 40))]
    whole = Examples.concatenate(parts)
    np.testing.assert_array_equal(whole.row_splits, examples.row_splits)
    same(whole.columns, examples.columns)
    same(whole.truth, examples.truth)
    same(whole.besides, examples.besides)


def test_selected_rows_stay_with_their_example(padded):
    examples = examples_of(padded)
    chosen = examples.columns["pid"] > 1
    some = examples.select_rows(chosen)
    kept = {name: np.where(padded["pid"] > 1, codes, 0) for name, codes in padded.items()}
    np.testing.assert_array_equal(some.counts, (kept["pt"] > 0).sum(axis=1))
    np.testing.assert_array_equal(some.columns["pt"], kept["pt"][kept["pt"] > 0])
    np.testing.assert_array_equal(np.bincount(some.example_of_rows, minlength=40), some.counts)
    same(some.truth, examples.truth)
