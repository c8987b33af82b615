"""Firmware forms of the network, and the proof that all of them give the same bits."""
