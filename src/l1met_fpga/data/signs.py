"""Whether the charged candidates of a source have signs at all."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from l1met_fpga.data.batch import EventBatch
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import ParticleId

__all__ = ["refuse_one_sign"]

_NEGATIVE: Final = (
    ParticleId.HADRON_MINUS,
    ParticleId.ELECTRON_MINUS,
    ParticleId.MUON_MINUS,
)
_POSITIVE: Final = (ParticleId.HADRON_PLUS, ParticleId.ELECTRON_PLUS, ParticleId.MUON_PLUS)
_ENOUGH: Final = 30
"""So many fair coins show the same side in two of a billion files."""


def refuse_one_sign(batches: Iterable[EventBatch], where: str) -> Iterator[EventBatch]:
    """Pass batches on; refuse the source at its end if all its charged candidates have one sign.

    Args:
        batches: All events of a source.
        where: Name of the source for the message.

    Raises:
        DataError: If more than a few charged candidates have the same sign: the source holds the
            absolute value of pdgId and no charge.
    """
    negative = positive = 0
    for batch in batches:
        pid = batch.columns["pid"]
        negative += int(np.isin(pid, _NEGATIVE).sum())
        positive += int(np.isin(pid, _POSITIVE).sum())
        yield batch
    if min(negative, positive) == 0 and max(negative, positive) > _ENOUGH:
        missing = "negative" if negative == 0 else "positive"
        raise DataError(
            f"{where}: not one of {negative + positive} charged candidates is {missing}; pdgId is "
            "probably its absolute value and the charge is missing, name the branch with the charge "
            "as `charge` in a branch map (--branch-map)"
        )
