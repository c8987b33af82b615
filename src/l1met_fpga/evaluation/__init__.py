"""Evaluate MET estimates: baselines, figures of every sample, plots."""
