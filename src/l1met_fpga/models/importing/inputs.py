"""What a model's inputs are: columns of candidates in counts, or px, py of each candidate."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.network import Feature
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["MOMENTUM", "Channel", "Linear", "columns_of", "input_channels"]

MOMENTUM: Final = "momentum"
"""px, py of each candidate in GeV, as the network's own momentum node gives them."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One number per candidate that goes in: ``counts * 2**-scale_bits`` of a column."""

    column: str
    scale_bits: int

    @property
    def feature(self) -> Feature:
        """The feature of the network that is this number, without loss."""
        counts = COLUMNS[self.column].type
        name = self.column if not self.scale_bits else f"{self.column}_{self.scale_bits}"
        kind = FixedType.for_codes(counts.min_code, counts.max_code, self.scale_bits)
        return Feature(
            name=name, column=self.column, kind="value", scale_bits=self.scale_bits, type=kind
        )


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

    def beside(self, other: "Linear") -> "Linear":
        """Return the channels of both, one tensor after the other."""
        frac_bits = max(self.frac_bits, other.frac_bits)
        rows, columns = (a + b for a, b in zip(self.matrix.shape, other.matrix.shape, strict=True))
        matrix = np.zeros((rows, columns), np.int64)
        n, m = self.matrix.shape
        matrix[:n, :m] = self.matrix << (frac_bits - self.frac_bits)
        matrix[n:, m:] = other.matrix << (frac_bits - other.frac_bits)
        return Linear((*self.features, *other.features), matrix, frac_bits)


def input_channels(
    name: str, shape: tuple[int, ...], typed: Mapping[str, str]
) -> tuple[Channel, ...] | None:
    """Return what an input holds; None for px, py.

    Args:
        name: Name of the input layer.
        shape: Its shape without the events, (n,) or (n, channels).
        typed: Input name -> ``momentum``, or columns with an optional power of two,
            ``pt/4,eta,phi``. An input that is not there must be named after what it holds.

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
        return None
    channels = tuple(_channel(name, word) for word in text.split(","))
    if len(shape) not in (1, 2) or len(channels) != n_channels:
        raise ConversionError(
            f"input {name!r} has shape {shape}, but {text!r} names {len(channels)} columns; say what "
            f"each channel holds with --input {name}=COLUMN,COLUMN,..."
        )
    return channels


def _channel(name: str, word: str) -> Channel:
    found = re.fullmatch(r"\s*([a-z0-9_]+)\s*(?:/\s*(\d+))?\s*", word)
    divisor = int(found[2] or 1) if found else 0
    if found is None or found[1] not in COLUMNS or divisor < 1 or divisor & (divisor - 1):
        raise ConversionError(
            f"input {name!r}: {word.strip()!r} is no column of candidates in counts; write {MOMENTUM} "
            f"or one of {', '.join(COLUMNS)}, divided by a power of two if it is scaled (pt/4), for "
            f"example --input {name}=pt/4,eta,phi"
        )
    return Channel(found[1], divisor.bit_length() - 1)


def columns_of(channels: tuple[Channel, ...], candidates: Mapping[str, Any]) -> Any:
    """Return the numbers that a model expects at such an input, float32, (events, slots, n)."""
    values = [np.ldexp(candidates[c.column].astype(np.float64), -c.scale_bits) for c in channels]
    return np.stack(values, axis=-1).astype(np.float32)
