"""Resolution of jets, ``a pt + b`` by region of eta, in the types of CMSSW's JUMP emulator.

JUMP reads it from a file of numbers (``l1jump_jer``); :func:`derive` fits it to jets with a
generated partner.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError, L1MetError
from l1met_fpga.files import read_json
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.puppi.columns import PT_LSB_GEV
from l1met_fpga.puppi.emulator import PT_TYPE
from l1met_fpga.puppi.jets import Jets
from l1met_fpga.puppi.units import to_counts

__all__ = ["JetResolution", "cmssw_resolution", "derive"]

END_ETA: Final = (298, 390, 573, 688)
"""Regions of CMSSW: |eta| of 1.3, 1.7, 2.5 and 3.0 in counts."""
MIN_JETS: Final = 100

SLOPE_TYPE: Final = FixedType(True, 0, 10)
"""``par0``."""
OFFSET_TYPE: Final = FixedType(True, 4, 3)
"""``par1``, GeV."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class JetResolution:
    """Resolution of a jet's pt, ``slope pt + offset``, by region of |eta|.

    Attributes:
        end_eta: Where the regions end, counts of pi/720, increasing, shape (n_regions,).
        slope: Codes of :data:`SLOPE_TYPE`, shape (n_regions + 1,); the last holds beyond all.
        offset: Codes of :data:`OFFSET_TYPE`, same shape.
    """

    end_eta: Codes
    slope: Codes
    offset: Codes

    @classmethod
    def load(cls, path: Path) -> "JetResolution":
        """Read a file as CMSSW has it (``eta_bins``, ``eta_edges``, ``eta.par0``, ``eta.par1``).

        Raises:
            DataError: If a number is missing, or the borders do not increase.
        """
        step = "it must be a file like jump_jer.json of this package"
        raw = read_json(path, error=DataError, next_step=step)
        try:
            n_regions, parameters = int(raw["eta_bins"]), raw["eta"]
            end_eta = to_counts("eta", raw["eta_edges"]).astype(np.int64)
            # CMSSW puts what holds beyond all regions first.
            slope = np.roll(SLOPE_TYPE.encode(parameters["par0"]), -1)
            offset = np.roll(OFFSET_TYPE.encode(parameters["par1"]), -1)
        except (KeyError, TypeError, ValueError, L1MetError) as err:
            raise DataError(f"{path}: no resolution of jets ({err!r}); {step}") from None
        shapes = {(n_regions,): end_eta.shape, (n_regions + 1,): slope.shape}
        if any(want != got for want, got in shapes.items()) or offset.shape != slope.shape:
            raise DataError(
                f"{path}: {n_regions} regions need as many eta_edges and one more par0 and par1, "
                f"got {end_eta.size}, {slope.size} and {offset.size}; {step}"
            )
        if not (np.diff(end_eta, prepend=0) > 0).all():
            raise DataError(f"{path}: eta_edges must increase from 0, got {raw['eta_edges']}")
        return cls(end_eta, slope, offset)

    def pt(self, jets: Jets) -> Codes:
        """Return the resolution of each jet in counts of 0.25 GeV, rounded down."""
        region = np.searchsorted(self.end_eta, np.abs(jets.eta.astype(np.int64)), side="right")
        frac_bits = SLOPE_TYPE.frac_bits + PT_TYPE.frac_bits
        offset = self.offset << (frac_bits - OFFSET_TYPE.frac_bits)
        return PT_TYPE.convert(self.slope[region] * jets.pt + offset[region], frac_bits)


@functools.cache
def cmssw_resolution() -> JetResolution:
    """Return the resolution that JUMP was merged with into CMSSW."""
    with resources.as_file(resources.files(__package__).joinpath("jump_jer.json")) as path:
        return JetResolution.load(path)


def derive(
    pt: npt.NDArray[np.integer[Any]],
    eta: npt.NDArray[np.integer[Any]],
    gen_pt_gev: npt.NDArray[np.floating],
    *,
    end_eta: Sequence[int] = END_ETA,
    min_jets: int = MIN_JETS,
) -> JetResolution:
    """Fit the resolution to jets with a generated partner.

    In each region the jets are put in groups of equal number by pt; half the width between the 16 %
    and the 84 % quantile of pt minus generated pt is fitted with a straight line over the groups. It
    is the resolution at a given pt of the jet, which is what JUMP knows.

    Args:
        pt: Corrected pt, counts of 0.25 GeV, above 30 GeV for JUMP, shape (n_jets,).
        eta: Counts of pi/720, same shape.
        gen_pt_gev: Of the generated jet, GeV, same shape.
        end_eta: Regions of |eta|; beyond them the resolution is 0, as in CMSSW.
        min_jets: Jets of a group; three groups are needed.

    Returns:
        The line, rounded to the types of the emulator.

    Raises:
        DataError: If a region has too few jets, or a line does not fit its types.
    """
    region = np.searchsorted(tuple(end_eta), np.abs(eta.astype(np.int64)), side="right")
    lines = []
    for k, end in enumerate(end_eta):
        here = region == k
        if here.sum() < 3 * min_jets:
            raise DataError(
                f"the region that ends at |eta| of {end} counts has {int(here.sum())} jets with a "
                f"generated partner; {3 * min_jets} are needed: use more events or fewer regions"
            )
        lines.append(_line(pt[here] * PT_LSB_GEV, gen_pt_gev[here], min_jets))
    slope, offset = np.transpose([*lines, (0.0, 0.0)])
    for name, kind, values in (("slope", SLOPE_TYPE, slope), ("offset", OFFSET_TYPE, offset)):
        if (values < kind.min).any() or (values > kind.max).any():
            raise DataError(
                f"the {name} of a jet resolution must be {kind.min:g} to {kind.max:g}, got "
                f"{values[:-1].round(3).tolist()}: are pt and generated pt of the same jets?"
            )
    return JetResolution(
        np.array(end_eta, np.int64), _rounded(SLOPE_TYPE, slope), _rounded(OFFSET_TYPE, offset)
    )


def _line(
    pt_gev: npt.NDArray[Any], gen_pt_gev: npt.NDArray[Any], min_jets: int
) -> tuple[float, float]:
    """Return slope and offset (GeV)."""
    order = np.argsort(pt_gev, kind="stable")
    groups = np.array_split(order, min(len(order) // min_jets, 20))
    middle = [np.median(pt_gev[group]) for group in groups]
    low, high = np.transpose([np.quantile((pt_gev - gen_pt_gev)[g], (0.16, 0.84)) for g in groups])
    slope, offset = np.polyfit(middle, (high - low) / 2, 1)
    return float(slope), float(offset)


def _rounded(kind: FixedType, values: npt.NDArray[np.float64]) -> Codes:
    return np.rint(values / kind.lsb).astype(np.int64).clip(kind.min_code, kind.max_code)
