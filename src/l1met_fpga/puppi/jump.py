"""JUMP: MET raised by the resolution of the jets, with the bits of the CMSSW emulator.

Follows ``L1PFJUMPEmulator.h`` and ``L1JUMPProducer`` of CMSSW ``L1Trigger/Phase2L1ParticleFlow``
(method: CMS DP-2025/023). Each jet has a resolution ``a pt + b``, in GeV, with a and b by region of
eta. Its components are added in quadrature over the jets, for x and for y, and each component of
MET moves away from zero by the root.

The rule works on each axis, so a MET turned by an angle does not give the turned result: along an
axis, the other component, zero, becomes minus its resolution. :func:`raised_met_xy_gev` is a form
that turns with the event.
"""

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError, L1MetError
from l1met_fpga.files import read_json
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PT_LSB_GEV
from l1met_fpga.puppi.emulator import PROJECTION_TYPE, PT_TYPE, EmulatedMet, components, polar
from l1met_fpga.puppi.jet_sums import selected
from l1met_fpga.puppi.jets import Jets
from l1met_fpga.puppi.units import to_counts

__all__ = ["JetResolution", "cmssw_resolution", "emulate_jump", "raised_met_xy_gev"]

MIN_PT: Final = 120
"""30 GeV in counts; jets of more than this count."""
END_ETA: Final = 688
"""3.0 in counts; jets below this count."""

SLOPE_TYPE: Final = FixedType(True, 0, 10)
"""``par0``."""
OFFSET_TYPE: Final = FixedType(True, 4, 3)
"""``par1``, GeV."""
SQUARE_TYPE: Final = FixedType(True, 21, 10)
"""``proj2_t``, GeV squared; also of the roots."""

Codes = npt.NDArray[np.int64]
Counts = npt.NDArray[np.integer[Any]]


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


def emulate_jump(
    met_pt: Counts, met_phi: Counts, jets: Jets, resolution: JetResolution | None = None
) -> EmulatedMet:
    """Run the CMSSW JUMP emulator.

    Args:
        met_pt: Any MET, counts of 0.25 GeV, shape (n_events,); CMSSW gives that of
            :func:`~l1met_fpga.puppi.emulator.emulate_puppi_met`.
        met_phi: Its direction, counts of pi/720.
        jets: Those of the narrow cone, corrected.
        resolution: That of CMSSW, if not given.

    Returns:
        The raised MET. CMSSW starts from pt and phi, so rounding alone may lower a MET without jets
        by a count or two.
    """
    sigma = (resolution or cmssw_resolution()).pt(jets)
    sigma = np.where(selected(jets, min_pt=MIN_PT, end_eta=END_ETA), sigma, 0)
    jet_xy, met_xy = components(sigma, jets.phi), components(met_pt, met_phi)
    px, py = (_raised(met, jet) for met, jet in zip(met_xy, jet_xy, strict=True))
    return EmulatedMet(px, py, *polar(px, py))


def _raised(met: Codes, jet: Codes) -> Codes:
    """Move one component away from zero; zero itself becomes negative."""
    each = SQUARE_TYPE.convert(jet * jet, 2 * PROJECTION_TYPE.frac_bits)
    square = SQUARE_TYPE.wrap_or_saturate(each.sum(axis=1))
    # The sum wraps when resolutions reach 1448 GeV; the root of the negative number becomes 0.
    real = np.maximum(SQUARE_TYPE.decode(square), 0).astype(np.float32)
    root = SQUARE_TYPE.encode(np.sqrt(real))
    return PROJECTION_TYPE.wrap_or_saturate(met + np.where(met > 0, root, -root))


def raised_met_xy_gev(
    met_xy_gev: npt.NDArray[np.float64],
    jets: Jets,
    *,
    strength: float = 1.0,
    resolution: JetResolution | None = None,
) -> npt.NDArray[np.float64]:
    """Raise MET along itself by a multiple of the jets' resolution in that direction.

    Unlike JUMP this turns with the event, in exact arithmetic, and a MET of zero stays zero.

    Args:
        met_xy_gev: px, py, GeV, shape (n_events, 2).
        jets: As for :func:`emulate_jump`.
        strength: Multiple of the resolution; negative lowers MET, at most to zero.
        resolution: That of CMSSW, if not given.

    Returns:
        px, py, GeV, shape (n_events, 2).
    """
    sigma = (resolution or cmssw_resolution()).pt(jets) * PT_LSB_GEV
    sigma = np.where(selected(jets, min_pt=MIN_PT, end_eta=END_ETA), sigma, 0)
    size = np.hypot(met_xy_gev[:, 0], met_xy_gev[:, 1])
    angle = np.arctan2(met_xy_gev[:, 1], met_xy_gev[:, 0])
    along = sigma * np.cos(jets.phi * ANGLE_LSB_RAD - angle[:, None])
    raised = np.maximum(size + strength * np.sqrt((along**2).sum(axis=1)), 0)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    result: npt.NDArray[np.float64] = np.where(size > 0, raised, 0)[:, None] * direction
    return result
