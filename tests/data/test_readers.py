from collections import Counter
from itertools import pairwise
from pathlib import Path

import fsspec
import h5py
import numpy as np
import pytest
import uproot
from hypothesis import given
from hypothesis import strategies as st
from ntuples import (
    hardware,
    make_events,
    met_xy,
    write_l1deepmet,
    write_l1metml,
    write_perfnano,
    write_words,
)

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import BASELINES, N_BEFORE_CUT, VERTEX
from l1met_fpga.data.root_table import steps
from l1met_fpga.data.sources import Source, expand_sources, read_source
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import GEN_MET, PUPPI_MET
from l1met_fpga.errors import ConfigError, DataError

REQUIRED = ("pt", "eta", "phi", "pid", "puppi_weight")


def read(path, **options):
    """Read a whole file; returns the events and what happened to them."""
    tally = Counter()
    source = expand_sources([str(path)])[0]
    batches = list(read_source(source, ConvertConfig(**options), tally))
    return Examples.concatenate(batches), +tally


def assert_same(batch, events):
    np.testing.assert_array_equal(batch.counts, events.counts)
    for name in REQUIRED:
        np.testing.assert_array_equal(batch.columns[name], events.columns[name], err_msg=name)


def test_perfnano_gives_the_integers_it_was_made_from(tmp_path):
    events = make_events(400)
    write_perfnano(tmp_path / "a.root", events)
    batch, tally = read(tmp_path / "a.root")
    assert_same(batch, events)
    np.testing.assert_array_equal(batch.ids, events.event_id)
    np.testing.assert_allclose(batch.truth[GEN_MET], met_xy(events.gen_met), rtol=1e-12)
    np.testing.assert_allclose(
        batch.besides[f"{BASELINES}{PUPPI_MET}"], met_xy(events.puppi_met), rtol=1e-12
    )
    assert set(tally) <= {
        "empty_events",
        "files_without_gen_ht",
        "files_without_hardware_integers",
        "files_without_vertex",
    }


@pytest.mark.parametrize("step", [1, 7, 100, 399, 400, 100_000])
def test_step_size_does_not_matter(tmp_path, step):
    events = make_events(120)
    write_perfnano(tmp_path / "a.root", events)
    assert_same(read(tmp_path / "a.root", events_per_step=step)[0], events)


@given(
    st.lists(st.integers(1, 150_000), max_size=12).map(lambda sizes: np.cumsum(sizes)),
    st.integers(1, 100_000),
)
def test_steps_follow_the_baskets(ends, target):
    n_events = int(ends[-1]) if len(ends) else 0
    found = steps(n_events, [int(end) for end in ends], target)
    edges = [0, *(stop for _, stop in found)]
    assert found == list(pairwise(edges))
    assert edges[-1] == n_events
    limit = max(target, 65536)
    assert all(0 < stop - start <= limit for start, stop in found)
    # A basket is cut only where the next end is out of reach.
    for start, stop in found:
        assert stop in ends or min(end for end in ends if end > start) > start + limit


def test_hardware_branches_are_used(tmp_path):
    events = make_events(50)
    shifted = hardware(events)
    shifted["hwEta"] = shifted["hwEta"] + 1  # within the tolerance, so it must show up
    write_perfnano(tmp_path / "a.root", events, candidates=shifted)
    batch, _ = read(tmp_path / "a.root")
    np.testing.assert_array_equal(batch.columns["eta"], events.columns["eta"] + 1)
    np.testing.assert_array_equal(batch.columns["pt"], events.columns["pt"])


def test_hardware_branches_are_checked(tmp_path):
    events = make_events(50)
    wrong = hardware(events)
    wrong["hwPhi"][3] += 2
    write_perfnano(tmp_path / "a.root", events, candidates=wrong)
    with pytest.raises(
        DataError,
        match=r"events 0 to 49: hardware column phi disagrees with its physical values in 1 cand",
    ):
        read(tmp_path / "a.root")


