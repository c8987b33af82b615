"""The forms of a trained network that need no build: quantized Keras and the int64 reference."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.model import IMPORTED
from l1met_fpga.config.run import RunConfig
from l1met_fpga.data.slots import first_slots
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.errors import DataError
from l1met_fpga.firmware.check import Form
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.saturation import events_at_the_edge
from l1met_fpga.firmware.stress import as_words_carry, random_events, stress_events
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS, Candidates
from l1met_fpga.puppi.vertex import VERTEX, from_vertex, vertex_counts

__all__ = ["check_samples", "int64_form", "keras_form", "test_events"]

STRESS_SEED = 20240229
N_RANDOM_STRESS = 500
N_GENERATED = 2000


def int64_form(network: Network) -> Form:
    """Return the NumPy reference as a form."""
    return lambda candidates: evaluate(network, candidates)


def keras_form(model_path: Path, network: Network) -> Form:
    """Return the trained, quantized Keras model as a form.

    The exporter has proven that no float32 sum of it can round; an output that is not a value of
    its head's type is an error here.

    Raises:
        RunFolderError: If the model cannot be read.
    """
    from l1met_fpga.models.storage import load_model, predict

    model = load_model(model_path)
    names = [head.name for head in network.heads]
    return lambda candidates: network.codes(predict(model, names, candidates))


def check_samples(
    network: Network, config: RunConfig, *, n_events: int | None, n_random: int = 0
) -> Mapping[str, Candidates]:
    """Return what the bit-exactness check runs on: test events, stress events, and random ones.

    A network that was not trained here has no test events; generated ones take their place.

    Args:
        network: The integer network.
        config: The run's configuration, for its samples.
        n_events: Test events, None for all.
        n_random: Random events.

    Raises:
        DataError: If the run's samples hold no test event.
    """
    columns = _columns(network)
    stress = stress_events(
        np.random.default_rng(STRESS_SEED),
        n_random=N_RANDOM_STRESS,
        n_slots=network.n_candidates,
        columns=columns,
    )
    stress = _joined([stress, events_at_the_edge(network)], columns)
    if config.model.architecture == IMPORTED:
        samples = {"generated": _generated_events(network, n_events or N_GENERATED)}
    else:
        samples = {"test": test_events(network, config, n_events=n_events)}
    samples["stress"] = stress
    if n_random:
        rng = np.random.default_rng(STRESS_SEED + 3)
        samples["random"] = random_events(
            rng, n_random, n_slots=network.n_candidates, columns=columns
        )
    return _with_vertices(samples) if network.reads_vertex else samples


def _with_vertices(samples: Mapping[str, Candidates]) -> Mapping[str, Candidates]:
    """Give each event a vertex, if it has none; add events of any z0 and vertex that words carry."""
    rng = np.random.default_rng(STRESS_SEED + 2)
    z0 = COLUMNS["z0"]

    def placed(events: Candidates) -> dict[str, npt.NDArray[np.int16]]:
        drawn = rng.integers(z0.low, z0.high, (len(events["pt"]), 1), np.int16, endpoint=True)
        return {VERTEX: drawn, **events}

    found = {name: placed(events) for name, events in samples.items()}
    words = placed(as_words_carry(samples["stress"]))
    words["z0"] = from_vertex(words["z0"], words["pid"], words[VERTEX])
    return found | {"words": words}


def _generated_events(network: Network, n_events: int) -> Candidates:
    """Return random events for a network that has no samples."""
    events = stress_events(
        np.random.default_rng(STRESS_SEED + 1),
        n_random=n_events,
        n_slots=network.n_candidates,
        columns=_columns(network),
    )
    # the two random kinds come last, n_events of each
    return {name: codes[-2 * n_events :: 2] for name, codes in events.items()}


def test_events(network: Network, config: RunConfig, *, n_events: int | None) -> Candidates:
    """Read events of the test parts of a run's samples, about as many of each.

    Raises:
        DataError: If there is none.
    """
    from l1met_fpga.data.sample_store import store_of

    columns = _columns(network)
    left, parts = n_events, list[Candidates]()
    for index, sample in enumerate(config.samples):
        share = None if left is None else -(-left // (len(config.samples) - index))
        with Store.open(store_of(sample)) as store:
            events = store.events_of(Part.TEST)[:share]
            part = dict(store.candidates(events, columns))
            if network.reads_vertex:
                part[VERTEX] = vertex_counts(store.vertex_z0_cm(events))[:, None]
            told = f"test events of {store.path}"
        parts.append(first_slots(part, network.n_candidates, of=told))
        left = None if left is None else left - len(part["pt"])
    return _joined(parts, (*columns, VERTEX) if network.reads_vertex else columns)


def _columns(network: Network) -> tuple[str, ...]:
    wanted = {*network.columns, *REQUIRED_COLUMNS}
    return tuple(name for name in COLUMNS if name in wanted)


def _joined(parts: Sequence[Candidates], columns: Sequence[str]) -> Candidates:
    joined = {name: np.concatenate([part[name] for part in parts]) for name in columns if parts}
    if not joined or not len(joined["pt"]):
        raise DataError(
            "the run's samples hold no test event; check the section `samples` of its config.yaml"
        )
    return joined
