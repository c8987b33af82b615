"""Section ``budget``: limits on figures of ``report.json``, by their dotted keys."""

from typing import Literal, Self

from pydantic import Field, model_validator

from l1met_fpga.config.base import StrictModel
from l1met_fpga.results.keys import check_number_key
from l1met_fpga.results.report import Figures

__all__ = ["BudgetConfig"]


class BudgetConfig(StrictModel):
    """What a network may cost and must give; ``l1met report`` checks it.

    A limit on a figure that is not there is not checked, and the report names it.

    Attributes:
        at_most: Largest allowed value by key, for example ``rtl.lut: 30000``.
        at_least: Smallest allowed value by key, for example
            ``physics.gain_vs_puppi.u_par.value: 0.05``.
        timing: ``check`` makes a missed clock a violation; ``ignore`` does not.
    """

    at_most: dict[str, float] = Field(
        default_factory=lambda: {"rtl.ii_cycles": 54.0, "hls.ii_cycles": 54.0}
    )
    at_least: dict[str, float] = Field(default_factory=dict)
    timing: Literal["check", "ignore"] = "check"

    @model_validator(mode="after")
    def _keys_exist(self) -> Self:
        for key in (*self.at_most, *self.at_least):
            check_number_key(Figures, key, file="report.json")
        return self
