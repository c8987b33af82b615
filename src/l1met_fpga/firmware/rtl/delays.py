"""Delays of UltraScale+ cells and nets, in ps: what the static timing and the scheduler share.

Cell delays are those of RapidWright (Xilinx/RapidWright, commit 325baa0, Apache-2.0, folder
``timing/ultrascaleplus``; RWRoute, TRETS 2022, doi 10.1145/3491236), which describe the fabric of
the -2 speed grade. RapidWright has none for DSP slices and for set and reset pins; those are
assumptions, rounded up, and marked as such. Nothing here is placed, so the delay of a net is a
function of its fan-out only, in three settings.
"""

import math
from dataclasses import dataclass
from typing import Final

__all__ = ["NETS", "NetDelay", "lut_delay"]

LUT_PINS: Final = (35, 50, 90, 100, 125, 150)
"""Through a LUT, fastest pin first (A6 to A1)."""
LUT6_2_O5_PINS: Final = (70, 100, 115, 140, 165)
"""The same to the second output (A5 to A1)."""
LUT_TO_FF: Final = 50
FFS_PER_LUT: Final = 2
"""Registers that a LUT or a carry bit reaches without leaving its site."""
LUT_TO_MUX_PIN: Final = 60
"""From the second output of a LUT to a pin of the site."""
LUT_TO_CARRY: Final = 15
CARRY_TO_FF: Final = 25
CARRY_TO_PIN: Final = 30
CARRY_TO_CARRY: Final = 20
WIDE_MUX: Final = 102
"""MUXF7 to MUXF9, its wires in the site included."""
PIN_TO_FF: Final = 100
FF_CLOCK_TO_OUT: Final = 77
FF_SETUP: Final = -25
FF_CONTROL_SETUP: Final = 60
"""Clock enable, set and reset (assumed)."""
SRL_CLOCK_TO_OUT: Final = 312
SRL_SETUP: Final = 81
BRAM_CLOCK_TO_OUT: Final = 1003
BRAM_REGISTER_TO_OUT: Final = 220
"""With the output register in the memory."""
BRAM_SETUP: Final = 383
DSP_REGISTER_TO_OUT: Final = 300
"""Output register of a DSP slice (assumed)."""
DSP_SETUP: Final = 300
"""Into the operand registers of a DSP slice (assumed)."""
DSP_MULTIPLY: Final = 1300
"""Operand pins to the product register, without operand registers (assumed)."""
DSP_THROUGH: Final = 1800
"""Operand pins to output pins, without any register (assumed)."""

# One CARRY8: delay from input i (rows) to output j (columns); zero where there is no way.
_S_O: Final = (
    (65, 96, 134, 139, 206, 240, 226, 241),
    (0, 56, 117, 123, 204, 237, 224, 238),
    (0, 0, 58, 86, 167, 200, 188, 202),
    (0, 0, 0, 61, 149, 184, 172, 187),
    (0, 0, 0, 0, 63, 95, 129, 137),
    (0, 0, 0, 0, 0, 58, 131, 138),
    (0, 0, 0, 0, 0, 0, 56, 85),
    (0, 0, 0, 0, 0, 0, 0, 56),
)
_S_CO: Final = (
    (71, 109, 115, 186, 216, 201, 217, 199),
    (0, 91, 98, 184, 213, 199, 214, 197),
    (0, 0, 63, 148, 176, 162, 177, 168),
    (0, 0, 0, 133, 159, 146, 162, 170),
    (0, 0, 0, 0, 70, 103, 113, 163),
    (0, 0, 0, 0, 0, 105, 113, 166),
    (0, 0, 0, 0, 0, 0, 61, 124),
    (0, 0, 0, 0, 0, 0, 0, 124),
)
_DI_O: Final = (
    (0, 81, 109, 115, 178, 208, 196, 211),
    (0, 0, 99, 102, 162, 196, 183, 198),
    (0, 0, 0, 94, 150, 186, 174, 188),
    (0, 0, 0, 0, 147, 182, 170, 185),
    (0, 0, 0, 0, 0, 84, 115, 123),
    (0, 0, 0, 0, 0, 0, 102, 107),
    (0, 0, 0, 0, 0, 0, 0, 93),
    (0, 0, 0, 0, 0, 0, 0, 0),
)
_DI_CO: Final = (
    (57, 83, 90, 182, 184, 170, 186, 140),
    (0, 73, 78, 144, 172, 158, 173, 127),
    (0, 0, 69, 134, 160, 148, 163, 117),
    (0, 0, 0, 131, 157, 144, 160, 113),
    (0, 0, 0, 0, 59, 87, 98, 100),
    (0, 0, 0, 0, 0, 74, 82, 95),
    (0, 0, 0, 0, 0, 0, 69, 67),
    (0, 0, 0, 0, 0, 0, 0, 60),
)
_CI_O: Final = (56, 76, 67, 82, 86, 116, 103, 116)
_CI_CO: Final = (52, 42, 57, 60, 92, 77, 92, 23)


def _carry_arcs() -> dict[tuple[str, str], int]:
    arcs = {("CI", f"O{j}"): _CI_O[j] for j in range(8)}
    arcs |= {("CI", f"CO{j}"): _CI_CO[j] for j in range(8)}
    tables = (("S", "O", _S_O), ("S", "CO", _S_CO), ("DI", "O", _DI_O), ("DI", "CO", _DI_CO))
    for source, sink, table in tables:
        arcs |= {
            (f"{source}{i}", f"{sink}{j}"): ps
            for i, row in enumerate(table)
            for j, ps in enumerate(row)
            if ps
        }
    return arcs


CARRY8: Final = _carry_arcs()
"""(input pin, output pin) -> ps, of one block of eight carry bits."""

CLOCK_UNCERTAINTY: Final = 135
"""Jitter and skew between two registers."""
PIN: Final = 50
"""From a wire to the pin of a cell."""
EXTERNAL: Final = 300
"""What neighbours take of the clock at the ports (as in ``constraints.xdc``)."""


@dataclass(frozen=True, slots=True)
class NetDelay:
    """Delay of a net by its fan-out: ``base + per_doubling * log2(fan_out)``.

    Attributes:
        base: A single load, ps.
        per_doubling: What a doubling of the loads adds, ps.
    """

    base: int
    per_doubling: int

    def __call__(self, fan_out: int) -> float:
        """Return ps, pin of the load included."""
        return self.base + self.per_doubling * math.log2(max(1, fan_out)) + PIN


NETS: Final = {
    "tight": NetDelay(130, 30),
    "typical": NetDelay(200, 50),
    "congested": NetDelay(300, 80),
}
"""A well-packed block by itself, an ordinary design, a device that is nearly full."""


def lut_delay(n_inputs: int, arrivals: list[float], *, second_output: bool = False) -> float:
    """Return when the output of a LUT is there.

    A placer gives the latest input the fastest pin; pins beyond the LUT's own size are not used
    (two small LUTs that share a site leave the fastest to neither).

    Args:
        n_inputs: Size of the LUT.
        arrivals: When its inputs are there, ps.
        second_output: Whether the lower output of a LUT6_2 is meant.
    """
    pins = LUT6_2_O5_PINS if second_output else LUT_PINS[0 if n_inputs > 5 else 1 :]
    late_first = sorted(arrivals, reverse=True)
    return max((t + d for t, d in zip(late_first, pins, strict=False)), default=0.0)
