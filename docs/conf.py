"""Sphinx configuration."""

import hashlib
from importlib.metadata import version as _version
from pathlib import Path

project = "l1met_fpga"
author = copyright = "the l1met_fpga maintainers"
release = version = _version("l1met_fpga")
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.apidoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
# Notebooks are run in an empty folder; what went wrong in one is an error.
nb_execution_mode = "cache"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 1200
nb_merge_streams = True
html_theme = "furo"
html_show_search_summary = False  # it is fetched, which browsers refuse pages opened from a disk
html_title = f"l1met_fpga {release}"
exclude_patterns = ["_build", "_generated/configuration_reference.md"]
apidoc_modules = [
    {
        "path": "../src/l1met_fpga",
        "destination": "_generated/api",
        "separate_modules": True,
        "module_first": True,
        "no_headings": False,
        "implicit_namespaces": True,
        "exclude_patterns": ["../src/l1met_fpga/cli"],
    }
]
# matplotlib writes a method `set` into every class of a figure, in its own markup.
autodoc_default_options = {
    "members": True,
    "undoc-members": False,
    "show-inheritance": True,
    "exclude-members": "set",
}
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
# The same class is documented where it is defined and where a package offers it again.
suppress_warnings = ["ref.python", "autodoc.duplicate"]
napoleon_use_ivar = True


def _code_digest() -> str:
    """Return what tells one state of the package's code from another."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].glob("src/l1met_fpga/**/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# Results of notebooks are kept as long as neither their cells nor the package changes.
nb_execution_cache_path = str(Path(__file__).parent / "_build/notebooks" / _code_digest())


def _keep_bars(_app, _what, _name, _obj, _options, lines):
    """Let docstrings write |MET| for a magnitude, which reStructuredText takes for a substitution."""
    for i, line in enumerate(lines):
        parts = line.split("``")
        parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
        lines[i] = "``".join(parts)


def _write_configuration_reference(app):
    """Make the tables of configuration.md from the configuration models."""
    from l1met_fpga.config.describe import describe_all

    target = Path(app.srcdir) / "_generated" / "configuration_reference.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(describe_all())


def _draw_timing(app):
    """Render every NAME.wavedrom.json as _generated/NAME.svg."""
    import wavedrom

    source = Path(app.srcdir)
    for path in source.glob("*.wavedrom.json"):
        name = path.name.removesuffix(".wavedrom.json")
        target = source / "_generated" / f"{name}.svg"
        target.parent.mkdir(exist_ok=True)
        wavedrom.render(path.read_text()).saveas(target)


def _fold_navigation(_app, _page, _template, context, _doctree):
    """Unfold only the branch of the page beside it.

    The whole tree of some 400 modules, on each of them and on its source, was most of the build.
    """
    whole = context.get("toctree")
    if whole is not None:
        context["toctree"] = lambda **options: whole(**options | {"collapse": True})


def setup(app):
    app.connect("builder-inited", _draw_timing)
    app.connect("builder-inited", _write_configuration_reference)
    app.connect("autodoc-process-docstring", _keep_bars)
    app.connect("html-page-context", _fold_navigation, priority=400)  # before the theme's
