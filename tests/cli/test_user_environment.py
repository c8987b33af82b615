"""Nothing of a user's environment changes a result or stops a command."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ntuples import make_events, write_words

from l1met_fpga.cli.app import main
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store

HOSTILE_RC = """\
text.usetex: True
figure.dpi: 20
savefig.dpi: 20
savefig.format: svg
savefig.transparent: True
font.size: 40
font.family: cursive
lines.linewidth: 9
axes.formatter.use_locale: True
axes.prop_cycle: cycler(color=['black'])
"""


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """A shell of a notebook, an ASCII locale, a home that cannot be, settings for figures."""
    (tmp_path / "matplotlibrc").write_text(HOSTILE_RC, encoding="utf-8")
    return os.environ | {
        "MPLBACKEND": "module://a_notebook.that_is_not_here",
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "HOME": "/proc/nothing",
        "XDG_CACHE_HOME": "/proc/nothing",
        "XDG_CONFIG_HOME": "/proc/nothing",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }


def draw(folder: Path) -> None:
    from matplotlib.figure import Figure

    from l1met_fpga.plots.figure import save_figure, styled

    with styled():
        figure = Figure(figsize=(4, 3))
        axis = figure.subplots()
        axis.plot([0, 1], [1234.5, 2345.6], label="PUPPI $p_T^{miss}$")
        axis.set_xlabel("GeV")
        axis.legend()
    save_figure(figure, folder, "figure")


def convert_and_draw(folder: Path) -> None:
    """Run a command with a configuration in UTF-8, then draw."""
    arguments = ["convert", "in.dump", "-o", "out.h5", "--config", "convert.yaml", "--workers", "1"]
    with contextlib.chdir(folder), contextlib.suppress(SystemExit):
        main(arguments)
    with contextlib.chdir(folder), contextlib.suppress(SystemExit):
        main(["inspect", "out.h5"])
    draw(folder)


def test_stores_and_figures_are_the_same_to_the_last_byte(
    tmp_path: Path, hostile: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        write_words(folder / "in.dump", make_events(200))
        (folder / "convert.yaml").write_text("label: été  # naïve\n", encoding="utf-8")
    here = Path(__file__).parent
    code = (
        f"import sys; sys.path.append({str(here.parent)!r})\n"
        f"from test_user_environment import *; convert_and_draw(Path({str(theirs)!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, env=hostile,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "#####" in done.stdout  # the bars of a terminal that has ASCII only
    convert_and_draw(ours)
    assert "█████" in capsys.readouterr().out
    for name in ("figure.png", "figure.pdf"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes()
    with Store.open(ours / "out.h5") as one, Store.open(theirs / "out.h5") as other:
        assert one.label == other.label == "été"
        for part in Part:
            np.testing.assert_array_equal(one.events_of(part), other.events_of(part))
