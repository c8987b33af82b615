"""Simulated L1 PUPPI samples: generator, pile-up, detector, particle flow, PUPPI, files."""
