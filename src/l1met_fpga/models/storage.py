"""Save and load Keras models with this package's and QKeras's layers."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.slots import first_slots
from l1met_fpga.errors import ConfigError, RunFolderError
from l1met_fpga.files import atomic_path
from l1met_fpga.models import layers, pair_layers
from l1met_fpga.models.keras import keras
from l1met_fpga.models.quantizers import FixedQuantizer, OneDigitQuantizer

__all__ = ["custom_objects", "load_model", "predict", "save_model"]


def custom_objects() -> dict[str, Any]:
    """Return every class that Keras needs to rebuild a model, by name."""
    from qkeras.utils import _add_supported_quantized_objects

    objects: dict[str, Any] = {}
    _add_supported_quantized_objects(objects)
    own = (getattr(module, name) for module in (layers, pair_layers) for name in module.__all__)
    objects |= {cls.__name__: cls for cls in own if isinstance(cls, type)}
    return objects | {cls.__name__: cls for cls in (FixedQuantizer, OneDigitQuantizer)}


def save_model(model: Any, path: Path) -> None:
    """Write a ``.keras`` file atomically."""
    with atomic_path(path) as temporary, _quiet():
        model.save(temporary)


@contextmanager
def _quiet() -> Iterator[None]:
    """QKeras stores its quantizers through Keras's serializer of constraints, which warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*keras.constraints.serialize")
        yield


def load_model(path: Path) -> Any:
    """Read a ``.keras`` or ``.h5`` file.

    Raises:
        RunFolderError: If it is missing or damaged.
    """
    if not path.is_file():
        raise RunFolderError(f"no model {path}; train one with `l1met train` first")
    try:
        with keras.utils.custom_object_scope(custom_objects()), _quiet():
            return keras.models.load_model(path, compile=False)
    except TypeError as err:
        raise RunFolderError(
            f"{path} cannot be read as a Keras model: {err} QKeras does not read back a QActivation "
            "that was given a quantizer object from a .keras file: save the model as .h5, or give "
            'the quantizer as text, QActivation("quantized_bits(6, 2, alpha=1)")'
        ) from err
    except Exception as err:  # Keras raises whatever a damaged byte leads to
        raise RunFolderError(f"{path} cannot be read as a Keras model: {err}") from err


def predict(
    model: Any,
    heads: Sequence[str],
    candidates: Any,
    *,
    of: str | None = None,
    batch_size: int = 1024,
) -> dict[str, npt.NDArray[Any]]:
    """Run a model on integer candidates.

    Args:
        model: Keras model of this package (padded layout).
        heads: Names of what it gives, in the order in which it was built.
        candidates: Columns, integers, shape (n_events, slots given); slots missing up to the
            model's number are taken as empty, further ones are cut.
        of: Whose events they are, for a message on cut candidates; None for none.
        batch_size: Events at a time.

    Returns:
        Head -> values in its unit, float64, shape (n_events, size).

    Raises:
        ConfigError: If the model has another number of heads.
    """
    if len(model.outputs) != len(heads):
        raise ConfigError(
            f"the model has {len(model.outputs)} outputs, the heads are {list(heads)}"
        )
    slots = int(model.inputs[0].shape[1])
    columns = {tensor.name.split(":")[0]: None for tensor in model.inputs}
    candidates = first_slots(candidates, slots, of=of)
    parts: list[list[npt.NDArray[Any]]] = []
    n_events = len(next(iter(candidates.values())))
    for first in range(0, n_events, batch_size):
        batch = {}
        for name in columns:
            counts = np.asarray(candidates[name][first : first + batch_size], dtype=np.float32)
            batch[name] = np.pad(counts, ((0, 0), (0, slots - counts.shape[1])))
        values = model(batch, training=False)
        several = values if isinstance(values, list) else [values]
        parts.append([value.numpy() for value in several])
    return {
        name: np.concatenate([part[i] for part in parts])
        if parts
        else np.zeros((0, *model.outputs[i].shape[1:]))
        for i, name in enumerate(heads)
    }
