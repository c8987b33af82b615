#!/usr/bin/env bash
# One would think: a shift of an ap_fixed with AP_RND and AP_SAT rounds and saturates like every other operation.
# What happens: it keeps the left operand's type and drops bits at both ends: 7.5 << 1 is -1 in <8,4>, and a shift to the
# right truncates; a negative count shifts the other way. And ap_int<8>(-1.5625) is -1 (toward zero), while
# ap_fixed<8,8>(-1.5625) is -2 (floor): two conversions to an integer, two answers.
# Seen with the ap_types headers in hls4ml 1.3.0, g++ 12.2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check --no-deps hls4ml==1.3.0
headers=$(find env -type d -path '*vivado/ap_types')
cat > shift.cpp <<'CPP'
#include <iostream>
#include "ap_fixed.h"
#include "ap_int.h"
int main() {
    typedef ap_fixed<8, 4, AP_RND, AP_SAT> value_t;
    value_t large = 7.5, negative = -1.5625;
    std::cout << (large << 1).to_double() << ' ' << (negative >> 3).to_double() << ' '
              << (large << -1).to_double() << ' ' << ap_int<8>(negative).to_int() << ' '
              << ap_fixed<8, 8>(negative).to_double() << '\n';
}
CPP
g++ -w -std=c++11 "-I$headers" -o shift shift.cpp
seen=$(./shift)
echo "hls4ml 1.3.0, $(g++ -dumpversion): 7.5<<1, -1.5625>>3, 7.5<<-1, ap_int(-1.5625), ap_fixed<8,8>(-1.5625)"
echo "$seen"
[ "$seen" = "-1 -0.25 3.75 -1 -2" ] || { echo "changed: expected -1 -0.25 3.75 -1 -2"; exit 1; }
