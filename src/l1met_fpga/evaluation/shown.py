"""Which estimates a plot shows: curves that lie on one another, or ten of them, show nothing."""

from collections.abc import Mapping

from l1met_fpga.evaluation.estimates import Estimate

__all__ = ["judged", "shown"]


def shown(estimates: Mapping[str, Estimate]) -> list[str]:
    """Return the estimates of plots, in the order of their looks; tables have all of them.

    These are the first baseline and the last one (the simplest and the best), quantized networks
    (one alone after its float form) and estimates from files. Other forms of a network lie on it, and
    rescaled baselines on the first.
    """
    baselines = [name for name, about in estimates.items() if about.kind == "baseline"]
    networks = [name for name, about in estimates.items() if about.form == "quantized"]
    floats = [name for name, about in estimates.items() if about.form == "float"]
    if len(networks) == 1:
        networks = floats[:1] + networks
    files = [name for name, about in estimates.items() if about.kind == "file"]
    ends = dict.fromkeys([*baselines[:1], *baselines[-1:]])
    found = [*ends, *(networks or floats), *files]
    return found or list(estimates)


def judged(estimates: Mapping[str, Estimate]) -> list[str]:
    """Return the estimates of further studies: the first and the last baseline, and every network.

    Without both these are all estimates.
    """
    kinds = estimates.items()
    baselines = [name for name, about in kinds if about.kind == "baseline"]
    networks = [name for name, about in kinds if about.form == "quantized"]
    return [*dict.fromkeys([*baselines[:1], *baselines[-1:]]), *networks] or list(estimates)
