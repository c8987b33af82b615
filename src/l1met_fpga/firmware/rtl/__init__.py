"""Streaming RTL: PUPPI words in, MET and the global-trigger word out."""
