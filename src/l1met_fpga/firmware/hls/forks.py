"""Copies of tensors that several layers read."""

from l1met_fpga.firmware.hls.layer_specs import Spec

__all__ = ["with_forks"]


def with_forks(specs: list[Spec]) -> list[Spec]:
    """Insert copies so that every tensor has one consumer, as a dataflow region demands."""
    result: list[Spec] = []
    pending = [dict(spec, inputs=list(spec["inputs"])) for spec in specs]
    for index, spec in enumerate(pending):
        result.append(spec)
        uses = [
            (later, slot)
            for later in pending[index + 1 :]
            for slot, name in enumerate(later["inputs"])
            if name == spec["name"]
        ]
        source = spec["name"]
        for number, (consumer, slot) in enumerate(uses[:-1]):
            name = f"{spec['name']}_fork{number}"
            first, rest = f"{name}_cpy1", f"{name}_cpy2"  # a name that hls4ml traces back
            result.append(
                {
                    "class_name": "L1MetFork",
                    "name": name,
                    "inputs": [source],
                    "outputs": [first, rest],
                    "shape": spec["shape"],
                    "precision": spec["precision"],
                }
            )
            consumer["inputs"][slot] = first
            source = rest
        if len(uses) > 1:
            consumer, slot = uses[-1]
            consumer["inputs"][slot] = source
    return result
