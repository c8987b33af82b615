"""Speed and memory of `l1met predict`: `make bench-predict` prints them.

A store of generated events that look like 200 pile-up ttbar (about 55 candidates) goes through the
default network into a file, in a process of its own whose peak memory is taken. Beside wall time the
processor time is given, which does not depend on what else the machine does.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from bench_hls import ttbar_like
from rich.console import Console
from rich.table import Table

from l1met_fpga.data.store_writer import write_store

AIM_EVENTS_PER_S = 100_000
PROGRAM = """
import json, resource, sys, time
import l1met_fpga as l1met
network, output, form, *stores = sys.argv[1:]
net = l1met.load(network)
net.form(form)  # compiling the header is not what is measured
before = resource.getrusage(resource.RUSAGE_SELF)
start = time.monotonic()
done = l1met.predict_files(net, stores, output, form=form)
wall = time.monotonic() - start
after = resource.getrusage(resource.RUSAGE_SELF)
used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
# not ru_maxrss, which a process takes over from the one that starts it
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([done.n_events, wall, used, int(peak.split()[1]) / 1024]))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="deepset", help="run folder or shipped network")
    parser.add_argument("--events", type=int, default=200_000, help="events of one store")
    parser.add_argument("--stores", type=int, default=1, help="read so many copies of the store")
    parser.add_argument("--forms", nargs="+", default=["int64", "cpp"], help="forms to measure")
    parser.add_argument("--output", default="met.npz", help="name, whose end says the format")
    arguments = parser.parse_args()
    table = Table(title=f"l1met predict {arguments.network}: store to {arguments.output}")
    for column in ("form", "events", "events/s", "events/s of processor time", "peak memory, MiB"):
        table.add_column(column, justify="left" if column == "form" else "right")
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "events.h5"
        events = ttbar_like(np.random.default_rng(1), arguments.events)
        write_store(store, candidates=events, label="ttbar")
        stores = [store, *(Path(name) / f"copy_{n}.h5" for n in range(1, arguments.stores))]
        for copy in stores[1:]:
            shutil.copyfile(store, copy)
        for form in arguments.forms:
            output = Path(name) / f"{form}-{arguments.output}"
            command = [arguments.network, output, form, *stores]
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
