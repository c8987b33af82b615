"""The simplest networks that give MET, for results that can be computed by hand."""

import numpy as np
from networks import COS, MET, MOMENTUM

from l1met_fpga.fixed_point import FixedType, Overflow
from l1met_fpga.models import nodes as net
from l1met_fpga.models import ranges
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.tasks.met.task import MET as MET_HEAD

BIT = FixedType(False, 1, 0, overflow=Overflow.SAT)
WEIGHT = FixedType(True, 1, 0)


def plain_network(feature: str = "pt", *, kernel: int = 0, n_candidates: int = 128) -> Network:
    """MET = -sum of (1 + kernel * [feature > 0]) * p: PUPPI MET where the kernel is 0."""
    columns = dict.fromkeys(("pt", "phi", feature))
    inputs = tuple(
        net.InputColumn(name=c, inputs=(), shape=(n_candidates,), type=COLUMNS[c].type, column=c)
        for c in columns
    )
    value = net.Feature(name="value", column=feature, kind="value", type=BIT)
    exact = ranges.dense_type(BIT, np.array([[kernel]]), WEIGHT, np.array([1]), WEIGHT)
    quadrant = COS.encode(np.cos(np.pi * np.arange(361) / 720))
    nodes = (
        *inputs,
        net.Features(
            name="features", inputs=(feature,), shape=(n_candidates, 1), type=BIT, features=(value,)
        ),
        net.Momentum(
            name="momentum", inputs=("pt", "phi"), shape=(n_candidates, 2), type=MOMENTUM,
            table_type=COS, quadrant_cos=tuple(int(c) for c in quadrant),
        ),
        net.Dense(
            name="weights", inputs=("features",), shape=(n_candidates, 1), type=exact,
            kernel=((kernel,),), kernel_type=WEIGHT, bias=(1,), bias_type=WEIGHT,
        ),
        net.VectorPool(
            name="sum", inputs=("weights", "momentum"), shape=(1, 2),
            type=ranges.vector_pool_type(exact, MOMENTUM, n_candidates),
        ),
        net.Quantize(name="met", inputs=("sum",), shape=(2,), type=MET),
    )  # fmt: skip
    return Network(
        name="plain", n_candidates=n_candidates, heads=(MET_HEAD.of_node("met"),), nodes=nodes
    )
