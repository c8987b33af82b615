"""The PUPPI MET emulator against a C++ program of ap_fixed types, and its own properties."""

import json
import subprocess
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from cpp import compile_cpp

from l1met_fpga.puppi import gt_word
from l1met_fpga.puppi.columns import N_CANDIDATES, Candidates
from l1met_fpga.puppi.emulator import cmssw_met_xy_gev, emulate_puppi_met
from l1met_fpga.puppi.sums import puppi_met_xy_gev

# Written from the description of the algorithm, with the types doing all arithmetic: reads
# coefficients, then per event a count and (pt, phi) counts; prints px, py, pt, phi and the word.
ORACLE = """
#include "ap_fixed.h"
#include "ap_int.h"
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iostream>

typedef ap_ufixed<14, 12, AP_TRN, AP_SAT> pt_t;
typedef ap_int<11> phi_t;
typedef ap_fixed<22, 12> proj_t;
typedef ap_fixed<32, 2> poly_t;
typedef ap_fixed<26, 11> angle_t;
typedef ap_ufixed<16, 11, AP_RND_CONV, AP_SAT> gt_pt_t;
typedef ap_fixed<13, 13, AP_RND_CONV> gt_phi_t;
typedef ap_fixed<18, 5, AP_RND_CONV, AP_SAT> scale_t;

poly_t par[2][3][16];

proj_t project(pt_t pt, phi_t phi, const poly_t c[3][16]) {
  phi_t edges[17];
  for (int k = 0; k < 17; ++k) edges[k] = 90 * k - 720;
  int bin = 0;
  for (int k = 0; k < 16; ++k)
    if (phi >= edges[k] && phi < edges[k + 1]) bin = k;
  if (phi == edges[16]) bin = 15;
  poly_t value = c[0][bin] + c[1][bin] * (phi - edges[bin]) +
                 c[2][bin] * (phi - edges[bin]) * (phi - edges[bin]);
  return pt * value;
}

template <class T> long bits(T x, bool is_signed) {
  long r = 0;
  for (int i = T::width - 1; i >= 0; --i) r = 2 * r + (bool)x[i];
  return is_signed && (bool)x[T::width - 1] ? r - (1L << T::width) : r;
}

int main() {
  for (int f = 0; f < 2; ++f)
    for (int p = 0; p < 3; ++p)
      for (int b = 0; b < 16; ++b) { double v; std::cin >> v; par[f][p][b] = v; }
  const float ct_lsb = M_PI / 720, gt_lsb = M_PI / 4096;
  const scale_t scale = ct_lsb / gt_lsb;
  int n;
  while (std::cin >> n) {
    proj_t px = 0, py = 0;
    for (int i = 0; i < n; ++i) {
      int pt_counts, phi_counts;
      std::cin >> pt_counts >> phi_counts;
      pt_t pt = 0.25 * pt_counts;
      phi_t phi = phi_counts;
      px -= project(pt, phi, par[0]);
      py -= project(pt, phi, par[1]);
    }
    pt_t met_pt = hypot(px.to_float(), py.to_float());
    phi_t met_phi = phi_t(angle_t(atan2(py.to_float(), px.to_float())) * angle_t(229.29936));
    gt_pt_t gt_pt = met_pt;
    gt_phi_t gt_phi = met_phi * scale;
    unsigned long word = met_pt != 0;
    word |= (unsigned long)bits(gt_pt, false) << 1;
    word |= ((unsigned long)bits(gt_phi, true) & 0x1fff) << 17;
    std::printf("%ld %ld %ld %ld %lu\\n", bits(px, true), bits(py, true), bits(met_pt, false),
                bits(met_phi, true), word);
  }
}
"""


