"""Keras and QKeras models of others as integer networks: exact, or refused by name."""
