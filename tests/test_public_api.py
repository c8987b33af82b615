"""What the package itself offers: a change here is a change for everybody who uses it."""

import inspect

import l1met_fpga as l1met

SIGNATURES = {
    "load": "(source)",
    "predict_files": ("(network, inputs, output, *, form, config, rntuple, overwrite, on_block)"),
    "train": "(recipe, output, *, samples, settings, overwrite)",
    "evaluate": "(run, *, samples, settings, faults, plots)",
    "synthesize": "(run, *, build, n_events)",
    "Report": "(run)",
}


def without_types(signature: inspect.Signature) -> str:
    empty = inspect.Parameter.empty
    parameters = [p.replace(annotation=empty, default=empty) for p in signature.parameters.values()]
    return str(inspect.Signature(parameters))


def test_public_names():
    """Whoever changes them changes docs/python.md and the version of the package."""
    assert l1met.__all__ == [
        "LoadedNetwork", "Met", "PredictedFile", "Report", "__version__", "evaluate", "load",
        "predict_files", "synthesize", "train",
    ]  # fmt: skip
    assert set(l1met.__all__) <= set(dir(l1met))


def test_public_signatures():
    found = {name: without_types(inspect.signature(getattr(l1met, name))) for name in SIGNATURES}
    assert found == SIGNATURES


def test_every_public_name_says_what_it_is():
    for name in set(l1met.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(l1met, name)), name