def random_candidates(n_events: int, rng: np.random.Generator) -> dict[str, npt.NDArray[np.int16]]:
    """Soft events, hard ones whose sums wrap, and every phi of 11 bits."""
    pt = np.minimum(rng.exponential(16, (n_events, N_CANDIDATES)), 16383).astype(np.int16)
    pt[: n_events // 10] = rng.integers(0, 1 << 14, pt[: n_events // 10].shape)
    phi = rng.integers(-720, 721, pt.shape).astype(np.int16)
    phi[-100:] = rng.integers(-1024, 1024, phi[-100:].shape)
    pt[rng.random(pt.shape) < rng.random((n_events, 1))] = 0
    phi[pt == 0] = 0
    return {"pt": pt, "phi": phi}


def single_candidates() -> dict[str, npt.NDArray[np.int16]]:
    """One candidate per event: every phi, at the smallest, a middle and the largest pt."""
    phi = np.tile(np.arange(-1024, 1024, dtype=np.int16), 3)[:, None]
    pt = np.repeat(np.array([1, 331, 16383], np.int16), 2048)[:, None]
    return {"pt": pt, "phi": phi}


def opposite_pairs() -> dict[str, npt.NDArray[np.int16]]:
    """Sums close to zero: directions along the axes, both signs of a vanishing component."""
    phi = np.array([[0, -720], [0, 720], [360, -360], [720, -720], [180, -540], [0, 0]], np.int16)
    pt = np.array([[4, 4], [8, 4], [1, 3], [5, 5], [400, 399], [0, 0]], np.int16)
    return {"pt": pt, "phi": phi}


def run_oracle(candidates: Candidates, folder: Path) -> npt.NDArray[np.uint64]:
    text = resources.files("l1met_fpga.puppi").joinpath("cmssw_met_poly2.json").read_text()
    coefficients = json.loads(text)
    lines = [
        " ".join(repr(x) for x in coefficients[function][f"par{i}"])
        for function in ("cos", "sin")
        for i in range(3)
    ]
    for pt, phi in zip(candidates["pt"], candidates["phi"], strict=True):
        pairs = " ".join(f"{a} {b}" for a, b in zip(pt.tolist(), phi.tolist(), strict=True))
        lines.append(f"{len(pt)} {pairs}")
    program = folder / "oracle"
    if not program.exists():
        compile_cpp(ORACLE, folder)
    given = "\n".join(lines)
    done = subprocess.run([str(program)], check=True, input=given, capture_output=True, text=True)
    rows = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    return np.array(rows, dtype=object)


@pytest.mark.oracle("g++")
def test_emulator_equals_compiled_ap_fixed(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for candidates in (single_candidates(), opposite_pairs(), random_candidates(3000, rng)):
        want = run_oracle(candidates, tmp_path)
        met = emulate_puppi_met(candidates)
        for index, got in enumerate((met.px, met.py, met.pt, met.phi, met.gt_words)):
            np.testing.assert_array_equal(got.astype(object), want[:, index])


def test_emulator_follows_the_exact_met() -> None:
    candidates = random_candidates(2000, np.random.default_rng(4))
    candidates = {name: column[200:-100] for name, column in candidates.items()}
    exact, emulated = puppi_met_xy_gev(candidates), cmssw_met_xy_gev(candidates)
    sum_pt_gev = candidates["pt"].sum(axis=1) * 0.25
    # The fit is good to 7e-4 of each pt; projections drop 2^-10 GeV; pt drops up to 0.25 GeV and
    # the direction up to a count and 0.05 % of the angle.
    allowed = 7e-4 * sum_pt_gev + N_CANDIDATES / 1024 + 0.25 + 0.008 * np.hypot(*exact.T)
    assert np.all(np.abs(emulated - exact).max(axis=1) < allowed)


def test_emulator_wraps_above_2048_gev() -> None:
    one = {"pt": np.array([[10000]], np.int16), "phi": np.array([[-720]], np.int16)}
    px_gev = emulate_puppi_met(one).px[0] / 1024
    assert px_gev == pytest.approx(2500 * 1.00007 - 4096, abs=0.01)


def test_empty_event_gives_an_invalid_word() -> None:
    empty = {name: np.zeros((2, N_CANDIDATES), np.int16) for name in ("pt", "phi")}
    met = emulate_puppi_met(empty)
    assert met.gt_words.tolist() == [0, 0]
    assert not gt_word.unpack(met.gt_words).valid.any()
