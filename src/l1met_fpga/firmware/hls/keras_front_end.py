"""Guarded hls4ml conversion of a user's Keras 2 model: the exact recipe, in one place."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from l1met_fpga.config.firmware import HlsConfig
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

    The linter refuses what cannot be exact; quantized kernel values are written into the model;
    hls4ml gets a configuration by layer names and propagates exact types.

    Args:
        model: tf_keras model; its kernels and biases are replaced by their quantized values.
        config: Section ``hls``.
        folder: Project folder.

    Returns:
        hls4ml's ModelGraph, ready for ``write`` or ``compile``.

    Raises:
        ConversionError: If hls4ml would convert a layer into other numbers.
    """
    for finding in require_convertible(model):
        logger.info("corrected: %s", finding)
    import hls4ml
    from qkeras.utils import model_save_quantized_weights

    model_save_quantized_weights(model)
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
