"""The Python page of the documentation does what it says, block after block."""

import re
import shutil
from pathlib import Path

import numpy as np
import uproot
from ntuples import make_events, write_perfnano
from require import require

import l1met_fpga as l1met

PAGE = Path(__file__).parents[2] / "docs/python.md"


def test_the_blocks_run_in_their_order(tmp_path, monkeypatch):
    require("g++", shutil.which("g++") is not None, install="install GCC 10 or newer")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    write_perfnano(tmp_path / "data/ttbar.root", make_events(5))
    here = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(block, here)
    # two photons along x, of 10 GeV each
    assert here["met"].px_gev[0] < 0
    np.testing.assert_array_equal(here["met"].xy_gev[1], [0, 0])
    one = {name: np.array([[code]]) for name, code in here["photon"].items()}
    np.testing.assert_array_equal(
        here["net"].predict(here["words"]).codes, here["net"].predict(one).codes
    )
    with uproot.open("met.root") as file:
        assert file["Events"].num_entries == 5


def test_the_page_names_what_is_public():
    documented = set(re.findall(r"auto(?:function|class):: [\w.]*\.(\w+)", PAGE.read_text()))
    assert documented == set(l1met.__all__) - {"__version__"}
