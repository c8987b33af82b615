import logging
import os
import shutil

import pytest
from ntuples import make_events, write_perfnano
from stores import write_sample

from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data import sample_store
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.store import Store
from l1met_fpga.errors import ConfigError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("L1MET_CACHE", str(tmp_path / "cache"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    yield tmp_path / "cache"
    assert list(here.iterdir()) == []  # nothing is written where a command is called


def test_root_files_are_converted_once_by_their_content(tmp_path, cache, monkeypatch):
    path = tmp_path / "ttbar.root"
    write_perfnano(path, make_events(50))
    store = store_of(TrainingSample(path=path))
    assert store.parent == cache / "stores"
    first = store.stat().st_mtime_ns
    os.utime(path, (0, 0))
    (tmp_path / "moved").mkdir()
    shutil.copy(path, tmp_path / "moved" / "ttbar.root")
    for same in (path, tmp_path / "moved" / "ttbar.root"):
        assert store_of(TrainingSample(path=same)) == store
    assert store.stat().st_mtime_ns == first
    stat = path.stat()
    write_perfnano(path, make_events(60, seed=1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store_of(TrainingSample(path=path)) != store


@pytest.mark.parametrize("version", ["SCHEMA_VERSION", "CONVERSION_VERSION"])
def test_stores_of_other_rules_are_not_used(tmp_path, monkeypatch, version):
    write_perfnano(tmp_path / "ttbar.root", make_events(20))
    sample = TrainingSample(path=tmp_path / "ttbar.root")
    store = store_of(sample)
    monkeypatch.setattr(sample_store, version, 999)
    assert store_of(sample) != store


@pytest.mark.parametrize("damage", [b"", b"no store", None])
def test_a_store_of_the_cache_that_cannot_be_read_is_made_again(tmp_path, caplog, damage):
    """Half of it may be gone with a full disk, or another version may have written it."""
    write_perfnano(tmp_path / "ttbar.root", make_events(20))
    sample = TrainingSample(path=tmp_path / "ttbar.root")
    store = store_of(sample)
    with Store.open(store) as whole:
        identity = whole.identity
    store.write_bytes(store.read_bytes()[:2000] if damage is None else damage)
    assert store_of(sample) == store
    with Store.open(store) as again:
        assert again.identity == identity
    assert "cannot be used and is made again" in caplog.text


def test_label_and_role_are_those_that_were_given(tmp_path):
    write_perfnano(tmp_path / "SingleNeutrino_PU200.root", make_events(20))
    plain = TrainingSample(path=tmp_path / "SingleNeutrino_PU200.root")
    with Store.open(store_of(plain)) as store:
        assert (store.label, store.role) == ("SingleNeutrino_PU200", "signal")
    told = plain.model_copy(update={"label": "nu nu", "role": "background"})
    with Store.open(store_of(told)) as store:
        assert (store.label, store.role) == ("nu nu", "background")


def test_several_root_files_are_one_sample_with_a_label(tmp_path):
    for number in range(2):
        write_perfnano(tmp_path / f"ttbar_{number}.root", make_events(20, seed=number))
    sample = TrainingSample(path=tmp_path / "ttbar_*.root")
    with pytest.raises(ConfigError, match=r"stands for 2 files, .* say what they are: `label`"):
        store_of(sample)
    with Store.open(store_of(sample.model_copy(update={"label": "ttbar"}))) as store:
        assert store.n_events == 40


def test_wrong_samples_end_with_one_sentence(tmp_path):
    for name in ("ttbar", "znunu"):
        write_sample(tmp_path / f"{name}.h5", name, n_events=60)
    path = tmp_path / "ttbar.h5"
    assert store_of(TrainingSample(path=path, label="ttbar", role="signal")) == path
    (tmp_path / "events.csv").touch()
    for sample, sentence in (
        (TrainingSample(path=tmp_path / "tbar.h5"), r"no sample .*tbar\.h5; there are .*ttbar\.h5"),
        (TrainingSample(path=tmp_path), "no sample"),
        (TrainingSample(path=tmp_path / "events.csv"), "must be a store"),
        (TrainingSample(path=tmp_path / "*"), "must be a store"),
        (TrainingSample(path=tmp_path / "*.h5"), "stands for 2 stores; name each as a sample"),
        (TrainingSample(path=path, label="top"), r"label 'ttbar' since .* --label top"),
        (TrainingSample(path=path, role="background"), "role 'signal' .* --role background"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            store_of(sample)


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("L1MET_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    write_perfnano(tmp_path / "ttbar.root", make_events(20))
    with caplog.at_level(logging.WARNING):
        store = store_of(TrainingSample(path=tmp_path / "ttbar.root"))
    assert store.is_relative_to(tmp_path / "temporary")
    assert "the cache cannot be written" in caplog.text
    assert "set L1MET_CACHE to another folder" in caplog.text
