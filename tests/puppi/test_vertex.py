"""z0 counted from the vertex, against the formula written out; words that give it."""

import numpy as np
import pytest

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.puppi.vertex import VERTEX, from_vertex, packed, vertex_counts, vertex_of
from l1met_fpga.puppi.words import unpack


def test_a_distance_is_a_difference_that_stays_in_ten_bits():
    z0 = np.array([[10, -3, 511, -512, 40]])
    pid = np.array([[2, 7, 3, 4, 1]])
    vertex = np.array([[-20]])
    assert from_vertex(z0, pid, vertex).tolist() == [[30, 17, 511, -492, 0]]
    assert from_vertex(z0, pid, np.array([[100]])).tolist() == [[-90, -103, 411, -512, 0]]


def test_counts_of_a_vertex_stay_in_ten_bits():
    assert vertex_counts([0.0, 0.049, -0.026, 25.55, 30.0, -99.0]).tolist() == [
        0, 1, -1, 511, 511, -512,
    ]  # fmt: skip


def test_words_give_the_distances_that_they_are_said_to_carry():
    rng = np.random.default_rng(2)
    n = 4000
    pid = rng.integers(0, 8, (n, 3))
    candidates = {
        "pt": rng.integers(0, 3, (n, 3)),
        "eta": rng.integers(-100, 100, (n, 3)),
        "phi": rng.integers(-720, 721, (n, 3)),
        "pid": pid,
        "puppi_weight": np.where(pid < 2, 17, 256),
        "z0": np.where(pid < 2, 0, rng.choice([-512, -511, -300, 0, 5, 300, 510, 511], (n, 3))),
        VERTEX: rng.integers(-512, 512, (n, 1)),
    }
    candidates = {name: codes.astype(np.int16) for name, codes in candidates.items()}
    words, carried = packed(candidates, z0_origin="vertex")
    filled = candidates["pt"] > 0
    assert carried[~filled].all()
    assert not words[~filled].any()
    read = unpack(words)
    # by hand: Python's integers, one candidate at a time
    for event, slot in np.argwhere(filled & carried)[:2000]:
        z0, vertex = int(read["z0"][event, slot]), int(candidates[VERTEX][event, 0])
        charged = int(read["pid"][event, slot]) > 1
        distance = max(-512, min(511, z0 - vertex)) if charged else 0
        assert distance == candidates["z0"][event, slot]
    reachable = candidates["z0"].astype(int) + candidates[VERTEX]
    limit = np.isin(candidates["z0"], (-512, 511))
    inside = (reachable >= -512) & (reachable <= 511)
    charged = filled & (pid > 1)
    assert carried[charged & ~limit & inside].all()
    assert not carried[charged & ~limit & ~inside].any()
    beyond = read["z0"].astype(int) - candidates[VERTEX]
    assert (np.abs(beyond[charged & carried & limit]) > 600).any(), "limits are reached from beyond"


def test_without_a_vertex_words_are_what_they_were():
    rng = np.random.default_rng(3)
    columns = {name: np.zeros((5, 2), np.int16) for name in COLUMNS}
    columns["pt"][:] = rng.integers(1, 9, (5, 2))
    columns["pid"][:], columns["puppi_weight"][:], columns["z0"][:] = 3, 256, 77
    words, carried = packed(columns)
    assert carried.all()
    assert (unpack(words)["z0"] == 77).all()


@pytest.mark.parametrize("given", [{}, {VERTEX: np.zeros((2, 3), np.int16)}])
def test_a_missing_vertex_is_one_sentence(given):
    with pytest.raises(
        DataError, match=r"reads z0 from the vertex, so its firmware needs 'vertex'"
    ):
        vertex_of({"pt": np.zeros((2, 3), np.int16), **given})
