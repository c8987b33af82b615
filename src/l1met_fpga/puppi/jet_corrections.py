"""Jet energy corrections as a table of integers: raw pt to corrected pt in regions of |eta|.

CMSSW keeps corrected pt in bins of raw pt, so all jets of a bin get one and the same pt. Here the
corrected pt is given at nodes, four in each doubling of pt, and is a straight line between them:
one table entry, one product and one shift in firmware. A larger raw pt never gives a smaller
corrected one.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.files import read_json, write_json
from l1met_fpga.puppi.columns import PT_LSB_GEV
from l1met_fpga.puppi.emulator import PT_TYPE
from l1met_fpga.puppi.jets import Jets

__all__ = ["END_ETA", "NODES", "JetCorrections", "derive"]

_PARTS_BITS: Final = 2
"""Nodes in each doubling of pt, as a power of two."""
END_ETA: Final = (115, 229, 344, 458, 550, 688)
"""|eta| of 0.5, 1.0, 1.5, 2.0, 2.4 and 3.0 in counts."""
MAX_FACTOR: Final = 4
"""Corrections stop there, as in CMSSW."""
MIN_JETS: Final = 50

_SCHEMA: Final = 1

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def _nodes() -> Codes:
    octaves = 1 << np.arange(_PARTS_BITS, PT_TYPE.width)
    parts = (octaves[:, None] >> _PARTS_BITS) * np.arange(1 << _PARTS_BITS)
    return np.concatenate([[0], (octaves[:, None] + parts).ravel(), [1 << PT_TYPE.width]])


NODES: Final = _nodes()
"""Raw pt at which corrected pt is given, counts of 0.25 GeV; distances are powers of two."""
_SHIFTS: Final = np.log2(np.diff(NODES)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class JetCorrections:
    """The table.

    Attributes:
        end_eta: Where regions of |eta| end, counts of pi/720; one more region lies beyond all.
        pt: Corrected pt at :data:`NODES`, counts of 0.25 GeV, shape (n_regions, n_nodes); up to
            16384, where a line to the end of the range leads.
    """

    end_eta: tuple[int, ...]
    pt: Codes

    def __post_init__(self) -> None:
        """Refuse a table that is none.

        Raises:
            DataError: If the regions do not increase, or corrected pt has another shape, falls, or
                is out of range.
        """
        if any(low >= high for low, high in itertools.pairwise((0, *self.end_eta))):
            raise DataError(
                f"regions of |eta| of jet corrections must increase from 0, got {self.end_eta}"
            )
        wanted = (len(self.end_eta) + 1, NODES.size)
        if self.pt.shape != wanted:
            raise DataError(
                f"corrected pt must be given for {wanted[0]} regions at {wanted[1]} nodes, got "
                f"shape {self.pt.shape}"
            )
        if (np.diff(self.pt) < 0).any() or self.pt.min() < 0 or self.pt.max() > NODES[-1]:
            raise DataError(
                f"corrected pt must not fall with raw pt and must lie in 0 to {NODES[-1]} "
                "counts of 0.25 GeV"
            )

    @classmethod
    def none(cls) -> "JetCorrections":
        """Return the table that changes nothing."""
        return cls((), NODES[None, :])

    def corrected(self, jets: Jets) -> Jets:
        """Return the jets with corrected pt, in falling pt.

        An empty slot stays empty, and a jet stays a jet, of one count at least.
        """
        region = np.searchsorted(self.end_eta, np.abs(jets.eta.astype(np.int64)), side="right")
        raw = jets.pt.astype(np.int64)
        part = np.searchsorted(NODES, raw, side="right") - 1
        low, high = self.pt[region, part], self.pt[region, part + 1]
        pt = low + (((high - low) * (raw - NODES[part])) >> _SHIFTS[part])
        return jets.with_pt(
            np.where(raw > 0, np.clip(pt, 1, PT_TYPE.max_code), 0).astype(np.int16)
        ).in_falling_pt()

    def save(self, path: Path) -> None:
        """Write the table as JSON."""
        write_json(path, {"schema": _SCHEMA, "end_eta": list(self.end_eta), "pt": self.pt.tolist()})

    @classmethod
    def load(cls, path: Path) -> "JetCorrections":
        """Read what :meth:`save` wrote.

        Raises:
            DataError: If it is another file, or a table that is none.
        """
        step = "derive the corrections again"
        raw: dict[str, Any] = read_json(path, error=DataError, next_step=step)
        if raw.get("schema") != _SCHEMA:
            raise DataError(
                f"{path}: jet corrections have schema {_SCHEMA}, got {raw.get('schema')!r}; {step}"
            )
        try:
            return cls(tuple(map(int, raw["end_eta"])), np.array(raw["pt"], np.int64))
        except (KeyError, TypeError, ValueError) as err:
            raise DataError(f"{path}: no jet corrections ({err!r}); {step}") from None


def derive(
    pt: npt.NDArray[np.integer[Any]],
    eta: npt.NDArray[np.integer[Any]],
    gen_pt_gev: Floats,
    *,
    end_eta: Sequence[int] = END_ETA,
    min_jets: int = MIN_JETS,
) -> JetCorrections:
    """Derive corrections from jets with a generated partner: the median of generated over raw pt.

    The median is taken in each part between two nodes; parts with few jets are joined with the next
    until there are enough. Between the middles of the parts, and beyond the first and the last, the
    factor is interpolated in the logarithm of pt.

    Args:
        pt: Raw pt, counts of 0.25 GeV, above 0, shape (n_jets,).
        eta: Counts of pi/720, same shape.
        gen_pt_gev: Of the generated jet, GeV, finite and above 0, same shape.
        end_eta: Regions of |eta|.
        min_jets: Jets that a median needs.

    Raises:
        DataError: If a region has fewer jets than that, or a pt is not above 0.
    """
    if not ((pt > 0).all() and np.isfinite(gen_pt_gev).all() and (gen_pt_gev > 0).all()):
        raise DataError("jets to derive corrections from need a raw and a generated pt above 0")
    region = np.searchsorted(tuple(end_eta), np.abs(eta.astype(np.int64)), side="right")
    rows = []
    for k in range(len(end_eta) + 1):
        here = region == k
        if here.sum() < min_jets:
            raise DataError(
                f"region {k} of |eta| (ends: {tuple(end_eta)}) has {int(here.sum())} jets with a "
                f"generated partner; {min_jets} are needed: use more events or fewer regions"
            )
        rows.append(_corrected_nodes(pt[here].astype(np.int64), gen_pt_gev[here], min_jets))
    return JetCorrections(tuple(end_eta), np.stack(rows))


def _corrected_nodes(pt: Codes, gen_pt_gev: Floats, min_jets: int) -> Codes:
    """Return corrected pt at the nodes for one region."""
    order = np.argsort(pt, kind="stable")
    pt, ratio = pt[order], (gen_pt_gev[order] / (pt[order] * PT_LSB_GEV))
    borders = _joined(np.searchsorted(pt, NODES), min_jets)
    groups = [slice(low, high) for low, high in itertools.pairwise(borders)]
    middle = np.log([np.median(pt[group]) for group in groups])
    factor = [np.median(ratio[group]) for group in groups]
    wanted = NODES * np.interp(np.log(np.maximum(NODES, 1)), middle, factor)
    limit = np.minimum(MAX_FACTOR * NODES, NODES[-1])
    corrected = np.minimum(np.rint(wanted).astype(np.int64), limit)
    return np.asarray(np.maximum.accumulate(corrected))


def _joined(borders: Codes, min_jets: int) -> list[int]:
    """Leave out borders between groups of too few; what is left over joins the last group."""
    kept = [int(borders[0])]
    for border in borders[1:]:
        if border - kept[-1] >= min_jets:
            kept.append(int(border))
    kept[-1] = int(borders[-1])
    return kept
