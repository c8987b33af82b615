"""Events that a run was trained on are found under every disguise, and no others."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ntuples import make_events, write_perfnano
from run_records import training_record, write_training

from l1met_fpga.config.data import ConvertConfig, SplitConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.errors import DataError, RunFolderError
from l1met_fpga.evaluation.trained_on import (
    check_units,
    compare_with_training,
    trained_events,
    trained_samples,
)
from l1met_fpga.run_folder import RunFolder


def record(path: Path) -> dict:
    """What a training writes about a store."""
    with Store.open(path) as store:
        return {
            "path": str(path),
            "label": store.label,
            "role": store.role,
            "share": 1.0,
            "identity": store.identity,
            "units": store.attributes.units,
            "sources": [source["sha256"] for source in store.attributes.sources],
        }


def run_of(folder: Path, *stores: Path) -> RunFolder:
    run = RunFolder.create(folder)
    write_training(run.training, [record(store) for store in stores])
    return run


def ids(path: Path, *parts: Part) -> set:
    with Store.open(path) as store:
        chosen = np.isin(store.parts(), parts)
        return {tuple(row) for row in store.event_id()[chosen].tolist()}


def counted(run: RunFolder, path: Path) -> int:
    with Store.open(path) as store:
        return trained_events(store, trained_samples(run))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_perfnano(folder / "one.root", make_events(400, seed=1))
    write_perfnano(folder / "two.root", make_events(300, seed=2, first_event=5001))
    return folder


def made(files: Path, name: str, sources: list[str], **settings: object) -> Path:
    config = ConvertConfig(**{"label": "ttbar", **settings})
    path = files / name
    convert([str(files / s) for s in sources], path, config, workers=1, overwrite=True)
    return path


@pytest.fixture(scope="module")
def trained(files) -> tuple[RunFolder, Path]:
    store = made(files, "trained.h5", ["one.root"])
    return run_of(files / "run", store), store


def test_the_test_part_of_the_training_s_store_is_free(trained):
    run, store = trained
    assert counted(run, store) == 0


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(
    "settings",
    [
        {"label": "ttbar_v2"},
        {"splits": SplitConfig(seed=2)},
        {"splits": SplitConfig(train=0.2, validation=0.1, test=0.7)},
        {"order": "pt"},
        {"order": "region", "label": "again"},
    ],
)
def test_the_same_file_converted_otherwise(files, trained, settings, there):
    run, store = trained
    other = made(files, "other.h5", ["one.root"], **settings)
    # Each event number stands once in this file: the sets say which were used.
    want = len(ids(store, Part.TRAIN, Part.VALIDATION) & ids(other, Part.TEST))
    assert (want == 0) == (settings == {"order": "pt"})  # the same parts of the same events
    if not there:
        run = moved(run, store, files)
    assert counted(run, other) == want


def moved(run: RunFolder, store: Path, files: Path) -> RunFolder:
    """Return a run whose stores are no longer where they were."""
    shutil.rmtree(files / "elsewhere", ignore_errors=True)
    elsewhere = RunFolder.create(files / "elsewhere")
    gone = {**record(store), "path": str(files / "gone.h5")}
    write_training(elsewhere.training, [gone])
    return elsewhere


def test_one_of_two_files_was_trained_on(files, trained):
    run, store = trained
    both = made(files, "both.h5", ["two.root", "one.root"], splits=SplitConfig(seed=3))
    want = len(ids(store, Part.TRAIN, Part.VALIDATION) & ids(both, Part.TEST))
    assert want > 0
    assert counted(run, both) == want
    assert counted(moved(run, store, files), both) == want


def test_two_samples_of_a_training_that_share_events(files, trained):
    """As when a file is added to others with hadd: no digest of an input file is the same."""
    _, one = trained
    events = make_events(400, seed=1)
    write_perfnano(files / "added.root", events, compression=None)
    added = made(files, "added.h5", ["added.root"], label="added")
    run = run_of(files / "both", one, added)
    for mine, other in ((one, added), (added, one)):
        want = ids(other, Part.TRAIN, Part.VALIDATION) & ids(mine, Part.TEST)
        assert counted(run, mine) == len(want) > 0


def test_other_events_are_free(files, trained):
    run, _ = trained
    assert counted(run, made(files, "new.h5", ["two.root"], splits=SplitConfig(seed=9))) == 0
    # Another process with the same event numbers, as simulated samples have.
    write_perfnano(files / "znunu.root", make_events(400, seed=5))
    znunu = made(files, "znunu.h5", ["znunu.root"], label="znunu")
    assert counted(run, znunu) == 0


def test_a_file_that_was_written_again_is_recognised_by_its_events(files, trained):
    run, store = trained
    events = make_events(400, seed=1)
    write_perfnano(files / "copy.root", events.part(100, 400), compression=None)
    copy = made(files, "copy.h5", ["copy.root"], label="skim", order="pt")
    assert record(copy)["sources"] != record(store)["sources"]
    want = len(ids(store, Part.TRAIN, Part.VALIDATION) & ids(copy, Part.TEST))
    assert want > 0
    assert counted(run, copy) == want
    assert counted(moved(run, store, files), copy) == 0  # nobody can know


def test_events_under_other_numbers_are_recognised_by_their_candidates(files, trained):
    run, store = trained
    write_perfnano(files / "renumbered.root", make_events(400, seed=1, first_event=9001))
    other = made(files, "renumbered.h5", ["renumbered.root"], splits=SplitConfig(seed=4))
    with Store.open(store) as was, Store.open(other) as now:  # the same events in the same order
        assert not {*map(tuple, was.event_id().tolist())} & {*map(tuple, now.event_id().tolist())}
        used = (was.parts() != Part.TEST) & (now.parts() == Part.TEST) & (now.n_candidates() >= 4)
        few = np.count_nonzero(now.n_candidates() < 4)
    assert few < 40 < used.sum()
    assert counted(run, other) == used.sum()


def test_a_store_made_anew_under_the_same_name_is_not_taken_for_the_old_one(files):
    path = files / "renewed.h5"
    made(files, path.name, ["one.root"])
    run = run_of(files / "run2", path)
    made(files, path.name, ["two.root"])
    assert counted(run, path) == 0
    notes = list(compare_with_training("net", run, (), [path], allow=False))
    assert notes == [f"{path} is not the store that net was trained on: other content."]
    made(files, path.name, ["one.root"], splits=SplitConfig(seed=4))
    assert counted(run, path) > 0


def test_an_older_folder_does_not_record_it(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    assert trained_samples(run) is None
    write_training(run.training, {"ttbar": {"store": "a.h5", "share": 1.0}})
    assert trained_samples(run) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"samples": [', "is not JSON"),
        ('{"samples": [{"identity": 3}]}', "model: Field required"),
        (json.dumps(training_record([{"label": "a", "identity": 3}])), r"samples\.0\.identity"),
        (json.dumps(training_record([], primary="float")), "there is no 'float', which is the"),
        ("[]", "top level: Input should be an object"),
    ],
)
def test_a_damaged_record_is_said(tmp_path, text, says):
    run = RunFolder.create(tmp_path / "run")
    run.training.write_text(text)
    with pytest.raises(RunFolderError, match=rf"training\.json.*{says}"):
        trained_samples(run)


def test_a_column_that_counts_from_elsewhere_is_refused(trained):
    run, path = trained
    (sample,) = trained_samples(run)
    from_vertex = replace(sample, units={**sample.units, "z0": "0.05 cm from the vertex"})
    with Store.open(path) as store:
        store.attributes.units["z0"] = "0.05 cm"
        check_units(store, [from_vertex], ["pt", "eta"], run=run.root)
        with pytest.raises(DataError) as caught:
            check_units(store, [from_vertex], ["pt", "z0"], run=run.root)
    assert str(caught.value) == (
        f"{path}: one count of z0 is 0.05 cm, {run.root} was trained on 0.05 cm from the vertex "
        f"({path}); convert the sources again the same way (for z0: --z0)"
    )


def test_stores_made_in_memory_are_compared_too(tmp_path):
    events = make_events(200, seed=3)
    columns = {name: events.padded(name) for name in events.columns}
    write_store(tmp_path / "a.h5", candidates=columns, label="a")
    write_store(tmp_path / "b.h5", candidates=columns, label="b")
    run = run_of(tmp_path / "run", tmp_path / "a.h5")
    want = ids(tmp_path / "a.h5", Part.TRAIN, Part.VALIDATION) & ids(tmp_path / "b.h5", Part.TEST)
    assert counted(run, tmp_path / "b.h5") == len(want) > 0
