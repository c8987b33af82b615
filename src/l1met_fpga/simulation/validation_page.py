"""The whole validation: read samples, measure, compare, write the table and the plots."""

from collections import Counter
from pathlib import Path
from typing import Final

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import N_BEFORE_CUT
from l1met_fpga.data.read_words import read_words
from l1met_fpga.files import atomic_path
from l1met_fpga.plots.figure import save_figure
from l1met_fpga.simulation import validation_plots as plots
from l1met_fpga.simulation.validation import (
    EVENTS_PER_STEP,
    SAMPLES,
    Components,
    components,
    count_figures,
    met_figures,
    met_sample,
    pileup_figures,
    read_sample,
)
from l1met_fpga.simulation.validation_table import (
    Row,
    compare,
    component_markdown,
    load_targets,
    markdown,
    read_reference,
    with_reference,
)

__all__ = ["validate"]

REFERENCE_WORDS: Final = "Puppi_w3p_PU200.dump"


def validate(folder: Path, output: Path, reference: Path | None) -> list[Row]:
    """Compare samples with targets and write ``validation.md`` and the plots.

    Args:
        folder: Where the samples are (``data/validation_sample.yaml`` makes them).
        output: Where the results go.
        reference: Folder with the real arrays and words, or none.

    Raises:
        DataError: If a sample or a reference file is missing.
    """
    samples = {name: read_sample(folder, name) for name in SAMPLES}
    pileup, inclusive, dilepton = (samples[name] for name in SAMPLES)
    met = met_sample(dilepton)
    targets, real, real_parts = load_targets(), None, None
    if reference is not None:
        real = read_reference(reference)
        targets = with_reference(targets, real)
        real_parts = _real_components(reference)
    figures = pileup_figures(pileup) | count_figures("ttbar", inclusive) | met_figures(met)
    rows = compare(figures, targets)
    parts = components(pileup)
    counts = {
        "pileup": pileup.besides[N_BEFORE_CUT],
        "ttbar": inclusive.besides[N_BEFORE_CUT],
    }
    save_figure(plots.plot_multiplicity(counts, targets), output, "multiplicity")
    save_figure(plots.plot_bins(figures, targets), output, "bins")
    save_figure(plots.plot_turn_on(figures, targets), output, "turn_on")
    save_figure(plots.plot_residual(met, real), output, "residual")
    save_figure(plots.plot_components(parts, real_parts), output, "components")
    events = ", ".join(f"{name} {len(batch)}" for name, batch in samples.items())
    text = f"Events: {events}.\n\n{markdown(rows)}\n{component_markdown(parts, real_parts)}"
    with atomic_path(output / "validation.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return rows


def _real_components(reference: Path) -> list[Components]:
    return components(
        Examples.concatenate(
            list(read_words(reference / REFERENCE_WORDS, EVENTS_PER_STEP, Counter()))
        )
    )
