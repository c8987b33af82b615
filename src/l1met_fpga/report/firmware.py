"""Firmware figures of a run folder under the stable keys of ``report.json``."""

import json
from collections.abc import Mapping
from typing import Any, Final

from l1met_fpga.errors import ReportError
from l1met_fpga.run_folder import RunFolder

__all__ = ["FORMS", "HLS_KEYS", "RTL_KEYS", "bit_exactness", "hls_figures", "rtl_figures"]

FORMS: Final = ("int64", "hls_csim", "rtl_interpreter", "rtl_verilator", "cmssw")
AGREEMENT_KEYS: Final = ("events", "outputs", "differing", "largest_lsb")
RTL_KEYS: Final = (
    "lanes", "ii_cycles", "latency_first_word_cycles", "latency_last_word_cycles",
    "clock_period_ns", "lut", "ff", "dsp", "bram", "lut_estimate", "tool", "tool_version", "part",
)  # fmt: skip
HLS_KEYS: Final = (
    "backend", "tool", "tool_version", "part", "clock_period_ns", "latency_cycles", "ii_cycles",
    "lut", "ff", "dsp", "bram", "uram", "stage",
)  # fmt: skip


def bit_exactness(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the agreement of every form; ``null`` for forms that were not run.

    Args:
        found: Content of ``bit_exactness.json``.

    Raises:
        ReportError: If a form lacks a number.
    """
    if found is None:
        return None
    result: dict[str, Any] = dict.fromkeys((*FORMS, *found))
    for form, agreement in found.items():
        missing = [key for key in AGREEMENT_KEYS if key not in agreement]
        if missing:
            raise ReportError(
                f"bit_exactness.json: form {form!r} lacks {', '.join(missing)}; run the check again"
            )
        result[form] = {key: agreement[key] for key in AGREEMENT_KEYS}
    return result


def rtl_figures(run: RunFolder, *, parallel: bool) -> dict[str, Any] | None:
    """Return the figures of the streaming or the fully parallel RTL, ``null`` if not built.

    They are read from ``rtl/resources.json``, whose objects ``streaming`` and ``parallel`` use the
    keys of the report.
    """
    return _read(run, "rtl", "parallel" if parallel else "streaming", RTL_KEYS)


def hls_figures(run: RunFolder) -> dict[str, Any] | None:
    """Return the vendor's figures from ``hls/resources.json``, ``null`` without a vendor tool."""
    return _read(run, "hls", None, HLS_KEYS)


def _read(
    run: RunFolder, folder: str, part: str | None, keys: tuple[str, ...]
) -> dict[str, Any] | None:
    path = run.root / folder / "resources.json"
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as err:
        raise ReportError(f"{path} is not JSON ({err}); build the firmware again") from err
    found = content if part is None else content.get(part)
    if found is None:
        return None
    missing = [key for key in keys if key not in found]
    if missing:
        raise ReportError(f"{path} lacks {', '.join(missing)}; build the firmware again")
    return {key: found[key] for key in keys}
