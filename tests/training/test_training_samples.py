import numpy as np
import pytest
from ntuples import make_events, write_perfnano
from stores import write_sample

from l1met_fpga.config.training import TrainingSample
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.training.samples import load_samples, store_of

COLUMNS = ("pt", "phi")


def test_parts_and_shares(tmp_path):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=300)
    (loaded,) = load_samples([TrainingSample(path=path)], COLUMNS)
    assert loaded.share == len(loaded.train)
    assert len(loaded.train) + len(loaded.validation) < 300  # the rest is the test part
    assert not loaded.is_background
    (fewer,) = load_samples([TrainingSample(path=path, weight=0.5, max_events=100)], COLUMNS)
    assert (fewer.share, len(fewer.train) < 100) == (0.5, True)


def test_pile_up_without_truth_has_no_met(tmp_path):
    path = write_sample(tmp_path / "pileup.h5", "pileup", n_events=100)
    (loaded,) = load_samples([TrainingSample(path=path)], COLUMNS)
    assert loaded.is_background
    assert np.all(loaded.train.gen_met_xy_gev == 0)


def test_wrong_samples_end_with_one_sentence(tmp_path):
    write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=60)
    with pytest.raises(ConfigError, match=r"no sample .*tbar\.h5; there are .*ttbar\.h5"):
        store_of(TrainingSample(path=tmp_path / "tbar.h5"))
    (tmp_path / "events.csv").touch()
    with pytest.raises(ConfigError, match="must be a store"):
        store_of(TrainingSample(path=tmp_path / "events.csv"))
    with pytest.raises(ConfigError, match="no samples to train on"):
        load_samples([], COLUMNS)
    twice = [TrainingSample(path=tmp_path / "ttbar.h5")] * 2
    with pytest.raises(DataError, match="two samples have the same label"):
        load_samples(twice, COLUMNS)


def test_root_files_are_converted_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_perfnano(tmp_path / "ttbar.root", make_events(50))
    store = store_of(TrainingSample(path=tmp_path / "ttbar.root"))
    first = store.stat().st_mtime_ns
    assert store_of(TrainingSample(path=tmp_path / "ttbar.root")) == store
    assert store.stat().st_mtime_ns == first
    (loaded,) = load_samples([TrainingSample(path=tmp_path / "ttbar.root")], COLUMNS)
    assert (loaded.label, loaded.store) == ("ttbar", store)
    write_perfnano(tmp_path / "ttbar.root", make_events(60, seed=1))
    assert store_of(TrainingSample(path=tmp_path / "ttbar.root")) != store
