"""What the ROOT files of the tests hold: the integers and the floats made from them.

Needs NumPy only, so that the script that writes the files runs in ROOT's own environment.
"""

import numpy as np

N_EVENTS = 12
COUNTS = np.array([3, 0, 5, 1, 4, 2, 6, 3, 0, 4, 1, 5])
PDG_ID = np.array([130, 22, -211, 211, 11, -11, 13, -13])
CHARGE = np.array([0, 0, -1, 1, -1, 1, -1, 1])
TABLE = "L1PuppiCands"

_number = np.arange(COUNTS.sum())
_pid = (_number * 3) % 8
COLUMNS = {
    "pt": 2 + (_number * 37) % 400,
    "eta": (_number * 97) % 1401 - 700,
    "phi": (_number * 211) % 1441 - 720,
    "pid": _pid,
    "puppi_weight": np.where(_pid > 1, 256, (_number * 29) % 257),
}
"""Hardware integers of all candidates, one event after the other."""

CANDIDATES = {
    "pt": COLUMNS["pt"] * 0.25,
    "eta": COLUMNS["eta"] * (np.pi / 720),
    "phi": COLUMNS["phi"] * (np.pi / 720),
    "pdgId": PDG_ID[_pid],
    "charge": CHARGE[_pid],
    "puppiWeight": COLUMNS["puppi_weight"] / 256,
}
EVENT_ID = np.stack(
    [np.full(N_EVENTS, 1), np.full(N_EVENTS, 7), (1 << 33) + np.arange(N_EVENTS)], axis=1
)
EVENT_NAMES = ("run", "luminosityBlock", "event")
MET = {
    "genMet_pt": 20.0 + 8 * np.arange(N_EVENTS),
    "genMet_phi": -3.0 + 0.5 * np.arange(N_EVENTS),
    "L1PuppiMet_pt": 16.0 + 4 * np.arange(N_EVENTS),
    "L1PuppiMet_phi": 3.0 - 0.5 * np.arange(N_EVENTS),
}
"""Floats without a rounding error in single precision."""


def rows(event: int) -> slice:
    """Return where the candidates of an event lie."""
    start = int(COUNTS[:event].sum())
    return slice(start, start + int(COUNTS[event]))
