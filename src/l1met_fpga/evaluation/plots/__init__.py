"""Plots of the evaluation: functions from arrays to a matplotlib Figure."""
