"""Kinds of address that a file on a server can have."""

from typing import Final

__all__ = ["XROOTD_SCHEMES", "package_missing"]

XROOTD_SCHEMES: Final = ("root", "xroot", "roots", "xroots")


def package_missing(path: str, err: ImportError) -> str:
    """Return what to install for a kind of address."""
    if path.partition("://")[0].lower() in XROOTD_SCHEMES:
        return f"{err.name or 'fsspec-xrootd'} is not installed; install l1met_fpga[xrootd]"
    said = " ".join(str(err).split())
    return (
        f"a package for this kind of address is missing ({said}); install it, or copy the file here"
    )
