"""What an estimate of MET is, and whether it can be one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.binning import MIN_EVENTS

__all__ = ["BASELINE_TITLES", "Estimate", "odd_responses"]

_RESPONSE_GEV: Final = (80.0, 200.0)
_POSSIBLE_RESPONSE: Final = (0.2, 5.0)
"""An estimate of MET in GeV lies well inside, trained or not."""

BASELINE_TITLES: Final = {
    "puppi": "PUPPI MET",
    "cmssw": "PUPPI MET (CMSSW emulator)",
    "scaled_puppi": "PUPPI MET x constant",
    "per_type": "constants per particle type",
    "table": "table pt x |eta| x type",
}
"""Baselines by name, in the order of tables and legends."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an estimate is.

    Attributes:
        kind: A baseline, a network of this package, or MET read from a file.
        title: Text in legends and tables.
        form: ``float``, ``quantized``, ``hls_csim``, ... of a network.
        network: Digest of the ``network.json`` beside that form.
    """

    kind: Literal["baseline", "network", "file"]
    title: str
    form: str | None = None
    network: str | None = None


def odd_responses(samples: Iterable[Sample], estimates: Mapping[str, Estimate]) -> Iterator[str]:
    """Name MET from files whose size or direction cannot be that of MET in GeV.

    Rates and efficiencies do not show a wrong sign, unit or angle; the response does. It is the
    ratio of means, ``<u . q/|q|> / <|q|>``.
    """
    low, high = _POSSIBLE_RESPONSE
    for sample in samples:
        gen_gev = sample.gen_gev
        inside = (gen_gev >= _RESPONSE_GEV[0]) & (gen_gev < _RESPONSE_GEV[1])
        if inside.sum() < MIN_EVENTS:
            continue
        direction = sample.gen_met_xy_gev[inside] / gen_gev[inside, None]
        for name, about in estimates.items():
            parallel = np.einsum("ij,ij->i", sample.met_xy_gev[name][inside], direction)
            response = float(parallel.mean() / gen_gev[inside].mean())
            if about.kind == "file" and not low <= response <= high:
                yield (
                    f"{name} in {sample.label}: the response at generator MET of 80 to 200 GeV is "
                    f"{response:.3g}, which no MET has; check its sign (MET is minus the sum of "
                    "momenta), unit (GeV), angle (rad) and the order of px and py."
                )
