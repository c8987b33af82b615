"""``comparison.json`` of ``l1met distill compare``."""

from l1met_fpga.results.base import Measured, Result
from l1met_fpga.results.metrics import WorkingPointInfo

__all__ = ["ArmResult", "Comparison", "Effect", "GateResult"]


class Effect(Result):
    """A difference of efficiencies.

    Attributes:
        value: The difference, mean over seeds and signal samples.
        error: Of the two below together.
        error_seeds: From the scatter of the seeds, paired.
        error_events: From the number of events, paired.
    """

    value: float | None
    error: float | None
    error_seeds: float | None
    error_events: float | None

    @property
    def is_real(self) -> bool:
        """Whether it is more than two errors from zero."""
        return (
            self.value is not None and self.error is not None and abs(self.value) > 2 * self.error
        )


class GateResult(Result):
    """Teachers of an arm beside the student, on the validation part.

    Attributes:
        arm: Name of the arm.
        teachers: Who they are; of several, their mean output counts.
        efficiency: Their own.
        student: That of the first arm, mean over its seeds.
        difference: Teacher minus student.
        passed: Whether it is better by more than the error.
    """

    arm: str
    teachers: tuple[str, ...]
    efficiency: Measured
    student: Measured
    difference: Effect
    passed: bool


class ArmResult(Result):
    """One way to train the student, on the test part.

    Attributes:
        teachers: Who taught.
        control: Whether an effect of it would not be one of a teacher's knowledge.
        seeds: Its seeds.
        luts: Mean over the seeds of the LUTs of the streaming firmware (estimate); None where the
            network is no firmware.
        zero_fraction: Mean share of zeros.
        efficiency: Mean over seeds and signal samples, by rate.
        by_sample: The same of each signal sample.
        difference: To the first arm, by rate; None for that one.
    """

    teachers: tuple[str, ...]
    control: bool
    seeds: tuple[int, ...]
    luts: float | None
    zero_fraction: float | None
    efficiency: dict[str, Measured]
    by_sample: dict[str, dict[str, Measured]]
    difference: dict[str, Effect] | None


class Comparison(Result):
    """What a comparison of trainings gave.

    Attributes:
        baseline: Name of the arm that the others are compared with.
        truth: Which events the efficiencies are of ("genMET 100-150 GeV").
        points: Rates; the first is the one of the verdict.
        oracle: Share of these events above every pile-up-only event, of the sum with each candidate's
            true share of the hard collision: no weights do better. None where the samples do not
            hold it.
        baselines: Efficiency of what a network must beat, by name and rate.
        gates: Teachers beside the student.
        arms: By name; without those that the gate stopped.
        stopped: Why not all arms were trained; None if they were.
        verdict: One sentence.
    """

    baseline: str
    truth: str
    points: tuple[WorkingPointInfo, ...]
    oracle: Measured | None
    baselines: dict[str, dict[str, Measured]]
    gates: tuple[GateResult, ...]
    arms: dict[str, ArmResult]
    stopped: str | None
    verdict: str
