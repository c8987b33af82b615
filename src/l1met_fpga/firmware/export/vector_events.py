"""Events for test vectors, as 64-bit words: of a run's test part, or generated."""

from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.run import load_run
from l1met_fpga.errors import DataError
from l1met_fpga.firmware.forms import test_events
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.puppi.words import carried_by_words, pack
from l1met_fpga.run_folder import RunFolder

__all__ = ["generated_words", "test_words"]

Words = npt.NDArray[np.uint64]

SEED: Final = 20240301


def test_words(network: Network, run: RunFolder, n_events: int) -> Words:
    """Return words of a run's test events, shape (n_events, n_candidates).

    Raises:
        DataError: If there are fewer test events, or words cannot carry their columns.
    """
    config = load_run(run.need(run.config, made_by="l1met train"))
    candidates = test_events(network, config, n_events=n_events)
    found = len(candidates["pt"])
    if found < n_events:
        raise DataError(
            f"the run's samples hold {found} test events, {n_events} were asked for; use --events "
            f"{found}, or --generated"
        )
    columns = {name: codes[:n_events] for name, codes in _all_columns(candidates).items()}
    lost = ~carried_by_words(columns) & (columns["pt"] > 0)
    if lost.any():
        raise DataError(
            f"{int(lost.any(axis=1).sum())} of {n_events} test events hold candidates that no 64-bit "
            "word can carry (for example a charged one with a PUPPI weight other than 256); use "
            "--generated"
        )
    return pack({name: np.where(columns["pt"] > 0, c, 0) for name, c in columns.items()})


def generated_words(network: Network, n_events: int) -> Words:
    """Return words of stress events that words can carry, shape (n_events, n_candidates).

    The same number gives the same events.
    """
    rng = np.random.default_rng(SEED)
    parts: list[Words] = []
    while sum(map(len, parts)) < n_events:
        columns = _all_columns(
            stress_events(rng, n_random=max(50, n_events // 4), n_slots=network.n_candidates)
        )
        fits = (carried_by_words(columns) | (columns["pt"] == 0)).all(axis=1)
        fits = rng.permutation(np.flatnonzero(fits))  # kinds of events mixed
        filled = columns["pt"] > 0
        parts.append(pack({k: np.where(filled, v, 0)[fits] for k, v in columns.items()}))
    return np.concatenate(parts)[:n_events]


def _all_columns(candidates: Candidates) -> dict[str, npt.NDArray[np.int16]]:
    empty = np.zeros_like(candidates["pt"])
    return {name: candidates.get(name, empty) for name in COLUMNS}
