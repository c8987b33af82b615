"""Section ``scan``: search for widths, sizes and sparsity."""

from typing import Literal

from pydantic import Field, model_validator

from l1met_fpga.config.base import Seed, StrictModel

__all__ = ["ScanConfig"]


class ScanConfig(StrictModel):
    """What ``l1met scan`` varies, for every dense layer on its own.

    Attributes:
        score: What a trial is best in: ``worst_cell``, the least difference to the weight table over
            processes, rates and ranges of the truth, in units of its error; or ``efficiency``, the
            mean over processes at one rate, which hides that a network loses in one of them.
        epochs: Epochs of one trial.
        kernel_bits: Smallest and largest kernel width.
        activation_bits: Smallest and largest width of an activation between layers.
        units: Sizes that a hidden layer may have.
        sparsity: Smallest and largest pruning target, the same for all layers.
        seed: Seed of the search.
        startup_trials: Random trials before the search learns from them.
    """

    score: Literal["worst_cell", "efficiency"] = "worst_cell"
    epochs: int = Field(default=10, ge=1)
    kernel_bits: tuple[int, int] = (3, 8)
    activation_bits: tuple[int, int] = (4, 8)
    units: tuple[int, ...] = (8, 16, 32)
    sparsity: tuple[float, float] = (0.4, 0.8)
    seed: Seed = 1
    startup_trials: int = Field(default=8, ge=1)

    @model_validator(mode="after")
    def _check(self) -> "ScanConfig":
        for name in ("kernel_bits", "activation_bits"):
            low, high = getattr(self, name)
            if not 2 <= low <= high <= 16:
                raise ValueError(f"{name} must be two widths from 2 to 16, got {low} and {high}")
        low, high = self.sparsity
        if not 0 <= low <= high < 1:
            raise ValueError(f"sparsity must be two fractions below 1, got {low} and {high}")
        if not self.units or min(self.units) < 1:
            raise ValueError(f"units must be positive, got {list(self.units)}")
        return self
