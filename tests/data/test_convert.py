import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ntuples import make_events, write_l1deepmet, write_perfnano, write_words

from l1met_fpga.cli.app import main
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data import convert as convert_module
from l1met_fpga.data.convert import ConvertTask, convert, convert_source
from l1met_fpga.data.sources import Source
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import DataError, ToolError


def content(path):
    """Return everything of a store that depends on its sources."""
    with Store.open(path) as store:
        arrays = store.candidates(columns=store.columns)
        for name in ("n_candidates", "event_id", "parts"):
            arrays[name] = getattr(store, name)()
        arrays |= {name: store.truth(name) for name in store.truths}
        arrays |= {name: store.baseline(name) for name in store.baselines}
        return arrays, replace(store.attributes, software={})


def assert_same_store(one, other):
    arrays, attributes = content(one)
    others, other_attributes = content(other)
    assert list(arrays) == list(others)
    for name, array in arrays.items():
        assert array.dtype == others[name].dtype
        np.testing.assert_array_equal(array, others[name], err_msg=name)
    assert attributes == other_attributes


@pytest.fixture
def files(tmp_path):
    names = []
    for index in range(4):
        name = tmp_path / f"in{index}.root"
        write_perfnano(name, make_events(300, seed=index, first_event=1000 * index))
        names.append(str(name))
    return names


def test_the_files_follow_each_other(files, tmp_path):
    convert(files, tmp_path / "o.h5", ConvertConfig(label="ttbar"), workers=1)
    with Store.open(tmp_path / "o.h5") as store:
        want = np.concatenate([make_events(300, seed=k).padded("phi") for k in range(4)])
        np.testing.assert_array_equal(store.candidates()["phi"], want)
        sources = store.attributes.sources
        assert [source["path"] for source in sources] == files
        assert [source["events"] for source in sources] == [300] * 4
        digest = subprocess.run(["sha256sum", files[1]], capture_output=True, text=True, check=True)
        assert sources[1]["sha256"] == digest.stdout.split()[0]
        assert sources[1]["bytes"] == Path(files[1]).stat().st_size
        assert store.attributes.software["l1met_fpga"] == "0.1.0"
    assert not (tmp_path / "o.h5.parts").exists()


