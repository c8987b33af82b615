"""Section ``faults``: bad days of the detector, on which a network is tried after training."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from l1met_fpga.config.base import Seed, StrictModel
from l1met_fpga.config.data import LABEL_RULE, SampleLabel, is_label

__all__ = [
    "DeadCalorimeter",
    "DeadTracker",
    "FakeCandidate",
    "Fault",
    "FaultsConfig",
    "HotCell",
    "NeutralScale",
    "OtherSamples",
    "Truncation",
    "Turned",
    "UnitWeights",
    "VertexShift",
]

_KIND: Final = "Which fault it is."
Degrees = Annotated[float, Field(ge=-360, le=360)]
Eta = Annotated[float, Field(ge=-4.4, le=4.4)]


class NeutralScale(StrictModel):
    """The energy scale of photons and neutral hadrons is off.

    Attributes:
        factor: Their pt is multiplied by it.
    """

    kind: Literal["neutral_scale"] = Field("neutral_scale", description=_KIND)
    factor: float = Field(gt=0, le=10)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        return f"neutral pt x {self.factor:g}"


class DeadCalorimeter(StrictModel):
    """A sector of the calorimeter gives nothing: no photon, no neutral hadron; electrons are hadrons.

    Attributes:
        eta: Its ends.
        phi_deg: Its ends, counterclockwise from the first to the second.
    """

    kind: Literal["dead_calorimeter"] = Field("dead_calorimeter", description=_KIND)
    eta: tuple[Eta, Eta] = (0.0, 1.5)
    phi_deg: tuple[Degrees, Degrees] = (0.0, 40.0)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        (low, high), (first, second) = self.eta, self.phi_deg
        return f"dead calorimeter, {low:g} < eta < {high:g}, {second - first:g} degrees"


class DeadTracker(StrictModel):
    """A sector of the tracker gives nothing: no charged candidate.

    Attributes:
        phi_deg: Its ends, counterclockwise from the first to the second.
    """

    kind: Literal["dead_tracker"] = Field("dead_tracker", description=_KIND)
    phi_deg: tuple[Degrees, Degrees] = (0.0, 60.0)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        return f"no tracks in {self.phi_deg[1] - self.phi_deg[0]:g} degrees"


class HotCell(StrictModel):
    """A calorimeter cell that fires: one more photon of weight 1 in every event.

    Attributes:
        pt_gev: Its transverse momentum.
        eta: Where it is.
        phi_deg: Where it is.
        masked_within: The operator drops candidates so near to it in eta and phi (a window of the
            firmware); null for no window.
    """

    kind: Literal["hot_cell"] = Field("hot_cell", description=_KIND)
    pt_gev: float = Field(default=30.0, gt=0, le=4000)
    eta: Eta = 1.0
    phi_deg: Degrees = 25.0
    masked_within: float | None = Field(default=None, gt=0, le=1)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        masked = f", masked within {self.masked_within:g}" if self.masked_within else ""
        return f"hot cell: a photon of {self.pt_gev:g} GeV in every event{masked}"


class FakeCandidate(StrictModel):
    """A hard candidate that is not there, at a random place in a few events.

    Attributes:
        particle: What it looks like.
        pt_gev: Its transverse momentum.
        share: Share of the events that have it.
        max_abs_eta: It lies within.
    """

    kind: Literal["fake_candidate"] = Field("fake_candidate", description=_KIND)
    particle: Literal["neutral hadron", "photon", "charged hadron", "muon"]
    pt_gev: float = Field(gt=0, le=4000)
    share: float = Field(default=1e-3, ge=0, le=1)
    max_abs_eta: float = Field(default=2.4, gt=0, le=4.4)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        return f"a fake {self.particle} of {self.pt_gev:g} GeV in {self.share:.1%} of the events"


class Truncation(StrictModel):
    """Only the first candidates of an event arrive, in the order of the store.

    Attributes:
        n_candidates: So many.
    """

    kind: Literal["truncation"] = Field("truncation", description=_KIND)
    n_candidates: int = Field(ge=1, le=128)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        return f"only the first {self.n_candidates} candidates"


class Turned(StrictModel):
    """The detector stands otherwise; the truth turns with it, so nothing may change.

    Attributes:
        angle_deg: Turned around the beam, to the nearest count of phi.
        mirrored: Reflected in eta and in phi.
    """

    kind: Literal["turned"] = Field("turned", description=_KIND)
    angle_deg: Degrees = 0.0
    mirrored: bool = False

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        turned = f"turned by {self.angle_deg:g} degrees" if self.angle_deg else ""
        return "detector " + " and ".join(filter(None, (turned, "mirrored" * self.mirrored)))


class VertexShift(StrictModel):
    """Everything comes from elsewhere along the beam; seen only by networks that read z0.

    Attributes:
        z0_cm: So much further.
    """

    kind: Literal["vertex_shift"] = Field("vertex_shift", description=_KIND)
    z0_cm: float = Field(default=2.0, ge=-20, le=20)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        return f"z0 + {self.z0_cm:g} cm"


class UnitWeights(StrictModel):
    """Every PUPPI weight reads 1; pt stays as it is, so only networks that read the weight see it."""

    kind: Literal["unit_weights"] = Field("unit_weights", description=_KIND)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        return "all PUPPI weights read 1"


class OtherSamples(StrictModel):
    """Other events instead: of another pile-up, for example.

    Attributes:
        stores: Store by the label of the sample that it stands for; of each, the test part.
    """

    kind: Literal["other_samples"] = Field("other_samples", description=_KIND)
    stores: dict[SampleLabel, Path] = Field(min_length=1)

    @property
    def text(self) -> str:
        """What is wrong, for tables."""
        return f"other events: {', '.join(path.stem for path in self.stores.values())}"


Fault = (
    NeutralScale
    | DeadCalorimeter
    | DeadTracker
    | HotCell
    | FakeCandidate
    | Truncation
    | Turned
    | VertexShift
    | UnitWeights
    | OtherSamples
)

_DAYS: Final[dict[str, Fault]] = {
    "neutral_scale_down": NeutralScale(factor=0.95),
    "neutral_scale_up": NeutralScale(factor=1.05),
    "neutral_scale_up_10": NeutralScale(factor=1.10),
    "dead_sector": DeadCalorimeter(),
    "no_tracks": DeadTracker(),
    "hot_cell": HotCell(),
    "hot_cell_masked": HotCell(masked_within=0.1),
    "fake_neutral": FakeCandidate(particle="neutral hadron", pt_gev=100.0),
    "fake_track": FakeCandidate(particle="charged hadron", pt_gev=500.0),
    "first_100": Truncation(n_candidates=100),
    "first_54": Truncation(n_candidates=54),
    "rotated": Turned(angle_deg=37.0),
    "mirrored": Turned(mirrored=True),
    "z0_shift": VertexShift(),
    "unit_weights": UnitWeights(),
}


class FaultsConfig(StrictModel):
    """Bad days of the detector; `l1met evaluate --faults` tries a network on them.

    Attributes:
        rate_khz: The threshold is the one that gives this rate without a fault; the lowest
            supported rate in smaller samples.
        seed: Seed of what is random.
        days: Faults by name. Names of your own can be added, for example
            ``pileup_140: {kind: other_samples, stores: {pileup: pu140/pileup.h5}}``.
    """

    rate_khz: float = Field(default=62.0, gt=0)
    seed: Seed = 1
    days: dict[str, Annotated[Fault, Field(discriminator="kind")]] = _DAYS

    @field_validator("days")
    @classmethod
    def _named(cls, value: dict[str, Fault]) -> dict[str, Fault]:
        for name in value:
            if not is_label(name):
                raise ValueError(f"the name of a fault must have {LABEL_RULE}, got {name!r}")
        return value
