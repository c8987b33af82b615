"""The one head of the networks that tests use, taken out of the results by head."""

from typing import Any

import numpy as np

from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.cordic import gt_words
from l1met_fpga.models.network import Network


def met_codes(network: Network, candidates: Any, **kwargs: Any) -> np.ndarray:
    """Codes of px, py by the int64 reference, shape (n_events, 2)."""
    return evaluate(network, candidates, **kwargs)["met"]


def met_words(network: Network, codes: np.ndarray) -> np.ndarray:
    """Words for the global trigger of codes of px, py, with the size that the network tells."""
    (head,) = (head for head in network.heads if head.name == "met")
    return gt_words(network.type_of("met"), codes, head.calibration)


def predict_met(model: Any, candidates: Any, **kwargs: Any) -> np.ndarray:
    """px, py by a Keras model, shape (n_events, 2)."""
    from l1met_fpga.models.storage import predict

    return predict(model, ["met"], candidates, **kwargs)["met"]
