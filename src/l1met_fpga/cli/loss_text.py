"""How the screen shows a loss."""

__all__ = ["loss_text"]


def loss_text(value: float) -> str:
    """Return a loss with the digits that move: that of jets is about 1, that of MET hundreds."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
