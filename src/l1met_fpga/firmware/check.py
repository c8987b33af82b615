"""Compare the integer outputs of every form of a network, head by head, output by output.

A form is a function from candidate columns to integer codes by head. No tolerance exists: a form
agrees when no code of any head of any event differs.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import BitExactnessError, ReportError
from l1met_fpga.files import exclusive, write_json
from l1met_fpga.firmware.reference import HeadCodes
from l1met_fpga.puppi.columns import Candidates
from l1met_fpga.results.base import read_result
from l1met_fpga.results.exactness import BitExactness, FormAgreement, FormCheck, SampleAgreement

__all__ = [
    "Agreement",
    "Form",
    "LayerDifference",
    "compare_all",
    "compare_codes",
    "compare_forms",
    "compare_heads",
    "first_difference",
    "require_agreement",
    "write_result",
]

logger = logging.getLogger(__name__)

IntArray = npt.NDArray[np.int64]
Form = Callable[[Candidates], HeadCodes]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the codes of one form compare with those of another.

    Attributes:
        events: Events compared.
        outputs: Numbers compared (events times outputs).
        differing: Numbers that differ.
        largest_lsb: Largest difference, in counts of the head's type.
        first_event: Index of the first event that differs, None when none does.
    """

    events: int
    outputs: int
    differing: int
    largest_lsb: int
    first_event: int | None = None

    def __add__(self, other: "Agreement") -> "Agreement":
        """Join the figures of two samples; the first event is not kept across samples."""
        return Agreement(
            self.events + other.events,
            self.outputs + other.outputs,
            self.differing + other.differing,
            max(self.largest_lsb, other.largest_lsb),
        )

    @classmethod
    def of_heads(cls, heads: Iterable["Agreement"]) -> "Agreement":
        """Join the figures of all heads on the same events."""
        found = list(heads)
        return cls(
            events=max((one.events for one in found), default=0),
            outputs=sum(one.outputs for one in found),
            differing=sum(one.differing for one in found),
            largest_lsb=max((one.largest_lsb for one in found), default=0),
            first_event=min(
                (e for one in found if (e := one.first_event) is not None), default=None
            ),
        )


def compare_codes(expected: npt.ArrayLike, got: npt.ArrayLike) -> Agreement:
    """Compare integer codes, shape (n_events, ...).

    Raises:
        BitExactnessError: If the shapes differ, or either holds anything but integers.
    """
    a, b = np.asarray(expected), np.asarray(got)
    if a.shape != b.shape or a.dtype.kind not in "iu" or b.dtype.kind not in "iu":
        raise BitExactnessError(
            f"cannot compare codes of shape {a.shape} ({a.dtype}) with {b.shape} ({b.dtype}); "
            "both must be integers of the same shape"
        )
    difference = np.abs(a.astype(np.int64) - b.astype(np.int64)).reshape(len(a), -1)
    wrong = difference.any(axis=1)
    return Agreement(
        events=len(a),
        outputs=difference.size,
        differing=int(np.count_nonzero(difference)),
        largest_lsb=int(difference.max(initial=0)),
        first_event=int(np.argmax(wrong)) if wrong.any() else None,
    )


def compare_all(expected: HeadCodes, got: HeadCodes) -> Agreement:
    """Compare codes of all heads together, as :func:`compare_heads`."""
    return Agreement.of_heads(compare_heads(expected, got).values())


def compare_heads(expected: HeadCodes, got: HeadCodes) -> dict[str, Agreement]:
    """Compare codes head by head.

    Raises:
        BitExactnessError: If the heads, shapes or types of array differ.
    """
    if set(expected) != set(got):
        raise BitExactnessError(f"the heads are {list(got)}, expected {list(expected)}")
    return {name: compare_codes(codes, got[name]) for name, codes in expected.items()}


