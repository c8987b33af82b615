"""Settings of all tests."""

import os
from pathlib import Path

import oracle_tools
import pytest
from hypothesis import settings
from require import require

# A busy machine must not fail a test that is only slow.
settings.register_profile("l1met", deadline=None, print_blob=True)
settings.load_profile("l1met")


def pytest_runtest_setup(item):
    """Look for the tools that a test names, and remember which versions it runs."""
    for marker in item.iter_markers("oracle"):
        for name in marker.args:
            item.user_properties.append(("oracle", oracle_tools.need(name)))


def pytest_terminal_summary(terminalreporter):
    """Say which versions of outside tools were run."""
    said = {
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for key, value in getattr(report, "user_properties", ())
        if key == "oracle"
    }
    if said:
        terminalreporter.line("ran against " + ", ".join(sorted(said, key=str.lower)))


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """Keep the tests out of the user's cache, and the user's cache out of the tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("L1MET_CACHE", str(tmp_path_factory.mktemp("cache")))
        patched.delenv("COLUMNS", raising=False)  # test runners set it: tables would be cut
        yield


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of real CMS words, arrays and vendor reports."""
    folder = os.environ.get("L1MET_REFERENCE_DATA", "")
    present = bool(folder) and Path(folder).is_dir()
    require("reference-data", present, install="L1MET_REFERENCE_DATA names its folder")
    return Path(folder)
