"""Fills templates of generated texts: no value may be missing, line ends stay as they stand."""

from pathlib import Path
from typing import Any

import jinja2

__all__ = ["fill"]


def fill(folder: Path, template: str, /, **values: Any) -> str:
    """Fill a template; a value that it needs and lacks is an error.

    Args:
        folder: Folder of the templates.
        template: File in it.
        **values: What it may use.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    return environment.get_template(template).render(**values)
