"""What hls4ml writes and a project needs changed; every change is an error when it finds no place.

None changes a number: they make g++ simulate faster, generated names be found, and synthesis spend
what the folding asks for.
"""

import re
from pathlib import Path
from typing import Final

from l1met_fpga.config.firmware import Backend
from l1met_fpga.errors import ConversionError

__all__ = ["mend_distributed_arithmetic", "mend_resources", "mend_simulation_types"]

_STORAGE: Final = re.compile(r"BIND_STORAGE (variable=\w+) type=rom_np impl=lutram")
_CLEAR: Final = "  INLINE void clearUnusedBits(void)"
_PLAIN_CLEAR: Final = f"""{_CLEAR} {{
    // Added to the original: without it g++ calls the volatile function below for every value.
    enum {{ excess_bits = (_AP_W % 64) ? 64 - _AP_W % 64 : 0 }};
    VAL = _AP_S ? (ValType)((int64_t)VAL << excess_bits >> excess_bits)
                : (ValType)((uint64_t)VAL << excess_bits >> excess_bits);
  }}

"""


def mend_simulation_types(folder: Path) -> None:
    """Let g++ keep ``ap_fixed`` values in registers, which makes the C simulation ten times faster.

    The open ``ap_types`` headers (used by g++ alone; a vendor tool has its own) declare the function
    that every construction and assignment calls ``volatile``, so that each goes through memory.
    This adds the same function for values that are not volatile.

    Raises:
        ConversionError: If the header is not the one known.
    """
    header = folder / "firmware" / "ap_types" / "etc" / "ap_private.h"
    _replace(header, f"{_CLEAR} volatile\n", f"{_PLAIN_CLEAR}{_CLEAR} volatile\n", count=1)


def mend_distributed_arithmetic(folder: Path, namespace: str, *, stream: bool) -> None:
    """Join what hls4ml 1.3 splits between ``nnet`` and the project's namespace.

    It writes the generated products into the project's namespace, looks for them in ``nnet``, and
    calls nnet's ``bit_shift`` unqualified.

    Args:
        folder: Project folder.
        namespace: Namespace of the project.
        stream: Whether it is an io_stream project, which has no buffers of its own.

    Raises:
        ConversionError: If hls4ml wrote other code.
    """
    firmware = folder / "firmware"
    generated = firmware / "nnet_utils" / "nnet_code_gen.h"
    start = f"namespace {namespace} {{\n"
    _replace(generated, start, start + "using nnet::bit_shift;\n")
    for name in ("dense_da_",) if stream else ("dense_da_", "fill_buffer_"):
        _replace(firmware / "parameters.h", f"nnet::{name}", f"{namespace}::{name}")


def mend_resources(folder: Path, backend: Backend) -> None:
    """Allow the multipliers of all slots that a clock works on, and name ROMs as the tool does.

    hls4ml limits the multipliers of a folded layer to those of one slot, though a clock takes
    ``n_pixels`` of them; the tool may then take that many times longer.

    Args:
        folder: Project folder.
        backend: Vendor tool; Vivado HLS has another pragma for storage.

    Raises:
        ConversionError: If hls4ml wrote other code.
    """
    utilities = folder / "firmware" / "nnet_utils"
    limit = "CONFIG_T::mult_config::multiplier_limit"
    pragma = "    #pragma HLS ALLOCATION operation instances=mul limit="
    _replace(
        utilities / "nnet_conv1d_latency.h",
        f"{pragma}{limit}\n",
        f"    constexpr unsigned multiplier_limit = {limit} * CONFIG_T::n_pixels;\n"
        f"{pragma}multiplier_limit\n",
    )
    if backend is Backend.VIVADO:
        header = utilities / "nnet_l1met.h"
        text = header.read_text(encoding="utf-8")
        header.write_text(_STORAGE.sub(r"RESOURCE \1 core=ROM_nP_LUTRAM", text), encoding="utf-8")


def _replace(path: Path, old: str, new: str, *, count: int = -1) -> None:
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise ConversionError(f"{path} does not hold {old!r}; hls4ml writes other code now")
    path.write_text(text.replace(old, new, count), encoding="utf-8")
