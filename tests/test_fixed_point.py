"""FixedType against the compiled ``ap_fixed`` of AMD's headers, da4ml, and its own rules."""

import itertools
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from cpp import compile_cpp
from hypothesis import given
from hypothesis import strategies as st

from l1met_fpga.errors import FixedPointError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding, shift_round

SOURCE_FRAC_BITS = 30

# The oracle reads float64 values, then integer codes of ap_fixed<60,30>, and prints the code that
# each of the types makes of each of them, as 64-bit integers.
ORACLE = """
#include "ap_fixed.h"
#include <cstdint>
#include <cstdio>
#include <vector>

typedef ap_fixed<60, 30> source_t;

template <class T> int64_t code(const T &x, bool is_signed) {
  uint64_t bits = 0;
  for (int i = T::width - 1; i >= 0; --i) bits = (bits << 1) | (uint64_t)(bool)x[i];
  bool negative = is_signed && (bool)x[T::width - 1];
  return (int64_t)(negative ? bits - ((uint64_t)1 << T::width) : bits);
}

template <class T>
void convert(const std::vector<double> &reals, const std::vector<int64_t> &codes, bool is_signed) {
  std::vector<int64_t> out;
  for (double real : reals) { T x = real; out.push_back(code(x, is_signed)); }
  for (int64_t raw : codes) {
    source_t source; source.V = raw;
    T x = source;
    out.push_back(code(x, is_signed));
  }
  fwrite(out.data(), 8, out.size(), stdout);
}

template <class N> std::vector<N> read_all() {
  int64_t n;
  if (fread(&n, 8, 1, stdin) != 1) return {};
  std::vector<N> values(n);
  if (fread(values.data(), 8, n, stdin) != (size_t)n) values.clear();
  return values;
}

int main() {
  auto reals = read_all<double>();
  auto codes = read_all<int64_t>();
@CALLS@
}
"""

# signed, width, integer bits as ap_fixed counts them (sign included)
FEW_SHAPES = [
    (True, 8, 3),
    (False, 8, 3),
    (True, 6, -2),
    (False, 6, 10),
    (True, 1, 1),
    (True, 62, 32),
]
MORE_SHAPES = [
    (False, 6, -2),
    (True, 6, 10),
    (False, 1, 1),
    (True, 1, 0),
    (True, 2, 2),
    (True, 16, 6),
    (False, 17, 17),
    (False, 62, 40),
    (True, 61, 31),
    (False, 3, -20),
    (True, 10, 40),
]


def all_modes(shapes: list[tuple[bool, int, int]]) -> list[FixedType]:
    return [
        FixedType(signed, integer - signed, width - integer, rounding, overflow)
        for (signed, width, integer), rounding, overflow in itertools.product(
            shapes, Rounding, Overflow
        )
    ]


def real_values() -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(1)
    just_below_half = np.nextafter(0.5, 0)
    special = [0.0, 0.5, 1.0, 1.5, just_below_half, 1 - 2**-53, 1e-18, 1e-300, 5e-324, 1e5, 1e8]
    return np.concatenate(
        [
            rng.uniform(-40, 40, 300),
            rng.integers(-400, 400, 300) / 16,  # ties of 3 fraction bits
            rng.integers(-200, 200, 200) / 512,
            rng.integers(-20000, 20000, 200) / 2,
            rng.normal(size=100) * 1e-3,
            rng.normal(size=100) * 2.0**29,
            special,
            np.negative(special),
        ]
    )


def source_codes() -> npt.NDArray[np.int64]:
    rng = np.random.default_rng(2)
    return np.concatenate(
        [
            rng.integers(-(2**59), 2**59, 300),
            rng.integers(-(2**40), 2**40, 300),
            rng.integers(-4000, 4000, 300) << (SOURCE_FRAC_BITS - 5),
            rng.integers(-50, 50, 100),
            [2**59 - 1, -(2**59)],
        ]
    )


