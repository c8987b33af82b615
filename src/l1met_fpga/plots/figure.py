"""One look for all figures: mplhep's CMS style without a logo, colours for any colour vision.

Imports matplotlib; only modules that draw import this one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib.style
import mplhep
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image

from l1met_fpga.files import atomic_path

__all__ = ["COLOURS", "save_figure", "styled"]

# Petroff's ten-colour cycle (arXiv:2107.02270), as CMS recommends
COLOURS: Final = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300",
                  "#b9ac70", "#717581", "#92dadd")  # fmt: skip


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style inside a block only.

    Nothing of a user's ``matplotlibrc`` is left inside, LaTeX for example.
    """
    own: dict[str, Any] = {
        "font.size": 15, "legend.fontsize": 12, "axes.labelsize": 17,
        "xtick.labelsize": 14, "ytick.labelsize": 14, "savefig.bbox": None,
        "axes.prop_cycle": cycler(color=COLOURS), "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"], "mathtext.fontset": "dejavusans",
        "figure.constrained_layout.use": True, "svg.hashsalt": "l1met",
    }  # fmt: skip
    with matplotlib.style.context([mplhep.style.CMS, own], after_reset=True):
        yield


def save_figure(made: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``name.pdf`` and ``name.png`` atomically and return their paths."""
    paths = folder / f"{name}.pdf", folder / f"{name}.png"
    metadata = ({"CreationDate": None, "Creator": None, "Producer": None}, {"Software": None})
    for path, about in zip(paths, metadata, strict=True):
        with atomic_path(path) as temporary, styled():
            made.savefig(temporary, dpi=110, metadata=about)
            made.set_layout_engine("none")  # the layout stays; solving it again takes a third
    _shrink(paths[1])
    return paths


def _shrink(path: Path) -> None:
    """Keep 256 colours of a PNG file, which is more than a drawing of lines has."""
    with Image.open(path) as image, atomic_path(path) as temporary:
        image.convert("RGB").quantize(256).save(temporary, format="png", optimize=True)
