"""Speed and memory of `l1met predict`: `make bench-predict` prints them.

A store of generated events that look like 200 pile-up ttbar (about 55 candidates) goes through the
default network into a file, in a process of its own whose peak memory is taken. Beside wall time the
processor time is given, which does not depend on what else the machine does. A store takes about
250 bytes per event, predictions about 80, in a temporary folder (TMPDIR) that is removed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from bench_hls import ttbar_like
from rich.console import Console
from rich.table import Table

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.store_writer import create_store

BLOCK = 50_000
AIM_EVENTS_PER_S = 100_000
PROGRAM = """
import json, resource, sys, time
import l1met_fpga as l1met
network, store, output, form = sys.argv[1:]
net = l1met.load(network)
net.form(form)  # compiling the header is not what is measured
before = resource.getrusage(resource.RUSAGE_SELF)
start = time.monotonic()
done = l1met.predict_files(net, [store], output, form=form)
wall = time.monotonic() - start
after = resource.getrusage(resource.RUSAGE_SELF)
used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
# not ru_maxrss, which a process takes over from the one that starts it
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([done.n_events, wall, used, int(peak.split()[1]) / 1024]))
"""


def write_events(path: Path, n_events: int) -> None:
    """Write a store block by block, so that it may be larger than the memory."""
    rng = np.random.default_rng(1)
    with create_store(path, label="ttbar", order="as_is") as writer:
        for start in range(0, n_events, BLOCK):
            slots = ttbar_like(rng, min(BLOCK, n_events - start))
            filled = slots["pt"] > 0
            ids = np.ones((len(filled), 3), np.uint64)
            ids[:, 2] = np.arange(start, start + len(filled))
            columns = {column: codes[filled] for column, codes in slots.items()}
            writer.append(Examples.of(filled.sum(axis=1), columns, ids=ids))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="deepset", help="run folder or shipped network")
    parser.add_argument("--events", type=int, default=200_000, help="events of the store")
    parser.add_argument("--forms", nargs="+", default=["int64", "cpp"], help="forms to measure")
    parser.add_argument("--output", default="met.npz", help="name, whose end says the format")
    arguments = parser.parse_args()
    table = Table(title=f"l1met predict {arguments.network}: store to {arguments.output}")
    for column in ("form", "events", "events/s", "events/s of processor time", "peak memory, MiB"):
        table.add_column(column, justify="left" if column == "form" else "right")
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "events.h5"
        write_events(store, arguments.events)
        for form in arguments.forms:
            output = Path(name) / f"{form}-{arguments.output}"
            command = [arguments.network, store, output, form]
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, *map(str, command)],
                check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            n_events, wall_s, processor_s, peak_mib = json.loads(done.stdout)
            table.add_row(
                form,
                f"{n_events:,}",
                f"{n_events / wall_s:,.0f}",
                f"{n_events / processor_s:,.0f}",
                f"{peak_mib:,.0f}",
            )
    console = Console()
    console.print(table)
    console.print(
        f"the aim is {AIM_EVENTS_PER_S:,} events/s of int64 or cpp on two cores, below 1 GiB"
    )


if __name__ == "__main__":
    main()
