import numpy as np
import pytest

from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models.keras import tf
from l1met_fpga.models.quantizers import (
    FixedQuantizer,
    OneDigitQuantizer,
    quantize,
    weight_quantizer,
)

VALUES = np.concatenate([np.arange(-600, 600) / 64, np.random.default_rng(0).uniform(-9, 9, 2000)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("rounding", list(Rounding))
def test_values_equal_fixed_type(rounding, overflow, dtype):
    for kind in (
        FixedType(True, 1, 4, rounding, overflow),
        FixedType(False, 2, 3, rounding, overflow),
        FixedType(True, 3, -1, rounding, overflow),
    ):
        values = VALUES.astype(dtype)
        got = quantize(tf.constant(values), kind).numpy()
        np.testing.assert_array_equal(got, kind.decode(kind.encode(values)))


def test_gradient_is_one_inside_the_range_only():
    for rounding in (Rounding.RND, Rounding.TRN):
        kind = FixedType(False, 1, 3, rounding, Overflow.SAT)
        x = tf.constant([-0.5, 0.3, 1.7, 2.5])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = quantize(x, kind)
        np.testing.assert_array_equal(tape.gradient(y, x), [0, 1, 1, 0])


def test_quantizer_survives_its_config():
    quantizer = FixedQuantizer(FixedType(True, 2, 3, Rounding.RND_CONV, Overflow.SAT))
    again = FixedQuantizer.from_config(quantizer.get_config())
    assert again.type == quantizer.type
    assert (again.min(), again.max()) == (-4.0, 3.875)


def test_weight_quantizer_equals_its_type():
    kind = FixedType(True, 1, 4, Rounding.RND_CONV, Overflow.SAT)
    got = weight_quantizer(kind)(VALUES.astype(np.float32)).numpy()
    np.testing.assert_array_equal(got, kind.decode(kind.encode(VALUES.astype(np.float32))))


def test_a_kernel_of_one_digit_has_the_nearest_power_of_two_or_zero():
    kind = FixedType(True, 1, 5, Rounding.RND_CONV, Overflow.SAT)
    quantizer = weight_quantizer(kind, one_digit=True)
    powers = 2.0 ** np.arange(-5, 1)
    allowed = np.concatenate([-powers[::-1], [0.0], powers])
    values = VALUES.astype(np.float32)
    got = quantizer(tf.constant(values)).numpy()
    assert set(np.unique(got)) == set(allowed)
    distance = np.abs(values - got)
    nearest = np.abs(values[:, None] - allowed).min(axis=1)
    np.testing.assert_allclose(distance, nearest, atol=1e-6)
    np.testing.assert_array_equal(quantizer(tf.constant(got)).numpy(), got)
    again = OneDigitQuantizer.from_config(quantizer.get_config())
    np.testing.assert_array_equal(again(tf.constant(values)).numpy(), got)


def test_gradient_of_one_digit_is_one_inside_the_range_only():
    quantizer = weight_quantizer(FixedType(True, 1, 5), one_digit=True)
    x = tf.constant([-2.5, -1.2, 0.0, 0.01, 1.9, 2.1])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = quantizer(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [0, 1, 1, 1, 1, 0])
