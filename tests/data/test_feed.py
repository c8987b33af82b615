import numpy as np
import pytest

from l1met_fpga.config.data import FeedConfig, FlattenConfig, SampleConfig
from l1met_fpga.data.feed import Feed
from l1met_fpga.data.flatten import measure_flattening
from l1met_fpga.data.shuffle import Selection, ShuffledEvents
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.errors import DataError

COLUMNS = ("pt", "eta", "phi", "pid", "puppi_weight")


def make_store(path, n_events, *, sign=1, gen_met=None, seed=0):
    """Make a store whose events carry their number: in genMET px and, modulo 2^14, in pt."""
    number = np.arange(n_events)
    columns = {name: np.zeros((n_events, 128), np.int16) for name in COLUMNS}
    columns["pt"][:, 0] = 1 + number % 16000
    columns["pid"][:, 0] = 1
    if gen_met is None:
        gen_met = np.stack([sign * (number + 1.0), np.zeros(n_events)], axis=1)
    write_store(path, candidates=columns, gen_met_xy_gev=gen_met, label=f"s{seed}")
    return SampleConfig(path=path)


@pytest.fixture
def sample(tmp_path):
    return make_store(tmp_path / "a.h5", 10_000)


def numbers(batches):
    return np.concatenate([met[:, 0] for _, met in batches]).astype(int)


def test_an_epoch_has_every_event_of_the_part_once(sample):
    with Feed([sample], FeedConfig(batch_size=300, shuffle_events=2048), seed=1) as feed:
        batches = list(feed.batches(0))
        assert len(batches) == feed.n_batches
        assert [len(met) for _, met in batches[:-1]] == [300] * (feed.n_batches - 1)
    with Store.open(sample.path) as store:
        train = store.events_of(Part.TRAIN)
    assert feed.n_events == len(train)
    np.testing.assert_array_equal(np.sort(numbers(batches)), train + 1)


def test_candidates_and_truth_stay_together(sample):
    with Feed([sample], FeedConfig(shuffle_events=1024), seed=1, part=None) as feed:
        for columns, met in feed.batches(0):
            np.testing.assert_array_equal(columns["pt"][:, 0], 1 + (met[:, 0] - 1) % 16000)
            assert (columns["pt"][:, 1:] == 0).all()


def test_same_seed_same_batches_other_seed_or_epoch_others(sample):
    def batches(seed, epoch):
        with Feed([sample], FeedConfig(), seed=seed) as feed:
            return numbers(feed.batches(epoch))

    np.testing.assert_array_equal(batches(1, 0), batches(1, 0))
    assert (batches(1, 0) != batches(1, 1)).mean() > 0.9
    assert (batches(1, 0) != batches(2, 0)).mean() > 0.9


def test_events_come_from_all_over_the_file(tmp_path):
    sample = make_store(tmp_path / "a.h5", 50_000)
    config = FeedConfig(batch_size=500, shuffle_events=8192)
    with Feed([sample], config, seed=3, part=None) as feed:
        order = numbers(feed.batches(0))
    # A shuffle over the whole file: neighbours are a third of the file apart on average, and the
    # place in the epoch says nothing about the place in the file.
    assert np.abs(np.diff(order)).mean() > 0.3 * 50_000
    assert abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) < 0.25


def test_memory_does_not_depend_on_the_file(tmp_path):
    make_store(tmp_path / "a.h5", 30_000)
    with Store.open(tmp_path / "a.h5") as store:
        stream = ShuffledEvents(Selection(store, COLUMNS), 4096, np.random.default_rng(0))
        held = []
        for _ in range(25):
            stream.take(1000)
            held.append(stream._buffer.n_events + stream._pending.n_events)
    assert max(held) <= 4096 + 1024


def test_a_mix_follows_the_weights_and_repeats_the_smaller_sample(tmp_path):
    large = make_store(tmp_path / "a.h5", 9000)
    small = make_store(tmp_path / "b.h5", 2000, sign=-1)
    samples = [large, small.model_copy(update={"weight": 3.0})]
    with Feed(samples, FeedConfig(batch_size=500), seed=1, part=None) as feed:
        assert feed.n_events == 11_000
        batches = list(feed.batches(0))
    drawn = numbers(batches)
    assert abs((drawn < 0).mean() - 0.75) < 0.02
    # 8,250 draws from 2,000 events: each one four times, and some a fifth time.
    times = np.unique(drawn[drawn < 0], return_counts=True)[1]
    assert len(times) == 2000
    assert set(times) == {4, 5}
    assert len(np.unique(drawn[drawn > 0])) == (drawn > 0).sum()


