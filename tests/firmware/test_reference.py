"""The int64 reference against a second implementation: one candidate at a time, exact fractions."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from met_head import met_codes
from networks import MET, NETWORKS, random_deepset

from l1met_fpga.errors import ConversionError, DataError
from l1met_fpga.firmware.reference import evaluate, evaluate_nodes
from l1met_fpga.firmware.reference_nodes import _dense
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models import nodes as net
from l1met_fpga.models.heads import Head
from l1met_fpga.models.network import Network


def quantize(kind: FixedType, value: Fraction) -> Fraction:
    counts = value * Fraction(2) ** kind.frac_bits
    if kind.rounding is Rounding.TRN:
        code = floor(counts)
    else:
        assert kind.rounding is Rounding.RND
        code = floor(counts + Fraction(1, 2))
    assert kind.overflow in (Overflow.SAT, Overflow.WRAP)
    if kind.overflow is Overflow.SAT:
        code = min(max(code, kind.min_code), kind.max_code)
    assert kind.min_code <= code <= kind.max_code
    return Fraction(code) / Fraction(2) ** kind.frac_bits


def own(kind: FixedType | None, value: Fraction) -> Fraction:
    """A channel's own type; every mode by FixedType, which tests/test_fixed_point.py holds to C++."""
    return Fraction(0) if kind is None else real(kind, int(kind.encode(float(value))))


def real(kind: FixedType, code: int) -> Fraction:
    return Fraction(int(code)) / Fraction(2) ** kind.frac_bits


def cos_of(node: net.Momentum, phi: int) -> Fraction:
    """Cosine from the quadrant table by reflection about 0 and 720 counts."""
    phi = abs(phi) % 1440
    phi = min(phi, 1440 - phi)
    if phi > 360:
        return -real(node.table_type, node.quadrant_cos[720 - phi])
    return real(node.table_type, node.quadrant_cos[phi])


def one_event(  # noqa: C901 - one case per operation
    network: Network, event: dict[str, list[int]]
) -> list[Fraction]:
    """Evaluate one event in exact fractions, node by node, in plain Python."""
    values: dict[str, list] = {}
    n = len(event["pt"])
    for node in network:
        x = [values[name] for name in node.inputs]
        kinds = [network.node(name).type for name in node.inputs]
        match node:
            case net.InputColumn():
                values[node.name] = event[node.column]
            case net.Features():
                values[node.name] = [
                    [feature_of(f, event[f.column][i]) for f in node.features] for i in range(n)
                ]
            case net.Momentum():
                values[node.name] = [
                    [
                        quantize(node.type, Fraction(pt, 4) * cos_of(node, phi)),
                        quantize(node.type, Fraction(pt, 4) * cos_of(node, phi - 360)),
                    ]
                    for pt, phi in zip(*x, strict=True)
                ]
            case net.Dense():
                kernel = [[real(node.kernel_type, k) for k in row] for row in node.kernel]
                bias = [real(node.bias_type, b) for b in node.bias]

                def dense(row, kernel=kernel, bias=bias):
                    return [
                        b + sum(v * kernel[i][j] for i, v in enumerate(row))
                        for j, b in enumerate(bias)
                    ]

                many = isinstance(x[0][0], list)
                values[node.name] = [dense(row) for row in x[0]] if many else dense(x[0])
            case net.Quantize():
                rows = x[0] if isinstance(x[0][0], list) else [x[0]]
                done = [[quantize(node.type, v) for v in row] for row in rows]
                values[node.name] = done if len(node.shape) > 1 else done[0]
            case net.QuantizeChannels():
                rows = x[0] if isinstance(x[0][0], list) else [x[0]]
                done = [[own(k, v) for k, v in zip(node.types, row, strict=True)] for row in rows]
                values[node.name] = done if len(node.shape) > 1 else done[0]
            case net.Table():
                codes = [
                    [int(v * 2 ** kinds[0].frac_bits) - kinds[0].min_code for v in row]
                    for row in x[0]
                ]
                values[node.name] = [[real(node.type, node.table[c]) for c in row] for row in codes]
            case net.Multiply():
                values[node.name] = [
                    [v * (w[0] if len(w) == 1 else w[j]) for j, v in enumerate(row)]
                    for row, w in zip(*x, strict=True)
                ]
            case net.VectorPool():
                values[node.name] = [
                    [-sum(x[0][i][k] * x[1][i][a] for i in range(n)) for a in range(2)]
                    for k in range(node.shape[0])
                ]
            case net.ScalarPool():
                values[node.name] = [
                    sum((x[0][i][m] for i in range(n) if x[1][i] > 0), Fraction(0)) / 2**node.shift
                    for m in range(node.shape[0])
                ]
            case net.Aggregate():
                values[node.name] = [
                    sum((x[0][i][a] * x[1][i][j] for i in range(n) if x[2][i] > 0), Fraction(0))
                    / 2**node.shift
                    for a in range(len(x[0][0]))
                    for j in range(len(x[1][0]))
                ]
            case net.Concatenate():
                slots = zip(*x, strict=True) if len(node.shape) > 1 else [x]
                done = [[v for part in parts for v in part] for parts in slots]
                values[node.name] = done if len(node.shape) > 1 else done[0]
            case net.Combine():
                values[node.name] = [
                    sum(c * v[a] for c, v in zip(*x, strict=True)) for a in range(2)
                ]
    return values[network.head("met").node]


