"""Example integer networks with random weights, for tests that need no training."""

import numpy as np

from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models import nodes as net
from l1met_fpga.models import ranges
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.tasks.met.task import MET as MET_HEAD

RND_SAT = {"rounding": Rounding.RND, "overflow": Overflow.SAT}
CLIP = {"rounding": Rounding.TRN, "overflow": Overflow.SAT}
HIDDEN = FixedType(False, 2, 4, **RND_SAT)
KERNEL = FixedType(True, 1, 4, Rounding.RND_CONV, Overflow.SAT)
KERNEL_SCALE = 1.0
"""Weights are this times larger than a trained network's."""
BIAS = FixedType(True, 1, 6, Rounding.RND_CONV, Overflow.SAT)
POOL_WEIGHT = FixedType(True, 1, 6, **RND_SAT)
SCALAR = FixedType(False, 1, 5, **RND_SAT)
POOLED = FixedType(False, 3, 6, **RND_SAT)
VECTOR = FixedType(True, 13, 4, **RND_SAT)
MOMENTUM = FixedType(True, 12, 4, **RND_SAT)
COS = FixedType(True, 1, 10, **RND_SAT)
MET = FixedType(True, 12, 5, **RND_SAT)


def features() -> tuple[net.Feature, ...]:
    """Nine features of the default network."""
    unit = FixedType(False, 1, 8, **CLIP)
    flag = FixedType(False, 1, 0, **CLIP)
    groups = {"neutral_hadron": (0,), "photon": (1,), "hadron": (2, 3), "electron": (4, 5)}
    return (
        net.Feature(name="pt", column="pt", kind="value", scale_bits=8, type=unit),
        net.Feature(name="pt_high", column="pt", kind="value", scale_bits=12, type=unit),
        net.Feature(name="abs_eta", column="eta", kind="abs", scale_bits=10, type=unit),
        net.Feature(
            name="puppi_weight", column="puppi_weight", kind="value", scale_bits=8, type=unit
        ),
        *(
            net.Feature(name=name, column="pid", kind="flag", codes=codes, type=flag)
            for name, codes in groups.items()
        ),
        net.Feature(name="muon", column="pid", kind="flag", codes=(6, 7), type=flag),
    )


