"""Train this package's DeepSet with HGQ2, bring it in, and compare it with other networks.

HGQ2 learns a width for every weight and every channel. Run it from a checkout, HGQ2 in a folder of its own:

    python -m pip install --no-deps --target hgq2 hgq2==0.2.0
    export L1MET_PACKAGES=$PWD/hgq2
    python docs/examples/hgq2_deepset.py train --epochs 20 -o hgq2_deepset.keras
    l1met import hgq2_deepset.keras --name hgq2_deepset --input "$(python docs/examples/hgq2_deepset.py inputs)" \
        --met-type 'fixed<18,13,RND,SAT>' --expected events.npz -o network.json
    l1met synthesize --network network.json --expected events.npz --build
    python docs/examples/hgq2_deepset.py compare network.json models/deepset/network.json
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

FEATURES = "pt/256,pt/32,abs(eta)/1024,puppi_weight/256,pid=0,pid=1,pid=2|3,pid=4|5,pid=6|7"
"""The features of models/deepset.yaml; HGQ2's first quantizer cuts those of pt at 2."""
POOLS, SCALARS = 4, 4
HUBER_GEV = 30.0
BATCH = 128


def build(slots: int) -> Any:
    """The network of models/deepset.yaml; what it gives is minus MET, so that it starts as a sum of p."""
    import keras
    from hgq.config import LayerConfigScope, QuantizerConfigScope
    from hgq.constraints import MinMax
    from hgq.layers import QDense, QSum, Quantizer
    from hgq.quantizer import QuantizerConfig

    first = QuantizerConfig(
        "kif", "datalane", k0=0, i0=1, f0=6, ic=MinMax(-4, 1), fc=MinMax(0, 8),
        overflow_mode="SAT", homogeneous_axis=(0, 1),
    )  # fmt: skip
    with (
        QuantizerConfigScope(q_type="kif", place="datalane", homogeneous_axis=(0, 1), f0=4),
        QuantizerConfigScope(q_type="kbi", place="weight", b0=5, i0=1),
        LayerConfigScope(enable_ebops=True, beta0=0.0),
    ):
        x = keras.Input((slots, len(FEATURES.split(","))), name="x")
        momentum = keras.Input((slots, 2), name="momentum")
        filled = keras.Input((slots, 1), name="filled")
        # three candidates per clock are in hardware at a time, not all of them
        lane: dict[str, Any] = {"parallelization_factor": 3, "activation": "relu"}
        h = QDense(32, name="phi_0", iq_conf=first, **lane)(x)
        h = QDense(32, name="phi_1", **lane)(h)
        w = QDense(POOLS, name="weights", parallelization_factor=3, enable_oq=True)(h)
        s = QDense(SCALARS, name="scalars", enable_oq=True, **lane)(h)
        s = keras.layers.Multiply(name="masked")([s, filled])
        s = QSum(axes=1, scale=2.0**-5, name="activity", enable_iq=False, enable_ebops=False)(s)
        r = QDense(8, name="rho", activation="relu")(s)
        c = QDense(POOLS, name="coefficients", enable_oq=True)(r)
        v = keras.layers.Dot(axes=1, name="vectors")([w, momentum])
        v = Quantizer(
            "kif", "datalane", i0=13, f0=4, overflow_mode="SAT", homogeneous_axis=(0, 1, 2),
            trainable=False, name="vector_type",
        )(v)  # fmt: skip
        model = keras.Model([x, momentum, filled], keras.layers.Dot(axes=1, name="met")([c, v]))
    for name in ("weights", "coefficients"):  # the first weight is 1, the others 0: PUPPI MET
        layer = model.get_layer(name)
        layer.kernel.assign(0.1 * layer.kernel)
        layer.bias.assign(np.eye(POOLS)[0])
    return model


def arrays_of(examples: Any, slots: int) -> tuple[list[Any], Any]:
    """What the model is given for the hardest candidates of events, and what it is to give."""
    from l1met_fpga.config.model import MomentumConfig
    from l1met_fpga.data.truth import GEN_MET
    from l1met_fpga.models.importing.inputs import held_by, input_arrays

    hardest = examples.first_rows(slots).padded(slots)
    n_features = len(FEATURES.split(","))
    held = {
        "x": held_by("x", (slots, n_features), {"x": FEATURES}),
        "momentum": held_by("momentum", (slots, 2), {}),
        "filled": held_by("filled", (slots, 1), {}),
    }
    phi = hardest["phi"] * np.pi / 720
    p = hardest["pt"][..., None] / 4 * np.stack([np.cos(phi), np.sin(phi)], axis=-1)
    momentum = MomentumConfig().output
    arrays = input_arrays(held, hardest, momentum.decode(momentum.encode(p)))
    return list(arrays.values()), -examples.truth[GEN_MET].astype(np.float32)


