"""Section ``model``: architecture, inputs and the width of every tensor of a network.

Types are written as in C++ without the ``ap_`` prefix, ``fixed<W,I>`` and ``ufixed<W,I>``, where I
counts the sign bit. Weights are always rounded to nearest even and saturate (QKeras
``quantized_bits`` with ``alpha=1``); activations round half up and saturate unless the text says
otherwise (``ufixed<7,2,RND_CONV,SAT>``).
"""

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from l1met_fpga.config.base import StrictModel, matching
from l1met_fpga.errors import ConfigError, FixedPointError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES, PARTICLE_KINDS

__all__ = [
    "IMPORTED",
    "STANDARD_FEATURES",
    "ActivationType",
    "DeepSetConfig",
    "DenseConfig",
    "FeatureConfig",
    "GarNetConfig",
    "ImportedConfig",
    "LayerTypes",
    "ModelConfig",
    "MomentumConfig",
    "WeightType",
]

MAX_ACTIVATION_BITS: Final = 24
MAX_WEIGHT_BITS: Final = 16
IMPORTED: Final = "imported"
"""Architecture of networks that came as ``network.json``."""


def _parse(value: Any, rounding: Rounding, overflow: Overflow) -> FixedType:
    """Read a type; text without rounding and overflow gets the given ones."""
    if isinstance(value, FixedType):
        return value
    try:
        if isinstance(value, dict):
            return FixedType.from_dict(value)
        text = str(value)
        parsed = FixedType.from_hls_name(text)
    except (FixedPointError, KeyError, ValueError) as err:
        raise ValueError(f"{err}") from None
    return parsed if text.count(",") > 1 else parsed.with_modes(rounding, overflow)


def _weight(value: Any) -> FixedType:
    kind = _parse(value, Rounding.RND_CONV, Overflow.SAT)
    if not kind.signed or not 2 <= kind.width <= MAX_WEIGHT_BITS or kind.int_bits < 0:
        raise ValueError(
            f"a weight is signed and has 2 to {MAX_WEIGHT_BITS} bits of which at least the sign "
            f"stands left of the point, for example fixed<6,1>; got {kind.hls_name}"
        )
    if (kind.rounding, kind.overflow) != (Rounding.RND_CONV, Overflow.SAT):
        raise ValueError("weights round to nearest even and saturate; leave the modes out")
    return kind


def _activation(value: Any) -> FixedType:
    kind = _parse(value, Rounding.RND, Overflow.SAT)
    if kind.overflow is not Overflow.SAT:
        raise ValueError(f"an activation must saturate (AP_SAT), got {kind.hls_name}")
    if kind.width > MAX_ACTIVATION_BITS:
        raise ValueError(f"an activation has at most {MAX_ACTIVATION_BITS} bits, got {kind.width}")
    return kind


def _text(kind: FixedType) -> str:
    return kind.hls_name.removeprefix("ap_")


WeightType = Annotated[FixedType, BeforeValidator(_weight), PlainSerializer(_text)]
"""Type of kernels and biases."""
ActivationType = Annotated[FixedType, BeforeValidator(_activation), PlainSerializer(_text)]
"""Type of every other tensor."""


ModelName = Annotated[
    str, matching(r"[a-z][a-z0-9_]*", "letters a-z, digits and _ only, starting with a letter")
]
"""Becomes part of file names and of names in C++ and Verilog."""


class FeatureConfig(StrictModel):
    """One number per candidate, see :class:`l1met_fpga.models.nodes.Feature`.

    Attributes:
        name: Name of the feature.
        column: Candidate column that it is made from.
        kind: Scaled counts, their absolute value, or 1 where the counts are one of ``codes``.
        scale_bits: Counts are divided by this power of two.
        codes: Codes that set a flag.
        type: Type of the feature; larger values stay at its limit.
    """

    name: str
    column: str
    kind: Literal["value", "abs", "flag"] = "value"
    scale_bits: int = Field(default=0, ge=0, le=16)
    codes: tuple[int, ...] = ()
    type: ActivationType

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.column not in COLUMNS:
            raise ValueError(f"unknown column {self.column!r}; choose from {sorted(COLUMNS)}")
        if (self.kind == "flag") != bool(self.codes):
            raise ValueError(
                f"feature {self.name!r}: `codes` belongs to kind `flag`, and only there"
            )
        return self


