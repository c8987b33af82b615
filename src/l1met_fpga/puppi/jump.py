"""JUMP: MET raised by the resolution of the jets, with the bits of the CMSSW emulator.

Follows ``L1PFJUMPEmulator.h`` and ``L1JUMPProducer`` of CMSSW ``L1Trigger/Phase2L1ParticleFlow``
(method: CMS DP-2025/023). Each jet has a resolution ``a pt + b``, in GeV, with a and b by region of
eta. Its components are added in quadrature over the jets, for x and for y, and each component of
MET moves away from zero by the root.

The rule works on each axis, so a MET turned by an angle does not give the turned result: along an
axis, the other component, zero, becomes minus its resolution. :func:`raised_met_xy_gev` is a form
that turns with the event.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.fixed_point import FixedType
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PT_LSB_GEV
from l1met_fpga.puppi.emulator import PROJECTION_TYPE, EmulatedMet, components, polar
from l1met_fpga.puppi.jet_resolution import JetResolution, cmssw_resolution
from l1met_fpga.puppi.jet_sums import selected
from l1met_fpga.puppi.jets import Jets

__all__ = ["emulate_jump", "jump_met_xy_gev", "raised_met_xy_gev"]

MIN_PT: Final = 120
"""30 GeV in counts; jets of more than this count."""
END_ETA: Final = 688
"""3.0 in counts; jets below this count."""

SQUARE_TYPE: Final = FixedType(True, 21, 10)
"""``proj2_t``, GeV squared; also of the roots."""

Codes = npt.NDArray[np.int64]
Counts = npt.NDArray[np.integer[Any]]


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


def jump_met_xy_gev(met_xy_gev: npt.NDArray[np.float64], jets: Jets) -> npt.NDArray[np.float64]:
    """Run the CMSSW JUMP emulator behind any MET, that of a network for instance.

    Args:
        met_xy_gev: px, py, GeV, shape (n_events, 2); brought to pt and phi as PUPPI MET is.
        jets: As for :func:`emulate_jump`.

    Returns:
        px, py of the raised MET, GeV, shape (n_events, 2).
    """
    px, py = (PROJECTION_TYPE.encode(component) for component in met_xy_gev.T)
    return emulate_jump(*polar(px, py), jets).met_xy_gev


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
