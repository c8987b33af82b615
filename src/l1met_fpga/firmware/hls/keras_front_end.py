"""Guarded hls4ml conversion of a user's Keras 2 model: the exact recipe, in one place."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from typing import Any

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.hls.keras_proof import expected_of, require_same_numbers
from l1met_fpga.firmware.hls.lint import require_convertible
from l1met_fpga.models.keras import keras

__all__ = ["convert_keras", "tf_keras_for_hls4ml"]

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def tf_keras_for_hls4ml() -> Iterator[None]:
    """Let hls4ml see tf_keras as ``keras``.

    hls4ml chooses its front end by the version of the installed ``keras``, not by the model, and
    would read a Keras 2 model with its Keras 3 front end.
    """
    installed = sys.modules.get("keras")
    sys.modules["keras"] = keras
    try:
        yield
    finally:
        if installed is None:
            del sys.modules["keras"]
        else:
            sys.modules["keras"] = installed


def convert_keras(model: Any, config: HlsConfig, folder: Path) -> Any:
    """Convert a Keras model with QKeras layers so that every bit agrees.

    The linter refuses what is not proven exact; quantized kernel values are written into the model;
    hls4ml gets a configuration by layer names and propagates exact types; at the end random events
    go through the C simulation and through Keras, and every output must be the same.

    Args:
        model: tf_keras model; its kernels and biases are replaced by their quantized values, and
            left alone if the conversion fails.
        config: Section ``hls``.
        folder: Project folder; nothing is written there yet.

    Returns:
        hls4ml's ModelGraph, ready for ``write`` or ``compile``.

    Raises:
        ConversionError: If hls4ml would convert a layer into other numbers, cannot convert it, or
            has given another number than Keras.
        ToolMissingError: Without g++.
    """
    for finding in require_convertible(model, config):
        logger.info("%s: %s", finding.outcome, finding)
    expected, weights = expected_of(model), model.get_weights()
    try:
        graph = _convert(model, config, folder)
        require_same_numbers(graph, expected, config.compiler_flags)
    except BaseException:
        model.set_weights(weights)
        raise
    return graph


def _convert(model: Any, config: HlsConfig, folder: Path) -> Any:
    import hls4ml
    from qkeras.utils import model_save_quantized_weights

    model_save_quantized_weights(model)
    try:
        with tf_keras_for_hls4ml():
            hls_config = hls4ml.utils.config_from_keras_model(
                model, granularity="name", backend=config.backend.value
            )
            hls_config["Model"]["Strategy"] = config.strategy.value
            hls_config["Model"]["ReuseFactor"] = config.reuse_factor
            return hls4ml.converters.convert_from_keras_model(
                model,
                hls_config=hls_config,
                output_dir=str(folder),
                project_name=config.top_function,
                backend=config.backend.value,
                io_type=config.io_type.value,
                part=config.part,
                clock_period=config.clock_period_ns,
                bit_exact=True,
            )
    except Exception as err:
        raise ConversionError(
            f"hls4ml cannot convert {_layer_of(err, model)} of {model.name!r}: "
            f"{type(err).__name__}: {err}. Leave that layer out or build it of others"
        ) from err


def _layer_of(err: BaseException, model: Any) -> str:
    """Return which layer hls4ml was busy with: one its message names, or one its frames hold."""
    names = {layer.name for layer in model.layers}
    told = [name for name in names if f"{name}" in str(err).replace("'", " ").split()]
    held = []
    for frame, _ in walk_tb(err.__traceback__):
        for value in frame.f_locals.values():
            entry = value.get("config", {}) if isinstance(value, dict) else value
            name = entry.get("name") if isinstance(entry, dict) else getattr(entry, "name", None)
            held += [name] if isinstance(name, str) and name in names else []
    found = told or held[-1:]
    return f"layer {found[0]!r}" if found else "a layer"
