"""Executable stand-ins for vendor programs: they write reports of the real shape, nothing more."""

import stat
import sys
from pathlib import Path

SCRIPT = """#!{python}
# STAND-IN for a vendor program, for tests: it synthesizes nothing.
import pathlib, sys, time

sys.path.insert(0, {reports!r})
from vendor_reports import csynth_xml, utilization

print("stand-in called with", sys.argv[1:])
mode = {mode!r}
if mode == "fail":
    print("ERROR: [HLS 200-70] stand-in fails as asked")
    sys.exit(3)
if mode == "hang":
    time.sleep(60)
report = pathlib.Path("l1met_prj/solution1/syn/report/l1met_csynth.xml")
if mode == "works":
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(csynth_xml(vitis="vivado" not in sys.argv[0]))
if mode == "works" and "vsynth     1" in pathlib.Path("build_opt.tcl").read_text():
    pathlib.Path("vivado_synth.rpt").write_text(utilization())
"""


def install_stand_in(folder: Path, name: str, *, mode: str = "works") -> Path:
    """Put a program of that name into ``folder`` (which the test puts on PATH)."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    reports = str(Path(__file__).parents[1])
    program.write_text(SCRIPT.format(python=sys.executable, mode=mode, reports=reports))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program
