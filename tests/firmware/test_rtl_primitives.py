import numpy as np
import pytest
from da4ml.trace import comb_trace

from l1met_fpga.firmware.rtl import primitives
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding

TYPES = [(0, 2, 3), (1, 2, 3), (0, 3, -1), (1, 0, 2), (0, 1, 0), (1, 5, 1), (0, -2, 6), (1, 1, -1)]
LOW_BITS = 4


def outputs(inputs, outs, values):
    return comb_trace(inputs, outs).predict(np.asarray(values, dtype=float))[:, 0]


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("low", [0, -77])
def test_quantize_equals_fixed_type(rounding, overflow, low):
    codes = np.arange(low, 101)
    for bits in TYPES:
        target = FixedType(bool(bits[0]), *bits[1:], rounding, overflow)
        for sign in (1, -1):
            v = primitives.variable(low, 100, LOW_BITS)
            got = outputs([v], [primitives.quantize(v * sign, target)], codes[:, None] / 16)
            want = target.decode(target.convert(sign * codes, LOW_BITS))
            np.testing.assert_array_equal(got, want, err_msg=f"{target.hls_name}, sign {sign}")


@pytest.mark.parametrize(
    "ranges", [((0, 15), (0, 31)), ((-8, 7), (0, 15)), ((-8, 7), (-30, 20)), ((0, 1), (-3, 3))]
)
def test_multiply_is_exact(ranges):
    (a_low, a_high), (b_low, b_high) = ranges
    a, b = primitives.variable(a_low, a_high, 2), primitives.variable(b_low, b_high, 1)
    x, y = np.meshgrid(np.arange(a_low, a_high + 1) / 4, np.arange(b_low, b_high + 1) / 2)
    pairs = np.stack([x.ravel(), y.ravel()], axis=1)
    got = outputs([a, b], [primitives.multiply(a, b)], pairs)
    np.testing.assert_array_equal(got, pairs.prod(axis=1))


@pytest.mark.parametrize("limits", [(-8, 7), (-3, 20), (0, 9)])
def test_absolute_value(limits):
    v = primitives.variable(*limits, 1)
    x = np.arange(limits[0], limits[1] + 1) / 2
    np.testing.assert_array_equal(outputs([v], [primitives.absolute(v)], x[:, None]), np.abs(x))


@pytest.mark.parametrize("step", [1, 2])
def test_look_up_reads_the_right_entry(step):
    source, out = FixedType(True, 2, 2), FixedType(False, 0, 6)
    codes = np.arange(source.min_code, source.max_code + 1)
    table = np.random.default_rng(0).integers(0, 64, len(codes))
    counts = primitives.variable(-8 // step, 12 // step, 2)
    found = primitives.look_up(counts * float(step), table, source, out)
    x = np.arange(-8, 13, step)
    got = outputs([counts], [found], x[:, None] / 4 / step)
    np.testing.assert_array_equal(got, out.decode(table[x - source.min_code]))


def test_constant_table_needs_no_logic():
    source, out = FixedType(False, 3, 0), FixedType(False, 3, 0)
    v = primitives.variable(0, 7, 0)
    looked_up = primitives.look_up(v, np.full(8, 5), source, out)
    assert looked_up.low == looked_up.high == 5
