"""Independent tasks on Dask: processes of this machine, or the workers of a scheduler.

A task must be safe to run twice (write-then-rename): when a worker dies, its tasks start again
on another one.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from l1met_fpga.errors import ToolError
from l1met_fpga.processors import allowed_processors

__all__ = ["default_workers", "run_tasks"]

Argument = TypeVar("Argument")
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


def default_workers(n_tasks: int) -> int:
    """Return one process per processor that this process may use, no more than tasks."""
    return max(1, min(n_tasks, allowed_processors()))


def run_tasks(
    function: Callable[[Argument], Result],
    arguments: Sequence[Argument],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Iterator[tuple[int, Result]]:
    """Call a function with each argument, on processes or a Dask cluster.

    Args:
        function: Importable on the workers; may run more than once for an argument.
        arguments: One per task; they and the results are pickled.
        workers: Processes of this machine; 1 runs the tasks here one after the other.
            By default one per processor, no more than there are tasks.
        scheduler: Address of a running Dask scheduler (``tcp://host:8786``) to use instead.

    Yields:
        Number of the argument and result, in the order in which tasks end.

    Raises:
        ToolError: If the scheduler cannot be reached, or a task's workers die again and again.
        Exception: What a task raised; tasks that did not start yet are cancelled.
    """
    if not arguments:
        return
    if scheduler is None:
        workers = min(workers or default_workers(len(arguments)), len(arguments))
        if workers == 1:
            yield from ((index, function(argument)) for index, argument in enumerate(arguments))
            return
    with ExitStack() as stack:
        client = stack.enter_context(_client(stack, workers or 1, scheduler))
        yield from _results(client, function, arguments)


def _client(stack: ExitStack, workers: int, scheduler: str | None) -> Any:
    import dask.distributed as dd

    # Its parts tell every start, stop and missed heartbeat; what matters comes as an exception.
    level = logging.DEBUG if _log.isEnabledFor(logging.DEBUG) else logging.CRITICAL
    logging.getLogger("distributed").setLevel(level)
    if scheduler is None:
        # Dask limits BLAS and OpenMP itself; TensorFlow would start a thread per core in each.
        threads = max(1, allowed_processors() // workers)
        with _interrupted_later():
            cluster = dd.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",
                silence_logs=level,
                env={"TF_NUM_INTRAOP_THREADS": str(threads)},
            )
            stack.enter_context(cluster)
            return dd.Client(cluster)
    try:
        return dd.Client(scheduler)
    except (OSError, ValueError) as err:
        raise ToolError(
            f"no Dask scheduler answers at {scheduler} ({err}); start one with `dask scheduler`"
        ) from err


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started: half a cluster cannot be closed.

    A terminal sends it to all of them. Threads and processes that are started meanwhile inherit
    that they do not hear it: the workers end, without a traceback, when this process closes them.

    Raises:
        KeyboardInterrupt: Afterwards, if it was pressed.
    """
    pressed: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    resource_tracker.ensure_running()  # which lets Ctrl-C through again when it starts itself
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    # Another thread of this process may take it all the same; Python tells the main one.
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(1)) if is_main else None
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if is_main:
            signal.signal(signal.SIGINT, before or signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt


def _results(
    client: Any, function: Callable[[Argument], Result], arguments: Sequence[Argument]
) -> Iterator[tuple[int, Result]]:
    import dask.distributed as dd

    futures = {
        client.submit(function, argument, pure=False): index
        for index, argument in enumerate(arguments)
    }
    _log.debug("%d tasks on %s", len(futures), client.scheduler.address)
    try:
        for future in dd.as_completed(list(futures)):
            try:
                result = future.result()
            except dd.KilledWorker as err:
                raise ToolError(
                    f"task {futures[future]} was lost with its worker again and again ({err}); "
                    "look at the memory limit and the logs of the workers"
                ) from err
            yield futures[future], result
    finally:
        client.cancel(list(futures))
