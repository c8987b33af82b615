"""Section ``hls``: how the network becomes an HLS project."""

import enum
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from l1met_fpga.config.base import StrictModel

__all__ = ["Backend", "HlsConfig", "IoType", "Part", "Strategy"]


def _part(text: str) -> str:
    """Check a part number, which becomes text of the vendors' scripts."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text, re.ASCII):
        raise ValueError("a part number has letters, digits, - and _ only")
    return text


Part = Annotated[str, AfterValidator(_part)]


class Backend(enum.StrEnum):
    """hls4ml back end, named after the vendor tool."""

    VITIS = "Vitis"
    VIVADO = "Vivado"


class IoType(enum.StrEnum):
    """How candidates enter: all slots at once, one slot per clock, or some words per clock."""

    PARALLEL = "io_parallel"
    STREAM = "io_stream"
    WORDS = "words"

    @property
    def form(self) -> str:
        """Name of the form of the network in the bit-exactness check."""
        return "hls_words" if self is IoType.WORDS else "hls_csim"


class Strategy(enum.StrEnum):
    """How hls4ml builds a matrix product."""

    LATENCY = "latency"
    RESOURCE = "resource"
    DISTRIBUTED_ARITHMETIC = "distributed_arithmetic"


class HlsConfig(StrictModel):
    """The HLS project.

    Attributes:
        backend: Vendor tool that the project is written for.
        io_type: ``io_parallel`` takes all slots at once; ``io_stream`` one slot per clock, so its
            initiation interval is at least the number of slots; ``words`` takes ``lanes`` 64-bit
            words per clock and is written by this package, not by hls4ml.
        lanes: Candidate words per clock, with ``words``.
        part: FPGA part number.
        clock_period_ns: Target clock period (360 MHz by default).
        clock_uncertainty_percent: Part of the period that the vendor tool keeps in reserve.
        parallelization_factor: Slots worked on at the same time by every candidate layer
            (hls4ml's ParallelizationFactor); must divide the number of slots.
        reuse_factor: Products that take turns on one multiplier of hls4ml's matrix products; with
            the resource strategy at most, because only some numbers divide a layer's products.
        strategy: Matrix product of hls4ml.
        compiler_flags: Flags of g++ for the C simulation.
        test_bench_events: Real events written into the project's test bench.
        csim_processes: C simulations at the same time; default one per CPU core.
        vendor_timeout_s: Longest time of a vendor run.
        vsynth: Also run logic synthesis after C synthesis.
        cosim: Also run C/RTL co-simulation.
        top_function: Name of the top function.
    """

    backend: Backend = Backend.VITIS
    io_type: IoType = IoType.PARALLEL
    lanes: int = Field(3, ge=1, le=16)
    part: Part = "xcvu13p-flga2577-2-e"
    clock_period_ns: float = Field(2.78, gt=0)
    clock_uncertainty_percent: float = Field(12.5, ge=0, lt=100)
    parallelization_factor: int = Field(4, ge=1)
    reuse_factor: int = Field(1, ge=1)
    strategy: Strategy = Strategy.LATENCY
    compiler_flags: tuple[str, ...] = ("-O3", "-march=native")
    test_bench_events: int = Field(200, ge=1)
    csim_processes: int | None = Field(None, ge=1)
    vendor_timeout_s: float = Field(6 * 3600.0, gt=0)
    vsynth: bool = False
    cosim: bool = False
    top_function: Literal["l1met"] = "l1met"

    @model_validator(mode="after")
    def _distributed_arithmetic_is_unfolded(self) -> "HlsConfig":
        if self.strategy is Strategy.DISTRIBUTED_ARITHMETIC and self.reuse_factor != 1:
            raise ValueError(
                f"strategy distributed_arithmetic has no multipliers to reuse; reuse_factor must "
                f"be 1, got {self.reuse_factor}"
            )
        return self
