"""Missing transverse energy: what is MET's own."""
