"""Particle flow: what particle an element of the detector stands for, and what its pt is."""