def compare_forms(
    against: str,
    reference: Form,
    forms: Mapping[str, Form],
    samples: Mapping[str, Candidates],
    *,
    words: Callable[[HeadCodes], HeadCodes] = lambda _: {},
) -> dict[str, FormCheck]:
    """Run every form on every sample and compare it with one of them.

    A form that also gives words that are made of the codes of heads is held against those too.

    Args:
        against: Name of the reference form, written into the result.
        reference: The form that the others are held against (quantized Keras, or int64).
        forms: Name -> form; names as in :data:`l1met_fpga.results.exactness.FORMS`.
        samples: Name -> candidates, for example ``test`` and ``stress``.
        words: Makes the words that belong to codes of heads, by name.

    Returns:
        Form name -> its agreement in all, of each head, and on each sample.
    """
    expected = {name: reference(candidates) for name, candidates in samples.items()}
    told = {name: words(codes) for name, codes in expected.items()}
    result: dict[str, FormCheck] = {}
    for form_name, form in forms.items():
        heads: dict[str, Agreement] = {}
        parts, seconds = dict[str, SampleAgreement](), 0.0
        for name, candidates in samples.items():
            start = time.perf_counter()
            codes = form(candidates)
            seconds += time.perf_counter() - start
            given = {word: wanted for word, wanted in told[name].items() if word in codes}
            found = compare_heads(expected[name] | given, codes)
            parts[name] = SampleAgreement(**asdict(Agreement.of_heads(found.values())))
            heads = {h: heads[h] + one if h in heads else one for h, one in found.items()}
        total = Agreement.of_heads(heads.values())
        result[form_name] = FormCheck(
            **_figures(total),
            against=against,
            events_per_second=total.events / max(seconds, 1e-9),
            heads={name: FormAgreement(**_figures(one)) for name, one in heads.items()},
            samples=parts,
        )
        logger.info(
            "%s against %s: %d of %d outputs differ in %d events",
            *(form_name, against, total.differing, total.outputs, total.events),
        )
    return result


def _figures(agreement: Agreement) -> dict[str, Any]:
    return {name: value for name, value in asdict(agreement).items() if name != "first_event"}


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """First place in a network where two forms part.

    Attributes:
        layer: Node name.
        event: Index of the event.
        slot: Index into the node's shape (slot and channel for a candidate tensor).
        expected: Code of the reference.
        got: Code of the form.
        agreement: Figures of that layer over all events.
    """

    layer: str
    event: int
    slot: tuple[int, ...]
    expected: int
    got: int
    agreement: Agreement

    def __str__(self) -> str:
        """Say it in one sentence."""
        return (
            f"first differing layer {self.layer!r}: event {self.event}, index {self.slot}, "
            f"expected code {self.expected}, got {self.got} "
            f"({self.agreement.differing} of {self.agreement.outputs} values of this layer differ)"
        )


def first_difference(
    order: Sequence[str], expected: Mapping[str, IntArray], got: Mapping[str, IntArray]
) -> LayerDifference | None:
    """Return the first layer, event and slot that differ; None when all layers agree.

    Args:
        order: Layer names in order of execution; those missing from ``got`` are passed over.
        expected: Layer name -> codes, shape (n_events, ...), of the reference.
        got: The same of the form.
    """
    for name in order:
        if name not in got:
            continue
        agreement = compare_codes(expected[name], got[name])
        if agreement.differing:
            index = tuple(int(i) for i in np.argwhere(expected[name] != got[name])[0])
            return LayerDifference(
                name,
                index[0],
                index[1:],
                int(expected[name][index]),
                int(got[name][index]),
                agreement,
            )
    return None


def write_result(
    path: Path, result: Mapping[str, FormCheck], *, network_digest: str
) -> dict[str, FormCheck]:
    """Write ``bit_exactness.json``.

    Forms of an earlier check of the same network that this one did not run stay; those of another
    network go, and so does a damaged file.

    Args:
        path: The file.
        result: From :func:`compare_forms`.
        network_digest: What identifies the network.

    Returns:
        What the file holds now: form name -> figures.
    """
    with exclusive(path):
        kept = {k: v for k, v in _earlier(path).items() if v.network == network_digest}
        new = {k: v.model_copy(update={"network": network_digest}) for k, v in result.items()}
        write_json(path, BitExactness(kept | new).model_dump())
    return kept | new


def _earlier(path: Path) -> dict[str, FormCheck]:
    if not path.is_file():
        return {}
    try:
        return read_result(BitExactness, path, made_by="l1met check").root
    except ReportError as err:
        logger.warning("%s; its results are replaced", err)
        return {}


def require_agreement(result: Mapping[str, FormCheck]) -> None:
    """Check that no form differs.

    Raises:
        BitExactnessError: Names each form and head that differs and by how much.
    """
    wrong = [
        f"{form}: {one.differing} of {one.outputs} outputs of head {head!r} differ from "
        f"{check.against}, by up to {one.largest_lsb} LSB"
        for form, check in result.items()
        for head, one in check.heads.items()
        if one.differing
    ]
    if wrong:
        raise BitExactnessError(
            "; ".join(wrong)
            + ". Run `l1met check RUN --layers` to see the first layer that differs"
        )
