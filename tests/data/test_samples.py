import logging

import numpy as np
import pytest
from keras_models import model_config
from ntuples import make_events, write_perfnano
from stores import write_sample

from l1met_fpga.config.data import ConvertConfig, SplitConfig
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.convert import convert
from l1met_fpga.data.samples import load_samples
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_HT, GEN_MET
from l1met_fpga.errors import ConfigError, DataError

MODEL = model_config("deepmet")


def test_parts_and_shares(tmp_path):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=300)
    (loaded,) = load_samples([TrainingSample(path=path)], MODEL, (GEN_MET,))
    assert loaded.share == len(loaded.train)
    assert len(loaded.train) + len(loaded.validation) < 300  # the rest is the test part
    assert not loaded.is_background
    (fewer,) = load_samples(
        [TrainingSample(path=path, weight=0.5, max_events=100)], MODEL, (GEN_MET,)
    )
    assert (fewer.share, len(fewer.train) < 100) == (0.5, True)


def test_record_is_what_the_store_says(tmp_path):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=100)
    (loaded,) = load_samples([TrainingSample(path=path, weight=0.5)], MODEL, (GEN_MET,))
    record = loaded.record()
    with Store.open(path) as store:
        assert record.identity == store.identity
        assert record.units == store.attributes.units
    assert (record.path, record.label, record.role) == (str(path), "ttbar", "signal")
    assert (record.share, record.cut_candidates) == (0.5, 0)


def test_pile_up_without_truth_has_no_met(tmp_path):
    path = write_sample(tmp_path / "pileup.h5", "pileup", n_events=100)
    (loaded,) = load_samples([TrainingSample(path=path)], MODEL, (GEN_MET,))
    assert loaded.is_background
    assert np.all(loaded.train.truth["gen_met_xy_gev"] == 0)


def test_samples_that_share_events_are_refused(tmp_path):
    events = make_events(60, mean=8)
    empty = make_events(60, mean=0.5, seed=3)  # events without candidates under the same numbers
    for name, some in (("all", events), ("some", events.part(20, 50)), ("other", empty)):
        write_perfnano(tmp_path / f"{name}.root", some)
        config = ConvertConfig(label=name)
        convert([str(tmp_path / f"{name}.root")], tmp_path / f"{name}.h5", config, workers=1)
    pairs = [TrainingSample(path=tmp_path / f"{name}.h5") for name in ("all", "other", "some")]
    load_samples(pairs[:2], MODEL, (GEN_MET,))
    with pytest.raises(DataError) as refused:
        load_samples(pairs, MODEL, (GEN_MET,))
    said = f"30 of the 30 events of {tmp_path}/some.h5 are in {tmp_path}/all.h5 too; they would be"
    assert str(refused.value).startswith(said)


def test_two_names_of_one_file_and_two_copies_are_refused(tmp_path):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=60)
    (tmp_path / "link.h5").symlink_to(path)
    write_sample(tmp_path / "copy.h5", "ttbar2", n_events=60)
    other = write_sample(tmp_path / "other.h5", "ttbar", n_events=60, seed=5)
    for second, sentence in (
        (path, "given twice"),
        (tmp_path / ".." / tmp_path.name / "ttbar.h5", "the same file as"),
        (tmp_path / "link.h5", "the same file as"),
        (tmp_path / "copy.h5", "holds the same events as"),
        (other, "two samples have the same label 'ttbar'"),
    ):
        with pytest.raises(DataError, match=sentence):
            load_samples(
                [TrainingSample(path=path), TrainingSample(path=second)], MODEL, (GEN_MET,)
            )
    with pytest.raises(ConfigError, match="no samples to train on"):
        load_samples([], MODEL, (GEN_MET,))


def test_one_input_file_in_two_stores_is_refused(tmp_path):
    write_perfnano(tmp_path / "a.root", make_events(40))
    samples = [TrainingSample(path=tmp_path / "a.root", label="ttbar")]
    other = ConvertConfig(label="other", order="pt", splits=SplitConfig(seed=3))
    convert([str(tmp_path / "a.root")], tmp_path / "b.h5", other, workers=1)
    with pytest.raises(DataError, match="or events of the same input file"):
        load_samples([*samples, TrainingSample(path=tmp_path / "b.h5")], MODEL, (GEN_MET,))