def feature_of(feature: net.Feature, counts: int) -> Fraction:
    if feature.kind == "flag":
        return quantize(feature.type, Fraction(int(counts in feature.codes)))
    value = abs(counts) if feature.kind == "abs" else counts
    return quantize(feature.type, Fraction(value, 2**feature.scale_bits))


@pytest.mark.parametrize("one_of", [24, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NETWORKS)
def test_agrees_with_exact_fractions(name, one_of, rng):
    network = NETWORKS[name](n_candidates=6)
    candidates = stress_events(rng, n_random=10, n_slots=6)
    codes = met_codes(network, candidates)
    picked = np.flatnonzero(np.arange(len(codes)) % one_of == 0)
    for event in picked:
        one = {k: [int(v) for v in column[event]] for k, column in candidates.items()}
        expected = [v * 2**MET.frac_bits for v in one_event(network, one)]
        assert codes[event].tolist() == expected, f"event {event}"


@pytest.mark.parametrize("name", NETWORKS)
def test_inner_nodes_end_in_the_same_output(name, rng):
    network = NETWORKS[name]()
    candidates = stress_events(rng, n_random=20)
    nodes = evaluate_nodes(network, candidates)
    np.testing.assert_array_equal(nodes[network.head("met").node], met_codes(network, candidates))
    for node in network:
        assert nodes[node.name].shape[1:] == node.shape
        assert nodes[node.name].min() >= node.type.min_code
        assert nodes[node.name].max() <= node.type.max_code


def test_empty_slots_order_and_chunks_change_nothing(rng):
    network = random_deepset()
    candidates = stress_events(rng, n_random=50, n_slots=100)
    codes = met_codes(network, candidates)
    order = rng.permutation(100)
    shuffled = {k: v[:, order] for k, v in candidates.items()}
    np.testing.assert_array_equal(met_codes(network, shuffled, threads=1), codes)
    one_by_one = [
        met_codes(network, {k: v[i : i + 1] for k, v in candidates.items()}) for i in range(9)
    ]
    np.testing.assert_array_equal(np.concatenate(one_by_one), codes[:9])


def test_quarter_turn_changes_nothing_but_broken_ties(rng):
    """A quarter turn maps (x, y) to (-y, x), and every rounding is half up.

    So -x is rounded to the negative code of x, except where x lies midway between two codes. Then
    the codes differ by one; a difference before a rounding adds what is left of it.
    """
    network = random_deepset()
    candidates = dict(stress_events(rng, n_random=30))
    candidates["phi"] = np.clip(candidates["phi"], -720, 359)
    here = evaluate_nodes(network, candidates)
    there = evaluate_nodes(network, {**candidates, "phi": candidates["phi"] + 360})
    for name in ("weights", "coefficients"):  # nothing else sees phi
        np.testing.assert_array_equal(here[name], there[name])

    def deviation(name):
        x, y = here[name][..., 0], here[name][..., 1]
        return np.abs(there[name] - np.stack([-y, x], axis=-1))

    def allowed(exact, name):
        """After rounding: a tie is one code; a deviation of ``exact`` codes keeps within one more."""
        shift = 2.0 ** (types[exact].frac_bits - types[name].frac_bits)
        return deviation(exact) / shift + 1

    types = {node.name: node.type for node in network}
    assert deviation("momentum").max() <= 1
    weights = np.abs(here["weights"])
    assert (
        deviation("vectors_sum") <= np.einsum("eik,eia->eka", weights, deviation("momentum"))
    ).all()
    assert (deviation("vectors") <= allowed("vectors_sum", "vectors")).all()
    coefficients = np.abs(here["coefficients"])
    assert (
        deviation("met_sum") <= np.einsum("ek,eka->ea", coefficients, deviation("vectors"))
    ).all()
    assert (deviation("met_xy") <= allowed("met_sum", "met_xy")).all()
    assert (deviation("momentum") == 0).mean() > 0.9


def test_no_events():
    columns = ("pt", "eta", "phi", "pid", "puppi_weight")
    empty = {name: np.zeros((0, 128), np.int16) for name in columns}
    assert met_codes(random_deepset(), empty).shape == (0, 2)


def test_refuses_what_it_cannot_evaluate(rng):
    network = random_deepset()
    candidates = dict(stress_events(rng, n_random=1))
    with pytest.raises(DataError, match=r"needs the columns \['phi'\]"):
        met_codes(network, {k: v for k, v in candidates.items() if k != "phi"})
    with pytest.raises(DataError, match=r"'pid' holds codes .* to 8, its type allows 0 to 7"):
        met_codes(network, {**candidates, "pid": np.full_like(candidates["pid"], 8)})
    wide = {k: np.pad(v, ((0, 0), (0, 1))) for k, v in candidates.items()}
    with pytest.raises(DataError, match="at most 128 slots"):
        met_codes(network, wide)


def test_refuses_a_type_that_could_overflow(rng):
    network = random_deepset()
    index, node = next((i, n) for i, n in enumerate(network) if n.name == "phi_1_dense")
    narrow = FixedType(True, node.type.int_bits - 1, node.type.frac_bits)
    nodes = list(network)
    nodes[index] = node.model_copy(update={"type": narrow})
    broken = network.model_copy(update={"nodes": tuple(nodes)})
    with pytest.raises(ConversionError, match=r"'phi_1_dense' \(dense\).*cannot hold every result"):
        met_codes(broken, stress_events(rng, n_random=1))


@pytest.mark.parametrize("x_bits", [12, 13, 14, 24, 41, 42, 43, 44])
def test_products_are_exact_where_a_float_begins_to_round(x_bits, rng):
    """Largest sums just below and above 2**24 and 2**53, through the floats BLAS works in."""
    x_type, kernel_type = FixedType(False, x_bits, 0), FixedType(True, 7, 0)
    kernel = np.array([[127, -128, 1], [127, 127, 0], [126, -127, 3]] * 5 + [[125, 1, 2]] * 2)
    bias = np.array([127, -128, 1])
    x = np.array([[x_type.max_code] * 17, [x_type.max_code - 1] * 17, [1] * 17])
    x = np.concatenate([x, rng.integers(x_type.max_code // 2, x_type.max_code, (20, 17))])
    column = net.InputColumn(name="x", inputs=(), shape=(17,), type=x_type, column="pt")
    dense = net.Dense(
        name="y", inputs=("x",), shape=(3,), type=FixedType(True, 61, 0), kernel=kernel.tolist(),
        kernel_type=kernel_type, bias=bias.tolist(), bias_type=kernel_type,
    )  # fmt: skip
    got = _dense(dense, [column])(None, [x])
    for row, codes in zip(x.tolist(), got.tolist(), strict=True):
        for weights, offset, code in zip(kernel.T.tolist(), bias.tolist(), codes, strict=True):
            assert code == offset + sum(a * b for a, b in zip(row, weights, strict=True))


def test_a_head_per_row_gives_every_filled_slot_its_number(rng):
    network = random_deepset(3, n_candidates=6)
    head = Head(name="weight", kind="classes", size=4, per="row").of_node("weights")
    used = ("pt", "eta", "pid", "puppi_weight", "features", "phi_0", "phi_1", "weights")
    nodes = tuple(n for n in network if n.name.removesuffix("_dense") in used)
    weights = Network(name="weights", n_candidates=6, heads=(head,), nodes=nodes)
    candidates = stress_events(rng, n_random=20, n_slots=6)
    candidates = {name: codes[-40:] for name, codes in candidates.items()}
    candidates["pt"][0] = 0
    candidates["pt"][1, ::2] = 0
    expected = evaluate_nodes(network, candidates, ["weights"])["weights"]
    found = evaluate(weights, candidates)["weight"]
    filled = candidates["pt"] > 0
    assert found.shape == (40, 6, 4)
    np.testing.assert_array_equal(found[filled], expected[filled])
    assert not found[~filled].any()