def assert_as_compiled(types: list[FixedType], folder: Path) -> None:
    calls = [
        f"  convert<{kind.hls_name}>(reals, codes, {str(kind.signed).lower()});" for kind in types
    ]
    program = compile_cpp(ORACLE.replace("@CALLS@", "\n".join(calls)), folder)
    reals, codes = real_values(), source_codes()
    given_bytes = b"".join(
        np.int64(len(values)).tobytes() + values.tobytes() for values in (reals, codes)
    )
    done = subprocess.run([str(program)], input=given_bytes, capture_output=True, check=True)
    wanted = np.frombuffer(done.stdout, np.int64).reshape(len(types), -1)
    for kind, row in zip(types, wanted, strict=True):
        encoded = kind.encode(reals)
        np.testing.assert_array_equal(encoded, row[: len(reals)], err_msg=f"encode {kind.hls_name}")
        converted = kind.convert(codes, SOURCE_FRAC_BITS)
        np.testing.assert_array_equal(
            converted, row[len(reals) :], err_msg=f"convert {kind.hls_name}"
        )


@pytest.mark.oracle("g++")
def test_every_mode_matches_compiled_ap_fixed(tmp_path: Path) -> None:
    assert_as_compiled(all_modes(FEW_SHAPES), tmp_path)


@pytest.mark.oracle("g++")
@pytest.mark.slow
def test_every_mode_of_more_shapes_matches_compiled_ap_fixed(tmp_path: Path) -> None:
    assert_as_compiled(all_modes(MORE_SHAPES), tmp_path)


@given(
    code=st.integers(-(2**62), 2**62),
    bits=st.integers(0, 130),
    rounding=st.sampled_from(list(Rounding)),
)
def test_shift_round_is_exact_for_every_64_bit_integer(
    code: int, bits: int, rounding: Rounding
) -> None:
    exact = Fraction(code, 2**bits)
    below, above = exact.__floor__(), exact.__ceil__()
    if rounding is Rounding.TRN:
        want = below
    elif rounding is Rounding.TRN_ZERO:
        want = int(exact)
    elif exact - below != above - exact:
        want = below if exact - below < above - exact else above
    else:
        want = {
            Rounding.RND: above,
            Rounding.RND_MIN_INF: below,
            Rounding.RND_ZERO: min(below, above, key=abs),
            Rounding.RND_INF: max(below, above, key=abs),
            Rounding.RND_CONV: below if below % 2 == 0 else above,
        }[rounding]
    assert int(shift_round(code, bits, rounding)) == want


def test_shift_round_multiplies_by_negative_bits() -> None:
    assert shift_round([3, -3], -4, Rounding.TRN).tolist() == [48, -48]
    with pytest.raises(FixedPointError, match="left by 63 bits"):
        shift_round(1, -63, Rounding.TRN)


def test_convert_saturates_codes_whose_shift_leaves_64_bits() -> None:
    kind = FixedType(True, 2, 40, overflow=Overflow.SAT)
    assert kind.convert([2**50, -(2**50), 1], 0).tolist() == [kind.max_code, kind.min_code, 2**40]
    zero = FixedType(True, 2, 40, overflow=Overflow.SAT_ZERO)
    assert zero.convert([2**50, -(2**50), 1], 0).tolist() == [0, 0, 2**40]


def test_encode_takes_scalars_and_keeps_shapes() -> None:
    for rounding in Rounding:
        kind = FixedType(True, 3, 2, rounding, Overflow.SAT)
        assert int(kind.encode(1.25)) == 5
        assert kind.encode(np.zeros((2, 0, 3))).shape == (2, 0, 3)


def test_encode_refuses_what_it_cannot_round_exactly() -> None:
    kind = FixedType(True, 3, 4)
    with pytest.raises(FixedPointError, match=r"NaN or infinite values as ap_fixed<8,4,AP_TRN"):
        kind.encode([0.0, np.nan])
    with pytest.raises(FixedPointError, match="beyond exact arithmetic in ap_fixed<8,4"):
        kind.encode(1e30)
    saturating = kind.with_modes(Rounding.TRN, Overflow.SAT)
    assert saturating.encode([1e30, -1e300]).tolist() == [127, -128]


def test_exactly_refuses_values_between_codes() -> None:
    kind = FixedType(False, 0, 3, Rounding.RND, Overflow.SAT)
    assert kind.exactly([0.125, 0.875]).tolist() == [1, 7]
    with pytest.raises(FixedPointError, match=r"1 of 2 values .* first is .*0\.3"):
        kind.exactly([0.125, 0.3])