def test_without_background_the_first_message_says_so(tmp_path, caplog):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=60)
    with caplog.at_level(logging.WARNING):
        load_samples([TrainingSample(path=path)], MODEL, (GEN_MET,))
    assert "no sample is background" in caplog.text
    assert "--sample FILE:SHARE:background" in caplog.text


@pytest.mark.parametrize("gen", [0.0, np.nan])
def test_a_signal_without_any_truth_is_refused_with_a_hint(tmp_path, gen):
    with Store.open(write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=60)) as store:
        candidates = store.candidates()
    path = tmp_path / "nu.h5"
    truth = np.full((60, 2), gen)
    write_store(path, candidates=candidates, truth={GEN_MET: truth}, label="SingleNu")
    with pytest.raises(ConfigError, match=r"is missing or 0.*add :background .*--role background"):
        load_samples([TrainingSample(path=path)], MODEL, (GEN_MET,))


def test_events_without_truth_are_left_out_with_a_message(tmp_path, caplog):
    with Store.open(write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=60)) as store:
        candidates, truth = store.candidates(), store.truth(GEN_MET)
    truth[::3] = np.nan
    path = tmp_path / "some.h5"
    write_store(path, candidates=candidates, truth={GEN_MET: truth}, label="some")
    with caplog.at_level(logging.WARNING):
        (loaded,) = load_samples([TrainingSample(path=path)], MODEL, (GEN_MET,))
    assert "20 of 60 events have no generator MET and are left out" in caplog.text
    assert len(loaded.train) + len(loaded.validation) <= 40
    assert np.isfinite(loaded.train.truth["gen_met_xy_gev"]).all()


def test_a_truth_that_a_store_lacks_is_named(tmp_path):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar")
    with pytest.raises(
        DataError,
        match=r"no generator HT \(gen_ht_gev\); it has gen_met_xy_gev\. Make a store that has it: `l1met convert`.*simul",
    ):
        load_samples([TrainingSample(path=path)], MODEL, (GEN_MET, GEN_HT))
    path = write_sample(tmp_path / "pileup.h5", "pileup")
    (loaded,) = load_samples([TrainingSample(path=path)], MODEL, (GEN_MET, GEN_HT))
    assert not loaded.train.truth[GEN_HT].any()
    assert loaded.train.truth[GEN_HT].shape == (len(loaded.train),)


def test_fewer_slots_than_the_store_has_are_cut_and_told(tmp_path, caplog):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=200)
    few = MODEL.model_copy(update={"n_candidates": 16})

    def reference(events):
        return {"ht": events.padded(128)["pt"].sum(axis=1)}

    with caplog.at_level(logging.WARNING):
        (loaded,) = load_samples([TrainingSample(path=path)], few, (GEN_MET,), reference=reference)
    (whole,) = load_samples([TrainingSample(path=path)], MODEL, (GEN_MET,), reference=reference)
    lengths = np.diff(whole.train.row_splits)
    np.testing.assert_array_equal(np.diff(loaded.train.row_splits), np.minimum(lengths, 16))
    lengths = np.concatenate([lengths, np.diff(whole.validation.row_splits)])
    cut = int(np.maximum(lengths - 16, 0).sum())
    assert loaded.cut_candidates == cut > 0
    assert "the network has 16 slots;" in caplog.text
    assert loaded.record().cut_candidates == cut
    # what the trigger does today is computed from all candidates
    np.testing.assert_array_equal(loaded.train.besides["ht"], whole.train.besides["ht"])
    with Store.open(path) as store:
        expected = reference(store.examples(store.events_of(Part.TRAIN)))["ht"]
    np.testing.assert_array_equal(whole.train.besides["ht"], expected)


def test_what_the_conversion_changed_is_said_at_every_training(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("L1MET_CACHE", str(tmp_path / "cache"))
    write_perfnano(tmp_path / "busy.root", make_events(40))
    sample = TrainingSample(path=tmp_path / "busy.root", role="background")
    for _ in range(2):  # converted, and taken from the cache
        caplog.clear()
        with caplog.at_level(logging.INFO):
            load_samples([sample], model_config("deepset"), (GEN_MET,))
        said = "busy: 40 background events whose generator MET was not zero, set to zero"
        assert caplog.messages.count(said) == 1
