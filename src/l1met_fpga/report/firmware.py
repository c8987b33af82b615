"""Firmware figures of a run folder under the stable keys of ``report.json``."""

import json
from collections.abc import Mapping
from typing import Any, Final

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import ReportError
from l1met_fpga.firmware.builds import require_figures_of
from l1met_fpga.firmware.hls.location import recorded_project, require_project_of
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.report.vendor import collect_vendor
from l1met_fpga.run_folder import RunFolder

__all__ = ["FORMS", "HLS_KEYS", "RTL_KEYS", "bit_exactness", "hls_figures", "rtl_figures"]

FORMS: Final = ("int64", "hls_csim", "rtl_interpreter", "rtl_verilator", "cpp", "cmssw")
AGREEMENT_KEYS: Final = ("events", "outputs", "differing", "largest_lsb")
RTL_KEYS: Final = (
    "lanes", "ii_cycles", "latency_first_word_cycles", "latency_last_word_cycles",
    "clock_period_ns", "lut", "ff", "dsp", "bram", "lut_estimate", "tool", "tool_version", "part",
)  # fmt: skip
RTL_EXTRAS: Final = (
    "latency_gt_word_cycles", "kind", "lut_percent", "lut_percent_of_slr", "dsp_percent",
    "lut_estimate_da4ml",
)  # fmt: skip
"""Kept when the build gives them; ``kind`` says what the counts are (open or vendor tool)."""
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

    Raises:
        ReportError: If the file is damaged or lacks a key.
    """
    path = run.rtl / "resources.json"
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as err:
        raise ReportError(f"{path} is not JSON ({err}); build the firmware again") from err
    require_figures_of(run.rtl, content, run.network)
    found = content.get("parallel" if parallel else "streaming")
    if found is None:
        return None
    missing = [key for key in RTL_KEYS if key not in found]
    if missing:
        raise ReportError(f"{path} lacks {', '.join(missing)}; build the firmware again")
    extras = {key: found[key] for key in RTL_EXTRAS if key in found}
    return {key: found[key] for key in RTL_KEYS} | extras


def hls_figures(run: RunFolder, config: HlsConfig) -> dict[str, Any] | None:
    """Return the vendor's figures, ``null`` when no vendor tool was run.

    Latency and interval are those of C synthesis; resources are those of the latest stage that was
    run, which ``stage`` says; ``stages`` has every one. ``bram`` counts tiles of 36 kbit, as for
    the RTL.

    Raises:
        ReportError: If a report lacks a number.
        RunFolderError: If the run folder does not say where its project is.
    """
    project, config = recorded_project(run, config)
    if not csynth_report(project, config).is_file():
        return None
    require_project_of(run, project, error=ReportError)
    found = collect_vendor(project, config)
    return {key: found[key] for key in (*HLS_KEYS, "stages")}