def _value(name: str, column: str, bits: int, kind: Literal["value", "abs"]) -> FeatureConfig:
    unit = FixedType(False, 1, 8, Rounding.TRN, Overflow.SAT)
    return FeatureConfig(name=name, column=column, kind=kind, scale_bits=bits, type=unit)


def _flag(name: str, kind: str) -> FeatureConfig:
    bit = FixedType(False, 1, 0, Rounding.TRN, Overflow.SAT)
    codes = tuple(int(code) for code in PARTICLE_KINDS[kind])
    return FeatureConfig(name=name, column="pid", kind="flag", codes=codes, type=bit)


STANDARD_FEATURES: Final[dict[str, FeatureConfig]] = {
    feature.name: feature
    for feature in (
        _value("pt", "pt", 8, "value"),
        _value("pt_low", "pt", 5, "value"),
        _value("pt_high", "pt", 12, "value"),
        _value("abs_eta", "eta", 10, "abs"),
        _value("puppi_weight", "puppi_weight", 8, "value"),
        _value("abs_z0", "z0", 6, "abs"),
        _flag("neutral_hadron", "neutral hadron"),
        _flag("photon", "photon"),
        _flag("hadron", "charged hadron"),
        _flag("electron", "electron"),
        _flag("muon", "muon"),
    )
}
"""Features that a configuration may name instead of defining them. All lie in [0, 2): ``pt`` in
64 GeV, ``pt_low`` in 8 GeV, ``pt_high`` in 1024 GeV, ``abs_eta`` in 1024 counts (4.47), ``abs_z0``
(relative to the vertex) in 3.2 cm; larger values stay at the limit."""

DEFAULT_FEATURES: Final = tuple(
    feature for feature in STANDARD_FEATURES.values() if feature.name not in {"pt_high", "abs_z0"}
)


