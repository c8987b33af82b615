"""Jets and sums in C++ of ap_fixed types: what the package's integers are compared with.

The program was written from the description of the algorithms, one event after the other, with the
types doing all arithmetic. It reads and writes 32-bit integers.
"""

import json
import subprocess
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np
import numpy.typing as npt
from cpp import compile_cpp

from l1met_fpga.files import exclusive

__all__ = ["JetOracle"]

SOURCE = Template(r"""
#include "ap_fixed.h"
#include "ap_int.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

typedef ap_ufixed<14, 12, AP_TRN, AP_SAT> pt_t;
typedef ap_int<12> eta_t;
typedef ap_int<11> phi_t;

static std::vector<int32_t> in;
static size_t at = 0;
static int next() { return in[at++]; }
static void put(int32_t x) { fwrite(&x, sizeof x, 1, stdout); }

template <class T> int code(T x, bool is_signed) {
  long r = 0;
  for (int i = T::width - 1; i >= 0; --i) r = 2 * r + (bool)x[i];
  return is_signed && (bool)x[T::width - 1] ? r - (1L << T::width) : r;
}
static pt_t make_pt(int counts) { pt_t pt = 0; pt.range() = counts; return pt; }

// ---- seeded cone --------------------------------------------------------------------------
typedef ap_int<13> diff_t;
typedef ap_fixed<18, 23> cone_t;
typedef ap_fixed<22, 22> weighted_t;
typedef ap_ufixed<18, -2> inverse_t;

struct Particle { pt_t pt; eta_t eta; phi_t phi; int slot; };
static inverse_t inverse_table[1024];

static diff_t phi_distance(phi_t a, phi_t b) {
  diff_t d = a - b;
  if (d > 720) return d - 1440;
  if (d < -720) return d + 1440;
  return d;
}
static bool inside(const Particle& seed, const Particle& p, cone_t cone2) {
  diff_t deta = p.eta - seed.eta, dphi = phi_distance(p.phi, seed.phi);
  return deta * deta + dphi * dphi < cone2;
}
static inverse_t invert(pt_t pt) {
  int shift = 0;
  while (!pt[13]) { pt = pt << 1; ++shift; }
  ap_uint<10> index = pt(12, 3);
  return inverse_table[index] << shift;
}
// a tournament of neighbours: the right one must be larger to win
static Particle winner(std::vector<Particle> round) {
  while (round.size() > 1) {
    std::vector<Particle> next;
    for (size_t i = 0; i < round.size(); i += 2)
      next.push_back(i + 1 < round.size() && round[i + 1].pt > round[i].pt ? round[i + 1] : round[i]);
    round = next;
  }
  return round[0];
}
// ---- mass ---------------------------------------------------------------------------------
typedef ap_ufixed<13, 1, AP_RND, AP_SAT> even_t;
typedef ap_fixed<13, 1, AP_RND, AP_SAT> odd_t;
typedef ap_ufixed<20, 12, AP_TRN, AP_SAT> positive_t;
typedef ap_fixed<22, 14, AP_TRN, AP_SAT> signed_t;
typedef ap_ufixed<17, 15, AP_TRN, AP_SAT> mass2_t;

static mass2_t mass(const Particle& seed, std::vector<Particle> members) {
  const float lsb = M_PI / 720;
  std::stable_sort(members.begin(), members.end(),
                   [](const Particle& a, const Particle& b) { return a.pt > b.pt; });
  if (members.size() > 32) members.resize(32);
  positive_t e = 0, x = 0;
  signed_t y = 0, z = 0;
  for (const Particle& p : members) {
    int deta = (p.eta - seed.eta).to_int(), dphi = phi_distance(p.phi, seed.phi).to_int();
    float a = abs(deta) * lsb, b = abs(dphi) * lsb;
    e = e + positive_t(p.pt * even_t(std::cosh(a)));
    x = x + positive_t(p.pt * even_t(std::cos(b)));
    y = y + signed_t(p.pt * odd_t(std::sin(b)) * (dphi < 0 ? -1 : 1));
    z = z + signed_t(p.pt * odd_t(std::sinh(a)) * (deta < 0 ? -1 : 1));
  }
  return e * e - x * x - y * y - z * z;
}

static void jets(int n_slots, float radius) {
  const float lsb = M_PI / 720;
  const cone_t cone2 = radius * radius / lsb / lsb;
  for (int i = 0; i < 1024; ++i) inverse_table[i] = inverse_t(1.0 / (2048 + 2 * i));
  while (at < in.size()) {
    std::vector<Particle> left;
    for (int s = 0; s < n_slots; ++s) {
      int pt = next(), eta = next(), phi = next();
      if (pt) left.push_back({make_pt(pt), eta, phi, s});
    }
    std::vector<int> owner(n_slots, -1);
    for (int k = 0; k < 16; ++k) {
      if (left.empty()) { put(0); put(0); put(0); put(0); continue; }
      Particle seed = winner(left);
      std::vector<Particle> rest, members;
      pt_t pt = 0;
      weighted_t sum_eta = 0, sum_phi = 0;
      for (const Particle& p : left) {
        if (!inside(seed, p, cone2)) { rest.push_back(p); continue; }
        members.push_back(p);
        owner[p.slot] = k;
        pt = pt + p.pt;
        sum_eta = sum_eta + weighted_t(p.pt * diff_t(p.eta - seed.eta));
        sum_phi = sum_phi + weighted_t(p.pt * phi_distance(p.phi, seed.phi));
      }
      inverse_t inverse = invert(pt);
      eta_t eta = seed.eta + eta_t(sum_eta * inverse);
      eta_t wide_phi = seed.phi + eta_t(sum_phi * inverse);
      phi_t phi = wide_phi;
      put(code(pt, false)); put(eta.to_int()); put(phi.to_int()); put(code(mass(seed, members), false));
      left = rest;
    }
    for (int k : owner) put(k);
  }
}

// ---- HT and MHT ---------------------------------------------------------------------------
typedef ap_fixed<9, 2> trig_t;
typedef ap_fixed<16, 13> xy_t;

static void sums(int n_jets) {
  static trig_t sine[1024];
  for (int i = 0; i < 1024; ++i) { float x = i * (M_PI / 180.) / 2.; sine[i] = std::sin(x); }
  while (at < in.size()) {
    pt_t ht = 0;
    xy_t x = 0, y = 0;
    for (int k = 0; k < n_jets; ++k) {
      pt_t pt = make_pt(next());
      int eta = next(), phi = next();
      // eta 2.4 is 550.04 counts
      if (!(pt > 30) || abs(eta) > 550) continue;
      ap_int<10> half_degrees = phi >> 1;
      if (half_degrees < 0) half_degrees = -half_degrees;
      trig_t sin = sine[half_degrees.to_int()], cos = sine[half_degrees.to_int() + 180];
      if (phi < 0) sin = -sin;
      ht = ht + pt;
      x = x + xy_t(pt * cos);
      y = y + xy_t(pt * sin);
    }
    pt_t mht = std::sqrt((x * x + y * y).to_double());
    ap_fixed<12, 3> angle = std::atan2(y.to_double(), x.to_double());
    ap_fixed<16, 9> scale = 720.f / M_PI;
    eta_t wide_phi = angle * scale;
    phi_t phi = wide_phi;
    put(code(ht, false)); put(code(x, true)); put(code(y, true));
    put(code(mht, false)); put(phi.to_int());
  }
}

// ---- JUMP ---------------------------------------------------------------------------------
typedef ap_fixed<22, 12> project_t;
typedef ap_fixed<32, 22> square_t;
typedef ap_fixed<32, 2> poly_t;
typedef ap_fixed<26, 11> angle_t;

static const double coefficients[2][3][16] = {$coefficients};

static project_t project(pt_t pt, phi_t phi, int function) {
  int bin = phi < -720 || phi > 720 ? 0 : phi == 720 ? 15 : (phi.to_int() + 720) / 90;
  phi_t edge = 90 * bin - 720;
  const double(*c)[16] = coefficients[function];
  poly_t value = poly_t(c[0][bin]) + poly_t(c[1][bin]) * (phi - edge) +
                 poly_t(c[2][bin]) * (phi - edge) * (phi - edge);
  return pt * value;
}
static void jump(int n_jets) {
  const int edges[4] = {298, 390, 573, 688};
  const double slope[4] = {0.073, 0.247, 0.128, 0.091}, offset[4] = {12.322, 6.061, 10.944, 12.660};
  while (at < in.size()) {
    pt_t met = make_pt(next());
    phi_t met_phi = next();
    square_t x2 = 0, y2 = 0;
    for (int k = 0; k < n_jets; ++k) {
      pt_t pt = make_pt(next());
      eta_t eta = next();
      phi_t phi = next();
      if (!(pt > 30) || abs(eta.to_int()) >= 688) continue;
      int bin = 0;
      while (abs(eta.to_int()) >= edges[bin]) ++bin;
      pt_t sigma = ap_fixed<11, 1>(slope[bin]) * pt + ap_fixed<8, 5>(offset[bin]);
      project_t x = project(sigma, phi, 0), y = project(sigma, phi, 1);
      x2 += square_t(x * x);
      y2 += square_t(y * y);
    }
    project_t x = project(met, met_phi, 0), y = project(met, met_phi, 1);
    square_t dx = std::sqrt(x2.to_float()), dy = std::sqrt(y2.to_float());
    if (x > 0) x = x + dx; else x = x - dx;
    if (y > 0) y = y + dy; else y = y - dy;
    pt_t size = std::hypot(x.to_float(), y.to_float());
    phi_t phi = phi_t(angle_t(std::atan2(y.to_float(), x.to_float())) * angle_t(229.29936));
    put(code(x, true)); put(code(y, true)); put(code(size, false)); put(phi.to_int());
  }
}

// ---- corrections --------------------------------------------------------------------------
// table: number of inner borders of |eta|, borders, then 50 values of pt per region
static void correct() {
  std::vector<int> border(next());
  for (int& b : border) b = next();
  typedef ap_ufixed<15, 13> node_t;
  std::vector<std::vector<node_t>> table(border.size() + 1, std::vector<node_t>(50));
  for (auto& row : table) for (node_t& pt : row) pt.range() = next();
  while (at < in.size()) {
    ap_uint<14> raw = next();
    int eta = abs(next());
    size_t region = 0;
    while (region < border.size() && eta >= border[region]) ++region;
    // four parts per octave, from 4 counts on; below it one part
    int top = 13;
    while (top > 2 && !raw[top]) --top;
    int part = 0, start = 0;
    if (raw >= 4) { part = 1 + 4 * (top - 2) + (raw.to_int() >> (top - 2)) - 4; start = raw.to_int() >> (top - 2) << (top - 2); }
    int bits = raw < 4 ? 2 : top - 2;
    node_t low = table[region][part], high = table[region][part + 1];
    ap_fixed<60, 40> rise = (high - low) * ap_uint<14>(raw - start);
    pt_t corrected = low + (rise >> bits);
    if (raw != 0 && corrected == 0) corrected = 0.25;
    if (raw == 0) corrected = 0;
    put(code(corrected, false));
  }
}

// ---- order --------------------------------------------------------------------------------
struct Sent { ap_ufixed<16, 11, AP_RND_CONV, AP_SAT> pt; int place; };

static void order(int n_jets) {
  while (at < in.size()) {
    std::vector<Sent> jets;
    for (int k = 0; k < n_jets; ++k) jets.push_back({make_pt(next()), k});
    std::sort(jets.begin(), jets.end(), [](const Sent& a, const Sent& b) { return a.pt > b.pt; });
    for (const Sent& jet : jets) put(jet.place);
  }
}

int main(int argc, char** argv) {
  static int32_t block[1 << 16];
  size_t n;
  while ((n = fread(block, sizeof *block, 1 << 16, stdin))) in.insert(in.end(), block, block + n);
  const char* what = argv[1];
  if (!strcmp(what, "jets")) jets(atoi(argv[2]), atof(argv[3]));
  if (!strcmp(what, "sums")) sums(atoi(argv[2]));
  if (!strcmp(what, "jump")) jump(atoi(argv[2]));
  if (!strcmp(what, "order")) order(atoi(argv[2]));
  if (!strcmp(what, "correct")) correct();
}
""")


def _coefficients() -> str:
    text = resources.files("l1met_fpga.puppi").joinpath("cmssw_met_poly2.json").read_text()
    numbers = json.loads(text)
    rows = [[numbers[f][f"par{i}"] for i in range(3)] for f in ("cos", "sin")]
    return json.dumps(rows).strip("[]").replace("[", "{").replace("]", "}")


class JetOracle:
    """The compiled program."""

    def __init__(self, folder: Path) -> None:
        source = SOURCE.substitute(coefficients="{{" + _coefficients() + "}}")
        self._program = folder / "jet_oracle" / "oracle"
        with exclusive(self._program.parent):
            if not self._program.is_file():
                self._program.parent.mkdir()
                compile_cpp(source, self._program.parent, optimize="-O1")

    def run(self, *arguments: object, given: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Give 32-bit integers, return those printed."""
        command = [str(self._program), *map(str, arguments)]
        done = subprocess.run(command, input=given.tobytes(), check=True, capture_output=True)
        return np.frombuffer(done.stdout, np.int32)
