"""Readers, the store, splits and feeds: from files of the field to batches of integers."""
