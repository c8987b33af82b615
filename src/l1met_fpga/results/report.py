"""``report.json``: the stable keys that other programs read.

A stage that was not run is ``null``, never 0.
"""

import math
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from l1met_fpga.results.base import Measured, Number, Result
from l1met_fpga.results.exactness import FORMS, FormAgreement
from l1met_fpga.results.firmware import HlsFigures, RtlFigures
from l1met_fpga.results.keys import KnownNames
from l1met_fpga.results.saturation import HeadSaturation

__all__ = [
    "SIGNALS",
    "Budget",
    "EfficiencyCell",
    "EvaluatedSample",
    "FaultFigures",
    "Figures",
    "Finding",
    "Gain",
    "HeldLimit",
    "Physics",
    "Pruning",
    "Report",
    "Unchecked",
    "Violation",
]

SIGNALS = ("ttbar", "znunu", "vbf_hinv")
"""Samples whose trigger figures are always keys of the report."""
RateKey = Annotated[str, Field(pattern=r"^(lowest|[0-9.e+]+kHz)$")]
BinKey = Annotated[str, Field(pattern=r"^(above_[0-9.e+]+|[0-9.e+]+_[0-9.e+]+)$")]
FormKey = Annotated[str, KnownNames(FORMS)]


class Gain(Result):
    """1 - resolution ratio to a reference; positive is better. A task has those of its widths.

    Attributes:
        u_par: Of a vector along the truth.
        u_perp: Of a vector across it.
        width: Of a number.
    """

    u_par: Measured | None = None
    u_perp: Measured | None = None
    width: Measured | None = None


class EfficiencyCell(Result):
    """Efficiencies of one sample at one rate in one bin of the truth.

    Attributes:
        rate_khz: Rate of all estimates.
        efficiency: Of the network.
        error: Half its Clopper-Pearson interval.
        threshold_gev: Of the network at that rate.
        puppi: Efficiency of what the trigger gives today.
        per_type: Efficiency of constants per particle type.
        table: Efficiency of the weight table.
        difference: Network minus baseline by name, paired.
    """

    rate_khz: Number
    efficiency: float | None
    error: float | None
    threshold_gev: float | None
    puppi: float | None
    per_type: float | None
    table: float | None
    difference: dict[str, Measured]


class WorstCell(Result):
    """Where the network is worst against the weight table: the least difference in its error.

    Attributes:
        sample: Signal sample.
        rate: Working point.
        bin: Of the truth.
        difference: Network minus table, paired.
        in_errors: The difference over its error; above -1 the network is nowhere below the table
            by more than the error.
    """

    sample: str
    rate: RateKey
    bin: BinKey
    difference: Measured
    in_errors: float


class OfEstimates(Result):
    """One figure, by estimate."""

    network: float | None = None
    puppi: float | None = None
    table: float | None = None


class FaultFigures(Result):
    """What a detector fault does at the threshold that gives 62 kHz without it.

    Attributes:
        rate_khz: Rate with the fault.
        rate_growth: Over that without it.
        efficiency: In the first bin of the truth, mean over the signal samples.
    """

    rate_khz: OfEstimates
    rate_growth: OfEstimates
    efficiency: OfEstimates


class TailFigures(Result):
    """Shares of events whose calibrated estimate is far from the truth; ``null`` misses: pile-up only."""

    fakes: OfEstimates
    misses: OfEstimates | None


ByClass = dict[str, dict[RateKey, dict[str, dict[BinKey, OfEstimates]]]]
"""Efficiencies by sample, rate, class of events and bin of the truth."""


class Physics(Result):
    """Physics of the primary network.

    Attributes:
        gain_vs_puppi: And the others: in slope-corrected resolution, ttbar.
        loss_vs_float: Of the quantized against the float network; positive is worse.
        trigger: Efficiencies by sample, rate and bin.
        worst_cell: Where it is worst against the weight table.
        faults: By kind of fault.
        pileup_dependence: By number of pile-up collisions.
        regions: Barrel and endcap apart.
        tails: Fakes and misses apart.
        response_80_200: Mean response between 80 and 200 GeV, ttbar.
        told_response_80_200: The same with the size that the word for the global trigger tells.
        reasons: Why a figure is ``null``, by its key below ``physics``.
    """

    gain_vs_puppi: Gain | None
    gain_vs_scaled_puppi: Gain | None
    gain_vs_per_type: Gain | None
    gain_vs_table: Gain | None
    loss_vs_float: Gain | None
    trigger: dict[str, dict[RateKey, dict[BinKey, EfficiencyCell] | None] | None]
    worst_cell: WorstCell | None = None
    faults: dict[str, FaultFigures] | None = None
    pileup_dependence: ByClass | None = None
    regions: ByClass | None = None
    tails: dict[str, TailFigures] | None = None
    response_80_200: float | None
    told_response_80_200: float | None = None
    reasons: dict[str, str] = Field(default_factory=dict)


