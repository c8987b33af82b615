"""Configuration: strict models, YAML files and overrides."""

from l1met_fpga.config.base import StrictModel, load_yaml, override, parse

__all__ = ["StrictModel", "load_yaml", "override", "parse"]
