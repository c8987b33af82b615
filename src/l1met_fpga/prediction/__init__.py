"""MET of a trained network for events that a user brings: arrays, words, files."""