class Pruning(Result):
    """Zeros in the quantized kernels; biases do not count."""

    zero_weight_fraction: float
    weights: int
    per_layer: dict[str, float]


class HeldLimit(Result):
    """A limit and the figure that was held against it."""

    key: str
    value: Number
    limit: Number
    kind: Literal["at_most", "at_least"]

    @property
    def share(self) -> float:
        """Share of the limit that is used, above 1 where it is broken."""
        used, allowed = self.value, self.limit
        if self.kind == "at_least":
            used, allowed = allowed, used
        if allowed > 0:
            return max(used, 0.0) / allowed
        return 0.0 if used <= allowed else math.inf

    def __str__(self) -> str:
        """Say it in words."""
        value, limit = (
            f"{v:g}" if abs(v) >= 1000 else f"{v:.4g}" for v in (self.value, self.limit)
        )
        return f"{self.key} = {value} ({self.kind.replace('_', ' ')} {limit})"


class Violation(HeldLimit):
    """A broken limit."""


class Unchecked(Result):
    """A limit without a figure."""

    key: str
    reason: str


class Budget(Result):
    """Limits against figures.

    Attributes:
        passed: True when every limit was checked and holds, False when one is broken, None when
            none is broken but not all could be checked.
        limits: How many there are.
        checked: How many have a figure.
        summary: The same in words.
        violations: Broken limits.
        unchecked: Limits without a figure.
        held: Limits that hold.
    """

    passed: bool | None
    limits: int
    checked: int
    summary: str
    violations: list[Violation]
    unchecked: list[Unchecked]
    held: list[HeldLimit] = Field(default_factory=list)


class Finding(Result):
    """A file of the run that could not be read, or belongs to something else.

    Attributes:
        stage: Key of the report that lacks figures for it.
        path: The file, below the run folder where it lies there.
        reason: What is wrong.
    """

    stage: str
    path: str
    reason: str

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.stage}: {self.path}: {self.reason}"


class EvaluatedSample(Result):
    """A sample that the physics figures are from.

    Attributes:
        events: Events evaluated.
        background: Whether rates come from it.
        identity: What its events are, where the evaluation recorded it.
    """

    events: int
    background: bool
    identity: dict[str, JsonValue] | None = None


class Figures(Result):
    """Everything in ``report.json`` that a budget can be held against.

    Attributes:
        model: Name of the model.
        sample: Samples evaluated, or trained on where nothing was evaluated.
        training_samples: Samples trained on.
        training_events: Their events.
        seed: Seed of the training.
        software: Versions.
        network: Digest of ``network.json``.
        evaluated: Samples that the physics figures are from.
        physics: Figures of the primary network.
        pruning: Zeros in its kernels.
        bit_exactness: Agreement by form; ``null`` for forms that were not run.
        saturation: By head, outputs that left the range of their type in test events.
        lut_estimate: LUTs of the streaming firmware, counted from its design before any synthesis;
            ``null`` if the network cannot stream.
        rtl: The streaming firmware.
        rtl_parallel: The fully parallel variant.
        hls: Vendor reports of the HLS project.
        hls_words: Vendor reports of the HLS project that takes words, where it is another one.
        findings: Files that could not be used, each with its reason.
    """

    model: str
    sample: str | None
    training_samples: list[str] = Field(default_factory=list)
    training_events: int | None
    seed: int | None
    software: dict[str, str] | None
    network: str | None = None
    evaluated: dict[str, EvaluatedSample] | None = None
    physics: Physics | None
    pruning: Pruning | None
    bit_exactness: dict[FormKey, FormAgreement | None] | None
    saturation: dict[str, HeadSaturation] | None = None
    lut_estimate: Number | None = None
    rtl: RtlFigures | None
    rtl_parallel: RtlFigures | None
    hls: HlsFigures | None
    hls_words: HlsFigures | None = None
    findings: list[Finding] = Field(default_factory=list)


class Report(Figures):
    """Content of ``report.json``: the figures, and the limits of the model's YAML file."""

    budget: Budget