def samples(watch: str) -> Any:
    """The built-in samples with the shares of models/deepset.yaml."""
    from l1met_fpga.config.run import load_run
    from l1met_fpga.data.samples import load_samples
    from l1met_fpga.data.splits import Part
    from l1met_fpga.data.truth import GEN_MET

    config = load_run(Path("models/deepset.yaml"))
    return load_samples(config.samples, config.model, (GEN_MET,), watch=Part[watch])


def drawn(loaded: Any, n_events: int, rng: np.random.Generator) -> Any:
    """An epoch's events in the shares of the samples."""
    from l1met_fpga.data.examples import Examples

    shares = np.array([sample.share for sample in loaded])
    counts = (n_events * shares / shares.sum()).astype(int)
    parts = [
        sample.train.take(rng.choice(len(sample.train), count))
        for sample, count in zip(loaded, counts, strict=True)
    ]
    whole = Examples.concatenate(parts)
    return whole.take(rng.permutation(len(whole)))


def train(output: Path, *, epochs: int, events: int, slots: int, beta: float) -> None:
    """Train on the hardest candidates of an event, then write the model for all 128."""
    import keras
    from hgq.utils import trace_minmax
    from hgq.utils.sugar import BetaScheduler, PieceWiseSchedule

    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    loaded = samples("VALIDATION")
    model = build(slots)
    steps = max(1, events // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(5e-3, steps * epochs, alpha=0.05)
    model.compile(keras.optimizers.Adam(rate), keras.losses.Huber(delta=HUBER_GEV))
    schedule = PieceWiseSchedule([(0, beta / 100, "log"), (max(1, epochs // 2), beta, "constant")])
    for epoch in range(epochs):
        inputs, target = arrays_of(drawn(loaded, events, rng), slots)
        history = model.fit(
            inputs, target, batch_size=BATCH, initial_epoch=epoch, epochs=epoch + 1, verbose=0,
            callbacks=[BetaScheduler(schedule)],
        )  # fmt: skip
        ebops = sum(int(layer.ebops) for layer in model.layers if getattr(layer, "enable_ebops", 0))
        print(
            f"epoch {epoch + 1}: loss {history.history['loss'][-1]:.1f}, EBOPs {ebops}", flush=True
        )
    whole = build(128)
    whole.set_weights(model.get_weights())
    inputs, _ = arrays_of(drawn(loaded, min(events, 8192), rng), 128)
    trace_minmax(whole, inputs, batch_size=512)
    whole.save(output)


def compare(networks: list[Path], rate_khz: float | None) -> None:
    """Efficiencies of networks at equal rate, on the test part of the built-in samples."""
    from l1met_fpga.data.truth import GEN_MET
    from l1met_fpga.firmware.reference import evaluate
    from l1met_fpga.metrics.trigger import lowest_supported_rate_khz, threshold_at_rate
    from l1met_fpga.models.network import Network

    test = {sample.label: sample.validation for sample in samples("TEST")}
    background = next(sample.label for sample in samples("TEST") if sample.is_background)
    rate_khz = rate_khz or lowest_supported_rate_khz(len(test[background]))
    for path in networks:
        network = Network.load(path)
        score = {}
        for label, examples in test.items():
            columns = examples.first_rows(network.n_candidates).padded(network.n_candidates)
            xy = network.values(evaluate(network, columns))["met"]
            score[label] = np.hypot(*xy.T)
        threshold = threshold_at_rate(score[background], rate_khz)
        for label, examples in test.items():
            truth = np.hypot(*examples.truth[GEN_MET].T)
            for low, high in ((100, 150), (150, np.inf)):
                inside = (truth >= low) & (truth < high)
                if label != background and inside.any():
                    passing = (score[label][inside] >= threshold).mean()
                    error = np.sqrt(passing * (1 - passing) / inside.sum())
                    print(
                        f"{path} {label} genMET {low}-{high} GeV at {rate_khz:.0f} kHz "
                        f"({threshold:.1f} GeV): {passing:.3f} +- {error:.3f} of {inside.sum()} events"
                    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("-o", "--output", type=Path, default=Path("hgq2_deepset.keras"))
    training.add_argument("--epochs", type=int, default=20)
    training.add_argument("--events", type=int, default=40000, help="per epoch")
    training.add_argument("--slots", type=int, default=128, help="hardest candidates to train on")
    training.add_argument("--beta", type=float, default=1e-3, help="price of an EBOP at the end")
    commands.add_parser("inputs")
    comparing = commands.add_parser("compare")
    comparing.add_argument("networks", nargs="+", type=Path)
    comparing.add_argument("--rate", type=float, help="kHz; the lowest that the sample supports")
    chosen = parser.parse_args()
    if chosen.command == "train":
        from l1met_fpga.packages import load_package

        load_package("hgq")
        options = {k: getattr(chosen, k) for k in ("epochs", "events", "slots", "beta")}
        train(chosen.output, **options)
    elif chosen.command == "inputs":
        print(f"x={FEATURES}")
    else:
        compare(chosen.networks, chosen.rate)


if __name__ == "__main__":
    main()
