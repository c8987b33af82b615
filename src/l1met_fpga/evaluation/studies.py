"""Further studies: efficiencies by class of events, and fakes and misses apart."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.classes import Classes
from l1met_fpga.evaluation.resolution import ResolutionResult
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.evaluation.trigger import RateResult, WorkingPoint, bin_key
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.binomial import efficiency
from l1met_fpga.metrics.paired import Change, change_of_share
from l1met_fpga.metrics.trigger import passes
from l1met_fpga.results.base import Measured
from l1met_fpga.results.studies import ByBin, GroupEfficiency, Studies, Tails
from l1met_fpga.tasks.task import Task

__all__ = ["as_measured", "evaluate_studies", "share"]

Passing = npt.NDArray[np.bool_]


def evaluate_studies(
    samples: Sequence[Sample],
    task: Task,
    names: Sequence[str],
    config: EvaluationConfig,
    *,
    subject: str,
    rates: RateResult | None,
    resolution: Mapping[str, ResolutionResult],
) -> Studies:
    """Compute the studies of some estimates.

    Args:
        samples: Signal samples, and at most one pile-up-only sample.
        task: What is estimated.
        names: Which estimates.
        config: Bins and the border of the tails.
        subject: The one that is compared with the others.
        rates: Thresholds at equal rate; without them there are no efficiencies.
        resolution: Of the signal samples; the mean response of the first one calibrates the tails.
    """
    signals = [sample for sample in samples if not sample.is_background]
    studies = dict.fromkeys(study for sample in signals for study in sample.classes)
    return Studies(
        classes={
            study: {
                sample.label: {
                    point.key: _by_class(sample, task, sample.classes[study], cuts, config, subject)
                    for point, cuts in _cuts(rates, names)
                }
                for sample in signals
                if study in sample.classes
            }
            for study in studies
        },
        tails_beyond_gev=config.tails_beyond_gev,
        tails=_tails(samples, task, _responses(resolution, names), config.tails_beyond_gev),
    )


def _cuts(
    rates: RateResult | None, names: Sequence[str]
) -> Iterator[tuple[WorkingPoint, dict[str, float]]]:
    """Yield the working points, and the threshold of each estimate there."""
    if rates is not None:
        for k, point in enumerate(rates.points):
            yield point, {name: float(rates.thresholds[name][k]) for name in names}


def _by_class(
    sample: Sample,
    task: Task,
    classes: Classes,
    cuts: dict[str, float],
    config: EvaluationConfig,
    subject: str,
) -> ByBin:
    bins = Bins.of(config.efficiency_edges_gev)
    where = bins.index(task.score(sample.truth))
    passing = {
        name: passes(task.score(sample.estimates[name]), cut)
        for name, cut in cuts.items()
        if np.isfinite(cut)
    }
    edges = list(zip(bins.edges_gev[:-1], bins.edges_gev[1:], strict=True))
    return {
        label: {
            bin_key(*edges[k]): _cell(passing, (classes.index == c) & (where == k), subject)
            for k in range(len(bins))
        }
        for c, label in enumerate(classes.labels)
    }


def _cell(passing: Mapping[str, Passing], chosen: Passing, subject: str) -> GroupEfficiency:
    return GroupEfficiency(
        events=int(chosen.sum()),
        efficiency={name: share(found[chosen]) for name, found in passing.items()},
        difference={
            name: as_measured(change_of_share(found[chosen], passing[subject][chosen], paired=True))
            for name, found in passing.items()
            if name != subject and subject in passing
        },
    )


def _responses(
    resolution: Mapping[str, ResolutionResult], names: Sequence[str]
) -> dict[str, float]:
    """Return the mean response that calibrates each estimate, where it is known."""
    first = next(iter(resolution.values()), None)
    values = {} if first is None else {name: float(first.response[name][0]) for name in names}
    return {name: value for name, value in values.items() if value > 0}


def _tails(
    samples: Sequence[Sample], task: Task, responses: Mapping[str, float], beyond_gev: float
) -> dict[str, dict[str, Tails]]:
    def of(sample: Sample, name: str) -> Tails:
        away: FloatArray = task.score(sample.estimates[name]) / responses[name]
        away = away - task.score(sample.truth)
        misses = None if sample.is_background else share(away < -beyond_gev)
        return Tails(fakes=share(away > beyond_gev), misses=misses)

    return {sample.label: {name: of(sample, name) for name in responses} for sample in samples}


def share(passing: Passing, unit: float = 1.0) -> Measured:
    """Return the share of events that pass, times a unit, and half its Clopper-Pearson interval."""
    found = efficiency(int(passing.sum()), len(passing))
    return as_measured(Change(float(found.value) * unit, float(found.error) * unit))


def as_measured(found: Change) -> Measured:
    """Return a figure for a file; what is not finite was not measured."""
    value, error = (
        number if np.isfinite(number) else None for number in (found.value, found.error)
    )
    return Measured(value=value, error=error)
