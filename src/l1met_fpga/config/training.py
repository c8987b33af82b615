"""Sections ``samples`` and ``training``."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from l1met_fpga.config.base import Seed, StrictModel
from l1met_fpga.config.data import Role, SampleLabel

__all__ = [
    "EarlyStoppingConfig",
    "LearningRateConfig",
    "LossConfig",
    "PruningConfig",
    "RateLossConfig",
    "Stage",
    "StageConfig",
    "TeacherConfig",
    "TrainingConfig",
    "TrainingFaultsConfig",
    "TrainingSample",
    "WorkingPoint",
]


Stage = Literal["float", "quantized", "pruned"]
"""A network of a run."""


class TrainingSample(StrictModel):
    """One sample of the mixture.

    Attributes:
        path: Store (``.h5``), or ROOT files, which are converted once; a glob may name several
            ROOT files of one sample.
        label: Sample label of ROOT files, null takes the name of the only file; a store knows its
            own.
        role: What ROOT files are for: signal, or background (pile-up-only events, whose truth is
            zero and from which rates come). If null, the labels pileup, minbias and
            single_neutrino mean background and every other one means signal; a store knows its
            own.
        weight: Share of the training events drawn from this sample, relative to the others;
            null means its number of training events. 0 keeps it for evaluation only.
        max_events: Events read at most, null for all.
    """

    path: Path
    label: SampleLabel | None = None
    role: Role | None = None
    weight: float | None = Field(default=None, ge=0)
    max_events: int | None = Field(default=None, ge=1)


class WorkingPoint(StrictModel):
    """A threshold at which the trigger shall decide right.

    Attributes:
        threshold_gev: Score at which signal and background are told apart. The scale of the score
            is free: the threshold is fixed, and the rate follows from the training.
        background_weight: Weight of an event without truth against one with; the score is the
            threshold where signal is that many times as likely as background.
    """

    threshold_gev: float = Field(gt=0)
    background_weight: float = Field(gt=0)


class RateLossConfig(StrictModel):
    """Logarithmic loss of the decision at fixed thresholds (:func:`l1met_fpga.tasks.losses.rate`).

    Attributes:
        weight: Weight of its sum over the working points, 0 leaves it out.
        working_points: Where the trigger decides.
        width_gev: Distance from the threshold over which a decision becomes sure.
        background_below_gev: Events whose true score is below it are background.
        signal_above_gev: Events whose true score is above it are signal.
    """

    weight: float = Field(default=0.0, ge=0)
    working_points: tuple[WorkingPoint, ...] = (
        WorkingPoint(threshold_gev=35, background_weight=2),
        WorkingPoint(threshold_gev=65, background_weight=10),
    )
    width_gev: float = Field(default=8.0, gt=0)
    background_below_gev: float = Field(default=1.0, gt=0)
    signal_above_gev: float = Field(default=80.0, gt=0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.weight and not self.working_points:
            raise ValueError("a rate loss needs at least one of working_points")
        if self.background_below_gev > self.signal_above_gev:
            raise ValueError(
                f"background_below_gev {self.background_below_gev:g} is above signal_above_gev "
                f"{self.signal_above_gev:g}: an event cannot be both"
            )
        return self


class LossConfig(StrictModel):
    """What is minimised; formulas in :mod:`l1met_fpga.tasks.losses` and beside each task.

    Attributes:
        kind: Main term: huber, mse or mae; of MET also quantile, relative and relative_gen.
        delta_gev: Border between quadratic and linear of the Huber loss.
        quantile: Level of the quantile loss.
        head_weights: Weight of the loss of each head by its name, 1 if it has none.
        response_weight: Weight of the response term of MET, 0 leaves it out.
        response_scale_gev: genMET below which the response term fades out.
        rate: Loss of the trigger's decision, added to the main term.
    """

    kind: str = "huber"
    delta_gev: float = Field(default=30.0, gt=0)
    quantile: float = Field(default=0.5, gt=0, lt=1)
    head_weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    response_weight: float = Field(default=0.0, ge=0)
    response_scale_gev: float = Field(default=20.0, gt=0)
    rate: RateLossConfig = RateLossConfig()


class PruningConfig(StrictModel):
    """Magnitude pruning during training.

    Attributes:
        enabled: Whether the firmware model is pruned.
        schedule: ``polynomial`` rises to the final sparsity of every kernel, ``constant`` starts
            with it; ``global`` has one threshold for the weights of all kernels together and stops
            at a budget.
        sparsity: Fraction of zeros in every pruned kernel at the end; not of ``global``.
        begin: Start, as a fraction of all steps.
        end: Where the schedule reaches its last value, as a fraction of all steps.
        power: Exponent of the polynomial.
        every_steps: Steps between two updates of the masks.
        kept: Weights that ``global`` leaves at ``end``; their number falls geometrically.
        luts: Budget of ``global``: masks stay when the estimate of the streaming RTL is no larger.
            Below 8,000 Yosys counts 2 to 8 % more than the estimate.
        watch_until: Fraction of all steps after which no mask changes: until then LUTs are counted
            again, and a few more weights go when they are too many.
    """

    enabled: bool = True
    schedule: Literal["polynomial", "constant", "global"] = "polynomial"
    sparsity: float = Field(default=0.6, ge=0, lt=1)
    begin: float = Field(default=0.15, ge=0, lt=1)
    end: float = Field(default=0.6, gt=0, le=1)
    power: int = Field(default=3, ge=1, le=10)
    every_steps: int = Field(default=20, ge=1)
    kept: int = Field(default=100, ge=1)
    luts: int | None = Field(default=None, ge=1)
    watch_until: float = Field(default=0.9, gt=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.begin >= self.end:
            raise ValueError(f"pruning must begin before it ends, got {self.begin} and {self.end}")
        if self.luts is not None and self.schedule != "global":
            raise ValueError(
                f"a budget of {self.luts} luts belongs to schedule: global, got {self.schedule}"
            )
        return self


class LearningRateConfig(StrictModel):
    """Learning rate of Adam.

    Attributes:
        initial: Rate after the warm-up.
        schedule: ``cosine`` falls to ``final_fraction`` of it over the whole training;
            ``plateau`` halves it when the validation loss stops falling; ``constant``.
        final_fraction: Last rate of the cosine, relative to ``initial``.
        warmup: Fraction of all steps with a rising rate.
        patience: Epochs without improvement before ``plateau`` halves the rate.
    """

    initial: float = Field(default=4e-3, gt=0, le=1)
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    final_fraction: float = Field(default=0.02, ge=0, le=1)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    patience: int = Field(default=4, ge=1)


class StageConfig(StrictModel):
    """What one network of a run has instead of the settings of all; null is theirs.

    Attributes:
        epochs: Passes over the mixture.
        learning_rate: Learning rate of Adam.
    """

    epochs: int | None = Field(default=None, ge=1)
    learning_rate: LearningRateConfig | None = None


class EarlyStoppingConfig(StrictModel):
    """Stop when ``monitor`` no longer improves; the best weights are restored in any case.

    With pruning only epochs after the final sparsity was reached count.

    Attributes:
        monitor: Column of the history that decides which epoch is the best.
        mode: ``min`` if it should fall, ``max`` if it should rise. Null takes the direction of the
            figure (losses, widths and errors fall, efficiencies rise); a figure that has none, as
            the response, needs it.
        patience: Epochs without improvement before training stops.
        min_delta: Smaller changes are no improvement.
    """

    monitor: str = "val_loss"
    mode: Literal["min", "max"] | None = None
    patience: int = Field(default=10, ge=1)
    min_delta: float = Field(default=0.0, ge=0)


class TeacherConfig(StrictModel):
    """Networks whose mean output the quantized networks learn beside the truth.

    The term is ``weight`` times the main term of the loss (``loss.kind``), with that mean for the
    truth: what a network with more bits and weights makes of an event is within reach of the
    student, the truth often is not.

    Attributes:
        weight: Weight of the term; 0 has no teacher.
        twin: Whether the float twin of this run teaches.
        train: Float networks to train for this alone, with the seeds after ``training.seed``.
        epochs: Epochs of each of them; null takes those of the float twin.
        runs: Run folders (or shipped networks) of any architecture for the same task: of each the
            float network, or, where there is none, the one that becomes firmware.
        bounded: Leave the term out for events of which the student knows better: those where its
            distance to the truth is smaller than that of the teachers.
        shuffled: Each event gets what the teachers give of another event of about the same true
            size, turned to the true direction: a control that knows how well teachers do on the
            whole and nothing of the event itself.
    """

    weight: float = Field(default=0.0, ge=0)
    twin: bool = True
    train: int = Field(default=0, ge=0, le=20)
    epochs: int | None = Field(default=None, ge=1)
    runs: tuple[Path, ...] = ()
    bounded: bool = False
    shuffled: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.weight and not (self.twin or self.train or self.runs):
            raise ValueError("a teacher of weight above 0 needs one of twin, train and runs")
        return self


class TrainingFaultsConfig(StrictModel):
    """Faults of the detector in training: some events are seen as on a bad day, their truth stays.

    Half of them have a hot cell (one more photon of weight 1 at a random place), half a dead sector of
    the calorimeter (40 degrees at a random place in half of the barrel).

    Attributes:
        share: Share of the events; 0 leaves all as they are.
        hot_cell_pt_gev: Range of the hot cell's transverse momentum, even in its logarithm.
    """

    share: float = Field(default=0.0, ge=0, le=1)
    hot_cell_pt_gev: tuple[
        Annotated[float, Field(gt=0.25, le=4000)], Annotated[float, Field(gt=0.25, le=4000)]
    ] = (10.0, 100.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        low, high = self.hot_cell_pt_gev
        if low > high:
            raise ValueError(f"hot_cell_pt_gev must be a range, got {low:g} to {high:g}")
        return self


class TrainingConfig(StrictModel):
    """How a network is trained.

    Attributes:
        seed: Seed of weights, order of events and augmentation.
        epochs: Passes over the mixture.
        batch_size: Events per step.
        events_per_epoch: Events drawn per epoch; null takes as many as all samples have.
        float_twin: Train the float network as well.
        unpruned_twin: Train the quantized network without pruning as well.
        stages: Settings of single networks: float, quantized, pruned.
        start_from_float: The quantized networks start from the weights of the float twin.
        teacher: Networks that the quantized ones learn from beside the truth.
        augment: Rotate each event by whole phi counts and reflect half of them.
        faults: Events that are seen as on a bad day of the detector.
        calibrate: Signal sample on whose validation part the size of MET that the word for the
            global trigger tells is brought to the mean response of one, by a straight line over
            ``evaluation.response_range_gev``; null tells it as it is. px and py stay.
        truth_edges_gev: Borders of ranges of the truth with their own weight; empty for none.
        truth_weights: Weight of events in each range, one more than borders.
        early_stopping: Null trains all epochs and keeps the best.
        checkpoint_every: Epochs between checkpoints from which training resumes.
        tensorboard: Write TensorBoard logs into the run folder.
        deterministic: Same result for the same seed on the same machine.
    """

    seed: Seed = 1
    epochs: int = Field(default=30, ge=1)
    batch_size: int = Field(default=512, ge=1)
    events_per_epoch: int | None = Field(default=None, ge=1)
    float_twin: bool = True
    unpruned_twin: bool = True
    augment: bool = True
    faults: TrainingFaultsConfig = TrainingFaultsConfig()
    loss: LossConfig = LossConfig()
    learning_rate: LearningRateConfig = LearningRateConfig()
    stages: dict[Stage, StageConfig] = Field(default={})
    start_from_float: bool = False
    teacher: TeacherConfig = TeacherConfig()
    pruning: PruningConfig = PruningConfig()
    calibrate: SampleLabel | None = None
    # run folders of before there were other tasks than MET have the second names
    truth_edges_gev: tuple[float, ...] = Field(
        default=(), validation_alias=AliasChoices("truth_edges_gev", "gen_met_edges_gev")
    )
    truth_weights: tuple[float, ...] = Field(
        default=(), validation_alias=AliasChoices("truth_weights", "gen_met_weights")
    )
    early_stopping: EarlyStoppingConfig | None = EarlyStoppingConfig()
    checkpoint_every: int = Field(default=1, ge=1)
    tensorboard: bool = False
    deterministic: bool = True

    @model_validator(mode="after")
    def _check(self) -> Self:
        edges, weights = self.truth_edges_gev, self.truth_weights
        if edges and len(weights) != len(edges) + 1:
            raise ValueError(
                f"truth_weights needs {len(edges) + 1} values for {len(edges)} borders, "
                f"got {len(weights)}"
            )
        if list(edges) != sorted(set(edges)):
            raise ValueError(f"truth_edges_gev must increase, got {list(edges)}")
        if any(weight < 0 for weight in weights):
            raise ValueError("truth_weights must not be negative")
        taught = self.teacher.weight > 0 and self.teacher.twin
        for name, asked in (("start_from_float", self.start_from_float), ("teacher.twin", taught)):
            if asked and not self.float_twin:
                raise ValueError(f"{name} needs the float twin; set float_twin: true")
        return self

    def of(self, stage: Stage) -> Self:
        """Return the settings with which one network is trained."""
        own = self.stages.get(stage, StageConfig())
        changes = {name: value for name, value in own if value is not None}
        return self.model_copy(update=changes)

    def of_teacher(self, number: int) -> Self:
        """Return the settings of one of the float networks that are trained to teach, from 0."""
        own = self.of("float")
        changes = {"seed": self.seed + 1 + number, "epochs": self.teacher.epochs or own.epochs}
        return own.model_copy(update=changes | {"stages": {}})
