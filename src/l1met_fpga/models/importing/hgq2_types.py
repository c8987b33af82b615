"""Quantizers of HGQ2 as fixed-point types; every argument is looked at."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding

__all__ = ["input_quantizers", "numbers", "types_of"]

NEVER_TRACED: Final = -1e6
"""Integer bits below this were set back for a trace that did not come."""


def numbers(value: Any) -> npt.NDArray[np.float64]:
    """Return a tensor as float64."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(value), np.float64)


def input_quantizers(layer: Any) -> list[Any]:
    """Return the quantizers of a layer's inputs, in order; none where they are switched off."""
    if not getattr(layer, "enable_iq", False):
        return []
    return list(layer.iq) if type(layer.iq).__name__ == "MultipleQuantizers" else [layer.iq]


def types_of(quantizer: Any, where: str) -> tuple[FixedType | None, ...]:
    """Types of a quantizer of activations: one per channel, or one for all."""
    inner = quantizer.quantizer
    kind = type(inner).__name__
    if kind not in ("FixedPointQuantizerKIF", "FixedPointQuantizerKBI"):
        raise ConversionError(
            f"{where}: the quantizer is a {kind}; only fixed-point ones (q_type 'kif' or 'kbi') have "
            "bounded widths"
        )
    if quantizer.scaler is not None or quantizer.affine is not None:
        raise ConversionError(
            f"{where}: scaler={quantizer.scaler}, affine={quantizer.affine} is not supported, they "
            "must be None"
        )
    rounding, overflow = _modes(inner, where)
    signed, integer, fraction = (numbers(value) for value in inner.kif)
    if integer.min() < NEVER_TRACED:
        raise ConversionError(
            f"{where}: its integer bits were set back and never traced, so its width is not bounded; "
            "run hgq.utils.trace_minmax on calibration data before the model is saved"
        )
    if signed.size != signed.shape[-1]:
        raise ConversionError(
            f"{where}: types of shape {signed.shape} differ from slot to slot; give its configuration "
            "homogeneous_axis=(0, 1)"
        )
    each = zip(*(v.ravel().astype(int).tolist() for v in (signed, integer, fraction)), strict=True)
    return tuple(_type(k, i, f, rounding, overflow, where) for k, i, f in each)


def _modes(inner: Any, where: str) -> tuple[Rounding, Overflow]:
    rounding, overflow = inner.round_mode.removeprefix("S_"), inner.overflow_mode
    if rounding not in Rounding.__members__ or overflow not in ("WRAP", "SAT", "SAT_SYM"):
        raise ConversionError(
            f"{where}: round_mode={inner.round_mode}, overflow_mode={overflow} is not supported; "
            f"use one of {', '.join(Rounding.__members__)} and WRAP, SAT or SAT_SYM"
        )
    if overflow == "WRAP" and inner._is_weight and inner.trainable:
        raise ConversionError(
            f"{where}: HGQ2 does not wrap in a quantizer of place 'weight', so its width is not "
            "bounded; use place='datalane'"
        )
    return Rounding[rounding], Overflow[overflow]


def _type(
    signed: int, integer: int, fraction: int, rounding: Rounding, overflow: Overflow, where: str
) -> FixedType | None:
    bits = signed + integer + fraction
    if bits <= 0 or (bits == 1 and signed and overflow is Overflow.SAT_SYM):
        return None
    integer = max(integer, -fraction)
    if bits > 62:
        raise ConversionError(
            f"{where}: {bits} bits are more than 62; bound them with the constraints ic and fc"
        )
    return FixedType(bool(signed), integer, fraction, rounding, overflow)
