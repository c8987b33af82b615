"""``metrics.json``: every figure of an evaluation with its error; units are in the names."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, JsonValue, RootModel, TypeAdapter, model_validator

from l1met_fpga.results.base import Measured, Result
from l1met_fpga.results.classes import ClassResult
from l1met_fpga.results.faults import Faults
from l1met_fpga.results.studies import Studies

__all__ = [
    "SCHEMA_VERSION",
    "Efficiency",
    "EstimateInfo",
    "FittedTurnOn",
    "Gains",
    "Metrics",
    "Rates",
    "Resolution",
    "ResolutionTable",
    "SampleInfo",
    "Series",
    "Settings",
    "Threshold",
    "Trigger",
    "TurnOnCurve",
    "Weights",
    "Width",
    "Words",
    "WorkingPointInfo",
]

SCHEMA_VERSION: Literal[3] = 3


class Series(Result):
    """One figure in every bin; None in a bin with too few events."""

    value: list[float | None]
    error: list[float | None]


class Width(Result):
    """A width that estimates are compared by.

    Attributes:
        figure: Figure in bins that holds it.
        title: Its name in tables.
    """

    figure: str
    title: str


class Words(Result):
    """What a task calls its things in tables and sentences.

    Attributes:
        task: Its name.
        score: What the trigger cuts on.
        truth: The true value of that.
        truth_long: The same in full.
        unit: Unit of both.
        figures: Title of each figure in bins that tables show, in their order.
        widths: Width that each gain compares, by the gain's name.
        classes: Names of the classes of each head of that kind.
    """

    task: str
    score: str
    truth: str
    truth_long: str
    unit: str
    figures: dict[str, str]
    widths: dict[str, Width]
    classes: dict[str, list[str]] = Field(default_factory=dict)


class ResolutionTable(Result):
    """Figures of every estimate in bins of the truth; an edge of None is open.

    Attributes:
        edges_gev: Of the bins.
        labels: Their names.
        events: Events in each.
        estimates: By estimate and figure; definitions in ``docs/evaluation.md``.
    """

    edges_gev: list[float | None]
    labels: list[str]
    events: list[int]
    estimates: dict[str, dict[str, Series]]


Gains = dict[str, Measured]
"""1 - slope-corrected width over that of a reference, by the names of the words' widths; positive is
better."""


class Resolution(Result):
    """Resolution in one sample.

    Attributes:
        binned: In the bins of the settings.
        inclusive: In one bin, the range of the gains.
        response: Mean response by estimate in the settings' ``response_range_gev``.
        x_residual_gev: Half width of the residual (of its x component) by estimate.
        gain: By estimate and reference.
        told: Mean response in the bins of ``binned`` with the size that the word for the global
            trigger tells, of estimates with a calibration.
        told_response: The same in the settings' ``response_range_gev``.
    """

    binned: ResolutionTable
    inclusive: ResolutionTable
    response: dict[str, Measured]
    x_residual_gev: dict[str, float | None]
    gain: dict[str, dict[str, Gains]]
    told: dict[str, Series] = Field(default_factory=dict)
    told_response: dict[str, Measured] = Field(default_factory=dict)


class WorkingPointInfo(Result):
    """A rate at which estimates are compared; ``replaces_khz`` are wanted rates below it."""

    key: str
    rate_khz: float
    replaces_khz: list[float]
    title: str


class Threshold(Result):
    """Threshold of an estimate at a working point."""

    threshold_gev: float | None
    error_gev: float | None


class Rates(Result):
    """Rates in the pile-up-only sample.

    Attributes:
        sample: Its label.
        events: Its events.
        lowest_supported_khz: Lowest rate that they support.
        working_points: Rates of all trigger figures.
        thresholds: By estimate, one per working point: the only place where thresholds stand.
    """

    sample: str
    events: int
    lowest_supported_khz: float
    working_points: list[WorkingPointInfo]
    thresholds: dict[str, list[Threshold]]

    def threshold(self, estimate: str, point: str) -> Threshold:
        """Return the threshold of an estimate at the working point of that key."""
        keys = [one.key for one in self.working_points]
        return self.thresholds[estimate][keys.index(point)]


class Efficiency(Result):
    """Efficiency of one estimate in one bin at one working point.

    Attributes:
        efficiency: None without an event in the bin, or without a threshold at this rate.
        low: Lower end of its Clopper-Pearson interval.
        high: Upper end.
        error: Half the interval.
        passed: Events above the threshold; None without a threshold at this rate.
        events: Events in the bin.
        difference: To other estimates, paired.
    """

    efficiency: float | None
    low: float | None
    high: float | None
    error: float | None
    passed: int | None
    events: int
    difference: dict[str, Measured]

    @model_validator(mode="after")
    def _has_an_interval(self) -> Self:
        if self.efficiency is not None and (self.low is None or self.high is None):
            raise ValueError("an efficiency without its interval")
        return self

    @property
    def missing(self) -> str:
        """Why there is no efficiency."""
        return "no event" if self.passed is not None else "no threshold"


class FittedTurnOn(Result):
    """Parameters of the fitted turn-on curve."""

    plateau: float | None
    floor: float | None
    middle_gev: float | None
    width_gev: float | None
    growth: float | None
    chi2_per_dof: float | None


class TurnOnCurve(Result):
    """Efficiency against the truth of one estimate at one working point.

    Attributes:
        offline_gev: Truth at which it reaches 90 %, None if it does not.
        fit: None without enough events.
        edges_gev: Bins.
        mean_gen_gev: Mean truth per bin.
        efficiency: Per bin.
        low: Lower end of its interval.
        high: Upper end.
        events: Per bin.
    """

    offline_gev: float | None
    fit: FittedTurnOn | None
    edges_gev: list[float | None]
    mean_gen_gev: list[float | None]
    efficiency: list[float | None]
    low: list[float | None]
    high: list[float | None]
    events: list[int]


class Trigger(Result):
    """Trigger figures of one sample.

    Attributes:
        efficiency: By working point, bin of the truth and estimate.
        turn_on: By working point and estimate.
        roc_area: By estimate.
    """

    efficiency: dict[str, dict[str, dict[str, Efficiency]]]
    turn_on: dict[str, dict[str, TurnOnCurve]]
    roc_area: dict[str, float | None]


class Weights(Result):
    """A table of weights by particle type, |eta| and pt; an edge of None is open."""

    types: list[list[str]]
    abs_eta_edges: list[float | None]
    pt_edges_gev: list[float | None]
    weights: JsonValue


class Calibration(Result):
    """Told size = factor * size + offset, in the word for the global trigger."""

    factor: float
    offset_gev: float


class EstimateInfo(Result):
    """What an estimate is.

    Attributes:
        kind: A baseline, a network of this package, or MET read from a file.
        title: Text in legends and tables.
        form: Of a network: ``float``, ``quantized``, ``hls_csim``, ...
        network: Digest of the ``network.json`` beside a network's forms, where there is one.
        calibration: How its size is told, if it is corrected.
    """

    kind: Literal["baseline", "network", "file"]
    title: str
    form: str | None
    network: str | None = None
    calibration: Calibration | None = None


class SampleInfo(Result):
    """A sample that was evaluated.

    Attributes:
        events: Events evaluated.
        background: Whether rates come from it.
        identity: What its events are: digests and split of its store.
    """

    events: int = Field(ge=0)
    background: bool
    identity: dict[str, JsonValue] | None = None


Range = Annotated[list[float], Field(min_length=2, max_length=2)]
_RANGE: Final[TypeAdapter[list[float]]] = TypeAdapter(Range)


class Settings(RootModel[dict[str, JsonValue]]):
    """Section ``evaluation`` of the configuration, whole; its ranges are read here."""

    @model_validator(mode="after")
    def _ranges_are_there(self) -> Self:
        for name in ("gain_range_gev", "response_range_gev"):
            if name not in self.root:
                raise ValueError(f"{name} is missing")
            _RANGE.validate_python(self.root[name])
        return self

    @property
    def gain_range_gev(self) -> list[float]:
        """Truth of the gains."""
        return _RANGE.validate_python(self.root["gain_range_gev"])

    @property
    def response_range_gev(self) -> list[float]:
        """Truth of the mean response."""
        return _RANGE.validate_python(self.root["response_range_gev"])


class Metrics(Result):
    """Content of ``metrics.json``.

    Attributes:
        schema_version: Changes when the meaning of a key does.
        words: What the task calls its things.
        primary: Estimate that the report is about, None without a network.
        estimates: In the order of tables.
        samples: By label.
        config: The settings used.
        notes: What a reader must know.
        resolution: By signal sample.
        rates: None without a pile-up-only sample.
        trigger: By signal sample; empty without a pile-up-only sample.
        classes: By signal sample and head of classes.
        baselines: Fitted weights.
        network_weights: Mean weight that the primary network gives a candidate.
        studies: Further studies; None in files from before they were made.
        faults: Bad days of the detector, where they were tried.
    """

    schema_version: Literal[3]
    words: Words
    primary: str | None
    estimates: dict[str, EstimateInfo]
    samples: dict[str, SampleInfo]
    config: Settings
    notes: list[str]
    resolution: dict[str, Resolution]
    rates: Rates | None
    trigger: dict[str, Trigger]
    classes: dict[str, dict[str, ClassResult]] = Field(default_factory=dict)
    baselines: dict[str, Weights]
    network_weights: Weights | None
    studies: Studies | None = None
    faults: Faults | None = None

    def title(self, estimate: str) -> str:
        """Return the text of an estimate in legends and tables."""
        return self.estimates[estimate].title

    @property
    def working_points(self) -> list[WorkingPointInfo]:
        """Rates of the trigger figures; none without a pile-up-only sample."""
        return [] if self.rates is None else self.rates.working_points
