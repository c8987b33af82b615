"""The one door to TensorFlow and Keras 2, which QKeras and the pruning library need.

Everything else imports ``keras`` and ``tf`` from here, so that the environment is set before
TensorFlow is loaded and its start-up messages stay quiet.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
import tf_keras as keras

__all__ = ["keras", "tf"]
