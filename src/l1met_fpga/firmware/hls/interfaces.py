"""Which interfaces hls4ml can give a project."""

from l1met_fpga.config.firmware import HlsConfig, IoType
from l1met_fpga.errors import ConversionError

__all__ = ["require_of_hls4ml"]


def require_of_hls4ml(config: HlsConfig) -> None:
    """Check that hls4ml makes the interface that is asked for.

    Raises:
        ConversionError: If this package writes it itself.
    """
    if config.io_type is IoType.WORDS:
        raise ConversionError(
            "hls4ml makes projects of io_type io_parallel and io_stream; `words` is written from a "
            "trained network by `l1met synthesize`. Choose one of the two"
        )
