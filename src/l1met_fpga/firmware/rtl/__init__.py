"""Streaming RTL: PUPPI words in, heads and the global-trigger word out."""