@given(
    signed=st.booleans(),
    int_bits=st.integers(-10, 40),
    frac_bits=st.integers(-10, 40),
    rounding=st.sampled_from(list(Rounding)),
    overflow=st.sampled_from(list(Overflow)),
)
def test_names_and_dictionaries_round_trip(
    signed: bool, int_bits: int, frac_bits: int, rounding: Rounding, overflow: Overflow
) -> None:
    if not 1 <= int_bits + frac_bits + signed <= 62:
        with pytest.raises(FixedPointError, match="width must be 1 to 62 bits"):
            FixedType(signed, int_bits, frac_bits, rounding, overflow)
        return
    kind = FixedType(signed, int_bits, frac_bits, rounding, overflow)
    assert FixedType.from_hls_name(kind.hls_name) == kind
    assert FixedType.from_hls_name(kind.hls4ml_name) == kind
    assert FixedType.from_dict(kind.to_dict()) == kind
    edges = np.array([kind.min_code, kind.max_code])
    if kind.width <= 53:
        unsymmetric = overflow is not Overflow.SAT_SYM
        assert kind.encode(kind.decode(edges))[1] == edges[1]
        assert not unsymmetric or kind.encode(kind.decode(edges))[0] == edges[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ap_int<12>", FixedType(True, 11, 0)),
        ("ap_uint<3>", FixedType(False, 3, 0)),
        ("ap_fixed<16, 6>", FixedType(True, 5, 10)),
        (
            "ap_ufixed<8,0,AP_RND_CONV,AP_SAT,0>",
            FixedType(False, 0, 8, Rounding.RND_CONV, Overflow.SAT),
        ),
        ("fixed<8,3,RND>", FixedType(True, 2, 5, Rounding.RND)),
    ],
)
def test_from_hls_name_reads_what_hls_tools_write(name: str, kind: FixedType) -> None:
    assert FixedType.from_hls_name(name) == kind


@pytest.mark.parametrize("name", ["float", "ap_fixed<8>", "ap_int<8,3>", "ap_fixed<8,3"])
def test_from_hls_name_wrong(name: str) -> None:
    with pytest.raises(FixedPointError, match="is not a fixed-point type; write for example"):
        FixedType.from_hls_name(name)


@given(low=st.integers(-(2**60), 2**60), size=st.integers(0, 2**60))
def test_for_codes_is_the_narrowest(low: int, size: int) -> None:
    high = low + size
    kind = FixedType.for_codes(low, high, 3)
    assert kind.min_code <= low <= high <= kind.max_code
    assert kind.frac_bits == 3
    if kind.width > 1:
        narrower = FixedType(kind.signed, kind.int_bits - 1, 3)
        assert low < narrower.min_code or high > narrower.max_code


def test_da4ml_rounds_to_the_same_codes() -> None:
    from da4ml.trace.ops.quantization import quantize

    values = np.concatenate([real_values()[:1000], [0.0625, -0.0625, 3.9999]])
    shapes = [(True, 8, 3), (False, 8, 3), (True, 6, -2)]
    modes = itertools.product(
        (Rounding.TRN, Rounding.RND), (Overflow.WRAP, Overflow.SAT, Overflow.SAT_SYM)
    )
    for (signed, width, integer), (rounding, overflow) in itertools.product(shapes, modes):
        kind = FixedType(signed, integer - signed, width - integer, rounding, overflow)
        modes_of_da4ml = (mode.value.removeprefix("AP_") for mode in (overflow, rounding))
        got = quantize(values.copy(), *kind.kif, *modes_of_da4ml)
        np.testing.assert_array_equal(got, kind.decode(kind.encode(values)), err_msg=kind.hls_name)


@pytest.mark.parametrize("name", ["ap_fixed<8,3,AP_RNDD>", "ap_fixed<8,3,RND,AP_SATURATE>"])
def test_an_unknown_mode_is_named(name):
    with pytest.raises(FixedPointError, match=r"is no (rounding|overflow) mode; there are AP_"):
        FixedType.from_hls_name(name)