def test_opposite_ends_of_phi_agree(tmp_path):
    events = make_events(50)
    events.columns["phi"][:] = 720
    same = hardware(events) | {"hwPhi": np.full(events.counts.sum(), -720.0)}
    write_perfnano(tmp_path / "a.root", events, candidates=same)
    assert (read(tmp_path / "a.root")[0].columns["phi"] == -720).all()


def test_extras_and_vertex(tmp_path):
    events = make_events(50)
    z0 = np.linspace(-25, 25, int(events.counts.sum()))
    vertex = np.linspace(-10, 10, 50)
    write_perfnano(
        tmp_path / "a.root", events, candidates={"z0": z0}, per_event={"L1Vertex_z0": vertex}
    )
    batch, _ = read(tmp_path / "a.root")
    charged = events.columns["pid"] > 1
    assert np.abs(batch.columns["z0"] * 0.05 - z0)[charged].max() <= 0.0250001
    np.testing.assert_allclose(batch.besides[VERTEX], vertex)


def test_track_columns_of_neutral_candidates_are_zero(tmp_path):
    events = make_events(50)
    z0 = np.full(events.counts.sum(), 3.0)
    z0[events.columns["pid"] < 2] = -999.0
    write_perfnano(tmp_path / "a.root", events, candidates={"z0": z0})
    want = np.where(events.columns["pid"] > 1, 60, 0)
    np.testing.assert_array_equal(read(tmp_path / "a.root")[0].columns["z0"], want)


def test_first_of_several_vertices(tmp_path):
    import awkward as ak

    events = make_events(3)
    vertex = ak.Array([[1.5, 2.5], [], [-3.0]])
    write_perfnano(tmp_path / "a.root", events)
    arrays = uproot.open(tmp_path / "a.root")["Events"].arrays()
    with uproot.recreate(tmp_path / "b.root") as file:
        branches = {name: arrays[name] for name in arrays.fields} | {"L1Vertex_z0": vertex}
        file.mktree("Events", {name: array.type for name, array in branches.items()})
        file["Events"].extend(branches)
    batch, _ = read(tmp_path / "b.root")
    np.testing.assert_array_equal(batch.besides[VERTEX], [1.5, np.nan, -3.0])


def test_charge_decides_the_sign_of_unsigned_codes(tmp_path):
    events = make_events(50)
    unsigned = {"pdgId": np.abs([130, 22, 211, 211, 11, 11, 13, 13])[events.columns["pid"]]}
    write_perfnano(tmp_path / "a.root", events, candidates=unsigned)
    assert_same(read(tmp_path / "a.root")[0], events)


def test_without_charge_the_code_has_the_sign(tmp_path):
    events = make_events(50)
    write_perfnano(tmp_path / "a.root", events, leave_out=("L1PuppiCands_charge",))
    assert_same(read(tmp_path / "a.root")[0], events)


def test_charged_weights_are_one(tmp_path):
    events = make_events(50)
    weights = {"puppiWeight": np.full(events.counts.sum(), 0.5)}
    write_perfnano(tmp_path / "a.root", events, candidates=weights)
    batch, tally = read(tmp_path / "a.root")
    charged = events.columns["pid"] > 1
    np.testing.assert_array_equal(batch.columns["puppi_weight"], np.where(charged, 256, 128))
    assert tally["charged_weights_reset"] == charged.sum()


def test_candidates_below_half_a_count_are_empty_slots(tmp_path):
    events = make_events(50)
    pt = events.columns["pt"] * 0.25
    pt[::5] = 0.1
    write_perfnano(tmp_path / "a.root", events, candidates={"pt": pt})
    batch, tally = read(tmp_path / "a.root")
    assert tally["zero_pt_candidates"] == len(pt[::5])
    np.testing.assert_array_equal(
        batch.columns["pt"], np.delete(events.columns["pt"], slice(0, None, 5))
    )
    assert (batch.besides[N_BEFORE_CUT] == batch.counts).all()


