"""Capacities of the FPGAs on CMS Phase-2 Level-1 boards.

VU9P: AMD DS923 via the Alveo U200 board files. VU13P: totals as Vivado's utilization reports
print them; its four super logic regions (SLR) are alike.
"""

from dataclasses import dataclass
from typing import Final

from l1met_fpga.errors import ConfigError

__all__ = ["DEVICES", "Device", "device_of"]


@dataclass(frozen=True, slots=True)
class Device:
    """One device.

    Attributes:
        name: Part number without package and speed grade.
        slr: Super logic regions.
        lut: LUTs.
        ff: Flip-flops.
        dsp: DSP slices.
        bram18: Block memories of 18 kbit.
        uram: Ultra memories.
    """

    name: str
    slr: int
    lut: int
    ff: int
    dsp: int
    bram18: int
    uram: int

    def percent(self, resource: str, used: float) -> float:
        """Return a use in percent of the device (``lut``, ``ff``, ``dsp``, ``bram18``, ``uram``)."""
        return float(100.0 * used / getattr(self, resource))

    def percent_of_slr(self, resource: str, used: float) -> float:
        """Return a use in percent of one super logic region."""
        return self.percent(resource, used) * self.slr


DEVICES: Final = {
    device.name: device
    for device in (
        Device("xcvu9p", 3, 1_182_240, 2_364_480, 6_840, 4_320, 960),
        Device("xcvu13p", 4, 1_728_000, 3_456_000, 12_288, 5_376, 1_280),
    )
}


def device_of(part: str) -> Device:
    """Return the device of a part number such as ``xcvu13p-flga2577-2-e``.

    Raises:
        ConfigError: If its capacities are not known here.
    """
    device = DEVICES.get(part.split("-")[0].lower())
    if device is None:
        raise ConfigError(
            f"no capacities for part {part!r}; known devices are {', '.join(DEVICES)}"
        )
    return device
