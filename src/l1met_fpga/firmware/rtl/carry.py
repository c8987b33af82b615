"""Delay of carry chains, bit by bit."""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.firmware.rtl import delays

__all__ = ["FloatArray", "carry_chain"]

_NEVER: Final = -1e9

FloatArray = npt.NDArray[np.float64]


def _arcs(source: str, sink: str) -> FloatArray:
    table = np.full((8, 8), _NEVER)
    for (pin, out), ps in delays.CARRY8.items():
        if pin[:-1] == source and out.rstrip("01234567") == sink:
            table[int(pin[-1]), int(out[-1])] = ps
    return table


_S_O, _S_CO = _arcs("S", "O"), _arcs("S", "CO")[:, 7]
_DI_O, _DI_CO = _arcs("DI", "O"), _arcs("DI", "CO")[:, 7]
_CI_O = np.array([float(delays.CARRY8["CI", f"O{j}"]) for j in range(8)])
_CI_CO = float(delays.CARRY8["CI", "CO7"])


def carry_chain(s: FloatArray, di: FloatArray) -> FloatArray:
    """When the output bits of a carry chain are there."""
    out, carry = [], 0.0
    for start in range(0, len(s), 8):
        n = len(s[start : start + 8])
        block_s, block_di = (np.pad(x[start : start + 8], (0, 8 - n)) for x in (s, di))
        times = np.maximum((block_s[:, None] + _S_O).max(0), (block_di[:, None] + _DI_O).max(0))
        out.append(np.maximum(times, carry + _CI_O)[:n])
        carry = delays.CARRY_TO_CARRY + max(
            (block_s + _S_CO).max(), (block_di + _DI_CO).max(), carry + _CI_CO
        )
    return np.concatenate(out)
