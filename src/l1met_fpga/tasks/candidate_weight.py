"""What a candidate is worth: one weight each, learnt from the candidates themselves.

The truth of a candidate is the part of its momentum that comes from the hard collision, which a
simulation knows (the column ``hard_share``). Training sees single candidates, each with the MET that
it should make alone, ``-hard_share p``; a network that adds up ``-w p`` of its candidates learns the
weights so, and gives MET of events as every other. All else is that of MET.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.puppi.sums import momentum_xy_gev
from l1met_fpga.puppi.units import to_values
from l1met_fpga.tasks.met.task import TASK as MET

__all__ = ["SHARE", "TASK"]

SHARE: Final = "hard_share"


def _candidates(events: Examples) -> Examples:
    """Make every candidate an example, in the same order."""
    columns = dict(events.columns)
    share = to_values(SHARE, columns.pop(SHARE))
    momentum = momentum_xy_gev(columns)
    return Examples.of(
        np.ones(events.n_rows, np.int64), columns, truth={GEN_MET: -share[:, None] * momentum}
    )


TASK: Final = replace(
    MET,
    name="candidate_weight",
    taught=_candidates,
    taught_columns=(SHARE,),
    words=MET.words.model_copy(update={"task": "candidate_weight"}),
)
