"""Whether the charged candidates of a source have signs at all."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import ParticleId

__all__ = ["refuse_one_sign"]

_PAIRS: Final = (
    ("hadrons", ParticleId.HADRON_MINUS, ParticleId.HADRON_PLUS),
    ("electrons", ParticleId.ELECTRON_MINUS, ParticleId.ELECTRON_PLUS),
    ("muons", ParticleId.MUON_MINUS, ParticleId.MUON_PLUS),
)
"""Absolute values of pdgId make hadrons positive and leptons negative, so each kind counts alone."""
_ENOUGH: Final = 30
"""So many fair coins show the same side in two of a billion files."""


def refuse_one_sign(batches: Iterable[Examples], where: str) -> Iterator[Examples]:
    """Pass batches on; refuse the source at its end if a charged kind has one sign only.

    Args:
        batches: All events of a source.
        where: Name of the source for the message.

    Raises:
        DataError: If more than a few hadrons, electrons or muons all have the same sign: the source
            holds the absolute value of pdgId and no charge.
    """
    counts = np.zeros(len(ParticleId), np.int64)
    for batch in batches:
        counts += np.bincount(batch.columns["pid"], minlength=len(counts))
        yield batch
    for kind, minus, plus in _PAIRS:
        negative, positive = counts[minus], counts[plus]
        if min(negative, positive) == 0 and max(negative, positive) > _ENOUGH:
            missing = "negative" if negative == 0 else "positive"
            raise DataError(
                f"{where}: not one of {negative + positive} charged {kind} is {missing}; pdgId is "
                "probably its absolute value and the charge is missing, name the branch with the "
                "charge as `charge` in a branch map (--branch-map)"
            )
