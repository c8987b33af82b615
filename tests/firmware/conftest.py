"""Fixtures of the firmware tests."""

import os

import numpy as np
import pytest

# QKeras needs Keras 2, which TensorFlow gives only when asked before it is imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240229)
