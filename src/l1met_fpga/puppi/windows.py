"""Windows in eta and phi whose candidates are dropped before a network sees them.

The operator's remedy for a hot cell: up to four windows, set while the firmware runs. One window is a
code of :data:`WINDOW_BITS` bits; 0 is no window:

=====  ===== =================================
bits   width field
=====  ===== =================================
11:0   12    first eta, signed
23:12  12    last eta, signed
34:24  11    first phi, signed
45:35  11    last phi, signed
46     1     1: the window is on
=====  ===== =================================

A candidate is dropped when its eta and its phi lie within both ends of a window that is on. With the
first phi above the last one the window goes over half a turn: phi from the first on, or up to the last.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConfigError
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, COLUMNS, PHI_COUNTS_PER_TURN, Candidates
from l1met_fpga.puppi.words import LOWEST_BIT

__all__ = [
    "MAX_WINDOWS",
    "WINDOW_BITS",
    "Window",
    "candidates_outside",
    "codes_of",
    "in_windows",
    "words_outside",
]

MAX_WINDOWS: Final = 4
WINDOW_BITS: Final = 47
_HALF_TURN: Final = PHI_COUNTS_PER_TURN // 2


@dataclass(frozen=True, slots=True)
class Window:
    """One window, in hardware counts; both ends are inside.

    Attributes:
        eta: First and last eta.
        phi: First and last phi, counterclockwise.
    """

    eta: tuple[int, int]
    phi: tuple[int, int]

    def __post_init__(self) -> None:
        for name, ends in (("eta", self.eta), ("phi", self.phi)):
            about = COLUMNS[name]
            if not all(about.low <= end <= about.high for end in ends):
                raise ConfigError(
                    f"{name} of a window must lie in {about.low} to {about.high} counts, got {ends}"
                )
        if self.eta[0] > self.eta[1]:
            raise ConfigError(
                f"the first eta of a window must not be above the last, got {self.eta}"
            )

    @classmethod
    def around(cls, eta: float, phi_rad: float, half_width: float) -> "Window":
        """Return the smallest window that holds every place so near, in eta and in phi."""

        def ends(at: float) -> tuple[int, int]:
            return (
                math.floor((at - half_width) / ANGLE_LSB_RAD),
                math.ceil((at + half_width) / ANGLE_LSB_RAD),
            )

        first, last = (_within_half_turn(phi) for phi in ends(phi_rad))
        # half a turn has two codes: a window that begins there goes over it, so that both are inside
        return cls(ends(eta), (_HALF_TURN if first == -_HALF_TURN else first, last))

    @property
    def code(self) -> int:
        """The window as the firmware takes it."""
        eta_bits, phi_bits = COLUMNS["eta"].type.width, COLUMNS["phi"].type.width
        bits, place = 1 << (WINDOW_BITS - 1), 0
        for ends, width in ((self.eta, eta_bits), (self.phi, phi_bits)):
            for end in ends:
                bits |= (end & ((1 << width) - 1)) << place
                place += width
        return bits


def _within_half_turn(phi: int) -> int:
    return (phi + _HALF_TURN) % PHI_COUNTS_PER_TURN - _HALF_TURN


def codes_of(windows: Sequence[Window]) -> npt.NDArray[np.uint64]:
    """Return what the firmware is set to, shape (4,).

    Raises:
        ConfigError: If there are more windows than the firmware has.
    """
    if len(windows) > MAX_WINDOWS:
        raise ConfigError(f"the firmware has {MAX_WINDOWS} windows, got {len(windows)}")
    found = np.zeros(MAX_WINDOWS, np.uint64)
    found[: len(windows)] = [window.code for window in windows]
    return found


def in_windows(candidates: Candidates, windows: Sequence[Window]) -> npt.NDArray[np.bool_]:
    """Tell which candidates are dropped, in the shape of the columns ``eta`` and ``phi``."""
    eta, phi = np.asarray(candidates["eta"]), np.asarray(candidates["phi"])
    found = np.zeros(eta.shape, bool)
    for window in windows:
        (low, high), (first, last) = window.eta, window.phi
        from_first, to_last = phi >= first, phi <= last
        turn = from_first & to_last if first <= last else from_first | to_last
        found |= (eta >= low) & (eta <= high) & turn
    return found


def words_outside(
    words: npt.NDArray[np.uint64], windows: Sequence[Window]
) -> npt.NDArray[np.uint64]:
    """Return candidate words, zero where a window drops them."""
    columns = {}
    for name in ("eta", "phi"):
        width = COLUMNS[name].type.width
        shifted = (words << np.uint64(64 - LOWEST_BIT[name] - width)).view(np.int64)
        columns[name] = shifted >> np.int64(64 - width)
    return np.where(in_windows(columns, windows), np.uint64(0), words)


def candidates_outside(
    candidates: Candidates, windows: Sequence[Window]
) -> dict[str, npt.NDArray[np.int16]]:
    """Return candidates in fixed slots, empty where a window drops them."""
    drop = in_windows(candidates, windows)
    return {name: np.where(drop, 0, codes).astype(np.int16) for name, codes in candidates.items()}
