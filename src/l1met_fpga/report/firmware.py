"""Firmware figures of a run folder under the stable keys of ``report.json``."""

from pathlib import Path
from typing import Any

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.errors import L1MetError, ReportError
from l1met_fpga.files import read_json
from l1met_fpga.firmware.builds import require_figures_of
from l1met_fpga.firmware.hls.location import recorded_project, require_project_of, used_settings
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.identity import require_same
from l1met_fpga.report.findings import Findings
from l1met_fpga.report.rtl_vivado import UNUSABLE
from l1met_fpga.report.vendor import collect_vendor
from l1met_fpga.results.base import read_result
from l1met_fpga.results.exactness import FORMS, BitExactness, FormAgreement
from l1met_fpga.results.firmware import HlsFigures, RtlFigures
from l1met_fpga.results.saturation import HeadSaturation, Saturation
from l1met_fpga.run_folder import RunFolder

__all__ = ["bit_exactness", "hls_figures", "hls_words_figures", "rtl_figures", "saturation"]

RTL_KEYS = tuple(name for name, field in RtlFigures.model_fields.items() if field.is_required())


def bit_exactness(
    run: RunFolder, digest: str | None, findings: Findings
) -> dict[str, FormAgreement | None] | None:
    """Return the agreement of every form; ``null`` for forms that were not run.

    Args:
        run: The run folder.
        digest: Of its network; checks of another network become a finding.
        findings: Takes what could not be used.
    """
    stage = "bit_exactness"
    found = findings.read(
        stage, run.bit_exactness, lambda p: read_result(BitExactness, p, made_by="l1met check")
    )
    if found is None:
        return None
    result: dict[str, FormAgreement | None] = dict.fromkeys(FORMS)
    for form, check in found.root.items():
        try:
            if digest is not None and check.network is not None:
                require_same(
                    {"network": check.network},
                    {"network": digest},
                    what=f"form {form!r}",
                    next_step="Check this network with `l1met check`",
                    error=ReportError,
                )
            result[form] = check.agreement
        except ReportError as err:
            findings.add(stage, run.bit_exactness, str(err))
    return result


def saturation(
    run: RunFolder, digest: str | None, findings: Findings
) -> dict[str, HeadSaturation] | None:
    """Return how many outputs of each head left their range, ``null`` if they were not counted.

    Args:
        run: The run folder.
        digest: Of its network; counts of another network become a finding.
        findings: Takes what could not be used.
    """

    def read(path: Path) -> Saturation:
        found = read_result(Saturation, path, made_by="l1met check")
        if digest is not None:
            require_same(
                {"network": found.network},
                {"network": digest},
                what="the count",
                next_step="Check this network with `l1met check`",
                error=ReportError,
            )
        return found

    counted = findings.read("saturation", run.saturation, read)
    return None if counted is None else counted.heads


def rtl_figures(run: RunFolder, findings: Findings, *, parallel: bool) -> RtlFigures | None:
    """Return the figures of the streaming or the fully parallel RTL, ``null`` if not built.

    They are read from ``rtl/resources.json``, whose objects ``streaming`` and ``parallel`` use the
    keys of the report.
    """
    stage, name = ("rtl_parallel", "parallel") if parallel else ("rtl", "streaming")
    path = run.rtl / "resources.json"
    content = findings.read(stage, path, lambda path: _resources(path, run))
    if content is None or content.get(name) is None:
        return None
    if not parallel:
        for report, reason in content.get(UNUSABLE, {}).items():
            findings.add(stage, run.rtl / report, reason)
    return findings.read(stage, path, lambda _: _rtl(content[name]))


def _resources(path: Path, run: RunFolder) -> dict[str, Any]:
    content = read_json(path, error=ReportError, next_step="build the firmware again")
    require_figures_of(run.rtl, content, run.network)
    return content


def _rtl(found: Any) -> RtlFigures:
    """Take the keys of the report out of what the build wrote, which is more."""
    if not isinstance(found, dict):
        raise ReportError("its figures are no JSON object; build the firmware again")
    missing = [key for key in RTL_KEYS if key not in found]
    if missing:
        raise ReportError(f"it lacks {', '.join(missing)}; build the firmware again")
    known = {key: found[key] for key in RtlFigures.model_fields if key in found}
    return RtlFigures.model_validate(known)


def hls_figures(run: RunFolder, config: HlsConfig, findings: Findings) -> HlsFigures | None:
    """Return the vendor's figures, ``null`` when no vendor tool was run.

    Figures of a project that was made from another network, or changed since, become a finding.
    """
    try:
        project, config = recorded_project(run, config)
        return _vendor_figures(run, project, config, findings)
    except (L1MetError, ValueError) as err:
        findings.add("hls", run.hls_project, str(err))
        return None


def hls_words_figures(run: RunFolder, config: HlsConfig, findings: Findings) -> HlsFigures | None:
    """Return the vendor's figures of the project that takes words and lies beside the first one."""
    if not run.hls_words.is_dir():
        return None
    try:
        settings = used_settings(run.hls_words, config)
        return _vendor_figures(run, run.hls_words, settings, findings)
    except (L1MetError, ValueError) as err:
        findings.add("hls_words", run.hls_words, str(err))
        return None


def _vendor_figures(
    run: RunFolder, project: Path, config: HlsConfig, findings: Findings
) -> HlsFigures | None:
    if not csynth_report(project, config).is_file():
        return None
    require_project_of(run, project, error=ReportError)
    return collect_vendor(project, config, findings)
