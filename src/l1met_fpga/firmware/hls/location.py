"""Where the HLS project of a run lies: in the run folder, or where the user asked for it."""

import json
from pathlib import Path

from l1met_fpga.config.firmware import Backend, HlsConfig
from l1met_fpga.errors import RunFolderError
from l1met_fpga.files import write_json
from l1met_fpga.run_folder import RunFolder

__all__ = ["record_project", "recorded_project"]


def record_project(run: RunFolder, folder: Path, config: HlsConfig) -> None:
    """Note in the run folder where its last HLS project is, and for which vendor's tool.

    Args:
        run: The run folder.
        folder: The project; relative to the run folder if it lies there, so that both can move.
        config: Section ``hls`` the project was made with.
    """
    folder, root = folder.resolve(), run.root.resolve()
    inside = folder.relative_to(root) if folder.is_relative_to(root) else folder
    write_json(run.hls_project, {"folder": str(inside), "backend": config.backend.value})


def recorded_project(run: RunFolder, config: HlsConfig) -> tuple[Path, HlsConfig]:
    """Return the folder of a run's last HLS project, and the section ``hls`` with its back end.

    Args:
        run: The run folder.
        config: Section ``hls`` of its configuration, which decides where nothing was noted.

    Raises:
        RunFolderError: If the note is damaged.
    """
    if not run.hls_project.is_file():
        return run.hls, config
    try:
        found = json.loads(run.hls_project.read_text(encoding="utf-8"))
        folder, backend = run.root / found["folder"], Backend(found["backend"])
    except (ValueError, KeyError, TypeError) as err:
        raise RunFolderError(
            f"{run.hls_project} does not say where the HLS project is ({err!r}); make the project "
            "again with `l1met synthesize`"
        ) from None
    return folder, config.model_copy(update={"backend": backend})
