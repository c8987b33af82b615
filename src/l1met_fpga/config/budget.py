"""Section ``budget``: limits on figures of ``report.json``, by their dotted keys."""

from typing import Self

from pydantic import Field, model_validator

from l1met_fpga.config.base import StrictModel

__all__ = ["BudgetConfig"]

SECTIONS = ("physics", "pruning", "bit_exactness", "rtl", "rtl_parallel", "hls")


class BudgetConfig(StrictModel):
    """What a network may cost and must give; ``l1met report`` checks it.

    A limit on a stage that was not run is not checked, and the report says so.

    Attributes:
        at_most: Largest allowed value by key, for example ``rtl.lut: 30000``.
        at_least: Smallest allowed value by key, for example
            ``physics.gain_vs_puppi.u_par.value: 0.05``.
    """

    at_most: dict[str, float] = Field(
        default_factory=lambda: {"rtl.ii_cycles": 54.0, "hls.ii_cycles": 54.0}
    )
    at_least: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _keys_exist(self) -> Self:
        for key in (*self.at_most, *self.at_least):
            if key.split(".")[0] not in SECTIONS or "." not in key:
                raise ValueError(
                    f"{key!r} is no key of report.json; it starts with one of {', '.join(SECTIONS)}"
                )
        return self
