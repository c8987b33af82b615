"""Jets: what they come from and what their pt is."""
