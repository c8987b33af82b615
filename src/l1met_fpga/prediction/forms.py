"""The forms of a network that can be asked for the MET of any events."""

from typing import Final

from l1met_fpga.caches import cache_folder
from l1met_fpga.errors import ConfigError
from l1met_fpga.firmware.check import Form
from l1met_fpga.firmware.forms import int64_form, keras_form
from l1met_fpga.models.network import Network
from l1met_fpga.run_folder import RunFolder

__all__ = ["FORMS", "form_of"]

FORMS: Final = ("int64", "keras", "cpp")
"""The NumPy reference, quantized Keras, and the compiled C++ header; all give the same codes."""
_CACHE: Final = "forms"


def form_of(name: str, network: Network, run: RunFolder | None) -> Form:
    """Return a form of a network.

    Args:
        name: One of :data:`FORMS`. ``cpp`` is compiled once, into the cache.
        network: The integer network.
        run: Its run folder, which has the Keras model; None for a bare ``network.json``.

    Raises:
        ConfigError: If there is no such form, or no Keras model.
        ToolMissingError: If ``cpp`` is asked for without g++.
        RunFolderError: If the Keras model cannot be read.
    """
    if name not in FORMS:
        raise ConfigError(f"there is no form {name!r} to predict with; choose {', '.join(FORMS)}")
    if name == "int64":
        return int64_form(network)
    if name == "cpp":
        from l1met_fpga.firmware.export.cpp_form import CppForm

        return CppForm.compiled(network, cache_folder(_CACHE))
    if run is None:
        raise ConfigError(
            f"a network.json has no Keras model; give the run folder, or another form than {name!r}"
        )
    return keras_form(run.need(run.model, made_by="l1met train"), network)
