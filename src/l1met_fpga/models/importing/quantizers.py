"""QKeras quantizers and activations of others as fixed-point types; every argument is looked at."""

from collections.abc import Mapping
from typing import Any, Final

from l1met_fpga.errors import ConfigError, ConversionError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models.exactness import weight_type

__all__ = ["activation_type", "kernel_type_of"]

_COMMON: Final[Mapping[str, tuple[Any, ...]]] = {
    "use_stochastic_rounding": (False, 0),
    "qnoise_factor": (1, 1.0),
    "use_variables": (False, 0),
}
_ALLOWED: Final[Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "quantized_bits": {
        "alpha": (None, 1, 1.0), **_COMMON, "symmetric": (0, False), "keep_negative": (True, 1),
        "scale_axis": (None,),
    },
    "quantized_relu": {
        **_COMMON, "use_sigmoid": (0, False), "negative_slope": (0, 0.0),
        "relu_upper_bound": (None,), "is_quantized_clip": (True, 1),
    },
}  # fmt: skip
_SILENT: Final = ("bits", "integer", "var_name", "use_ste", "post_training_scale")
"""Read elsewhere, or without effect on the numbers."""


def activation_type(quantizer: Any, where: str) -> FixedType:
    """Return the type that a QKeras quantizer of activations rounds to.

    Raises:
        ConversionError: If it is of another kind, or an argument is not allowed; says which.
    """
    kind = type(quantizer).__name__
    if kind not in _ALLOWED:
        raise ConversionError(f"{where}: {kind} is not supported; use one of {', '.join(_ALLOWED)}")
    known = {**quantizer.get_config(), **{k: v for k, v in vars(quantizer).items() if k[0] != "_"}}
    for argument, allowed in _ALLOWED[kind].items():
        value = known.get(argument, allowed[0])
        value = getattr(value, "numpy", lambda v=value: v)()
        if value not in allowed:
            raise ConversionError(
                f"{where}: {kind}({argument}={value!r}) is not supported; {argument} must be "
                f"{allowed[0]!r}"
            )
    bits, integer = int(known["bits"]), int(known["integer"])
    signed = kind == "quantized_bits"
    return FixedType(signed, integer, bits - integer - int(signed), Rounding.RND_CONV, Overflow.SAT)


def kernel_type_of(quantizer: Any, where: str) -> FixedType:
    """Return the type of a quantizer of weights.

    Raises:
        ConversionError: If it is not ``quantized_bits(alpha=1)``.
    """
    try:
        return weight_type(quantizer)
    except ConfigError as err:
        raise ConversionError(f"{where}: {err}") from None
