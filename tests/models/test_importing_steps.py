"""Sums and tensors side by side in a model that is a list of steps, against NumPy in floats."""

import numpy as np
import pytest

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.import_proof import expected_events
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models.importing import steps
from l1met_fpga.models.importing.assemble import assemble
from l1met_fpga.tasks.met.task import MET

FINE = FixedType(True, 2, 6, Rounding.RND, Overflow.SAT)
COARSE = FixedType(True, 3, 2, Rounding.TRN, Overflow.SAT)
A = np.array([[1.0, -0.5], [0.25, 2.0], [-1.0, 0.75]])
B = np.array([[-0.5, 1.5], [1.0, -0.25], [0.5, 0.5]])
OUT = np.array([[0.5], [-0.25], [1.0], [0.75]])
INPUTS = {"x": "pt/256,eta/1024,puppi_weight/256"}


def graph(*changed, **kinds):
    """Weights from [a + b, a]; ``kinds`` replaces steps by name."""
    made = [
        steps.Input(name="x", shape=(8, 3)),
        steps.Affine(name="a0", inputs=("x",), kernel=steps.rows(A)),
        steps.Quantize(name="a", inputs=("a0",), types=(FINE,)),
        steps.Affine(name="b0", inputs=("x",), kernel=steps.rows(B)),
        steps.Quantize(name="b", inputs=("b0",), types=(COARSE,)),
        steps.Add(name="sum", inputs=("a", "b")),
        steps.Concatenate(name="both", inputs=("sum", "a")),
        steps.Affine(name="w", inputs=("both",), kernel=steps.rows(OUT)),
    ]
    made = [kinds.get(step.name, step) for step in made]
    return steps.Graph(source="by hand", steps=(*made, *changed), one_candidate=True)


def run(arrays, names):
    """The same in float64, which holds every number here exactly."""
    x = np.asarray(arrays["x"], np.float64)
    a = FINE.decode(FINE.encode(x @ A))
    b = COARSE.decode(COARSE.encode(x @ B))
    return {name: np.concatenate([a + b, a], axis=-1) @ OUT for name in names}


def assembled(model):
    return assemble(model, MET, name="theirs", inputs=INPUTS, result_type=None, run=run)


def test_every_weight_is_that_of_the_floats():
    found = assembled(graph())
    assert set(found.compared.values()) == {("w", 0)}
    _, codes = expected_events(found, 400)
    assert np.unique(codes["met"]).size > 50, "the model says something"
    (both,) = (node for node in found.network if node.name == "both")
    assert both.type.frac_bits == FINE.frac_bits


def test_a_sum_of_other_shapes_is_refused():
    narrow = steps.Affine(name="b0", inputs=("x",), kernel=steps.rows(B[:, :1]))
    with pytest.raises(ConversionError, match=r"'sum' adds tensors of shapes \(8, 2\), \(8, 1\)"):
        assembled(graph(b0=narrow))


def test_candidates_beside_numbers_of_the_event_are_refused():
    pooled = steps.Pool(name="sum", inputs=("a",))
    with pytest.raises(
        ConversionError,
        match=r"'both' reads tensors of shapes \(2,\), \(8, 2\): numbers of candidates and of the",
    ):
        assembled(graph(sum=pooled))
