"""Weights on candidates as baselines: the same three tables for every sum over candidates."""

from collections.abc import Mapping
from typing import Final

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.slots import all_slots
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.weight_table import (
    GRIDS,
    TABLE,
    CellGrid,
    Summand,
    WeightTable,
    fit_weights,
    weighted_sum,
)
from l1met_fpga.puppi.columns import Candidates
from l1met_fpga.puppi.units import to_values
from l1met_fpga.tasks.task import Baseline, Estimator, Heads

__all__ = ["CandidateSum"]

TITLES: Final = {
    "scaled_puppi": "{} x constant",
    "per_type": "constants per particle type",
    "table": "table pt x |eta| x type",
}


class CandidateSum:
    """Baselines that are weighted sums over candidates, ``sum_i w(cell of i) x_i``.

    Args:
        head: What they estimate.
        summand: x_i.
        plain: The sum with every weight 1.
    """

    def __init__(self, head: str, summand: Summand, plain: Estimator) -> None:
        self._head, self._summand, self._plain = head, summand, plain

    def fit(self, examples: Examples, truth: Heads, grid: CellGrid) -> WeightTable:
        """Fit the weights of some cells to a truth, or to a network's output.

        Raises:
            DataError: If there is no example, or the lengths differ.
        """
        return fit_weights(
            all_slots(examples),
            truth[self._head],
            grid,
            summand=self._summand,
            plain=self._plain(examples)[self._head],
        )

    def of_hard_collision(self, examples: Examples) -> Heads:
        """Return the sum with the part of each candidate that comes from the hard collision.

        Args:
            examples: With the column ``hard_share``, which only a simulation has.
        """
        return {self._head: weighted_sum(all_slots(examples), _hard_share, self._summand)}

    def mean_weights(self, examples: Examples, heads: Heads) -> WeightTable:
        """Fit the weights of the finest cells to what a network gives."""
        return self.fit(examples, heads, TABLE)

    def estimator(self, table: WeightTable) -> Estimator:
        """Return what gives the weighted sum of a table."""

        def run(examples: Examples) -> Mapping[str, FloatArray]:
            return {self._head: table.weighted_sum(all_slots(examples), self._summand)}

        return run

    def baselines(self, examples: Examples, truth: Heads, *, of: str) -> dict[str, Baseline]:
        """Fit the best constant, constants per particle type and the table.

        Args:
            examples: Training examples.
            truth: Their truth.
            of: What the plain sum is called.
        """
        found = {}
        for name, grid in GRIDS.items():
            table = self.fit(examples, truth, grid)
            found[name] = Baseline(TITLES[name].format(of), self.estimator(table), table)
        return found


def _hard_share(candidates: Candidates) -> FloatArray:
    """Return the part of each candidate that comes from the hard collision, 0 to 1."""
    return to_values("hard_share", candidates["hard_share"])
