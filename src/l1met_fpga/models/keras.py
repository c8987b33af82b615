"""The one door to TensorFlow and Keras 2, which QKeras and the pruning library need.

Everything else imports ``keras`` and ``tf`` from here, so that the environment is set before
TensorFlow is loaded. TensorFlow's C++ code greets on standard error before any log level is read;
that text is dropped unless loading fails.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["keras", "tf"]

os.environ["TF_USE_LEGACY_KERAS"] = "1"
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


with _standard_error_held_back():
    import tensorflow as tf
    import tf_keras as keras

    tf.config.list_physical_devices()  # looks for GPUs, and says so when there is none