class Build:
    """Collects nodes; every method returns the name of the node it adds."""

    def __init__(self, rng: np.random.Generator, *, n_candidates: int, zero_fraction: float):
        self.rng, self.n, self.zero_fraction = rng, n_candidates, zero_fraction
        self.nodes: list[net.Node] = []

    def __getitem__(self, name: str) -> net.Node:
        return next(node for node in self.nodes if node.name == name)

    def add(self, node: net.Node) -> str:
        self.nodes.append(node)
        return node.name

    def inputs(self) -> None:
        for column in ("pt", "eta", "phi", "pid", "puppi_weight"):
            self.add(
                net.InputColumn(
                    name=column,
                    inputs=(),
                    shape=(self.n,),
                    type=COLUMNS[column].type,
                    column=column,
                )
            )
        specs = features()
        self.add(
            net.Features(
                name="features",
                inputs=("pt", "eta", "pid", "puppi_weight"),
                shape=(self.n, len(specs)),
                type=ranges.union_type([f.type for f in specs]),
                features=specs,
            )
        )
        quadrant = COS.encode(np.cos(np.pi * np.arange(361) / 720))
        self.add(
            net.Momentum(
                name="momentum",
                inputs=("pt", "phi"),
                shape=(self.n, 2),
                type=MOMENTUM,
                table_type=COS,
                quadrant_cos=tuple(int(c) for c in quadrant),
            )
        )

    def dense(
        self, name: str, x: str, units: int, out: FixedType, *, identity: bool = False
    ) -> str:
        n_in = self[x].shape[-1]
        spread = KERNEL_SCALE * (0.5 / np.sqrt(n_in) + 0.2)
        kernel = KERNEL.encode(self.rng.normal(0, spread, (n_in, units)))
        kernel[self.rng.random(kernel.shape) < self.zero_fraction] = 0
        bias = BIAS.encode(self.rng.normal(0, 0.2, units))
        if identity:  # the first output starts at one, as PUPPI MET does
            bias[0] = BIAS.encode(1.0)
        exact = ranges.dense_type(self[x].type, kernel, KERNEL, bias, BIAS)
        shape = (*self[x].shape[:-1], units)
        self.add(
            net.Dense(
                name=f"{name}_dense",
                inputs=(x,),
                shape=shape,
                type=exact,
                kernel=tuple(tuple(int(v) for v in row) for row in kernel),
                kernel_type=KERNEL,
                bias=tuple(int(v) for v in bias),
                bias_type=BIAS,
            )
        )
        return self.quantize(name, f"{name}_dense", out)

    def quantize(self, name: str, x: str, out: FixedType) -> str:
        return self.add(net.Quantize(name=name, inputs=(x,), shape=self[x].shape, type=out))

    def join(self, name: str, *inputs: str) -> str:
        nodes = [self[one] for one in inputs]
        return self.add(
            net.Concatenate(
                name=name,
                inputs=inputs,
                shape=(*nodes[0].shape[:-1], sum(node.shape[-1] for node in nodes)),
                type=ranges.union_type([node.type for node in nodes]),
            )
        )

    def vector_pool(self, weights: str) -> str:
        exact = ranges.vector_pool_type(self[weights].type, MOMENTUM, self.n)
        k = self[weights].shape[-1]
        self.add(
            net.VectorPool(
                name="vectors_sum", inputs=(weights, "momentum"), shape=(k, 2), type=exact
            )
        )
        return self.quantize("vectors", "vectors_sum", VECTOR)

    def combine(self, coefficients: str, vectors: str) -> str:
        k = self[coefficients].shape[-1]
        exact = ranges.combine_type(self[coefficients].type, self[vectors].type, k)
        self.add(
            net.Combine(name="met_sum", inputs=(coefficients, vectors), shape=(2,), type=exact)
        )
        return self.quantize("met_xy", "met_sum", MET)

    def network(self, name: str) -> Network:
        head = MET_HEAD.of_node(self.nodes[-1].name)
        return Network(name=name, n_candidates=self.n, heads=(head,), nodes=tuple(self.nodes))


def random_deepset(
    seed: int = 0,
    *,
    phi_units: tuple[int, ...] = (16, 16),
    n_vector_pools: int = 4,
    n_scalar_pools: int = 4,
    rho_units: tuple[int, ...] = (8,),
    n_candidates: int = 128,
    zero_fraction: float = 0.5,
) -> Network:
    """Return a deepset with random weights (the default network's shape)."""
    b = Build(np.random.default_rng(seed), n_candidates=n_candidates, zero_fraction=zero_fraction)
    b.inputs()
    h = "features"
    for depth, units in enumerate(phi_units):
        h = b.dense(f"phi_{depth}", h, units, HIDDEN)
    vectors = b.vector_pool(b.dense("weights", h, n_vector_pools, POOL_WEIGHT, identity=True))
    scalars = b.dense("scalars", h, n_scalar_pools, SCALAR)
    shift = 5
    b.add(
        net.ScalarPool(
            name="scalars_sum",
            inputs=(scalars, "pt"),
            shape=(n_scalar_pools,),
            type=ranges.scalar_pool_type(SCALAR, n_candidates, shift),
            shift=shift,
        )
    )
    r = b.quantize("pooled_scalars", "scalars_sum", POOLED)
    for depth, units in enumerate(rho_units):
        r = b.dense(f"rho_{depth}", r, units, HIDDEN)
    b.combine(b.dense("coefficients", r, n_vector_pools, POOL_WEIGHT, identity=True), vectors)
    return b.network("deepset")


