"""Training: mixture, losses, pruning, callbacks, the loop and the run folder it fills."""
