"""Two selections of the same events, or of independent ones: how far they differ, with errors.

The threshold is taken as given. Events that both selections take carry no error of the difference, so it
is much smaller than the two errors added in quadrature.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Change", "change_of_share", "growth"]

Passing = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure and its standard deviation; NaN where there is no event."""

    value: float
    error: float


def change_of_share(before: Passing, after: Passing, *, paired: bool) -> Change:
    """Return the share of events that pass after minus that before.

    Of pairs, ``sqrt(g + l - (g - l)^2 / n) / n`` with g gained and l lost events is the standard
    deviation (McNemar's counts; P. Armitage, Statistical Methods in Medical Research, 4.5); of
    independent events the binomial errors add up.

    Args:
        before: Which events pass, shape (n,).
        after: The same; of pairs, of the same events in the same order.
        paired: Whether they are the same events.
    """
    if not len(before) or not len(after):
        return Change(float("nan"), float("nan"))
    value = float(after.mean() - before.mean())
    if paired:
        n, gained, lost = len(before), int((after & ~before).sum()), int((before & ~after).sum())
        return Change(value, float(np.sqrt(gained + lost - (gained - lost) ** 2 / n) / n))
    variance = sum(share.mean() * (1 - share.mean()) / len(share) for share in (before, after))
    return Change(value, float(np.sqrt(variance)))


def growth(before: Passing, after: Passing, *, paired: bool) -> Change:
    """Return the share that passes after over that before, ``r``.

    The counts of events in both selections, gained and lost ones are independent Poisson numbers a, g
    and l, so the variance of ``r = (a + g) / (a + l)`` is ``(g + r^2 l + (1 - r)^2 a) / (a + l)^2``.

    Args:
        before: As for :func:`change_of_share`.
        after: As for :func:`change_of_share`.
        paired: As for :func:`change_of_share`.
    """
    n_before, n_after = int(before.sum()), int(after.sum())
    if not n_before or not len(after):
        return Change(float("nan"), float("nan"))
    ratio = n_after / n_before * len(before) / len(after)
    both = int((before & after).sum()) if paired else 0
    gained, lost = n_after - both, n_before - both
    scale = len(before) / len(after)
    variance = gained * scale**2 + ratio**2 * lost + (1 - ratio) ** 2 * both
    return Change(ratio, float(np.sqrt(variance)) / n_before)
