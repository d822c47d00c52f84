"""How fast, how large, how near to the machine's limits: every variant side by side, in one interleaved run."""
