"""What several tests of jets share."""

import pytest
from jet_oracle import JetOracle


@pytest.fixture(scope="session")
def jet_oracle(tmp_path_factory: pytest.TempPathFactory) -> JetOracle:
    """Jets and sums in C++ of ap_fixed types."""
    return JetOracle(tmp_path_factory.mktemp("jet_oracle"))
