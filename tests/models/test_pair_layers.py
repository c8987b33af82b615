"""Graphs, messages and attention against loops in Python and numbers by hand."""

import itertools
import math

import numpy as np
import pytest

from l1met_fpga.models.keras import keras, tf
from l1met_fpga.models.pair_layers import (
    EdgeGeometry,
    HardestRows,
    LargestMessage,
    NearestEdges,
    PairAttention,
    PairGeometry,
    RadiusEdges,
)
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD


def rows(counts: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    eta = rng.integers(-400, 401, sum(counts)).astype(np.float32)
    phi = rng.integers(-720, 721, sum(counts)).astype(np.float32)
    return eta, phi, np.cumsum([0, *counts])


def edges_of(layer: keras.layers.Layer, *inputs: np.ndarray) -> set[tuple[int, int]]:
    edges = layer([tf.constant(values) for values in inputs]).numpy()
    assert len(set(map(tuple, edges))) == len(edges)
    return {(int(i), int(j)) for i, j in edges}


def turn(a: float, b: float) -> float:
    return abs((a - b + 720) % 1440 - 720)


def test_radius_graph_is_that_of_a_loop_over_all_pairs():
    eta, phi, splits = rows([40, 0, 1, 25])
    expected = {
        (i, j)
        for first, end in itertools.pairwise(splits)
        for i in range(first, end)
        for j in range(first, end)
        if i != j and math.hypot(eta[i] - eta[j], turn(phi[i], phi[j])) * math.pi / 720 <= 0.4
    }
    assert 50 < len(expected) < 1000
    assert edges_of(RadiusEdges(0.4), eta, phi, splits) == expected


@pytest.mark.parametrize(("phi", "joined"), [(91, True), (92, False), (-629, True)])
def test_radius_in_counts_and_across_the_half_turn(phi, joined):
    # 0.4 is 91.67 counts; 720 and -629 are 91 counts apart
    start = 720 if phi < 0 else 0
    given = np.zeros(2, np.float32), np.array([start, phi], np.float32), np.array([0, 2])
    assert (edges_of(RadiusEdges(0.4), *given) == {(0, 1), (1, 0)}) == joined


def test_a_candidate_at_exactly_the_radius_is_inside():
    eta, phi = np.array([0, 3], np.float32), np.array([0, 4], np.float32)
    layer = RadiusEdges(5 * ANGLE_LSB_RAD * (1 + 1e-12))
    assert len(edges_of(layer, eta, phi, np.array([0, 2]))) == 2
    layer = RadiusEdges(4.99 * ANGLE_LSB_RAD)
    assert not edges_of(layer, eta, phi, np.array([0, 2]))


def test_dynamic_graph_is_that_of_a_loop_over_all_pairs():
    splits = np.array([0, 9, 9, 10, 12])
    hidden = np.random.default_rng(1).normal(size=(12, 5)).astype(np.float32)
    expected = set()
    for first, end in itertools.pairwise(splits):
        for i in range(first, end):
            others = [j for j in range(first, end) if j != i]
            others.sort(key=lambda j: float(np.sum((hidden[i] - hidden[j]) ** 2)))
            expected |= {(i, j) for j in others[:3]}
    assert edges_of(NearestEdges(3), hidden, splits) == expected


def test_distances_of_edges_by_hand():
    eta, phi = np.array([10, 30], np.float32), np.array([710, -720], np.float32)
    found = EdgeGeometry()([eta, phi, np.array([[0, 1], [1, 0]])]).numpy()
    np.testing.assert_allclose(found, np.array([[20, 10], [20, 10]]) * ANGLE_LSB_RAD, rtol=1e-6)


def test_the_largest_message_by_hand():
    own, sent = np.array([[1.0], [-5], [2]]), np.array([[4.0], [1], [7]])
    edges, of_edge = np.array([[0, 1], [0, 2], [1, 0]]), np.array([[0.5], [-1], [0]])
    found = LargestMessage(dtype="float64")([own, sent, of_edge, edges]).numpy()
    # 1 + max(1 + 0.5, 7 - 1); -5 + 4 < 0; a candidate by itself gets nothing
    assert found.tolist() == [[7.0], [0.0], [0.0]]


def test_the_hardest_rows_by_hand():
    pt = np.array([4.0, 9, 4, 4, 7]), np.array([0.0, 0, -3, -3, 0]), np.array([0.0, 0, 8, 6, 0])
    found = HardestRows(3)([*pt, np.array([0, 4, 4, 5])]).numpy()
    # of equal pt the smaller eta, then the smaller phi
    assert found.tolist() == [[1, 3, 2], [-1, -1, -1], [4, -1, -1]]


def test_what_tells_pairs_apart_by_hand():
    columns = np.array([40.0, 8]), np.array([10.0, 30]), np.array([710.0, -720])
    found = PairGeometry(dtype="float64")([*columns, np.array([[0, 1]])]).numpy()[0]
    kt_gev = 2 * math.hypot(20, 10) * ANGLE_LSB_RAD
    expected = [20 * ANGLE_LSB_RAD, 10 * ANGLE_LSB_RAD, math.log(1 + kt_gev)]
    np.testing.assert_allclose(found, [[[0, 0, 0], expected], [expected, [0, 0, 0]]], rtol=1e-6)


def test_attention_is_that_of_a_loop():
    rng = np.random.default_rng(2)
    q, k, v = rng.normal(size=(3, 6, 4))
    slots = np.array([[4, 1, 0], [5, -1, -1]], np.int32)
    bias = rng.normal(size=(2, 3, 3, 2))
    expected = np.zeros((6, 4))
    for event, some in enumerate([[4, 1, 0], [5]]):
        for a, i in enumerate(some):
            for h in range(2):
                part = slice(2 * h, 2 * h + 2)
                logits = [
                    q[i, part] @ k[j, part] / math.sqrt(2) + bias[event, a, b, h]
                    for b, j in enumerate(some)
                ]
                weights = np.exp(logits) / np.sum(np.exp(logits))
                expected[i, part] = sum(w * v[j, part] for w, j in zip(weights, some, strict=True))
    found = PairAttention(dtype="float64")([q, k, v, bias, slots]).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)
