"""Settings of the streaming RTL."""

import math
from typing import Annotated, Literal

from pydantic import Field

from l1met_fpga.config.base import StrictModel
from l1met_fpga.config.firmware import Part

__all__ = ["ExploreConfig", "RtlConfig"]


class RtlConfig(StrictModel):
    """How a network becomes streaming firmware.

    Attributes:
        top: Name of the top module, with which the name of every other module begins; None takes
            ``l1met_`` and the network's name. Two networks on one chip need different ones.
        lanes: Candidates taken per clock; the interval between events is ceil(128 / lanes).
        adders_per_stage: Longest chain of adders (of two or three operands) between two
            registers, per candidate; the clock may cut earlier.
        adders_per_stage_event: The same for the logic that runs once per event.
        clock_period_ns: Clock that decides where pipeline registers stand; also that of the
            constraints and of every latency in ns.
        part: Device.
        flavor: Language of the da4ml logic; the structure around it is Verilog in both cases.
        parallel: Also build and cost the variant that takes all candidates in one clock.
        synthesize: Run Yosys.
        vivado: ``auto`` runs Vivado when it is on PATH, ``off`` never.
    """

    top: str | None = Field(None, pattern="^[a-zA-Z][a-zA-Z0-9_]*$", max_length=64)
    lanes: int = Field(3, ge=1, le=128)
    adders_per_stage: float = Field(2, ge=1)
    adders_per_stage_event: float = Field(2, ge=1)
    clock_period_ns: float = Field(2.78, gt=0)
    part: Part = "xcvu13p-flga2577-2-e"
    flavor: Literal["verilog", "vhdl"] = "verilog"
    parallel: bool = True
    synthesize: bool = True
    vivado: Literal["auto", "off"] = "auto"


class ExploreConfig(StrictModel):
    """Grid of ``l1met explore``; every combination is one point.

    Attributes:
        lanes: Candidates per clock.
        adders_per_stage: Longest adder chain between registers.
        kernel_frac_bits_removed: Low bits taken off every kernel (0 keeps the trained one).
        zero_fraction: Fraction of kernel weights set to zero, smallest first (0 keeps them).
    """

    lanes: tuple[Annotated[int, Field(ge=1, le=128)], ...] = (1, 2, 3, 4, 6)
    adders_per_stage: tuple[Annotated[float, Field(ge=1)], ...] = (1, 2, 3, 4)
    kernel_frac_bits_removed: tuple[Annotated[int, Field(ge=0)], ...] = (0, 1)
    zero_fraction: tuple[Annotated[float, Field(ge=0, le=1)], ...] = (0.0, 0.7, 0.8)

    @property
    def n_points(self) -> int:
        """Designs in the grid."""
        axes = (self.lanes, self.adders_per_stage, self.kernel_frac_bits_removed,
                self.zero_fraction)  # fmt: skip
        return math.prod(len(axis) for axis in axes)