def test_an_interrupted_conversion_goes_on_with_the_next_file(files, tmp_path, monkeypatch):
    output, config = tmp_path / "o.h5", ConvertConfig()
    convert(files, tmp_path / "want.h5", config, workers=1)
    read, whole = [], convert_module.read_source

    def interrupted(source, *rest):
        read.append(source.path)
        if len(read) == 3:
            raise KeyboardInterrupt
        return whole(source, *rest)

    monkeypatch.setattr(convert_module, "read_source", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(files, output, config, workers=1)
    assert not output.exists()
    convert(files, output, config, workers=1)
    assert read == [*files[:3], *files[2:]]  # the first two were not read again
    assert_same_store(output, tmp_path / "want.h5")


@pytest.mark.parametrize("change", ["file", "order"])
def test_a_part_made_from_something_else_is_not_used(files, tmp_path, change):
    output, config = tmp_path / "o.h5", ConvertConfig()
    (tmp_path / "bad.root").write_text("not ROOT")
    with pytest.raises(DataError, match=r"bad\.root is not a readable ROOT file"):
        convert([*files, str(tmp_path / "bad.root")], output, config, workers=1)
    if change == "file":
        write_perfnano(tmp_path / "in1.root", make_events(300, seed=77))
    else:
        config = ConvertConfig(order="pt")
    convert(files, output, config, workers=1)
    convert(files, tmp_path / "want.h5", config, workers=1)
    assert_same_store(output, tmp_path / "want.h5")


def test_a_damaged_part_is_made_again(files, tmp_path):
    output = tmp_path / "o.h5"
    with pytest.raises(DataError):
        convert([files[0], __file__], output, ConvertConfig(format="root"), workers=1)
    part = tmp_path / "o.h5.parts" / "000000.part"
    part.write_bytes(part.read_bytes()[:-1])
    convert(files, output, ConvertConfig(format="root"), workers=1)
    convert(files, tmp_path / "want.h5", ConvertConfig(format="root"), workers=1)
    assert_same_store(output, tmp_path / "want.h5")


def test_the_store_appears_only_when_it_is_whole(files, tmp_path):
    seen = []
    convert(
        files,
        tmp_path / "o.h5",
        ConvertConfig(),
        workers=1,
        on_file=lambda n_files, n_events: seen.append(
            (n_files, n_events, (tmp_path / "o.h5").exists())
        ),
    )
    assert seen == [(4, 300, False)] * 4


def test_only_parts_are_removed(files, tmp_path):
    folder = tmp_path / "o.h5.parts"
    folder.mkdir()
    (folder / "precious.txt").write_text("mine")
    convert(files, tmp_path / "o.h5", ConvertConfig(), workers=1)
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_one_file_is_written_once_and_is_what_parts_would_give(files, tmp_path):
    seen = []
    convert(
        files[:1],
        tmp_path / "o.h5",
        ConvertConfig(events_per_step=70),
        workers=1,
        on_file=lambda *_: seen.append((tmp_path / "o.h5.parts").exists()),
    )
    assert seen == [False]
    tasks = [
        ConvertTask(Source(files[0], "root"), tmp_path / "0.part", ConvertConfig()),
    ]
    records = [convert_source(task) for task in tasks]
    convert_module._merge(tasks, records, tmp_path / "parts.h5", ConvertConfig())
    assert_same_store(tmp_path / "o.h5", tmp_path / "parts.h5")


def test_one_file_that_breaks_in_the_middle_leaves_nothing(files, tmp_path, monkeypatch):
    whole = convert_module.read_source

    def broken(*given):
        yield next(whole(*given))
        raise DataError("damaged")

    monkeypatch.setattr(convert_module, "read_source", broken)
    with pytest.raises(DataError, match="damaged"):
        convert(files[:1], tmp_path / "o.h5", ConvertConfig(), workers=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [Path(f).name for f in files]


def test_an_existing_store_is_not_replaced(files, tmp_path):
    output = tmp_path / "o.h5"
    convert(files[:1], output, ConvertConfig(), workers=1)
    before = output.read_bytes()
    with pytest.raises(
        DataError, match="exists; replace it with --overwrite or choose another name"
    ):
        convert(files, output, ConvertConfig(), workers=1)
    assert output.read_bytes() == before
    convert(files, output, ConvertConfig(), workers=1, overwrite=True)
    with Store.open(output) as store:
        assert store.n_events == 1200


def test_what_is_no_store_is_not_replaced(files, tmp_path):
    source = Path(files[0])
    (tmp_path / "notes.h5").write_text("mine")
    for output in (source, tmp_path / "notes.h5"):
        before = output.read_bytes()
        with pytest.raises(DataError, match="is no store, so --overwrite does not replace it"):
            convert(files, output, ConvertConfig(), workers=1, overwrite=True)
        assert output.read_bytes() == before


def test_formats_can_be_mixed_and_common_columns_stay(files, tmp_path, caplog):
    write_words(tmp_path / "w.dump", make_events(20))
    write_l1deepmet(tmp_path / "n.npz", make_events(20, seed=1))
    sources = [files[0], str(tmp_path / "w.dump"), str(tmp_path / "n.npz")]
    convert(sources, tmp_path / "o.h5", ConvertConfig(), workers=1)
    with Store.open(tmp_path / "o.h5") as store:
        assert store.columns == ("pt", "eta", "phi", "pid", "puppi_weight")
        assert store.n_events == 340
        assert np.isnan(store.truth(GEN_MET, slice(300, 320))).all()
    assert "columns dxy, em_id, quality, z0 are not in every file; left out" in caplog.text


def test_processes_give_the_same_store(files, tmp_path):
    convert(files, tmp_path / "serial.h5", ConvertConfig(), workers=1)
    convert(files, tmp_path / "processes.h5", ConvertConfig(), workers=2)
    assert_same_store(tmp_path / "serial.h5", tmp_path / "processes.h5")


@pytest.fixture
def dask_cluster(tmp_path):
    """A real scheduler and two workers, each a process of its own; yields address and workers."""
    dask = [sys.executable, "-m", "dask"]
    file = tmp_path / "scheduler.json"
    log = (tmp_path / "dask.log").open("w")
    local = ["--host", "127.0.0.1"]
    commands = [
        [*dask, "scheduler", *local, "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    ]
    commands += [
        [*dask, "worker", *local, "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny",
         "--no-dashboard", "--name", name, "--local-directory", str(tmp_path / name)]
        for name in ("first", "second")
    ]  # fmt: skip
    processes = []
    try:
        for command in commands:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log))
            for _ in range(600):
                if file.exists():
                    break
                time.sleep(0.1)
        yield f"{_address(file)}", dict(zip(("first", "second"), processes[1:], strict=True))
    finally:
        for process in processes:
            process.kill()
            process.wait()
        log.close()


def _address(file):
    import json

    return json.loads(file.read_text())["address"]


def test_a_dask_worker_may_die(dask_cluster, tmp_path, monkeypatch):
    import dask.distributed as dd

    address, workers = dask_cluster
    files = []
    for index in range(8):
        files.append(str(tmp_path / f"in{index}.root"))
        write_perfnano(tmp_path / f"in{index}.root", make_events(2500, seed=index, mean=50))
    convert(files, tmp_path / "serial.h5", ConvertConfig(label="x"), workers=1)
    killed = []

    def kill_one(n_files, n_events):
        if killed:
            return
        tasks = {
            info["name"]: address for address, info in client.scheduler_info()["workers"].items()
        }
        killed.extend(client.processing()[tasks["second"]])
        os.kill(workers["second"].pid, signal.SIGKILL)
        workers["second"].wait()

    monkeypatch.chdir(tmp_path)  # the workers stand elsewhere
    files = [Path(name).name for name in files]
    with dd.Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        convert(
            files,
            Path("dask.h5"),
            ConvertConfig(label="x"),
            scheduler=address,
            on_file=kill_one,
        )
        assert len(client.scheduler_info()["workers"]) == 1
    assert killed, "the worker had no task when it was killed"
    assert_same_store(tmp_path / "serial.h5", tmp_path / "dask.h5")


def test_a_missing_scheduler_is_said(files, tmp_path):
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(
            ToolError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 .*start one"
        ),
    ):
        convert(files, tmp_path / "o.h5", ConvertConfig(), scheduler="tcp://127.0.0.1:9")


def test_flags_that_are_typed_win_over_the_file(files, tmp_path):
    (tmp_path / "c.yaml").write_text("label: from_file\norder: pt\nsplits: {seed: 9}\n")
    command = ["convert", files[0], "--config", str(tmp_path / "c.yaml"), "--workers", "1", "-o"]
    with pytest.raises(SystemExit, match=r"^0$"):
        main([*command, str(tmp_path / "a.h5")])
    with pytest.raises(SystemExit, match=r"^0$"):
        main([*command, str(tmp_path / "b.h5"), "--label", "typed", "--split-seed", "3"])
    with Store.open(tmp_path / "a.h5") as a, Store.open(tmp_path / "b.h5") as b:
        found = [(s.label, s.attributes.order, s.attributes.split_seed) for s in (a, b)]
    assert found == [("from_file", "pt", 9), ("typed", "pt", 3)]


def test_unknown_key_of_the_file_names_the_neighbour(files, tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("ordr: pt\n")
    with pytest.raises(SystemExit, match=r"^2$"):
        main(
            [
                "convert",
                files[0],
                "--config",
                str(tmp_path / "c.yaml"),
                "-o",
                str(tmp_path / "o.h5"),
            ]
        )
    assert "unknown key 'ordr'; did you mean 'order'?" in capsys.readouterr().err


def test_z0_from_the_vertex(tmp_path):
    events = make_events(20, seed=4)
    z0, vertex = np.full(events.counts.sum(), 3.0), np.linspace(-40, 40, 20)
    path = tmp_path / "a.root"
    write_perfnano(path, events, candidates={"z0": z0}, per_event={"L1Vertex_z0": vertex})
    convert([str(path)], tmp_path / "v.h5", ConvertConfig(z0="vertex"), workers=1)
    with Store.open(tmp_path / "v.h5") as store:
        got = store.candidates(columns=("pt", "pid", "z0"))
        assert store.attributes.units["z0"] == "0.05 cm from the vertex"
    charged = (got["pt"] > 0) & (got["pid"] > 1)
    want = np.clip(60 - np.clip(np.rint(vertex / 0.05), -512, 511), -512, 511)[:, None] * charged
    np.testing.assert_array_equal(got["z0"], want)
    write_perfnano(path, events, candidates={"z0": z0})
    with pytest.raises(DataError, match="z0 from the vertex needs a vertex"):
        convert([str(path)], tmp_path / "w.h5", ConvertConfig(z0="vertex"), workers=1)