def _feature(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value not in STANDARD_FEATURES:
        raise ValueError(f"unknown feature {value!r}; choose from {sorted(STANDARD_FEATURES)}")
    return STANDARD_FEATURES[value]


class MomentumConfig(StrictModel):
    """px, py of each candidate.

    Attributes:
        table: Type of the cosine table.
        output: Type of px and py, GeV.
    """

    table: ActivationType = Field(default="fixed<13,2>")  # type: ignore[assignment]
    output: ActivationType = Field(default="fixed<16,13>")  # type: ignore[assignment]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.table.max < 1:
            raise ValueError(f"the cosine table must hold 1.0, {self.table.hls_name} does not")
        return self


class LayerTypes(StrictModel):
    """Types of a dense layer whose size follows from its place in the network.

    Attributes:
        kernel: Type of the kernel.
        bias: Type of the bias.
        output: Type that the output is quantized to; unsigned means bounded ReLU.
        prune: Whether pruning may touch the kernel.
        one_digit: Every value of the kernel has one signed digit: 0, or plus or minus a power of
            two, so that a product is a shift.
        start_bias: Bias where training starts. Above 0 it keeps outputs of an unsigned type from
            being 0 for every candidate from the first steps on, which no gradient mends.
    """

    kernel: WeightType = Field(default="fixed<6,1>")  # type: ignore[assignment]
    bias: WeightType = Field(default="fixed<8,2>")  # type: ignore[assignment]
    output: ActivationType = Field(default="ufixed<6,2>")  # type: ignore[assignment]
    prune: bool = True
    one_digit: bool = False
    start_bias: float = 0.0


class DenseConfig(LayerTypes):
    """A dense layer with its number of outputs.

    Attributes:
        units: Number of outputs.
    """

    units: int = Field(ge=1, le=512)


class ModelConfig(StrictModel):
    """What all networks share; a subclass adds its own keys and registers its architecture.

    Attributes:
        architecture: Name of the builder.
        name: Name of this network in reports and file names.
        n_candidates: Slots per event in firmware.
        features: Inputs of the perceptron, standard names or definitions.
        momentum: Candidate momentum.
        vectors: Type of the pooled vectors, GeV.
        met_xy: Type of a vector head, GeV.
        scalar_weights: Weight per candidate of a scalar head (sum of weight times pt).
        scalar: Type of a scalar head.
        number: Layer that gives a scalar head without unit, a number of the event as a whole.
        logits: Layer that gives the logits of a classes head.
    """

    known: ClassVar[dict[str, type["ModelConfig"]]] = {}
    geometry: ClassVar[bool] = False
    """Whether the builder reads eta and phi of candidates, whatever the features are."""
    no_firmware: ClassVar[str] = ""
    """Why the architecture has no quantized form; empty for one that has."""

    architecture: str
    name: ModelName
    n_candidates: int = Field(default=N_CANDIDATES, ge=1, le=N_CANDIDATES)
    features: tuple[Annotated[FeatureConfig, BeforeValidator(_feature)], ...] = Field(
        default=DEFAULT_FEATURES, min_length=1
    )
    momentum: MomentumConfig = MomentumConfig()
    vectors: ActivationType = Field(default="fixed<18,14>")  # type: ignore[assignment]
    met_xy: ActivationType = Field(default="fixed<18,13>")  # type: ignore[assignment]
    scalar_weights: LayerTypes = LayerTypes(output="ufixed<8,2>")
    scalar: ActivationType = Field(default="ufixed<18,14>")  # type: ignore[assignment]
    number: LayerTypes = LayerTypes(output="ufixed<10,2>")
    logits: LayerTypes = LayerTypes(output="fixed<12,6>")

    def __init_subclass__(cls, *, architecture: str | None, **kwargs: Any) -> None:
        """Make the architecture known to :func:`select_model`; None for a base of several."""
        super().__init_subclass__(**kwargs)
        if architecture is None:
            return
        if architecture in ModelConfig.known:
            raise ValueError(f"architecture {architecture!r} is registered twice")
        ModelConfig.known[architecture] = cls

    @model_validator(mode="after")
    def _starts_from_sums(self) -> Self:
        _need_one(self.scalar_weights, "scalar_weights")
        _need_one(self.number, "number")
        return self

    def require_firmware(self) -> None:
        """Refuse an architecture that is float only.

        Raises:
            ConfigError: Says why there is no firmware, and what has some.
        """
        if self.no_firmware:
            raise ConfigError(
                f"{self.name} is a float network ({self.architecture}) without firmware: "
                f"{self.no_firmware}; it can be evaluated, or be the teacher of a network that has "
                "firmware, such as models/deepset.yaml"
            )

    def head_type(self, kind: Literal["vector", "scalar", "classes"]) -> FixedType:
        """Return the type of the numbers of a head."""
        kinds = {"vector": self.met_xy, "scalar": self.scalar, "classes": self.logits.output}
        return kinds[kind]

    @property
    def columns(self) -> tuple[str, ...]:
        """Candidate columns that the network reads, in the order of :data:`COLUMNS`."""
        placed = {"eta", "phi"} if self.geometry else {"phi"}
        used = {"pt", *placed, *(feature.column for feature in self.features)}
        return tuple(name for name in COLUMNS if name in used)


class DeepSetConfig(ModelConfig, architecture="deepset"):
    """MET = sum_k c_k(S) V_k with V_k = -sum_i w_ik p_i and S_m = sum_i s_im.

    Attributes:
        phi: Hidden layers per candidate.
        weights: Weights per candidate; ``units`` is the number K of vector pools.
        scalars: Scalars per candidate; null leaves out scalar pools, rho and coefficients
            (then K must be 1: one weight per candidate, as in DeepMET).
        scalar_shift: The scalar pools are divided by ``2**scalar_shift``.
        pooled_scalars: Type of the divided scalar pools.
        rho: Hidden layers of the event network.
        coefficients: Output layer of the event network, K units.
    """

    architecture: Literal["deepset"]
    phi: tuple[DenseConfig, ...] = (DenseConfig(units=32), DenseConfig(units=32))
    weights: DenseConfig = DenseConfig(units=4, output="fixed<8,2>")
    scalars: DenseConfig | None = DenseConfig(units=4)
    scalar_shift: int = Field(default=5, ge=0, le=10)
    pooled_scalars: ActivationType = Field(default="ufixed<9,3>")  # type: ignore[assignment]
    rho: tuple[DenseConfig, ...] = (DenseConfig(units=8),)
    coefficients: LayerTypes = LayerTypes(output="fixed<8,2>")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.scalars is None and self.weights.units != 1:
            raise ValueError("without scalars there is one vector pool: set weights.units to 1")
        _need_one(self.weights, "weights")
        _need_one(self.coefficients, "coefficients")
        return self


class GarNetConfig(ModelConfig, architecture="garnet"):
    """MET = sum_a c_a(F) V_a with aggregators a at learned distances from each candidate.

    W_ia = exp(-d_ia^2) by table, F_a = sum_i W_ia f_i, V_a = -sum_i W_ia w_i p_i.

    Attributes:
        encode: Hidden layers per candidate.
        aggregators: Number of aggregators.
        distances: Distance layer; the table has one entry per code of its output type.
        potential: Type of the table's values.
        messages: Features per candidate that are aggregated.
        weights: One weight per candidate.
        pool_weights: Type of W_ia w_i.
        aggregate_shift: The aggregated features are divided by ``2**aggregate_shift``.
        aggregated: Their type.
        rho: Hidden layers of the event network.
        coefficients: Its output layer, one unit per aggregator.
    """

    architecture: Literal["garnet"]
    encode: tuple[DenseConfig, ...] = (DenseConfig(units=32), DenseConfig(units=32))
    aggregators: int = Field(default=4, ge=1, le=64)
    distances: LayerTypes = LayerTypes(output="fixed<7,3>")
    potential: ActivationType = Field(default="ufixed<8,1>")  # type: ignore[assignment]
    messages: DenseConfig = DenseConfig(units=4)
    weights: LayerTypes = LayerTypes(output="fixed<8,2>")
    pool_weights: ActivationType = Field(default="fixed<8,2>")  # type: ignore[assignment]
    aggregate_shift: int = Field(default=5, ge=0, le=10)
    aggregated: ActivationType = Field(default="ufixed<9,3>")  # type: ignore[assignment]
    rho: tuple[DenseConfig, ...] = (DenseConfig(units=8),)
    coefficients: LayerTypes = LayerTypes(output="fixed<8,2>")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.distances.output.width > 12:
            raise ValueError(
                "the potential is a table with one entry per distance code; "
                f"{self.distances.output.width} bits are too many, use at most 12"
            )
        if self.potential.max < 1:
            raise ValueError(f"the potential must hold exp(0) = 1, got {self.potential.hls_name}")
        _need_one(self.weights, "weights")
        _need_one(self.coefficients, "coefficients")
        return self


class ImportedConfig(ModelConfig, architecture=IMPORTED):
    """A network that came as ``network.json``: nothing here describes it, and it is not trained."""

    architecture: Literal["imported"]


def _need_one(layer: LayerTypes, name: str) -> None:
    """A network starts from PUPPI's sum, so these layers must be able to give exactly 1."""
    if min(layer.bias.max, layer.output.max) < 1:
        raise ValueError(
            f"{name}: bias {layer.bias.hls_name} and output {layer.output.hls_name} must hold 1.0, "
            "where training starts (PUPPI's sum); use for example bias fixed<8,2>, output fixed<8,2>"
        )


def select_model(value: Any) -> Any:
    """Return the configuration class instance that ``architecture`` asks for."""
    if not isinstance(value, dict):
        return value
    name = value.get("architecture")
    if name not in ModelConfig.known:
        raise ValueError(f"unknown architecture {name!r}; choose from {sorted(ModelConfig.known)}")
    return ModelConfig.known[name].model_validate(value)
