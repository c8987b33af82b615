"""What all figures share: the look of a figure, curves over bins."""
