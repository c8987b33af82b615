"""Damaged inputs of every kind: a sentence and an exit code, or the right result.

No traceback, no hang, no more memory than a few GiB, and what was there before stays as it was.
The message of a failure names target and seed; ``trial`` makes that input again.
"""

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from bench import LONGEST_SENTENCE, guarded, make_bench
from targets import TARGETS

from l1met_fpga.cli.terminal import readable
from l1met_fpga.errors import L1MetError

FEW, MANY = 9, 285
"""Inputs per target: about 300 and 10,000 in all."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    before = Path.cwd()
    yield make_bench(tmp_path_factory.mktemp("bench"))
    os.chdir(before)


def trial(bench: Path, name: str, seed: int) -> str:
    """Try the damaged input of one target and seed; returns ``right`` or ``refused``."""
    target = TARGETS[name]
    good = bench / target.good
    content = good.read_bytes()
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    damaged = good if target.in_place else bench / f"{name}_{seed}{good.suffix}"
    kept = {path: (bench / path).read_bytes() for path in target.kept}
    damaged.write_bytes(target.damage(content, rng))
    said = ""
    try:
        with guarded():
            code = target.trial(damaged.relative_to(bench))
        failed = isinstance(code, int) and code != 0
    except L1MetError as err:
        failed, said = True, readable(str(err))
    except BaseException as err:
        err.add_note(f"target {name}, seed {seed}, input {damaged}")
        raise
    finally:
        if target.in_place:
            good.write_bytes(content)
    assert len(said) < LONGEST_SENTENCE, f"{name}, {seed}: no sentence: {said[:500]}"
    if failed:
        for path, before in kept.items():
            assert (bench / path).read_bytes() == before, f"{name}, {seed}: {path} was changed"
    damaged.unlink() if not target.in_place else None
    return "refused" if failed else "right"


def run(bench: Path, name: str, seeds: range) -> None:
    outcomes = {trial(bench, name, seed) for seed in seeds}
    assert "refused" in outcomes, "nothing that was damaged was noticed"


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.quick])
def test_few_damaged_inputs(bench, name):
    run(bench, name, range(FEW))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TARGETS)
def test_many_damaged_inputs(bench, name):
    run(bench, name, range(FEW, FEW + MANY))