def random_deepmet(
    seed: int = 0, *, phi_units: tuple[int, ...] = (16, 16), n_candidates: int = 128
) -> Network:
    """Return a one-weight-per-candidate network: no scalar pools, no rho."""
    b = Build(np.random.default_rng(seed), n_candidates=n_candidates, zero_fraction=0.5)
    b.inputs()
    h = "features"
    for depth, units in enumerate(phi_units):
        h = b.dense(f"phi_{depth}", h, units, HIDDEN)
    b.vector_pool(b.dense("weights", h, 1, POOL_WEIGHT, identity=True))
    b.add(net.Quantize(name="met_xy", inputs=("vectors",), shape=(2,), type=MET))
    return b.network("deepmet")


def random_garnet(
    seed: int = 0, *, n_aggregators: int = 4, n_features: int = 4, n_candidates: int = 128
) -> Network:
    """Return a garnet: distances, exp(-d^2) table, aggregated features, vector pools, rho."""
    b = Build(np.random.default_rng(seed), n_candidates=n_candidates, zero_fraction=0.5)
    b.inputs()
    h = b.dense("encode", "features", 16, HIDDEN)
    distance = FixedType(True, 2, 4, **RND_SAT)
    near = FixedType(False, 1, 7, **RND_SAT)
    d = b.dense("distances", h, n_aggregators, distance)
    codes = np.arange(distance.min_code, distance.max_code + 1)
    table = near.encode(np.exp(-(distance.decode(codes) ** 2)))
    b.add(
        net.Table(
            name="potential",
            inputs=(d,),
            shape=b[d].shape,
            type=near,
            table=tuple(int(v) for v in table),
        )
    )
    f = b.dense("messages", h, n_features, SCALAR)
    b.add(
        net.Aggregate(
            name="aggregated_sum",
            inputs=("potential", f, "pt"),
            shape=(n_aggregators * n_features,),
            type=ranges.aggregate_type(near, SCALAR, n_candidates, 5),
            shift=5,
        )
    )
    aggregated = b.quantize("aggregated", "aggregated_sum", POOLED)
    w = b.dense("weights", h, 1, POOL_WEIGHT, identity=True)
    b.add(
        net.Multiply(
            name="pool_weights_product",
            inputs=("potential", w),
            shape=(n_candidates, n_aggregators),
            type=ranges.product_type(near, POOL_WEIGHT),
        )
    )
    vectors = b.vector_pool(b.quantize("pool_weights", "pool_weights_product", POOL_WEIGHT))
    r = b.dense("rho_0", aggregated, 8, HIDDEN)
    b.combine(b.dense("coefficients", r, n_aggregators, POOL_WEIGHT, identity=True), vectors)
    return b.network("garnet")


def with_channel_types(network: Network, seed: int = 0) -> Network:
    """Return the network with another type for every channel of every hidden layer."""
    rng = np.random.default_rng(seed)
    nodes = []
    for node in network:
        own_types = isinstance(node, net.Quantize) and node.type == HIDDEN and node.shape[-1] > 1
        nodes.append(_channels(node, rng) if own_types else node)
    changed = _with_exact_types(nodes, network.n_candidates)
    return Network(
        name=f"{network.name}_channels",
        n_candidates=network.n_candidates,
        heads=network.heads,
        nodes=changed,
    )


def _channels(node: net.Node, rng: np.random.Generator) -> net.QuantizeChannels:
    """Types of all kinds, the first two fixed: one that is always zero, one that wraps."""
    types: list[FixedType | None] = [None, FixedType(True, 0, 2, Rounding.TRN, Overflow.WRAP)]
    roundings, overflows = list(Rounding), list(Overflow)
    while len(types) < node.shape[-1]:
        rounding, overflow = rng.choice(roundings), rng.choice(overflows)
        frac_bits = int(rng.integers(1, 6))
        signed = bool(rng.integers(2))
        types.append(
            FixedType(
                signed, int(rng.integers(0, 3)), frac_bits, Rounding(rounding), Overflow(overflow)
            )
        )
    held = [kind for kind in types if kind is not None]
    return net.QuantizeChannels(
        name=node.name,
        inputs=node.inputs,
        shape=node.shape,
        type=ranges.union_type(held),
        types=tuple(types),
    )


