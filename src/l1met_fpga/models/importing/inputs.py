"""What a model's inputs are: columns of candidates in counts, px, py, or what says that a slot is filled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.nodes import Feature
from l1met_fpga.puppi.columns import COLUMNS

__all__ = [
    "FILLED",
    "MOMENTUM",
    "Channel",
    "Held",
    "Linear",
    "columns_of",
    "held_by",
    "input_arrays",
]

MOMENTUM: Final = "momentum"
"""px, py of each candidate in GeV, as the network's own momentum node gives them."""
FILLED: Final = "filled"
"""1 for a slot with a candidate, 0 for an empty one."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One number per candidate that goes in.

    ``counts * 2**-scale_bits`` of a column, or of its absolute value, or whether the counts are one
    of some codes.
    """

    column: str
    scale_bits: int = 0
    kind: Literal["value", "abs", "flag"] = "value"
    codes: tuple[int, ...] = ()

    @property
    def feature(self) -> Feature:
        """The feature of the network that is this number, without loss."""
        counts = COLUMNS[self.column].type
        low, high = counts.min_code, counts.max_code
        name = self.column
        if self.kind == "abs":
            name, low, high = f"abs_{name}", 0, max(-low, high)
        if self.kind == "flag":
            name, low, high = f"{name}_is_{'_'.join(map(str, self.codes))}", 0, 1
        if self.scale_bits:
            name += f"_{self.scale_bits}"
        kind = FixedType.for_codes(low, high, self.scale_bits)
        return Feature(
            name=name,
            column=self.column,
            kind=self.kind,
            scale_bits=self.scale_bits,
            codes=self.codes,
            type=kind,
        )

    def values(self, counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return it for counts of its column."""
        if self.kind == "flag":
            return np.isin(counts, self.codes).astype(np.float64)
        real = np.ldexp(counts.astype(np.float64), -self.scale_bits)
        return np.abs(real) if self.kind == "abs" else real


Held = tuple[Channel, ...] | Literal["momentum", "filled"]
"""What an input holds."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A tensor (n, channels) whose channels are fixed combinations of features.

    Attributes:
        features: What they are made of.
        matrix: Integer coefficients times ``2**-frac_bits``, shape (features, channels).
        frac_bits: Fraction bits of the coefficients.
    """

    features: tuple[Feature, ...]
    matrix: npt.NDArray[np.int64]
    frac_bits: int = 0

    @classmethod
    def of_channels(cls, channels: tuple[Channel, ...]) -> "Linear":
        """Return the channels themselves."""
        features = tuple(channel.feature for channel in channels)
        return cls(features, np.eye(len(features), dtype=np.int64))

    @property
    def plain(self) -> bool:
        """Whether its channels are the features themselves."""
        return not self.frac_bits and np.array_equal(self.matrix, np.eye(*self.matrix.shape))

    def beside(self, other: "Linear") -> "Linear":
        """Return the channels of both, one tensor after the other."""
        frac_bits = max(self.frac_bits, other.frac_bits)
        rows, columns = (a + b for a, b in zip(self.matrix.shape, other.matrix.shape, strict=True))
        matrix = np.zeros((rows, columns), np.int64)
        n, m = self.matrix.shape
        matrix[:n, :m] = self.matrix << (frac_bits - self.frac_bits)
        matrix[n:, m:] = other.matrix << (frac_bits - other.frac_bits)
        return Linear((*self.features, *other.features), matrix, frac_bits)


def held_by(name: str, shape: tuple[int, ...], typed: Mapping[str, str]) -> Held:
    """Return what an input holds.

    Args:
        name: Name of the input layer.
        shape: Its shape without the events, (n,) or (n, channels).
        typed: Input name -> ``momentum``, ``filled``, or columns: with an optional power of two
            ``pt/4``, an absolute value ``abs(eta)/1024``, a flag ``pid=2|3``. An input that is not
            there must be named after what it holds.

    Raises:
        ConversionError: If it does not say what the input holds, or not for every channel.
    """
    text = typed.get(name, name)
    n_channels = shape[1] if len(shape) == 2 else 1
    if text == MOMENTUM:
        if shape[1:] != (2,):
            raise ConversionError(
                f"input {name!r} has shape {shape}; px, py of candidates have (slots, 2)"
            )
        return "momentum"
    if text == FILLED:
        if n_channels != 1:
            raise ConversionError(
                f"input {name!r} has shape {shape}; what says that a slot is filled is one number"
            )
        return "filled"
    channels = tuple(_channel(name, word) for word in text.split(","))
    if len(shape) not in (1, 2) or len(channels) != n_channels:
        raise ConversionError(
            f"input {name!r} has shape {shape}, but {text!r} names {len(channels)} columns; say what "
            f"each channel holds with --input {name}=COLUMN,COLUMN,..."
        )
    return channels


_COLUMN: Final = re.compile(r"([a-z0-9_]+)(?:/(\d+))?")
_ABSOLUTE: Final = re.compile(r"abs\(([a-z0-9_]+)\)(?:/(\d+))?")
_FLAG: Final = re.compile(r"([a-z0-9_]+)=(\d+(?:\|\d+)*)")


def _channel(name: str, word: str) -> Channel:
    text = word.replace(" ", "")
    if (found := _FLAG.fullmatch(text)) and found[1] in COLUMNS:
        return Channel(found[1], kind="flag", codes=tuple(map(int, found[2].split("|"))))
    absolute = _ABSOLUTE.fullmatch(text)
    found = absolute or _COLUMN.fullmatch(text)
    divisor = int(found[2] or 1) if found else 0
    if found is None or found[1] not in COLUMNS or divisor < 1 or divisor & (divisor - 1):
        raise ConversionError(
            f"input {name!r}: {word.strip()!r} is no column of candidates in counts; write {MOMENTUM}, "
            f"{FILLED} or one of {', '.join(COLUMNS)}, divided by a power of two if it is scaled "
            f"(pt/4), as absolute value (abs(eta)) or flag (pid=2|3), for example --input "
            f"{name}=pt/4,eta,phi"
        )
    return Channel(found[1], divisor.bit_length() - 1, "abs" if absolute else "value")


def columns_of(channels: tuple[Channel, ...], candidates: Mapping[str, Any]) -> Any:
    """Return the numbers that a model expects at such an input, float32, (events, slots, n)."""
    return np.stack([c.values(candidates[c.column]) for c in channels], axis=-1).astype(np.float32)


def input_arrays(
    held: Mapping[str, Held], candidates: Mapping[str, Any], momentum: npt.NDArray[np.float64]
) -> dict[str, npt.NDArray[np.float32]]:
    """Return what every input is given.

    Args:
        held: Input name -> what it holds.
        candidates: Columns, shape (n_events, n_slots).
        momentum: px, py of each candidate in GeV.
    """
    arrays: dict[str, npt.NDArray[np.float32]] = {}
    for name, holds in held.items():
        if holds == "momentum":
            arrays[name] = momentum.astype(np.float32)
        elif holds == "filled":
            arrays[name] = (candidates["pt"] > 0)[..., None].astype(np.float32)
        else:
            arrays[name] = columns_of(holds, candidates)
    return arrays
