"""One folder for a colleague with the vendor's tools, and the one file that comes back.

The folder holds the projects of a run as they were built, and a script that needs nothing of this
package. The file holds reports; they are put where a vendor run here would have left them.
"""

import hashlib
import importlib.metadata
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from l1met_fpga.config.firmware import Backend, HlsConfig
from l1met_fpga.errors import ConversionError, ReportError
from l1met_fpga.files import atomic_path, replaced_folder
from l1met_fpga.firmware.builds import RECORD, Build
from l1met_fpga.firmware.export.rendering import TEMPLATES
from l1met_fpga.firmware.hls.location import recorded_project, require_project_of, used_settings
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.firmware.templates import fill
from l1met_fpga.identity import require_same
from l1met_fpga.models.network import Network
from l1met_fpga.run_folder import RunFolder

__all__ = ["ARCHIVE", "export_vendor_run", "take_vendor_reports"]

ARCHIVE: Final = "l1met_vendor_reports.tar.gz"
MAX_REPORT_BYTES: Final = 64 * 2**20
_HLS_REPORTS: Final = ("vivado_synth.rpt", "vivado_synth_timing.rpt")
_RTL_REPORTS: Final = (
    "vivado/utilization_synth.rpt", "vivado/utilization_route.rpt", "vivado/timing_route.rpt",
    "vivado/utilization_hierarchical.rpt", "vivado/timing_paths.rpt", "vivado/methodology.rpt",
    "vivado/design_analysis.rpt", f"vivado/{RECORD}",
)  # fmt: skip
_LEFT_OUT: Final = shutil.ignore_patterns("*_csim.so", "*_csim.json", "*.log", "yosys", "obj_dir")


@dataclass(frozen=True, slots=True)
class _Part:
    """One project: where it lies in the run, its name in the folder, and its reports."""

    folder: str
    project: Path
    kind: str
    reports: tuple[str, ...]
    backend: Backend | None = None


def export_vendor_run(run: RunFolder, config: HlsConfig, folder: Path) -> tuple[str, ...]:
    """Write the folder.

    Args:
        run: A run in which firmware was built.
        config: Section ``hls`` of its configuration.
        folder: New, empty, or an earlier export of this kind.

    Returns:
        Names of the projects in it.

    Raises:
        ConversionError: If nothing was built, a project is of another network or was changed, or the
            folder holds anything else.
    """
    parts = tuple(_parts(run, config))
    if not parts:
        raise ConversionError(
            f"{run.root} has no firmware to hand on; build it with `l1met synthesize --build`"
        )
    network = Network.load(run.network)
    for part in parts:
        _require_of(run, part)
    script = fill(
        TEMPLATES, "run_vendor.sh.j2",
        network=network, parts=parts, archive=ARCHIVE, top=config.top_function,
        version=importlib.metadata.version("l1met_fpga"),
    )  # fmt: skip
    with replaced_folder(folder, "vendor", error=ConversionError) as fresh:
        for part in parts:
            shutil.copytree(part.project, fresh / part.folder, ignore=_LEFT_OUT)
        (fresh / "run_vendor.sh").write_text(script, encoding="utf-8")
    return tuple(part.folder for part in parts)


def take_vendor_reports(run: RunFolder, config: HlsConfig, archive: Path) -> tuple[str, ...]:
    """Put the reports of an archive where a vendor run here would have left them.

    Args:
        run: The run that the folder was exported from.
        config: Section ``hls`` of its configuration.
        archive: What ``run_vendor.sh`` wrote.

    Returns:
        The files that were written, relative to the archive.

    Raises:
        ReportError: If it is no such archive, or its reports were made from something else than what
            lies in the run; nothing is written then.
    """
    contents = _read(archive)
    parts = tuple(_parts(run, config))
    wanted = {f"{p.folder}/{name}": (p, name) for p in parts for name in p.reports}
    found = {path: contents[path] for path in wanted if path in contents}
    if not found:
        raise ReportError(
            f"{archive} holds no report of {', '.join(p.folder for p in parts) or 'a project'}; "
            "send back what `bash run_vendor.sh` wrote in a folder of `l1met export vendor`"
        )
    for part in {wanted[path][0].folder: wanted[path][0] for path in found}.values():
        _require_same_build(part, contents, archive)
    for path, content in found.items():
        part, name = wanted[path]
        target = part.project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
    return tuple(found)


def _parts(run: RunFolder, config: HlsConfig) -> Iterator[_Part]:
    main, used = recorded_project(run, config)
    projects = [("hls", main, used)]
    if run.hls_words.is_dir():
        projects.append(("hls_words", run.hls_words, used_settings(run.hls_words, config)))
    for name, project, settings in projects:
        if Build.read(project) is not None:
            csynth = csynth_report(Path(), settings).as_posix()
            reports = (csynth, *_HLS_REPORTS)
            yield _Part(name, project, "hls", reports, settings.backend)
    if Build.read(run.rtl) is not None:
        yield _Part("rtl", run.rtl, "rtl", _RTL_REPORTS)


def _require_of(run: RunFolder, part: _Part) -> None:
    if part.kind == "hls":
        require_project_of(run, part.project, error=ConversionError)
    build = Build.read(part.project)
    if build is not None:
        build.require_network(Network.load(run.network), part.project)


def _read(archive: Path) -> dict[str, bytes]:
    """Read the plain files of an archive into memory, whatever their names are."""
    try:
        with tarfile.open(archive, "r:gz") as opened:
            contents = {}
            for member in opened:
                if not member.isfile():
                    continue
                if member.size > MAX_REPORT_BYTES:
                    raise ReportError(f"{archive}: {member.name!r} is larger than 64 MiB")
                file = opened.extractfile(member)
                if file is not None:
                    contents[PurePosixPath(member.name).as_posix()] = file.read()
            return contents
    except (tarfile.TarError, EOFError, OSError, zlib.error) as err:
        if isinstance(err, OSError) and err.errno is not None:
            why = f"cannot read {archive}: {err.strerror}"
            raise ReportError(f"{why}; give the archive that `run_vendor.sh` made") from None
        raise ReportError(f"{archive} is no archive of `run_vendor.sh`: {err}") from None


def _require_same_build(part: _Part, contents: Mapping[str, bytes], archive: Path) -> None:
    record = contents.get(f"{part.folder}/{RECORD}")
    require_same(
        {"build": None if record is None else hashlib.sha256(record).hexdigest()},
        {"build": hashlib.sha256((part.project / RECORD).read_bytes()).hexdigest()},
        what=f"the reports of {part.folder} in {archive}",
        next_step="Export again with `l1met export vendor` and run that folder",
        error=ReportError,
    )
