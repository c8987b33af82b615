"""Exact result types of the network's operations, by interval arithmetic on integer codes.

Each function returns the narrowest wrapping :class:`FixedType` that holds every result the
operands' types allow, so that no exact operation of a network can overflow.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from l1met_fpga.fixed_point import FixedType

__all__ = [
    "aggregate_type",
    "combine_type",
    "dense_type",
    "product_type",
    "scalar_pool_type",
    "union_type",
    "vector_pool_type",
]


def _product(a: FixedType, b: FixedType) -> tuple[int, int]:
    corners = [x * y for x in (a.min_code, a.max_code) for y in (b.min_code, b.max_code)]
    return min(corners), max(corners)


def union_type(types: Sequence[FixedType]) -> FixedType:
    """Return a type that holds every value of every given type; of none, one that holds zero."""
    if not types:
        return FixedType(False, 1, 0)
    frac_bits = max(t.frac_bits for t in types)
    low = min(t.min_code << (frac_bits - t.frac_bits) for t in types)
    high = max(t.max_code << (frac_bits - t.frac_bits) for t in types)
    return FixedType.for_codes(low, high, frac_bits)


def product_type(a: FixedType, b: FixedType) -> FixedType:
    """Return the type of an elementwise product."""
    return FixedType.for_codes(*_product(a, b), a.frac_bits + b.frac_bits)


def dense_type(
    x: FixedType,
    kernel: npt.ArrayLike,
    kernel_type: FixedType,
    bias: npt.ArrayLike,
    bias_type: FixedType,
) -> FixedType:
    """Return the type of ``x @ kernel + bias`` for constant integer codes.

    Args:
        x: Type of every input element.
        kernel: Codes, shape (inputs, outputs).
        kernel_type: Their type.
        bias: Codes, shape (outputs,).
        bias_type: Their type.
    """
    frac_bits = max(x.frac_bits + kernel_type.frac_bits, bias_type.frac_bits)
    k = np.asarray(kernel, dtype=np.int64) << (frac_bits - x.frac_bits - kernel_type.frac_bits)
    b = np.asarray(bias, dtype=np.int64) << (frac_bits - bias_type.frac_bits)
    ends = np.stack([k * x.min_code, k * x.max_code])
    low = ends.min(axis=0).sum(axis=0) + b
    high = ends.max(axis=0).sum(axis=0) + b
    return FixedType.for_codes(int(low.min()), int(high.max()), frac_bits)


def vector_pool_type(weights: FixedType, momentum: FixedType, n_candidates: int) -> FixedType:
    """Return the type of ``-sum_i w_i p_i``."""
    low, high = _product(weights, momentum)
    return FixedType.for_codes(
        -n_candidates * max(high, 0),
        -n_candidates * min(low, 0),
        weights.frac_bits + momentum.frac_bits,
    )


def scalar_pool_type(scalars: FixedType, n_candidates: int, shift: int) -> FixedType:
    """Return the type of ``2**-shift * sum_i s_i`` over the filled slots."""
    return FixedType.for_codes(
        n_candidates * min(scalars.min_code, 0),
        n_candidates * max(scalars.max_code, 0),
        scalars.frac_bits + shift,
    )


def aggregate_type(
    weights: FixedType, features: FixedType, n_candidates: int, shift: int
) -> FixedType:
    """Return the type of ``2**-shift * sum_i W_i x_i`` over the filled slots."""
    return scalar_pool_type(product_type(weights, features), n_candidates, shift)


def combine_type(coefficients: FixedType, vectors: FixedType, n_pools: int) -> FixedType:
    """Return the type of ``sum_k c_k V_k``."""
    low, high = _product(coefficients, vectors)
    return FixedType.for_codes(
        n_pools * low, n_pools * high, coefficients.frac_bits + vectors.frac_bits
    )