def test_huge_pt_saturates_and_is_counted(tmp_path):
    events = make_events(50)
    pt = events.columns["pt"] * 0.25
    pt[4] = 1e6
    write_perfnano(tmp_path / "a.root", events, candidates={"pt": pt})
    batch, tally = read(tmp_path / "a.root")
    assert batch.columns["pt"][4] == 16383
    assert tally["saturated_pt"] == 1


def test_files_without_met_or_identity_are_read(tmp_path):
    events = make_events(50)
    out = ("genMet_pt", "L1PuppiMet_phi", "run", "luminosityBlock", "event")
    write_perfnano(tmp_path / "a.root", events, leave_out=out)
    batch, _ = read(tmp_path / "a.root")
    assert batch.truth == {}
    assert list(batch.besides) == ["n_candidates"]
    # Known by what they hold: the same events in another order have the same names.
    assert len(np.unique(batch.ids[batch.counts > 0], axis=0)) == (batch.counts > 0).sum()
    write_perfnano(tmp_path / "b.root", events.part(20, 30), leave_out=out)
    np.testing.assert_array_equal(read(tmp_path / "b.root")[0].ids, batch.ids[20:30])


def test_other_names_through_a_map(tmp_path):
    events = make_events(30)
    write_perfnano(tmp_path / "a.root", events, tree="t", table="Cand")
    (tmp_path / "map.yaml").write_text(
        "tree: t\ncount: nCand\n"
        "candidates: {pt: Cand_pt, eta: Cand_eta, phi: Cand_phi, pdg_id: Cand_pdgId, "
        "puppi_weight: Cand_puppiWeight}\nevent: [run, luminosityBlock, event]\n"
    )
    batch, _ = read(tmp_path / "a.root", branch_map=str(tmp_path / "map.yaml"))
    assert_same(batch, events)
    assert batch.truth == {}


def test_l1nano_names_are_found(tmp_path):
    events = make_events(30)
    pt, phi = events.gen_met.astype(np.float32).T
    met = {"GenMET_pt": pt, "GenMET_phi": phi}
    write_perfnano(tmp_path / "a.root", events, table="L1Puppi", per_event=met)
    batch, _ = read(tmp_path / "a.root")
    assert_same(batch, events)
    np.testing.assert_allclose(batch.truth[GEN_MET], met_xy(events.gen_met), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("candidates: {pt: a}", "eta: Field required"),
        ("tee: x", "unknown key 'tee'; did you mean 'tree'"),
        ("hardware: {hwpt: x}", r"unknown columns \['hwpt'\]"),
        ("truth: {gen_mt: x}", "unknown truth 'gen_mt'; known are gen_met, gen_ht"),
        ("truth: {gen_met: x}", "gen_met needs two branches, pt and phi"),
        ("truth: {gen_ht: {pt: x, phi: y}}", "gen_ht needs one branch"),
        ("gen_met: {pt: x, phi: y}", "gen_met is written as `truth: {gen_met: ...}` now"),
    ],
)
def test_wrong_map_is_explained(tmp_path, text, message):
    events = make_events(3)
    write_perfnano(tmp_path / "a.root", events)
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read(tmp_path / "a.root", branch_map=str(tmp_path / "map.yaml"))


def test_unknown_map_lists_the_packaged_ones(tmp_path):
    write_perfnano(tmp_path / "a.root", make_events(3))
    with pytest.raises(ConfigError, match="nor one of perfnano, l1nano, scouting, auto"):
        read(tmp_path / "a.root", branch_map="perfnno")


def test_words_give_the_integers_they_were_made_from(tmp_path):
    events = make_events(500)
    write_words(tmp_path / "a.dump", events)
    batch, _ = read(tmp_path / "a.dump", events_per_step=20)
    assert_same(batch, events)
    assert (batch.ids[:, 0] == 3).all()
    np.testing.assert_array_equal(batch.ids[:, 2], np.arange(1, 501))


