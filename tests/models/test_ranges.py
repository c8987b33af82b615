import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import ranges

small_types = st.builds(FixedType, st.booleans(), st.integers(1, 3), st.integers(0, 3))


def _codes(kind: FixedType) -> np.ndarray:
    return np.arange(kind.min_code, kind.max_code + 1)


@given(small_types, small_types)
def test_product_type_is_the_narrowest_that_holds_every_product(a, b):
    products = np.multiply.outer(_codes(a), _codes(b))
    kind = ranges.product_type(a, b)
    assert kind == FixedType.for_codes(
        int(products.min()), int(products.max()), a.frac_bits + b.frac_bits
    )
    assert kind.min_code <= products.min()
    assert products.max() <= kind.max_code


@given(small_types, small_types, small_types, st.integers(0, 2**32 - 1))
def test_dense_type_holds_the_extremes_found_by_trying_every_input(x, kernel_type, bias_type, seed):
    rng = np.random.default_rng(seed)
    kernel = rng.choice(_codes(kernel_type), (2, 3))
    bias = rng.choice(_codes(bias_type), 3)
    kind = ranges.dense_type(x, kernel, kernel_type, bias, bias_type)
    inputs = x.decode(list(itertools.product((x.min_code, 0, x.max_code), repeat=2)))
    values = inputs @ kernel_type.decode(kernel) + bias_type.decode(bias)
    assert np.array_equal(kind.decode(kind.exactly(values)), values)
    assert np.abs(kind.exactly(values)).max() * 2 + 1 >= kind.max_code


def test_pools_hold_128_candidates_at_their_limits():
    weight, momentum = FixedType(True, 1, 6), FixedType(True, 12, 4)
    kind = ranges.vector_pool_type(weight, momentum, 128)
    worst = 128 * weight.min_code * momentum.min_code
    assert kind.min_code <= -worst <= kind.max_code
    scalar = ranges.scalar_pool_type(FixedType(False, 1, 5), 128, 5)
    assert scalar.max_code >= 128 * 63 > scalar.max_code // 2
    assert scalar.frac_bits == 10


def test_union_type_holds_all():
    kind = ranges.union_type([FixedType(False, 1, 8), FixedType(True, 3, 0)])
    assert (kind.signed, kind.int_bits, kind.frac_bits) == (True, 3, 8)


@pytest.mark.parametrize(
    ("low", "high", "want"),
    [(0, 0, (False, 1)), (0, 1, (False, 1)), (-1, 0, (True, 1)), (-128, 127, (True, 8))],
)
def test_for_codes_is_narrow(low, high, want):
    kind = FixedType.for_codes(low, high, 0)
    assert (kind.signed, kind.width) == want
