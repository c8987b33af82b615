"""One look for all figures: mplhep's CMS style without a logo, colours for any colour vision.

Imports matplotlib; only modules that draw import this one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import matplotlib.style
import mplhep
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image

from l1met_fpga.files import atomic_path
from l1met_fpga.plots.drawing import Drawing

__all__ = ["COLOURS", "conditions", "labelled", "save_figure", "styled"]

# Petroff's ten-colour cycle (arXiv:2107.02270), as CMS recommends
COLOURS: Final = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300",
                  "#b9ac70", "#717581", "#92dadd")  # fmt: skip


_CONDITIONS: ContextVar[tuple[str, str]] = ContextVar("conditions", default=("", ""))


@contextmanager
def labelled(experiment: str, beam: str) -> Iterator[None]:
    """Put these words above the axes of all figures that are drawn inside the block.

    Args:
        experiment: Left: whose data or simulation, for example ``Phase-2 simulation``.
        beam: Right: energy and pile-up, for example ``14 TeV, 200 PU``.
    """
    before = _CONDITIONS.set((experiment, beam))
    try:
        yield
    finally:
        _CONDITIONS.reset(before)


def conditions() -> tuple[str, str]:
    """Return what stands left and right above the axes."""
    return _CONDITIONS.get()


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style inside a block only.

    Nothing of a user's ``matplotlibrc`` is left inside, LaTeX for example.
    """
    own: dict[str, Any] = {
        "font.size": 15, "legend.fontsize": 12, "axes.labelsize": 17,
        "xtick.labelsize": 14, "ytick.labelsize": 14, "savefig.bbox": None,
        "xtick.major.size": 8, "ytick.major.size": 8, "xtick.minor.size": 4, "ytick.minor.size": 4,
        "axes.prop_cycle": cycler(color=COLOURS), "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"], "mathtext.fontset": "dejavusans",
        "figure.constrained_layout.use": True, "svg.hashsalt": "l1met",
    }  # fmt: skip
    with matplotlib.style.context([mplhep.style.CMS, own], after_reset=True):
        yield


def save_figure(made: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``name.pdf``, ``name.png``, and ``name.csv`` of a figure that kept its numbers.

    Returns:
        The paths of the first two.
    """
    paths = folder / f"{name}.pdf", folder / f"{name}.png"
    metadata = ({"CreationDate": None, "Creator": None, "Producer": None}, {"Software": None})
    for path, about in zip(paths, metadata, strict=True):
        with atomic_path(path) as temporary, styled():
            made.savefig(temporary, dpi=110, metadata=about)
            made.set_layout_engine("none")  # the layout stays; solving it again takes a third
            if path.suffix == ".png":
                _shrink(temporary)
    if isinstance(made, Drawing) and made.has_numbers:
        with atomic_path(folder / f"{name}.csv") as temporary:
            made.write_csv(temporary)
    return paths


def _shrink(path: Path) -> None:
    """Keep 256 colours of a PNG file, which is more than a drawing of lines has."""
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE)
    small.save(path, format="png")
