#!/usr/bin/env python3
"""Make, check and build the firmware of a trained network; the same as `l1met synthesize`.

For example: ``python synthesis/synthesize.py -m deepset --pruning -B``
"""

import sys

from l1met_fpga.cli.app import main

if __name__ == "__main__":
    main(["synthesize", *sys.argv[1:]])
