"""L1 PUPPI candidates: columns, 64-bit words and their streams, units, PUPPI MET."""