def test_an_l1metml_candidate_without_a_type_is_no_pad(tmp_path):
    write_l1metml(tmp_path / "a.h5", make_events(3, mean=5))
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["X"][1, 0, 6] = 0
    with pytest.raises(DataError, match=r"unknown particle code: type 0 with charge code .*1 in"):
        read(tmp_path / "a.h5")


def test_l1metml_gives_the_integers_it_was_made_from(tmp_path):
    events = make_events(60)
    write_l1metml(tmp_path / "a.h5", events)
    batch, _ = read(tmp_path / "a.h5", events_per_step=7)
    assert_same(batch, events)
    np.testing.assert_allclose(batch.truth[GEN_MET], met_xy(events.gen_met))


@pytest.mark.parametrize("compressed", [False, True])
def test_l1deepmet_gives_the_integers_it_was_made_from(tmp_path, compressed):
    events = make_events(60)
    write_l1deepmet(tmp_path / "a.npz", events, compressed=compressed)
    batch, _ = read(tmp_path / "a.npz", events_per_step=7)
    assert_same(batch, events)
    np.testing.assert_allclose(batch.truth[GEN_MET], met_xy(events.gen_met))


def test_another_address_without_its_package_is_not_told_to_install_xrootd(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    source = Source("http://nowhere.invalid/a.root", "root")
    with pytest.raises(DataError, match=r'"aiohttp" to be installed\); install it, or copy the'):
        list(read_source(source, ConvertConfig(), Counter()))


def test_xrootd_without_its_package_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "fsspec_xrootd", None)
    monkeypatch.setitem(sys.modules, "XRootD", None)
    with pytest.raises(DataError, match=r"install l1met_fpga\[xrootd\]"):
        list(
            read_source(
                Source("root://nowhere.invalid//a.root", "root"), ConvertConfig(), Counter()
            )
        )


def test_urls_go_through_fsspec(tmp_path):
    """A memory:// URL takes the way of root:// URLs, without a server."""
    events = make_events(30)
    write_perfnano(tmp_path / "a.root", events)
    fsspec.filesystem("memory").pipe("/a.root", (tmp_path / "a.root").read_bytes())
    convert(["memory://a.root"], tmp_path / "o.h5", ConvertConfig(), workers=1)
    with Store.open(tmp_path / "o.h5") as store:
        np.testing.assert_array_equal(store.candidates()["eta"], events.padded("eta"))
        assert store.attributes.sources == [
            {
                "path": "memory://a.root",
                "format": "root",
                "bytes": None,
                "sha256": None,
                "events": 30,
            }
        ]


def test_globs_are_sorted_and_lists_keep_their_order(tmp_path):
    for name in ("b.root", "a.root", "c.npz"):
        (tmp_path / name).touch()
    found = expand_sources([str(tmp_path / "c.npz"), str(tmp_path / "*.root")])
    assert [Path(source.path).name for source in found] == ["c.npz", "a.root", "b.root"]
    assert [source.format for source in found] == ["l1deepmet", "root", "root"]


def test_real_words_and_the_real_root_file_agree(reference_data, tmp_path):
    """CMS's own unpacker wrote the ROOT file from the words (it has one event more)."""
    outputs = {}
    for name in ("Puppi_w3p_PU200.dump", "Puppi_w3p_PU200.root"):
        outputs[name] = tmp_path / f"{name}.h5"
        convert([str(reference_data / name)], outputs[name], ConvertConfig(), workers=1)
    words, tree = (Store.open(path) for path in outputs.values())
    with words, tree:
        assert (words.n_events, tree.n_events) == (100, 101)
        first = slice(0, 100)
        columns = ("pt", "eta", "phi", "pid", "z0", "dxy", "quality")
        mine, theirs = words.candidates(columns=columns), tree.candidates(first, columns)
        for name in columns:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
        np.testing.assert_array_equal(words.n_candidates(), tree.n_candidates(first))


def test_a_store_given_as_input_is_explained(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["candidates/pt"] = np.zeros(3)
    with pytest.raises(DataError, match="has no datasets X and Y, got candidates"):
        read(tmp_path / "a.h5")
