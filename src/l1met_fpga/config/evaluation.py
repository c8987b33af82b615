"""Section ``evaluation``: bins, working points and errors of the physics figures."""

import itertools
import math
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from l1met_fpga.config.base import Seed, StrictModel

__all__ = ["EvaluationConfig"]


def _increasing(edges: tuple[float, ...]) -> tuple[float, ...]:
    if len(edges) < 2 or any(not a < b for a, b in itertools.pairwise(edges)):
        raise ValueError(f"edges must be two or more increasing numbers, got {list(edges)}")
    return edges


def _different(rates: tuple[float, ...]) -> tuple[float, ...]:
    names = [f"{rate:g} kHz" for rate in rates]  # by which figures know them
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"working points must differ, and {twice[0]} stands twice")
    return rates


Edge = Annotated[float, Field(allow_inf_nan=True)]
Edges = Annotated[tuple[Edge, ...], AfterValidator(_increasing)]


class EvaluationConfig(StrictModel):
    """How estimates are evaluated; the definitions are in ``docs/evaluation.md``.

    Truth is the true value of what is cut on: generator MET of the task ``met``.

    Attributes:
        resolution_edges_gev: Bins of the truth; the last may be ``.inf``.
        gain_range_gev: Truth of the gain over a baseline (one number per component).
        response_range_gev: Truth of the single mean response.
        rates_khz: Working points of the trigger.
        rates_if_supported_khz: Further working points, left out where the sample does not support them.
        monitor_rate_khz: Rate of the efficiency that training watches, in the first of the bins
            below; the lowest supported one in smaller samples.
        efficiency_edges_gev: Bins of the truth for efficiencies at equal rate.
        turn_on_edges_gev: Bins of the truth of the turn-on curves.
        class_mistag: Share of the other classes that passes where efficiencies of classes are compared.
        roc_above_gev: Signal events of the ROC curve have more truth than this.
        tails_beyond_gev: An estimate so far above the truth is a fake, so far below it a miss.
        bootstrap_samples: Samples for errors.
        seed: Seed of the bootstrap.
        max_train_events: Events of each training part that fit the baselines.
        max_events: Events of each test part; null takes all.
        plot_label: Words above plots, left: whose simulation or data.
        plot_conditions: Words above plots, right: energy and pile-up.
    """

    resolution_edges_gev: Edges = (0.0, 40.0, 80.0, 120.0, 160.0, 200.0, 300.0, math.inf)
    gain_range_gev: tuple[float, float] = (20.0, 150.0)
    response_range_gev: tuple[float, float] = (80.0, 200.0)
    rates_khz: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1), AfterValidator(_different)
    ] = (18.0, 30.0, 62.0, 310.0)
    rates_if_supported_khz: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...], AfterValidator(_different)
    ] = (4.0,)
    monitor_rate_khz: float = Field(default=62.0, gt=0)
    efficiency_edges_gev: Edges = (100.0, 150.0, math.inf)
    turn_on_edges_gev: Edges = tuple(float(edge) for edge in range(0, 420, 20))
    class_mistag: float = Field(default=0.1, gt=0, lt=1)
    roc_above_gev: float = Field(default=100.0, ge=0)
    tails_beyond_gev: float = Field(default=50.0, gt=0)
    bootstrap_samples: int = Field(default=200, ge=2)
    seed: Seed = 1
    max_train_events: int = Field(default=100_000, ge=1)
    max_events: int | None = Field(default=None, ge=1)
    plot_label: str = "Phase-2 fast simulation"
    plot_conditions: str = "200 PU (14 TeV)"

    @model_validator(mode="after")
    def _ranges_increase(self) -> Self:
        _different((*self.rates_khz, *self.rates_if_supported_khz))
        for low, high in (self.gain_range_gev, self.response_range_gev):
            if not low < high:
                raise ValueError(f"a range must increase, got {low:g} to {high:g}")
        return self
