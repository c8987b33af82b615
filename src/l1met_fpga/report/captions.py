"""What a figure of a run shows, in words, by the name of its file."""

import re
from typing import Final

__all__ = ["caption"]

_SHOWN: Final = {
    "cost": "Efficiency against LUTs",
    "turn_on": "Turn-on: efficiency against the truth, all estimates at equal rate",
    "roc": "Signal efficiency against rate",
    "rate": "Rate against threshold, pile-up only",
    "resolution_par_over_response": "Width along the true vector over the response, which rewards what shrinks",
    "resolution_perp_over_response": "Width across the true vector over the response, which rewards what shrinks",
    "resolution_par": "Width along the true vector, slope-corrected",
    "resolution_perp": "Width across the true vector, slope-corrected",
    "resolution_over_response": "Width over the response, which rewards what shrinks",
    "resolution_phi": "Width of the direction",
    "resolution_x": "Width of px",
    "resolution": "Width, corrected for the scale",
    "response_median": "Median of estimate over truth",
    "response": "Mean response",
    "slope": "How much the estimate grows with the truth",
    "tails": "Share of residuals beyond three widths",
    "residual_x": "Residuals of px",
    "residual": "Residuals",
    "multiplicity": "Width of residuals against the number of candidates",
    "weights_network": "What the network counts a candidate for, on average",
    "weights_table": "What the fitted table counts a candidate for",
    "learning_curves": "Training, epoch by epoch",
    "bad_days": "Rate and efficiency on bad days of the detector",
}
"""By the start of the name; what follows is the sample, and the rate."""
_SHOWN_OF_CLASSES: Final = {
    "roc": "Mistag against efficiency of each class",
    "confusion": "Which class is called which",
    "efficiency": "Efficiency of each class at equal mistag",
}
"""By what follows the name of a head of classes."""


def caption(stem: str) -> str:
    """Return what a figure shows, and of what; the name itself if it is none of ours.

    Args:
        stem: Name of the file without its ending, for example ``turn_on_ttbar_62kHz``.
    """
    shown, sample = _shown(stem)
    sample = sample.replace("_", " ").strip()
    return shown + (f" ({sample})" if sample and shown else sample)


def _shown(stem: str) -> tuple[str, str]:
    """Return what a figure shows, and the rest of its name."""
    starts = [start for start in _SHOWN if stem == start or stem.startswith(f"{start}_")]
    if starts:
        start = max(starts, key=len)
        return _SHOWN[start], stem.removeprefix(start)
    of_classes = re.fullmatch(rf"[a-z]+_({'|'.join(_SHOWN_OF_CLASSES)})(_.*)?", stem)
    if of_classes is None:
        return "", stem
    return _SHOWN_OF_CLASSES[of_classes[1]], of_classes[2] or ""
