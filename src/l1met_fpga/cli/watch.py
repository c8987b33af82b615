"""``l1met watch``: follow a training from another terminal."""

import csv
import shlex
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.live import Live
from rich.table import Table

from l1met_fpga.cli import terminal
from l1met_fpga.cli.loss_text import loss_text
from l1met_fpga.locks import is_held
from l1met_fpga.results.base import read_result
from l1met_fpga.results.run import VAL_EFFICIENCY, TrainingStart
from l1met_fpga.run_folder import RunFolder

__all__ = ["register"]

POLL_S: Final = 1.0
_LOSS, _RATE = "val_loss", "val_rate_khz"
Row = dict[str, float]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(_watch)


@dataclass(frozen=True, slots=True)
class _Progress:
    """What a training has written so far: the epochs of each network."""

    start: TrainingStart
    rows: dict[str, list[Row]]

    @classmethod
    def read(cls, folder: RunFolder) -> "_Progress":
        start = read_result(TrainingStart, folder.started, made_by="l1met train")
        paths = {name: start.history(folder.root, name) for name in start.networks}
        return cls(start, {name: _rows(path) for name, path in paths.items()})

    @property
    def done(self) -> int:
        return sum(map(len, self.rows.values()))

    @property
    def left(self) -> int:
        """Epochs to come at most: a network that another one follows may have stopped early."""
        begun = [name for name, rows in self.rows.items() if rows]
        later = [*begun[-1:], *(name for name in self.rows if name not in begun)]
        return sum(self.start.networks[name] - len(self.rows[name]) for name in later)


def _watch(
    run: Annotated[Path, typer.Argument(help="Run folder of a training.")],
    *,
    once: Annotated[bool, typer.Option("--once", help="Show what there is, and end.")] = False,
) -> None:
    """Follow a training from another terminal: its figures, PUPPI's, and the best so far.

    It reads what the training writes after every epoch, and ends when the training ends.

    For example:

        l1met watch runs/deepset

        l1met watch runs/deepset --once
    """
    folder = RunFolder.open(run)
    folder.need(folder.started, made_by="l1met train")
    console = terminal.console()
    shown = first = _Progress.read(folder)
    began_s = time.monotonic()
    live = Live(_table(shown), console=console) if console.is_terminal and not once else None
    if live is None:
        console.print(_table(shown))
    with live or nullcontext():
        while not once and not folder.training.exists() and is_held(folder.root):
            time.sleep(POLL_S)
            found = _Progress.read(folder)
            if found == shown:
                continue
            shown, epochs = found, found.done - first.done
            left_s = (time.monotonic() - began_s) * found.left / epochs if epochs > 0 else None
            if live is None:
                console.print(_table(shown, left_s))
            else:
                live.update(_table(shown, left_s))
    console.print(_ending(folder))


def _ending(folder: RunFolder) -> str:
    """Say how it stands with the training, and what to do next."""
    root = shlex.quote(str(folder.root))
    if folder.training.exists():
        evaluate = "" if folder.metrics.exists() else f"l1met evaluate {root}, "
        return f"the training is complete; next: {evaluate}l1met synthesize {root}"
    if is_held(folder.root):
        return f"the training goes on; follow it with l1met watch {root}"
    again = f"l1met train {shlex.quote(str(folder.config))} --output {root} --resume"
    return f"the training was interrupted; go on with {again}"


def _table(progress: _Progress, left_s: float | None = None) -> Table:
    puppi = progress.start.puppi
    title = "Validation part"
    if (rate := puppi.get(_RATE)) is not None:
        signals = [
            name.removeprefix("val_").removesuffix("_efficiency")
            for name in puppi
            if name.endswith("_efficiency") and name != VAL_EFFICIENCY
        ]
        title += f": efficiency is the mean of {', '.join(signals)} at {rate:.0f} kHz"
    if left_s is not None:
        title += f"; {left_s / 60:.0f} min" if left_s >= 90 else f"; {left_s:.0f} s"
        title += " left for all at this speed"
    table = Table(title=title, title_justify="left")
    table.add_column("network")
    for column in ("epochs", "loss", "validation", "best", "efficiency", "best"):
        table.add_column(column, justify="right")
    loss, efficiency = puppi.get(_LOSS), puppi.get(VAL_EFFICIENCY)
    table.add_row("PUPPI", "-", "-", _loss(loss), "-", _efficiency(efficiency), "-")
    for name, epochs in progress.start.networks.items():
        rows = progress.rows[name]
        last = rows[-1] if rows else {}
        losses = [row[_LOSS] for row in rows if _LOSS in row]
        reached = [row[VAL_EFFICIENCY] for row in rows if VAL_EFFICIENCY in row]
        table.add_row(
            name, f"{len(rows)}/{epochs}", _loss(last.get("loss")),
            _loss(last.get(_LOSS)), _loss(min(losses, default=None)),
            _efficiency(last.get(VAL_EFFICIENCY)), _efficiency(max(reached, default=None)),
        )  # fmt: skip
    return table


def _loss(value: float | None) -> str:
    return "-" if value is None else loss_text(value)


def _efficiency(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _rows(path: Path) -> list[Row]:
    """Read the finite figures of the epochs that there are."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    rows = csv.DictReader(text.splitlines())
    return [{k: float(v) for k, v in row.items() if v not in ("", "nan", None)} for row in rows]
