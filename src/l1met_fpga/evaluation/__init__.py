"""Evaluate estimates of a task: baselines, figures of every sample, plots."""