def test_flattening_makes_the_spectrum_flat_below_its_limit(tmp_path):
    rng = np.random.default_rng(0)
    size, angle = rng.exponential(40, 60_000), rng.uniform(-np.pi, np.pi, 60_000)
    met = np.stack([size * np.cos(angle), size * np.sin(angle)], axis=1)
    sample = make_store(tmp_path / "a.h5", 60_000, gen_met=met)
    config = FeedConfig(flatten=FlattenConfig(below_gev=100, bin_width_gev=10))
    with Feed([sample], config, seed=1, part=None) as feed:
        fed = np.concatenate([np.hypot(*met.T) for _, met in feed.batches(0)])
        assert len(fed) == feed.n_events
    counts = np.histogram(fed, bins=np.arange(0, 101, 10))[0]
    before = np.histogram(size, bins=np.arange(0, 101, 10))[0]
    np.testing.assert_allclose(counts, before.min(), rtol=0.15)
    above = (size > 100).sum() / before[-1]
    np.testing.assert_allclose((fed > 100).sum() / counts.mean(), above, rtol=0.1)


def test_flattening_keeps_a_share_of_every_bin(tmp_path):
    met = np.zeros((5000, 2))
    met[0, 0] = 55.0  # one event would thin out all the others to one
    sample = make_store(tmp_path / "a.h5", 5000, gen_met=met)
    with Store.open(sample.path) as store:
        flat = measure_flattening(store, None, FlattenConfig(below_gev=100, max_loss=0.9))
    np.testing.assert_allclose(flat.keep[0], 0.1)
    assert round(flat.n_kept) == 501


def test_samples_without_truth_are_refused(tmp_path):
    sample = make_store(tmp_path / "a.h5", 100, gen_met=np.full((100, 2), np.nan))
    with pytest.raises(DataError, match="events have no generator MET"):
        Feed([sample], FeedConfig(), seed=1)


@pytest.mark.parametrize("flatten", [None, FlattenConfig(below_gev=100)])
def test_events_without_truth_are_left_out(tmp_path, flatten):
    rng = np.random.default_rng(0)
    met = rng.uniform(-60, 60, (3000, 2))
    met[::7] = np.nan
    sample = make_store(tmp_path / "a.h5", 3000, gen_met=met)
    with Feed([sample], FeedConfig(batch_size=256, flatten=flatten), seed=1) as feed:
        seen = np.concatenate([gen for _, gen in feed.batches(0)])
    known = {tuple(row) for row in met[np.isfinite(met).all(axis=1)].astype(np.float32).tolist()}
    found = {tuple(row) for row in seen.tolist()}
    assert 0 < len(found) == len(seen)  # each once
    assert found <= known


def test_an_empty_part_is_said(tmp_path):
    sample = make_store(tmp_path / "a.h5", 1)
    with Store.open(sample.path) as store:
        empty = Part((store.parts()[0] + 1) % 3)
    with pytest.raises(DataError, match=f"has no {empty.name.lower()} event; look at it with"):
        Feed([sample], FeedConfig(), seed=1, part=empty)


def test_tensorflow_gets_the_same_batches(sample):
    with Feed([sample], FeedConfig(), seed=5) as feed:
        dataset = feed.dataset()
        assert len(dataset) == feed.n_batches
        for epoch in range(2):  # each iteration is the next epoch
            got = [(columns, met.numpy()) for columns, met in dataset]
            for (columns, met), (want, want_met) in zip(got, feed.batches(epoch), strict=True):
                np.testing.assert_array_equal(met, want_met)
                for name in COLUMNS:
                    assert columns[name].dtype == "float32"
                    np.testing.assert_array_equal(columns[name].numpy(), want[name])


def test_keras_trains_from_the_feed(sample, monkeypatch):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    import tf_keras

    pt = tf_keras.Input((128,), name="pt")
    model = tf_keras.Model({"pt": pt}, tf_keras.layers.Dense(2)(pt))
    model.compile("sgd", "mae")
    with Feed([sample], FeedConfig(), seed=5, columns=["pt"]) as feed:
        history = model.fit(feed.dataset(), epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
