#!/usr/bin/env python3
"""Make, check and build the firmware of a trained network; the same as `l1met synthesize`.

For example: ``python synthesis/synthesize.py -m deepset --pruning -B``, or ``-m jets --regression --pruning -B``
"""

import importlib.util
import os
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parents[1] / ".venv"


def own_environment() -> None:
    """Go on with the project's environment if this Python has no l1met_fpga.

    Any Python 3 can run this far, so there is nothing newer above the import of the program.
    """
    if importlib.util.find_spec("l1met_fpga") is not None:
        return
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists() or Path(sys.prefix) == ENVIRONMENT:
        sys.exit(f"error: {sys.executable} has no l1met_fpga; make its environment with `make env`")
    os.execv(str(python), [str(python), *sys.argv])


if __name__ == "__main__":
    own_environment()
    from l1met_fpga.cli.app import main
    from l1met_fpga.cli.tagger_flags import without_tagger_flags
    from l1met_fpga.errors import ConfigError

    try:
        arguments = without_tagger_flags(sys.argv[1:])
    except ConfigError as err:
        sys.exit(f"error: {err}")
    main(["synthesize", *arguments])