def _with_exact_types(nodes: list[net.Node], n_candidates: int) -> tuple[net.Node, ...]:
    done: dict[str, net.Node] = {}
    for node in nodes:
        needed = node.needed_type([done[name] for name in node.inputs], n_candidates)
        changes = {"type": needed} if node.exact and needed is not None else {}
        done[node.name] = node.model_copy(update=changes)
    return tuple(done.values())


def random_channels(seed: int = 0, **shape: int) -> Network:
    """Return a deepset whose hidden channels have types of their own."""
    return with_channel_types(random_deepset(seed, **shape), seed)


def with_vertex(network: Network, seed: int = 0) -> Network:
    """Return the network with one more feature, |z0| counted from the vertex."""
    rng = np.random.default_rng(seed)
    z0 = net.InputColumn(
        name="z0", inputs=(), shape=(network.n_candidates,), type=COLUMNS["z0"].type, column="z0",
        origin="vertex",
    )  # fmt: skip
    distance = net.Feature(
        name="distance", column="z0", kind="abs", scale_bits=8, type=FixedType(False, 1, 8, **CLIP)
    )
    nodes: list[net.Node] = [z0]
    for node in network:
        if isinstance(node, net.Features):
            features = (*node.features, distance)
            shape = (network.n_candidates, len(features))
            changes = {"inputs": (*node.inputs, "z0"), "shape": shape, "features": features}
            nodes.append(node.model_copy(update=changes))
        elif isinstance(node, net.Dense) and node.inputs == ("features",):
            row = tuple(int(code) for code in KERNEL.encode(rng.normal(0, 1, len(node.bias))))
            nodes.append(node.model_copy(update={"kernel": (*node.kernel, row)}))
        else:
            nodes.append(node)
    return Network(
        name=f"{network.name}_vertex",
        n_candidates=network.n_candidates,
        heads=network.heads,
        nodes=_with_exact_types(nodes, network.n_candidates),
    )


def random_joined(seed: int = 0, *, n_candidates: int = 128) -> Network:
    """Return a deepset whose layers read several tensors, of other binary points, side by side."""
    b = Build(np.random.default_rng(seed), n_candidates=n_candidates, zero_fraction=0.3)
    b.inputs()
    first = b.dense("first", "features", 5, HIDDEN)
    coarse = b.dense("coarse", first, 3, FixedType(True, 3, 1, **RND_SAT))
    fine = b.dense(
        "fine", b.join("both", first, coarse, "features"), 4, FixedType(True, 1, 7, **CLIP)
    )
    last = b.join("last", fine, coarse)
    vectors = b.vector_pool(b.dense("weights", last, 2, POOL_WEIGHT, identity=True))
    sums = []
    for name, kind in (("scalars", SCALAR), ("others", FixedType(True, 2, 2, **RND_SAT))):
        b.dense(name, last, 3, kind)
        exact = ranges.scalar_pool_type(kind, n_candidates, 5)
        b.add(
            net.ScalarPool(name=f"{name}_sum", inputs=(name, "pt"), shape=(3,), type=exact, shift=5)
        )
        sums.append(b.quantize(f"{name}_pooled", f"{name}_sum", FixedType(True, 3, 3, **RND_SAT)))
    r = b.dense("rho", b.join("pooled", *sums), 4, HIDDEN)
    again = b.join("rho_and_pooled", r, sums[1])
    b.combine(b.dense("coefficients", again, 2, POOL_WEIGHT, identity=True), vectors)
    return b.network("joined")


NETWORKS = {
    "deepset": random_deepset,
    "deepmet": random_deepmet,
    "garnet": random_garnet,
    "channels": random_channels,
}
