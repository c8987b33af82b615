"""From a trained run to a checked HLS project."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from l1met_fpga.config.firmware import HlsConfig, IoType
from l1met_fpga.config.model import IMPORTED
from l1met_fpga.config.run import RunConfig
from l1met_fpga.files import exclusive, write_json
from l1met_fpga.firmware.check import (
    Form,
    compare_forms,
    require_agreement,
    write_result,
)
from l1met_fpga.firmware.forms import check_samples, int64_form, keras_form
from l1met_fpga.firmware.hls.csim import CSimulation, compile_csim
from l1met_fpga.firmware.hls.project import write_project
from l1met_fpga.firmware.hls.words_project import write_words_project
from l1met_fpga.firmware.imported import read_expected
from l1met_fpga.firmware.saturation import count_saturated
from l1met_fpga.firmware.score_heads import told_words
from l1met_fpga.models.network import Network
from l1met_fpga.models.network_of_run import network_of
from l1met_fpga.puppi.columns import Candidates
from l1met_fpga.results.exactness import FormCheck
from l1met_fpga.run_folder import RunFolder

__all__ = ["HlsProject", "build_project", "check_run"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HlsProject:
    """A written and compiled project.

    Attributes:
        folder: Project folder.
        simulation: The C simulation.
        convert_s: Time of the conversion.
        compile_s: Time of g++.
    """

    folder: Path
    simulation: CSimulation
    convert_s: float
    compile_s: float


def build_project(
    network: Network, config: HlsConfig, folder: Path, candidates: Candidates
) -> HlsProject:
    """Write a project and compile its C simulation.

    Args:
        network: The integer network.
        config: Section ``hls``.
        folder: Project folder.
        candidates: Real events for the test bench.

    Raises:
        ConversionError: If the network cannot be converted exactly.
        ToolError: If the project does not compile.
    """
    start = time.perf_counter()
    with exclusive(folder):  # two runs may have been given one folder
        if config.io_type is IoType.WORDS:
            write_words_project(network, config, folder, candidates=candidates)
        else:
            write_project(network, config, folder, candidates=candidates)
        converted = time.perf_counter()
        library = compile_csim(folder, top=config.top_function, flags=config.compiler_flags)
    compiled = time.perf_counter()
    logger.info(
        "converted in %.1f s, compiled in %.1f s: %s",
        *(converted - start, compiled - converted, folder),
    )
    simulation = CSimulation(
        library, network, processes=config.csim_processes,
        takes_words=config.io_type is IoType.WORDS,
    )  # fmt: skip
    return HlsProject(folder, simulation, converted - start, compiled - converted)


def check_run(
    run: RunFolder,
    config: RunConfig,
    forms: Mapping[str, Form],
    *,
    n_events: int | None,
    n_random: int = 0,
    samples: Mapping[str, Candidates] | None = None,
) -> dict[str, FormCheck]:
    """Compare forms of a run's network with its quantized Keras model, and write the result.

    Beside it, ``saturation.json`` says how many outputs left the range of their type in test events.

    The int64 reference is always one of the forms. Forms of a network that was not trained here are
    compared with it, and it with the results that came with the network. A form that differs is an
    error after the result was written.

    Args:
        run: The run folder.
        config: Its configuration.
        forms: Name -> form, as in :data:`l1met_fpga.results.exactness.FORMS`.
        n_events: Test events, None for all.
        n_random: Random events beside them.
        samples: Events to compare on; default test, stress and random events.

    Returns:
        Content of ``bit_exactness.json``.

    Raises:
        BitExactnessError: If one output differs.
    """
    network = network_of(run)
    if samples is None:
        samples = check_samples(network, config, n_events=n_events, n_random=n_random)
    int64, words = int64_form(network), partial(told_words, network)
    if config.model.architecture == IMPORTED:  # there is no Keras model of it
        result = compare_forms("int64", int64, forms, samples, words=words)
        result |= _against_expected(run, network)
    else:
        keras = keras_form(run.need(run.model, made_by="l1met train"), network)
        result = compare_forms("keras", keras, {"int64": int64, **forms}, samples, words=words)
    written = write_result(run.bit_exactness, result, network_digest=network.digest)
    if "test" in samples:
        write_json(run.saturation, count_saturated(network, samples["test"]).model_dump())
    require_agreement(result)
    return written


def _against_expected(run: RunFolder, network: Network) -> dict[str, FormCheck]:
    """Agreement of the int64 reference with known results, if there are any."""
    if not run.expected.is_file():
        return {}
    candidates, known = read_expected(run.expected, network)
    return compare_forms(
        "expected", lambda _: known, {"int64": int64_form(network)}, {"expected": candidates}
    )
