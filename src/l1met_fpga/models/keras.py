"""The one door to TensorFlow and Keras 2, which QKeras and the pruning library need.

Everything else imports ``keras`` and ``tf`` from here, so that the environment is set before
TensorFlow is loaded: nothing in the user's environment or ``~/.keras/keras.json`` changes a number,
and no such file is written. On GPUs float32 stays float32 (24 bits): TensorFloat-32 rounds factors
to 11 bits, which is neither the exact arithmetic that :mod:`l1met_fpga.models.exactness` counts on
nor the same result as on a CPU. TensorFlow's C++ code greets on standard error before any log level is read;
that text is dropped unless loading fails.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["keras", "tf"]

_FIXED: Final = {
    "TF_USE_LEGACY_KERAS": "1",
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,  # a folder that holds no keras.json and takes none
    "NVIDIA_TF32_OVERRIDE": "0",
}
_CHANGES_NUMBERS: Final = (
    "TF_ENABLE_AUTO_MIXED_PRECISION", "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS",
)  # fmt: skip

os.environ.update(_FIXED)
for _name in _CHANGES_NUMBERS:
    os.environ.pop(_name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@contextmanager
def _standard_error_held_back() -> Iterator[None]:
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _keras_3_out_of_sight() -> Iterator[None]:
    """Spare the pruning library a look into Keras 3 for a name that only Keras 2 has.

    It would not find it, and load scikit-learn and Matplotlib on the way: a quarter of all imports.
    """
    if "keras" in sys.modules:
        yield
        return
    sys.modules["keras"] = None  # type: ignore[assignment]  # documented: its import fails
    try:
        yield
    finally:
        del sys.modules["keras"]


with _standard_error_held_back(), _keras_3_out_of_sight():
    import tensorflow as tf
    import tensorflow_model_optimization.python.core.sparsity.keras.prune_registry  # noqa: F401
    import tf_keras as keras

    tf.config.list_physical_devices()  # looks for GPUs, and says so when there is none

# What is set already if somebody loaded TensorFlow or Keras before this module.
tf.config.experimental.enable_tensor_float_32_execution(False)
keras.backend.set_floatx("float32")
keras.backend.set_epsilon(1e-7)
keras.backend.set_image_data_format("channels_last")
keras.mixed_precision.set_global_policy("float32")
