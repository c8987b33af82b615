"""Files of predictions, read back by other libraries and held against whole arrays."""

import numpy as np
import pytest
import uproot
from met_head import met_codes
from ntuples import make_events, met_xy, write_perfnano, write_words
from plain_networks import plain_network
from require import require_module
from run_records import write_training

import l1met_fpga as l1met
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.predictions import read_met
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.prediction.loaded import LoadedNetwork
from l1met_fpga.results.base import Measured
from l1met_fpga.results.metrics import (
    EstimateInfo,
    Metrics,
    Resolution,
    ResolutionTable,
    Series,
    Settings,
)
from l1met_fpga.results.metrics_file import save_metrics
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.met.task import TASK as MET

N = 60
STEPS = ConvertConfig(events_per_step=16)
"""Several blocks per file."""
CLOSE = {"rtol": 1e-12, "atol": 1e-9}


@pytest.fixture(scope="module")
def events():
    return make_events(N, seed=5)


@pytest.fixture(scope="module")
def deepset():
    return l1met.load("deepset")


@pytest.fixture(scope="module")
def inputs(events, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_perfnano(folder / "a.root", events.part(0, 35))
    write_perfnano(folder / "b.root", events.part(35, N))
    write_words(folder / "events.dump", events)
    convert([str(folder / "*.root")], folder / "events.h5", ConvertConfig(label="x"), workers=1)
    return folder


@pytest.fixture(scope="module")
def expected(events, deepset):
    """All columns, from the whole arrays, by formulas of their own."""
    columns = {name: events.padded(name) for name in events.columns}
    met = met_codes(deepset.network, columns) / 32
    angle = columns["phi"] * np.pi / 720
    puppi = -np.stack(
        [(columns["pt"] / 4 * f(angle)).sum(axis=1) for f in (np.cos, np.sin)], axis=1
    )
    found = dict(zip(("run", "lumi", "event"), events.event_id.T, strict=True))
    for prefix, xy in (("", met), ("puppi_", puppi), ("gen_", met_xy(events.gen_met))):
        found |= {
            f"{prefix}px": xy[:, 0],
            f"{prefix}py": xy[:, 1],
            f"{prefix}pt": np.sqrt(xy[:, 0] ** 2 + xy[:, 1] ** 2),
            f"{prefix}phi": np.angle(xy[:, 0] + 1j * xy[:, 1]),
        }
    return found


def read_npz(path):
    with np.load(path) as file:
        return dict(file)


def read_root(path):
    with uproot.open(path) as file:
        return file["Events"].arrays(library="np")


def read_parquet(path):
    from pyarrow import parquet

    table = parquet.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, values in expected.items():
        if name in ("run", "lumi", "event"):
            assert found[name].dtype == np.uint64
        if name in ("px", "py", "run", "lumi", "event"):
            np.testing.assert_array_equal(found[name], values, err_msg=name)
        else:  # gen MET is float32 in stores
            close = {"rtol": 1e-6, "atol": 1e-4} if name.startswith("gen_") else CLOSE
            np.testing.assert_allclose(found[name], values, **close, err_msg=name)


@pytest.mark.parametrize(
    ("name", "read", "rntuple"),
    [
        ("met.npz", read_npz, False),
        ("met.root", read_root, False),
        ("met.root", read_root, True),
        ("met.parquet", read_parquet, False),
    ],
)
@pytest.mark.parametrize("given", ["events.h5", "*.root"])
def test_files_hold_every_event_in_order(
    given, name, read, rntuple, inputs, deepset, expected, tmp_path
):
    if name.endswith(".parquet"):
        require_module("pyarrow", extra="parquet")
    output = tmp_path / name
    seen = []
    written = l1met.predict_files(
        deepset, [str(inputs / given)], output, config=STEPS, rntuple=rntuple,
        on_block=lambda *done: seen.append(done),
    )  # fmt: skip
    assert (written.path, written.n_events) == (output, N)
    assert_same(read(output), expected)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert len(seen) >= 2
    assert seen == sorted(seen)
    assert seen[-1][0] == N
    if given == "events.h5":
        assert seen[-1][1] == 1


def test_kinds_of_root_table(inputs, deepset, tmp_path):
    classes = {False: "TTree", True: "ROOT::RNTuple"}
    for rntuple, name in classes.items():
        path = tmp_path / f"{rntuple}.root"
        l1met.predict_files(deepset, [inputs / "a.root"], path, rntuple=rntuple)
        with uproot.open(path) as file:
            assert file.classname_of("Events") == name
    with uproot.open(tmp_path / "False.root") as file:
        assert file["Events"].title == (
            f"MET of network deepset ({deepset.network.digest}), form int64; GeV, rad"
        )


def test_what_the_words_do_not_hold_is_not_known(inputs, deepset, expected, tmp_path):
    l1met.predict_files(deepset, [inputs / "events.dump"], tmp_path / "met.npz", config=STEPS)
    found = read_npz(tmp_path / "met.npz")
    np.testing.assert_array_equal(found["px"], expected["px"])
    np.testing.assert_array_equal(found["py"], expected["py"])
    for name in ("gen_px", "gen_py", "gen_pt", "gen_phi"):
        assert np.isnan(found[name]).all()


def test_the_evaluation_reads_the_file_as_it_is(inputs, deepset, expected, tmp_path):
    l1met.predict_files(deepset, [inputs / "events.h5"], tmp_path / "met.npz")
    met, truth = read_met(tmp_path / "met.npz")
    np.testing.assert_array_equal(met, np.stack([expected["px"], expected["py"]], axis=1))
    np.testing.assert_allclose(truth[:, 0], expected["gen_px"], rtol=1e-6, atol=1e-4)


def test_fewer_slots_than_candidates(inputs, events, tmp_path, caplog):
    network = LoadedNetwork(plain_network(n_candidates=2))
    written = l1met.predict_files(network, [inputs / "a.root"], tmp_path / "met.npz", config=STEPS)
    columns = {name: events.padded(name)[:35, :2] for name in ("pt", "phi")}
    np.testing.assert_array_equal(
        read_npz(tmp_path / "met.npz")["px"], met_codes(network.network, columns)[:, 0] / 32
    )
    assert "the network has 2 slots" in caplog.text
    assert written.n_events == 35


@pytest.mark.parametrize(
    ("output", "options", "sentence"),
    [
        ("met.csv", {}, r"cannot tell what to write to .*met\.csv.*\.npz, \.parquet, \.root"),
        ("met", {}, "cannot tell what to write"),
        ("met.npz", {"rntuple": True}, r"an RNTuple is written to a \.root file"),
        ("met.npz", {"form": "rtl"}, "no form 'rtl'"),
    ],
)
def test_outputs_that_cannot_be(output, options, sentence, inputs, deepset, tmp_path):
    with pytest.raises(ConfigError, match=sentence):
        l1met.predict_files(deepset, [inputs / "events.h5"], tmp_path / output, **options)
    assert list(tmp_path.iterdir()) == []


def test_parquet_without_pyarrow_says_what_to_install(inputs, deepset, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"needs pyarrow.*l1met_fpga\[parquet\], or write \.npz"):
        l1met.predict_files(deepset, [inputs / "events.h5"], tmp_path / "met.parquet")


def test_nothing_is_lost_when_it_goes_wrong(inputs, deepset, tmp_path):
    old = tmp_path / "old.root"
    old.write_bytes((inputs / "a.root").read_bytes())
    before = old.read_bytes()
    cut = tmp_path / "cut.root"
    cut.write_bytes(before[: len(before) // 2])
    with pytest.raises(DataError, match="exists; replace it with --overwrite"):
        l1met.predict_files(deepset, [inputs / "events.h5"], old)
    with pytest.raises(DataError, match="is an input; choose another name"):
        l1met.predict_files(deepset, [old], old, overwrite=True)
    with pytest.raises(DataError, match=r"cut\.root"):  # after whole blocks of the first
        l1met.predict_files(deepset, [inputs / "a.root", cut], old, config=STEPS, overwrite=True)
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(DataError, match=r"folder\.npz is a folder"):
        l1met.predict_files(deepset, [inputs / "a.root"], tmp_path / "folder.npz", overwrite=True)
    (tmp_path / "folder.npz").rmdir()
    assert old.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.root", "old.root"]
    l1met.predict_files(deepset, [inputs / "a.root"], old, overwrite=True)
    assert len(read_root(old)["px"]) == 35


def test_files_without_events(deepset, tmp_path):
    write_perfnano(tmp_path / "none.root", make_events(0))
    for name in ("met.npz", "met.root"):
        with pytest.raises(DataError, match=r"none\.root has an event; nothing was written"):
            l1met.predict_files(deepset, [tmp_path / "none.root"], tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["none.root"]


def run_with_z0(root, *units):
    """A run of a network that keeps candidates only where z0 is not 1, trained in these units."""
    run = RunFolder.create(root)
    plain_network("z0", kernel=-1).save(run.network)
    samples = [{"label": f"s{i}", "units": {"z0": unit}} for i, unit in enumerate(units)]
    write_training(run.training, samples)
    return l1met.load(root)


def test_z0_means_what_it_meant_in_training(tmp_path):
    events = make_events(20, seed=8, mean=6)
    z0, vertex = np.full(events.counts.sum(), 3.0), np.where(np.arange(20) % 2, 2.95, 0.0)
    path = tmp_path / "z0.root"
    write_perfnano(path, events, candidates={"z0": z0}, per_event={"L1Vertex_z0": vertex})
    for kind in ("beam", "vertex"):
        convert([str(path)], tmp_path / f"{kind}.h5", ConvertConfig(z0=kind), workers=1)
    beam = run_with_z0(tmp_path / "beam", "0.05 cm")
    from_vertex = run_with_z0(tmp_path / "vertex", "0.05 cm from the vertex")

    def predicted(network, name):
        l1met.predict_files(network, [tmp_path / name], tmp_path / "o.npz", overwrite=True)
        return read_npz(tmp_path / "o.npz")

    for network, kind in ((beam, "beam"), (from_vertex, "vertex")):
        found = predicted(network, "z0.root")
        np.testing.assert_array_equal(found["px"], predicted(network, f"{kind}.h5")["px"])
        other = {"beam": "vertex", "vertex": "beam"}[kind]
        with pytest.raises(DataError, match=r"has z0 in units of '0\.05 cm"):
            predicted(network, f"{other}.h5")
    # Three cm are 60 counts, so every charged candidate is lost; seen from 2.95 cm they are 1.
    charged = events.padded("pid") >= 2
    angle = events.padded("phi") * np.pi / 720
    px = events.padded("pt") / 4 * np.cos(angle)
    alone = -np.where(charged, 0, px).sum(axis=1)
    assert np.abs(predicted(beam, "z0.root")["px"] - alone).max() < 0.5
    both = run_with_z0(tmp_path / "both", "0.05 cm", "0.05 cm from the vertex")
    with pytest.raises(DataError, match="so no input fits it"):
        predicted(both, "z0.root")
    write_perfnano(path, events, candidates={"z0": z0})
    with pytest.raises(DataError, match="needs a vertex"):
        predicted(from_vertex, "z0.root")
    write_perfnano(path, events)
    with pytest.raises(DataError, match=r"z0\.root has no z0, which the network reads"):
        predicted(beam, "z0.root")


def response_figures(digest):
    """Figures of a network with this digest: a mean response, and nothing else."""
    nothing = Series(value=[None], error=[None])
    unknown = {figure.name: nothing for figure in MET.figures}
    table = ResolutionTable(
        edges_gev=[0.0, 9.0], labels=["all"], events=[1], estimates={"net": unknown}
    )
    ttbar = Resolution(
        binned=table, inclusive=table, x_residual_gev={"net": None}, gain={"net": {}},
        response={"net": Measured(value=0.5625, error=0.01)},
    )  # fmt: skip
    return Metrics(
        schema_version=3, words=MET.words, primary="net", samples={}, notes=[], resolution={"ttbar": ttbar},
        estimates={"net": EstimateInfo(kind="network", title="net", form=None, network=digest)},
        config=Settings({"gain_range_gev": [20.0, 150.0], "response_range_gev": [80.0, 200.0]}),
        rates=None, trigger={}, baselines={}, network_weights=None,
    )  # fmt: skip


def test_what_is_said_of_the_response(tmp_path):
    network = plain_network()
    run = RunFolder.create(tmp_path / "run")
    network.save(run.network)
    assert "Its mean response was not measured here" in l1met.load(run.root).response
    save_metrics(response_figures(None), run.metrics)
    assert "not measured" in l1met.load(run.root).response  # of some other network
    save_metrics(response_figures(network.digest), run.metrics)
    assert l1met.load(run.root).response.endswith(
        "Mean response of the network: 0.56 (ttbar) for genMET 80-200 GeV"
    )
    run.metrics.write_text("{")
    assert "mean response is not known: " in l1met.load(run.root).response
    assert "metrics.json: is not JSON" in l1met.load(run.root).response
