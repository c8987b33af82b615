"""Command line: the library's functions and nothing else."""
