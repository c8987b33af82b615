"""Networks of a run that train in a process of their own, beside those that train here.

Small networks leave most of a second core idle, two of them use it. TensorFlow's threads are as
many in either process as in one alone, because the order of its sums depends on their number: a
network gets the same bits wherever it trains. The process ends with the one that started it.
"""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Self

import cloudpickle

from l1met_fpga.errors import L1MetError, TrainingError
from l1met_fpga.models.build import Variant
from l1met_fpga.training.callbacks import EpochReport
from l1met_fpga.training.networks import Records, TrainingInputs, train_networks

__all__ = ["Beside"]


class Beside:
    """A process that trains some networks; use as a context, which ends it.

    Args:
        inputs: What they are made from.
        variants: Which, in this order.
        report: Called after every epoch, here as there.
    """

    def __init__(
        self, inputs: TrainingInputs, variants: Sequence[Variant], report: EpochReport | None
    ) -> None:
        self._variants, self._report = variants, report
        self._records: Records = {}
        self._connection, there = multiprocessing.Pipe()
        with tempfile.TemporaryFile() as work, there:
            cloudpickle.dump((inputs, tuple(variants)), work)
            work.seek(0)
            path = os.pathsep.join(folder for folder in sys.path if folder)
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, str(there.fileno())],
                stdin=work,
                pass_fds=[there.fileno()],
                env=os.environ | {"PYTHONPATH": path},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def report(self, variant: str, epochs_done: int, figures: dict[str, float]) -> None:
        """Pass on the epochs of the other process, then one of this process.

        Raises:
            L1MetError: What ended a training there.
        """
        while not self._records and self._connection.poll():
            self._receive()
        if self._report is not None:
            self._report(variant, epochs_done, figures)

    def records(self) -> Records:
        """Wait for the other process.

        Raises:
            L1MetError: What ended a training there.
        """
        while not self._records:
            self._receive()
        return self._records

    def _receive(self) -> None:
        try:
            message = self._connection.recv()
        except EOFError:
            raise TrainingError(
                f"the process that trains {' and '.join(self._variants)} beside the other networks "
                f"ended with status {self._process.wait()} (-9: the system stopped it, most often "
                "for want of memory); what it said stands above. Go on with --resume"
            ) from None
        if isinstance(message, L1MetError):
            raise message
        if isinstance(message, dict):
            self._records = message
        elif self._report is not None:
            self._report(*message)


def _train_there(connection: Connection) -> None:
    """Train what standard input says; send every epoch, then the records or what went wrong."""

    def report(*epoch: Any) -> None:
        connection.send(epoch)

    inputs, variants = pickle.load(sys.stdin.buffer)
    try:
        connection.send(train_networks(inputs, variants, report=report))
    except L1MetError as err:
        connection.send(err)


def _end_with(connection: Connection) -> None:
    connection.poll(None)  # nothing is ever sent here: the other side is gone
    os._exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one sees to it
    _connection = Connection(int(sys.argv[1]))
    threading.Thread(target=_end_with, args=[_connection], daemon=True).start()
    _train_there(_connection)
