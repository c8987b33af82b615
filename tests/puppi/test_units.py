"""Hardware counts by the rules of CMSSW."""

import re
from pathlib import Path

import numpy as np
import pytest
from cpp import compile_cpp, run_numbers

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, ParticleId
from l1met_fpga.puppi.units import charge_of, pdg_id_of, pid_from_pdg_id, to_counts, to_values

# The conversions of CMSSW as one line each: name of the column, then floats.
ORACLE = """
#include "ap_fixed.h"
#include "ap_int.h"
#include <cmath>
#include <iostream>
#include <string>

int main() {
  const float angle_lsb = M_PI / 720, z0_lsb = 0.05;
  std::string name;
  float x;
  while (std::cin >> name >> x) {
    int code = 0;
    if (name == "pt") {
      ap_ufixed<14, 12, AP_TRN, AP_SAT> pt = 0.25 * std::round(x * 4);
      code = (pt * 4).to_int();
    } else if (name == "eta") {
      ap_int<12> eta = round(x / angle_lsb);
      code = eta.to_int();
    } else if (name == "phi") {
      ap_int<11> phi = round(x / angle_lsb);
      code = phi.to_int();
    } else if (name == "z0") {
      ap_int<10> z0 = std::round(x / z0_lsb);
      code = z0.to_int();
    } else {
      ap_ufixed<9, 1, AP_RND_CONV, AP_WRAP> weight = x;
      code = (weight * 256).to_int();
    }
    std::cout << code << "\\n";
  }
}
"""


@pytest.mark.oracle("g++")
def test_counts_match_the_compiled_rules(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    ranges = {"pt": (0, 5000), "eta": (-6, 6), "phi": (-np.pi, np.pi), "z0": (-25, 25)}
    values = {
        name: np.concatenate(
            [rng.uniform(*limits, 2000), (np.arange(-400, 400) + 0.5) * COLUMNS[name].lsb]
        ).astype(np.float32)
        for name, limits in ranges.items()
    }
    values["pt"] = np.abs(values["pt"])
    values["puppi_weight"] = rng.uniform(0, 1, 2000).astype(np.float32)
    values["puppi_weight"][:512] = np.arange(512) / 512
    program = compile_cpp(ORACLE, tmp_path)
    lines = [f"{name} {x:.9g}" for name, column in values.items() for x in column]
    want = np.array(run_numbers(program, "\n".join(lines)))
    got = np.concatenate([to_counts(name, column) for name, column in values.items()])
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["pt", "eta", "phi", "puppi_weight", "z0", "dxy"])
def test_every_count_survives_single_precision(name: str) -> None:
    column = COLUMNS[name]
    counts = np.arange(column.low, column.high + 1)
    values = to_values(name, counts).astype(np.float32)
    np.testing.assert_array_equal(to_counts(name, values), counts)


def test_phi_beyond_half_a_turn_comes_back() -> None:
    phi_rad = np.array([np.pi, -np.pi, np.pi + 0.1, -np.pi - 0.1, 2 * np.pi])
    assert to_counts("phi", phi_rad).tolist() == [720, -720, -697, 697, 0]


def test_pt_stops_at_its_largest_count() -> None:
    assert to_counts("pt", [4095.75, 5000.0, 0.12, 0.125]).tolist() == [16383, 16383, 0, 1]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pt", np.nan, "column pt holds 1 NaN or infinite values"),
        ("eta", np.inf, "column eta holds 1 NaN or infinite values"),
        ("pt", -1.0, r"column pt holds -1 GeV .* allowed are 0 to 4095.75"),
        ("eta", 9.0, "column eta holds 9 "),
        ("phi", 7.0, r"column phi holds 7 rad .* allowed are -3.14159 to 3.14159"),
        ("puppi_weight", 1.5, r"column puppi_weight holds 1.5 .* allowed are 0 to 1"),
        ("z0", 26.0, r"column z0 holds 26 cm .* allowed are -25.6 to 25.55"),
    ],
)
def test_values_without_counts_wrong(name: str, value: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_counts(name, [0.0, value])


def test_particle_codes_go_both_ways() -> None:
    pid = np.array(list(ParticleId), np.int16)
    pdg_id = pdg_id_of(pid)
    assert pdg_id.tolist() == [130, 22, -211, 211, 11, -11, 13, -13]
    assert charge_of(pid).tolist() == [0, 0, -1, 1, -1, 1, -1, 1]
    np.testing.assert_array_equal(pid_from_pdg_id(pdg_id.astype(np.float32)), pid)
    np.testing.assert_array_equal(pid_from_pdg_id(np.abs(pdg_id), charge_of(pid)), pid)


def test_particle_codes_wrong() -> None:
    with pytest.raises(DataError, match=r"unknown particle code 321 \(2 in all\); L1 PUPPI has"):
        pid_from_pdg_id([211, 321, 321])
    with pytest.raises(DataError, match="unknown particle code 0"):
        pid_from_pdg_id([0.0], [0.0])
    with pytest.raises(DataError, match="charge 0 of a candidate with pdgId 211"):
        pid_from_pdg_id([211], [0])
    with pytest.raises(DataError, match="charge 1 of a candidate with pdgId 22"):
        pid_from_pdg_id([130, 22], [0, 1])
    with pytest.raises(DataError, match="unknown particle code nan"):
        pid_from_pdg_id([np.nan])


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64])
def test_the_smallest_integer_of_a_type_is_no_code_and_no_charge(kind):
    """Its absolute value does not fit the type: it comes back negative."""
    smallest = np.iinfo(kind).min
    told = re.escape(f"{float(smallest):g}")
    charge = np.array([0, smallest], kind)
    with pytest.raises(DataError, match=rf"^charge {told} of a candidate with pdgId"):
        pid_from_pdg_id(np.array([22, 211], np.int16), charge)
    codes = np.array([22, smallest], kind)
    for charges in (None, np.array([0, 1], np.int8)):
        with pytest.raises(DataError, match=rf"^unknown particle code {told} \(1 in"):
            pid_from_pdg_id(codes, charges)


def test_unsigned_integers_are_no_wrapped_negative_ones():
    with pytest.raises(DataError, match=r"^charge 255 of a candidate with pdgId 211 \(1 in all\)"):
        pid_from_pdg_id(np.array([211], np.uint16), np.array([255], np.uint8))
