"""How far a network's numbers are from those of the truth, in one sentence."""

from l1met_fpga.errors import ReportError
from l1met_fpga.models.network import Network
from l1met_fpga.results.metrics_file import load_metrics
from l1met_fpga.run_folder import RunFolder

__all__ = ["response_sentence"]

_SCALE = "is not calibrated: a trigger cuts on it at equal rate, where its scale does not matter"
_TOLD = "The word for the global trigger tells {factor:.3f} times its size {offset:+.1f} GeV"


def response_sentence(network: Network, run: RunFolder | None) -> str:
    """Say that px, py are not calibrated, how the size is told, and the mean response where it was measured.

    Args:
        network: The integer network.
        run: Its run folder; None for a bare ``network.json``.
    """
    sums = [head.name.upper() for head in network.heads if head.is_sum]
    if not sums:
        heads = ", ".join(head.name for head in network.heads)
        return f"{heads}: no sum of momenta, so there is no scale to tell; `l1met evaluate` measures it"
    scale = f"{', '.join(sums)} {_SCALE}"
    for line in (head.calibration for head in network.heads):
        if line is not None:
            scale += f". {_TOLD.format(factor=line.factor, offset=line.offset_gev)}"
    try:
        measured = _measured(network, run)
    except ReportError as err:
        return f"{scale}. Its mean response is not known: {err}"
    if measured:
        return f"{scale}. Mean response of the network: {measured}"
    return f"{scale}. Its mean response was not measured here; `l1met evaluate` does"


def _measured(network: Network, run: RunFolder | None) -> str:
    if run is None or not run.metrics.is_file():
        return ""
    metrics = load_metrics(run.metrics)
    primary = metrics.primary
    if primary is None or metrics.estimates[primary].network != network.digest:
        return ""
    (low, high), words = metrics.config.response_range_gev, metrics.words
    responses = {
        label: found.response[primary].value for label, found in metrics.resolution.items()
    }
    told = ", ".join(f"{value:.2f} ({label})" for label, value in responses.items() if value)
    return f"{told} for {words.truth} {low:g}-{high:g} {words.unit}" if told else ""
