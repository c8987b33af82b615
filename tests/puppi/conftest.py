"""What several tests of jets share."""

import os

import pytest
from jet_oracle import JetOracle


@pytest.fixture(scope="session")
def jet_oracle(tmp_path_factory: pytest.TempPathFactory) -> JetOracle:
    """Jets and sums in C++ of ap_fixed types, compiled once for all processes of a test run."""
    folder = tmp_path_factory.getbasetemp()
    return JetOracle(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)
