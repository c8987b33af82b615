from collections import Counter

import numpy as np
import pytest
import uproot
from simulation_events import random_collisions

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.read_root import read_root
from l1met_fpga.data.read_words import read_words
from l1met_fpga.puppi.columns import TRUTH_COLUMNS
from l1met_fpga.simulation.crossings import simulate_crossings
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.ntuple import write_root, write_words
from l1met_fpga.simulation.pool import empty_pool


@pytest.fixture(scope="module")
def crossings():
    detector = load_detector()
    hard = random_collisions(20, np.random.default_rng(8), mean_pt_gev=6.0)
    hard.gen_met_xy_gev[:] = np.random.default_rng(9).normal(0, 50, (20, 2))
    ht = np.random.default_rng(7).exponential(200, 20)
    return simulate_crossings(hard, empty_pool(detector), detector, seed=(8,), gen_ht_gev=ht)


@pytest.mark.parametrize("compact", [False, True])
def test_reader_gives_the_integers_back(tmp_path, crossings, compact):
    path = tmp_path / "events.root"
    write_root(path, crossings, compact=compact)
    read = Examples.concatenate(list(read_root(str(path), "perfnano", 7, Counter())))
    assert read.counts.tolist() == crossings.counts.tolist()
    for name in ("pt", "eta", "phi", "pid", "puppi_weight", "z0"):
        np.testing.assert_array_equal(read.columns[name], crossings.columns[name], err_msg=name)
    np.testing.assert_allclose(
        read.truth["gen_met_xy_gev"], crossings.gen_met_xy_gev, rtol=1e-5, atol=1e-3
    )
    np.testing.assert_allclose(
        read.besides["baselines/puppi_met_xy_gev"],
        crossings.puppi_met_xy_gev(),
        rtol=1e-5,
        atol=1e-3,
    )
    np.testing.assert_allclose(read.besides["vertex_z0_cm"], crossings.vertex_z0_cm, rtol=1e-6)
    np.testing.assert_array_equal(read.besides["n_pileup"], crossings.n_pileup)
    np.testing.assert_allclose(read.truth["gen_ht_gev"], crossings.gen_ht_gev, rtol=1e-6)
    assert read.ids[:, 2].tolist() == list(range(1, 21))


def test_branches_are_those_of_perfnano(tmp_path, crossings):
    path = tmp_path / "events.root"
    write_root(path, crossings)
    with uproot.open(path) as file:
        tree = file["Events"]
        names = set(tree.keys())
        assert tree["nL1PuppiCands"].array(library="np").tolist() == crossings.counts.tolist()
        # FastPUPPI writes pdgId and charge as floats.
        assert tree["L1PuppiCands_pdgId"].interpretation.content.from_dtype == np.dtype(">f4")
    wanted = {f"L1PuppiCands_{v}" for v in ("pt", "eta", "phi", "mass", "puppiWeight", "charge")}
    wanted |= {"genMet_pt", "genMet_phi", "genHT", "L1PuppiMet_pt", "L1PuppiMet_phi"}
    assert wanted <= names


def test_word_stream_gives_the_integers_back(tmp_path, crossings):
    path = tmp_path / "events.dump"
    write_words(path, crossings)
    read = Examples.concatenate(list(read_words(path, 100, Counter())))
    assert read.counts.tolist() == crossings.counts.tolist()
    for name, codes in crossings.columns.items():
        if name in TRUTH_COLUMNS:
            continue
        held = np.zeros_like(codes) if name == "dxy" else codes  # of jets only: words have no root
        np.testing.assert_array_equal(read.columns[name], held, err_msg=name)


def test_shares_of_the_hard_collision_are_written_on_request(tmp_path, crossings):
    write_root(tmp_path / "without.root", crossings)
    write_root(tmp_path / "with.root", crossings, truth=True)
    read = {
        name: Examples.concatenate(list(read_root(str(tmp_path / name), "perfnano", 7, Counter())))
        for name in ("without.root", "with.root")
    }
    assert "hard_share" not in read["without.root"].columns
    found = read["with.root"].columns
    np.testing.assert_array_equal(found["hard_share"], crossings.columns["hard_share"])
    charged = found["pid"] >= 2
    assert (found["hard_share"][charged] == 256).mean() > 0.9  # no pile-up: the rest are fakes
