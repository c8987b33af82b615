"""A figure that remembers the numbers it shows, so that they can be written beside it."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

__all__ = ["COLUMNS", "Drawing"]

COLUMNS: Final = ("panel", "curve", "x", "x_low", "x_high", "y", "y_low", "y_high")
"""Columns of the CSV file; an empty cell was not measured."""


class Drawing(Figure):
    """A figure with a line about its sample and the numbers of its curves.

    Attributes:
        sample: What is shown, in which conditions; stands above the legend.
    """

    def __init__(self, sample: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.sample = sample
        self._rows: list[tuple[str, str, npt.NDArray[np.float64]]] = []

    def keep(
        self,
        panel: str,
        curve: str,
        x: Sequence[npt.ArrayLike],
        y: Sequence[npt.ArrayLike],
    ) -> None:
        """Keep the numbers of a curve.

        Args:
            panel: Label of the axis that they belong to.
            curve: Its name.
            x: Value, or value with lower and upper end, each of shape (n,).
            y: The same.
        """
        columns = [*_three(x), *_three(y)]
        self._rows.append((panel, curve, np.stack(np.broadcast_arrays(*columns), axis=1)))

    @property
    def has_numbers(self) -> bool:
        """Whether anything was kept."""
        return bool(self._rows)

    def write_csv(self, path: Path) -> None:
        """Write what was kept, a row per point."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for panel, curve, rows in self._rows:
                for row in rows.tolist():
                    cells = ("" if np.isnan(value) else f"{value:.6g}" for value in row)
                    writer.writerow((panel, curve, *cells))


def _three(values: Sequence[npt.ArrayLike]) -> list[npt.NDArray[np.float64]]:
    """Return value, lower and upper end; NaN where there are no ends."""
    found = [np.asarray(value, np.float64) for value in values]
    return found if len(found) == 3 else [found[0], *[np.full_like(found[0], np.nan)] * 2]
